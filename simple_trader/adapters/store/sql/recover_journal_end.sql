-- The end of the journal.
SELECT last_seq, hash, at_to FROM engine_journal ORDER BY last_seq DESC LIMIT 1
