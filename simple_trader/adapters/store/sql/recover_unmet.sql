-- Trades whose ledger entries and fill do not meet yet, since the opening; not those that a person
-- has answered for since they came.
SELECT v.ref_id, v.asset, v.left_over AS amount, v.at
FROM v_trade_matching AS v
WHERE v.left_over <> 0
  AND NOT EXISTS (
      SELECT 1
      FROM reconciliations AS r
      WHERE r.asset = v.asset AND r.cause = 'operator' AND r.state = 'explained' AND r.at >= v.at
  )
ORDER BY v.at, v.ref_id, v.asset
