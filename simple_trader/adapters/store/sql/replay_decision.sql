-- The cycles that decision, cycle, order or call $1 belongs to, and its market times from the first
-- snapshot that was shown to the last thing that was decided.
WITH cycles AS (
    SELECT cycle_id FROM ai_decisions
    WHERE decision_id = $1 OR cycle_id = $1 OR cl_ord_id = $1 OR call_id = $1
    UNION
    SELECT cycle_id FROM llm_calls WHERE call_id = $1
    UNION
    SELECT d.cycle_id FROM pending_trades AS p JOIN ai_decisions AS d USING (decision_id)
    WHERE p.cl_ord_id = $1 OR p.order_id = $1
), moments AS (
    SELECT as_of AS at FROM ai_snapshots JOIN cycles USING (cycle_id)
    UNION ALL
    SELECT asked_at FROM llm_calls JOIN cycles USING (cycle_id)
    UNION ALL
    SELECT at FROM ai_decisions JOIN cycles USING (cycle_id)
    UNION ALL
    SELECT approved_at FROM pending_trades WHERE cl_ord_id = $1 OR order_id = $1
)
SELECT (SELECT array_agg(cycle_id) FROM cycles) AS cycles,
       min(at) AS since, max(at) AS until
FROM moments
