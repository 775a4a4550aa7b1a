-- Snapshots of the newest cycle without a decision; older cycles were ended by the starts before.
SELECT s.cycle_id, s.pair, s.snapshot_id, s.config_hash
FROM ai_snapshots AS s
WHERE s.cycle_id = (SELECT n.cycle_id FROM ai_snapshots AS n ORDER BY n.as_of DESC LIMIT 1)
  AND NOT EXISTS (
      SELECT 1 FROM ai_decisions AS d WHERE d.pair = s.pair AND d.cycle_id = s.cycle_id
  )
ORDER BY s.pair
