-- The journal after event $1 up to event $2, in order.
SELECT first_seq, last_seq, at, at_to, epoch, events, payload, prev_hash, hash
FROM engine_journal
WHERE last_seq > $1 AND first_seq <= $2
ORDER BY last_seq
