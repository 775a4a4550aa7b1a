-- The journal after event $1, in order.
SELECT first_seq, last_seq, events, payload, prev_hash, hash
FROM engine_journal
WHERE last_seq > $1
ORDER BY last_seq
