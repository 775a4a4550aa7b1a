-- Worlds that a fresh start has moved aside, by their schemas.
SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'world\_%' ORDER BY nspname
