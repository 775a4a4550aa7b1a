-- Each asset: its balance, and what open lots of ours hold of it.
SELECT
    coalesce(b.asset, l.base) AS asset,
    coalesce(b.balance, 0) AS balance,
    coalesce(l.held, 0) AS held
FROM kraken_balances AS b
FULL JOIN (
    SELECT base, sum(left_qty) AS held FROM v_open_lots GROUP BY base
) AS l ON l.base = b.asset
ORDER BY 1
