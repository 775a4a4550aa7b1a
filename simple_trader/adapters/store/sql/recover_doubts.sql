-- What stands UNEXPLAINED: the newest row of each subject decides.
SELECT subject, coalesce(asset, '') AS asset, detail, coalesce(residual, 0) AS residual
FROM (
    SELECT DISTINCT ON (subject) subject, asset, detail, residual, state
    FROM reconciliations
    WHERE subject <> ''
    ORDER BY subject, id DESC
) AS newest
WHERE state = 'UNEXPLAINED'
ORDER BY subject
