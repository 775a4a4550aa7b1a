-- Fills of an owner ($1) on a pair ($2) since $3.
SELECT *
FROM trades
WHERE owner = $1 AND pair = $2 AND venue_at >= $3
ORDER BY venue_at, trade_id
