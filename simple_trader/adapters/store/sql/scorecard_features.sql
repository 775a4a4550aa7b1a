-- The newest snapshots of each pair, oldest first, with what was shown in numbers.
SELECT pair, as_of, mid, features
FROM (
    SELECT
        s.pair,
        s.as_of,
        s.mid,
        s.features,
        row_number() OVER (PARTITION BY s.pair ORDER BY s.as_of DESC) AS place
    FROM ai_snapshots AS s
    WHERE $1::timestamptz IS NULL OR s.as_of >= $1
) AS newest
WHERE place <= 2000
ORDER BY pair, as_of
