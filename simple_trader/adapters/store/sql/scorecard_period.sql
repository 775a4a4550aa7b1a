-- The newest and oldest decision that is marked, and how many marks wait: each by its own index.
SELECT
    (SELECT max(decided_at) FROM decision_marks) AS newest,
    (SELECT min(decided_at) FROM decision_marks) AS oldest,
    (SELECT count(*)::integer FROM decision_marks WHERE scored_at IS NULL) AS waiting
