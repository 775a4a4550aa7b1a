-- How each balance is explained now.
SELECT
    asset,
    trim_scale(balance) AS balance,
    trim_scale(opening) AS opening,
    trim_scale(ledger_sum) AS ledger,
    trim_scale(explained) AS explained,
    trim_scale(residual) AS residual,
    trim_scale(lots) AS lots,
    trim_scale(external) AS external,
    since
FROM v_reconciliation
ORDER BY asset
