-- Decisions by their ids, with everything that led to them and came of them, and the last price of the pair.
SELECT v.*, p.last AS last_price, p.ts AS last_price_at
FROM v_decision_audit AS v
LEFT JOIN LATERAL (
    SELECT h.last, h.ts FROM price_history AS h WHERE h.pair = v.pair ORDER BY h.ts DESC LIMIT 1
) AS p ON true
WHERE v.decision_id = ANY($1::text [])
ORDER BY v.decided_at, length(v.decision_id), v.decision_id
