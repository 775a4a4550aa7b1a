-- What advice cost in the last 24 real hours, by the minute. The stand-in costs nothing.
SELECT
    extract(EPOCH FROM clock_timestamp() - minute)::double precision AS age_s,
    sum(tokens)::bigint AS tokens,
    sum(usd) AS usd
FROM (
    SELECT
        date_trunc('minute', recorded_at) AS minute,
        tokens_in::bigint + tokens_out AS tokens,
        coalesce(cost_usd, 0) AS usd
    FROM llm_calls
    WHERE recorded_at > clock_timestamp() - interval '1 day' AND provider <> 'sandbox'
) AS calls
GROUP BY minute
ORDER BY minute
