-- Ledger entries around the opening ($1): clocks do not tell whether it holds them.
SELECT ledger_id, ref_id, at, kind, asset, amount, fee, balance
FROM kraken_ledgers
WHERE at BETWEEN $1::timestamptz - interval '5 seconds' AND $1::timestamptz + interval '5 seconds'
ORDER BY at, ledger_id
