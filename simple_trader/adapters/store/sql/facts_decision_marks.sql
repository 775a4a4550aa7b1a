-- What a decision came to, by horizon.
SELECT horizon_s, is_own, due_at, mid, outcome_mid, mid_at, roi_pct, net_roi_pct, is_right, void_reason
FROM decision_marks
WHERE decision_id = $1
ORDER BY horizon_s
