-- The stretch that the marks cover, the newest moment first.
SELECT
    max(decided_at) AS newest,
    min(decided_at) AS oldest,
    count(*) FILTER (WHERE scored_at IS NULL)::integer AS waiting,
    count(*) FILTER (WHERE void_reason IS NOT NULL)::integer AS voided,
    count(*)::integer AS marks
FROM decision_marks
