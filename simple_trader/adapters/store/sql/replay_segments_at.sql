-- First and last event of the segments that hold market times from $1 (inclusive) to $2.
SELECT min(first_seq) AS first_seq, max(last_seq) AS last_seq
FROM engine_journal
WHERE at_to >= $1 AND at <= $2
