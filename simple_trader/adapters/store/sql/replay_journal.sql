-- The ends of the journal that is there, and the last event that was ever committed.
SELECT min(first_seq) AS first_seq, max(last_seq) AS last_seq, min(at) AS first_at,
       max(at_to) AS last_at, (SELECT last_seq FROM writer_epoch) AS committed_seq
FROM engine_journal
