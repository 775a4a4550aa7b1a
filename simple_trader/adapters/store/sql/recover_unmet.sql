-- Trades whose ledger entries and fill do not meet yet, since the opening; not those that a person
-- has answered for since they came. What is left over counts fees, `gross` does not.
SELECT
    v.ref_id,
    v.asset,
    v.ledger - v.booked AS amount,
    coalesce(e.gross, 0) - coalesce(t.gross, 0) AS gross,
    coalesce(t.owner = 'external', FALSE) AS foreign,
    v.at
FROM v_trade_matching AS v
LEFT JOIN LATERAL (
    SELECT sum(l.amount) AS gross
    FROM kraken_ledgers AS l
    WHERE l.kind = 'trade' AND l.ref_id = v.ref_id AND l.asset = v.asset
) AS e ON TRUE
LEFT JOIN v_trade_legs AS t ON t.exec_id = v.ref_id AND t.asset = v.asset
WHERE v.left_over <> 0
  AND NOT EXISTS (
      SELECT 1
      FROM reconciliations AS r
      WHERE r.asset = v.asset AND r.cause = 'operator' AND r.state = 'explained' AND r.at >= v.at
  )
ORDER BY v.at, v.ref_id, v.asset
