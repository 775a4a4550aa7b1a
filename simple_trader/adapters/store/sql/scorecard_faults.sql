-- Rows since a moment that know something of later: none, or no figure of the scorecard counts (I-42).
SELECT kind, id, at, fault
FROM v_point_in_time
WHERE $1::timestamptz IS NULL OR at >= $1
ORDER BY at, kind, id
LIMIT 20
