-- As which model each provider last answered, by the name that was asked for.
SELECT DISTINCT ON (provider, asked) provider, asked, model
FROM (
    SELECT provider, params::jsonb ->> 'model' AS asked, model, asked_at
    FROM llm_calls
    WHERE reason IS NULL AND provider <> 'sandbox'
    ORDER BY asked_at DESC
    LIMIT 5000
) AS calls
WHERE asked IS NOT NULL
ORDER BY provider, asked, asked_at DESC
