-- The oldest purchase of a key ($1 owner, $2 base, $3 quote) that was still held at $4.
SELECT min(opened_at)
FROM holding_lots
WHERE owner = $1 AND base = $2 AND quote = $3 AND NOT deleted
  AND opened_at < $4 AND (closed_at IS NULL OR closed_at >= $4)
