-- What the gates saved and cost since a moment, by kind and reason.
SELECT
    kind,
    reason,
    split_part(pair, '/', 2) AS quote,
    count(*)::integer AS decisions,
    sum(wanted_pnl) AS wanted_pnl,
    sum(done_pnl) AS done_pnl,
    coalesce(sum(effect) FILTER (WHERE effect > 0), 0) AS saved,
    coalesce(-sum(effect) FILTER (WHERE effect < 0), 0) AS missed,
    sum(effect) AS effect
FROM counterfactuals
WHERE $1::timestamptz IS NULL OR decided_at >= $1
GROUP BY 1, 2, 3
ORDER BY kind DESC, decisions DESC, reason, quote
