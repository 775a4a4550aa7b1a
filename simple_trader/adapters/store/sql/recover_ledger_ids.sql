-- Ledger entries that the next look may bring again: it begins minutes before the newest one ($1).
(
    SELECT ledger_id FROM kraken_ledgers
    WHERE $1::timestamptz IS NOT NULL AND at >= $1::timestamptz - interval '1 hour'
)
UNION
(SELECT ledger_id FROM kraken_ledgers ORDER BY at DESC LIMIT 5000)
