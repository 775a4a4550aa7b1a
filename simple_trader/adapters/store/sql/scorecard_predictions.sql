-- Scored predictions since a moment with what a round trip cost the decisions of the pair.
SELECT
    p.pair,
    p.made_at,
    p.due_at,
    p.scored_at,
    p.horizon_s,
    p.probability,
    p.outcome,
    ((p.scored_mid - p.mid) / p.mid * 100)::double precision AS roi_pct,
    coalesce(c.cost_pct, 0) AS cost_pct
FROM model_predictions AS p
LEFT JOIN (
    SELECT pair, avg(cost_pct)::double precision AS cost_pct FROM decision_marks
    WHERE $1::timestamptz IS NULL OR decided_at >= $1 GROUP BY pair
) AS c ON c.pair = p.pair
WHERE p.outcome IS NOT NULL
  AND p.scored_at <= p.due_at + p.horizon_s * interval '1 second'
  AND ($1::timestamptz IS NULL OR p.made_at >= $1)
ORDER BY p.made_at, p.prediction_id
