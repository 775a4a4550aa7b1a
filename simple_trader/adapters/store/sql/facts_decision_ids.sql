-- The decisions that an id of a decision, a cycle, a question or an order stands for.
SELECT d.decision_id FROM ai_decisions AS d WHERE d.decision_id = $1
UNION
SELECT d.decision_id FROM ai_decisions AS d WHERE d.cycle_id = $1
UNION
SELECT d.decision_id FROM ai_decisions AS d WHERE d.call_id = $1
UNION
SELECT o.decision_id FROM pending_trades AS o WHERE o.cl_ord_id = $1
UNION
SELECT o.decision_id FROM pending_trades AS o WHERE o.order_id = $1
