-- States of the engine that the journal that is left does not go on from.
DELETE FROM engine_snapshots
WHERE seq < (SELECT min(first_seq) - 1 FROM engine_journal)
