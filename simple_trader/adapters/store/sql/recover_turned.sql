-- Orders since $1 that count in the rolling limits of value and number: all but those never sent.
SELECT cl_ord_id, pair, approved_at AS at, notional AS value, side, origin
FROM pending_trades
WHERE approved_at >= $1 AND state <> 'VOID'
ORDER BY approved_at, cl_ord_id
