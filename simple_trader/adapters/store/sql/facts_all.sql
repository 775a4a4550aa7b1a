-- What status and doctor look at, in one row. Moments are market time, counts are exact where small.
SELECT
    clock_timestamp() AS database_now,
    (SELECT mode FROM world) AS world_mode,
    (SELECT detail FROM world) AS world_detail,
    (SELECT state FROM risk_states WHERE name = 'account') AS trading_state,
    (SELECT reasons::text FROM risk_states WHERE name = 'account') AS reasons,
    (SELECT halt_detail FROM risk_states WHERE name = 'account' AND halted) AS halt_detail,
    (SELECT equity::text FROM risk_states WHERE name = 'account') AS equity,
    (SELECT at FROM risk_states WHERE name = 'account') AS equity_at,
    (SELECT max(ts) FROM price_history) AS newest_price,
    (SELECT max(as_of) FROM ai_snapshots) AS newest_snapshot,
    (SELECT count(*) FROM ai_snapshots) AS snapshots,
    (SELECT max(decided_at) FROM ai_decisions) AS newest_decision,
    (SELECT count(*) FROM ai_decisions) AS decisions,
    (SELECT max(trained_at) FROM model_snapshots WHERE kind = 'trained') AS newest_model,
    (SELECT count(*) FROM trades) AS trades,
    (SELECT count(*) FROM pending_trades
      WHERE state IN ('DISPATCHING', 'SENT', 'OPEN', 'AMENDING', 'PARTIAL', 'PENDING_CANCEL',
                      'UNKNOWN')) AS open_orders,
    (SELECT count(*) FROM pending_trades WHERE state = 'UNKNOWN') AS unknown_orders,
    (SELECT coalesce(sum(realised_pnl), 0)::text FROM trades) AS realised_pnl,
    (SELECT count(*) FROM (SELECT error FROM llm_calls WHERE advisor = ''
                           ORDER BY asked_at DESC LIMIT 20) AS calls
      WHERE error <> '') AS failed_calls,
    (SELECT error FROM llm_calls WHERE error <> '' AND advisor = ''
      ORDER BY asked_at DESC LIMIT 1) AS call_error,
    (SELECT count(*) FROM (SELECT error FROM llm_calls WHERE advisor <> ''
                           ORDER BY asked_at DESC LIMIT 20) AS calls
      WHERE error <> '') AS failed_shadow_calls,
    (SELECT advisor || ': ' || error FROM llm_calls WHERE error <> '' AND advisor <> ''
      ORDER BY asked_at DESC LIMIT 1) AS shadow_error,
    (SELECT max(at) FROM engine_journal) AS newest_event
