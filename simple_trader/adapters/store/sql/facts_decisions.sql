-- The last decisions, newest first.
SELECT decision_id, decided_at, pair, action, confidence, verdict, reason, detail, cl_ord_id,
       order_state, fills, realised_pnl
FROM v_decision_audit
ORDER BY decided_at DESC, pair
LIMIT $1
