-- The account's ledger: each entry's balance after it, and the one it must have come from.
SELECT asset, balance, balance - amount + fee AS before, amount - fee AS change
FROM kraken_ledgers
ORDER BY asset, at, ledger_id
