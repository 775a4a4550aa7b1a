-- What the trades of the decisions of each source realised, net of fees, by quote asset.
SELECT
    c.provider,
    c.model,
    c.template_hash,
    split_part(t.pair, '/', 2) AS quote,
    count(*) FILTER (WHERE t.side = 'buy')::integer AS purchases,
    count(*) FILTER (WHERE t.side = 'sell')::integer AS sales,
    sum(t.realised_pnl) AS realised_pnl,
    sum(t.fee) AS fees
FROM trades AS t
JOIN ai_decisions AS d ON d.decision_id = t.decision_id
JOIN llm_calls AS c ON c.call_id = coalesce(d.call_id, d.reused_from)
WHERE $1::timestamptz IS NULL OR d.decided_at >= $1
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
