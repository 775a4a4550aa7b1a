-- Decisions by the id of a decision, a cycle, a question or an order, with everything that led to them and came of them.
SELECT v.*, p.last AS last_price, p.ts AS last_price_at
FROM v_decision_audit AS v
LEFT JOIN LATERAL (
    SELECT h.last, h.ts FROM price_history AS h WHERE h.pair = v.pair ORDER BY h.ts DESC LIMIT 1
) AS p ON true
WHERE v.decision_id IN (
    SELECT d.decision_id FROM ai_decisions AS d WHERE d.decision_id = $1
    UNION
    SELECT d.decision_id FROM ai_decisions AS d WHERE d.cycle_id = $1
    UNION
    SELECT d.decision_id FROM ai_decisions AS d WHERE d.call_id = $1
    UNION
    SELECT o.decision_id FROM pending_trades AS o WHERE o.cl_ord_id = $1 OR o.order_id = $1
)
ORDER BY v.decided_at, length(v.decision_id), v.decision_id
