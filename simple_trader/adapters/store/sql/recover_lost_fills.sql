-- Fills with an id of our form (domain.ids) that no order of ours explains (a restored backup), not
-- yet answered for.
SELECT t.exec_id, split_part(t.pair, '/', 1) AS base
FROM trades AS t
WHERE t.owner = 'external'
  AND t.cl_ord_id ~ '^st[0-9a-z]+-[0-9a-z]+$'
  AND NOT EXISTS (
      SELECT 1
      FROM reconciliations AS r
      WHERE r.asset = split_part(t.pair, '/', 1)
        AND r.cause = 'operator'
        AND r.state = 'explained'
        AND r.at >= t.at
  )
ORDER BY t.exec_id
