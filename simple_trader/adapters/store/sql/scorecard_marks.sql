-- Marks since a moment, oldest first; $1 null: all.
SELECT
    advisor,
    provider,
    model,
    template_hash,
    pair,
    decided_at,
    due_at,
    scored_at,
    horizon_s,
    is_own,
    is_repeat,
    action,
    reason,
    confidence,
    expected_move_pct,
    cost_pct::double precision AS cost_pct,
    past_roi_pct,
    roi_pct,
    is_right,
    void_reason
FROM decision_marks
WHERE $1::timestamptz IS NULL OR decided_at >= $1
ORDER BY decided_at, mark_id
