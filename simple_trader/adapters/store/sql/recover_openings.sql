-- Each asset that was ever compared: its opening, and the ledger since as the entries say now. One
-- that came after the opening and was not compared yet has its entries alone: it was empty then.
SELECT
    v.asset,
    v.since,
    v.opening,
    v.ledger_sum,
    v.explained,
    v.short
FROM v_reconciliation AS v
UNION ALL
SELECT
    e.asset,
    o.since,
    0 AS opening,
    sum(e.amount - e.fee) AS ledger_sum,
    0 AS explained,
    0 AS short
FROM kraken_ledgers AS e
CROSS JOIN (SELECT min(r.since) AS since FROM reconciliations AS r WHERE r.asset IS NOT NULL) AS o
WHERE e.at > o.since
  AND NOT EXISTS (SELECT 1 FROM reconciliations AS r WHERE r.asset = e.asset)
GROUP BY e.asset, o.since
ORDER BY 1
