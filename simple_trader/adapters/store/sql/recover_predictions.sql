-- Predictions whose outcome is not known yet, with what they were made from; older ones than $1
-- have no price that would answer them.
SELECT p.*, s.features
FROM model_predictions AS p
LEFT JOIN ai_snapshots AS s ON s.snapshot_id = p.snapshot_id
WHERE p.outcome IS NULL AND p.due_at > $1
ORDER BY p.made_at, p.prediction_id
