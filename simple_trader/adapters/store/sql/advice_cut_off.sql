-- Questions of the last 24 real hours that may have been asked and whose cost nobody wrote down:
-- the daemon ended first (interrupted, or the newest cycle has no decision yet), or gave the
-- advisor up with nothing told.
SELECT extract(EPOCH FROM clock_timestamp() - asked)::double precision AS age_s
FROM (
    SELECT d.cycle_id, min(d.recorded_at) AS asked
    FROM ai_decisions AS d
    WHERE d.reason = 'interrupted' AND d.recorded_at > clock_timestamp() - interval '1 day'
      AND NOT EXISTS (
          SELECT 1 FROM llm_calls AS c WHERE c.cycle_id = d.cycle_id AND c.advisor = ''
      )
    GROUP BY d.cycle_id
    UNION ALL
    SELECT s.cycle_id, min(s.recorded_at)
    FROM ai_snapshots AS s
    WHERE s.cycle_id = (SELECT n.cycle_id FROM ai_snapshots AS n ORDER BY n.as_of DESC LIMIT 1)
      AND s.recorded_at > clock_timestamp() - interval '1 day'
      AND NOT EXISTS (SELECT 1 FROM ai_decisions AS d WHERE d.cycle_id = s.cycle_id)
      AND NOT EXISTS (
          SELECT 1 FROM llm_calls AS c WHERE c.cycle_id = s.cycle_id AND c.advisor = ''
      )
    GROUP BY s.cycle_id
    UNION ALL
    SELECT cycle_id, recorded_at
    FROM llm_calls
    WHERE provider = '' AND reason = 'advice_timeout' AND advisor = ''
      AND recorded_at > clock_timestamp() - interval '1 day'
) AS cut
ORDER BY asked
