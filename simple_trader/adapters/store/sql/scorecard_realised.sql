-- What the purchases of each source have made by now, net of all fees, by quote asset: whoever sold
-- them, for a loss that a stop ended is a loss of the advice that bought. $1 null: all.
SELECT
    c.provider,
    c.model,
    c.template_hash,
    l.quote,
    count(*)::integer AS purchases,
    count(*) FILTER (WHERE l.left_qty > 0)::integer AS held,
    sum(l.realised_pnl) AS realised_pnl
FROM holding_lots AS l
JOIN trades AS t ON t.exec_id = l.opened_exec_id
JOIN ai_decisions AS d ON d.decision_id = t.decision_id
JOIN llm_calls AS c ON c.call_id = coalesce(d.call_id, d.reused_from)
WHERE NOT l.deleted AND ($1::timestamptz IS NULL OR d.decided_at >= $1)
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
