-- What advice counts for against llm_budget in the last 24 real hours, by the minute.
SELECT
    extract(EPOCH FROM clock_timestamp() - minute)::double precision AS age_s,
    sum(budget_tokens)::bigint AS tokens,
    sum(budget_usd) AS usd
FROM (
    SELECT date_trunc('minute', recorded_at) AS minute, budget_tokens, budget_usd
    FROM llm_calls
    WHERE recorded_at > clock_timestamp() - interval '1 day' AND budget_tokens > 0
) AS calls
GROUP BY minute
ORDER BY minute
