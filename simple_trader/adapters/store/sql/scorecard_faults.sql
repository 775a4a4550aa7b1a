-- Rows that know something of later: none, or no figure of the scorecard counts (I-42).
SELECT kind, id, at, fault FROM v_point_in_time ORDER BY at, kind, id LIMIT 20
