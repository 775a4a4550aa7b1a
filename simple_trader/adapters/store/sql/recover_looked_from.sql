-- When the newest whole look by REST began.
SELECT max(looked_from) FROM reconciliations
