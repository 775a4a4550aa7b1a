-- Marks whose outcome is not known yet.
SELECT * FROM decision_marks WHERE scored_at IS NULL ORDER BY due_at, decided_at, mark_id
