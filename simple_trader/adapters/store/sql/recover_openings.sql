-- Each asset that was ever compared: its opening, and the ledger since as the entries say now.
SELECT
    v.asset,
    v.since,
    v.opening,
    v.ledger_sum,
    v.explained,
    v.short
FROM v_reconciliation AS v
ORDER BY v.asset
