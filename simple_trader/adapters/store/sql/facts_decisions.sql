-- Decisions by pair, verdict, reason and time (null: any), newest first; $5 counts seconds back from the newest one.
SELECT
    decision_id, cycle_id, decided_at, pair, action, confidence, risk_level, reused_from, verdict, reason, detail,
    wanted_value, cl_ord_id, side, qty, filled_qty, filled_cost, avg_price, order_state, fills, realised_pnl, left_qty,
    later_pnl, horizon_s, outcome_due_at, outcome_pct, outcome_net_pct, outcome_right, outcome_void, instead_kind,
    instead_pnl, gate_effect, advisor_label, cost_share_usd
FROM v_decision_audit
WHERE
    ($1::text IS NULL OR pair = $1)
    AND ($2::text IS NULL OR verdict = $2)
    AND ($3::text IS NULL OR reason = $3)
    AND ($4::timestamptz IS NULL OR decided_at >= $4)
    AND (
        $5::double precision IS NULL
        OR decided_at >= (SELECT max(n.decided_at) FROM ai_decisions AS n) - make_interval(secs => $5)
    )
ORDER BY decided_at DESC, cycle_id DESC, length(decision_id), decision_id
LIMIT $6
