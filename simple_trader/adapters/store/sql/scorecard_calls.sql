-- Questions to advisors since a moment: answered, usable, tokens, time and money, by prompt version.
SELECT
    c.advisor,
    c.provider,
    c.model,
    c.template_hash,
    count(*)::integer AS calls,
    count(*) FILTER (WHERE c.reason IS NULL AND c.error = '')::integer AS answered,
    count(*) FILTER (WHERE c.reason IS NULL AND c.error = '' AND d.bad IS FALSE)::integer AS usable,
    array_agg(c.latency_ms) AS latencies_ms,
    sum(c.tokens_in)::bigint AS tokens_in,
    sum(c.tokens_out)::bigint AS tokens_out,
    sum(c.cost_usd) AS cost_usd,
    count(*) FILTER (WHERE c.cost_usd IS NULL)::integer AS unpriced
FROM llm_calls AS c
LEFT JOIN (
    -- One pass over both: a look-up for each call would be one over all shadow decisions each.
    SELECT
        x.call_id,
        bool_or(x.reason LIKE 'advice\_%' AND x.reason NOT IN ('advice_late', 'advice_stale')) AS bad
    FROM (
        SELECT a.call_id, a.reason FROM ai_decisions AS a WHERE $1::timestamptz IS NULL OR a.decided_at >= $1
        UNION ALL
        SELECT s.call_id, s.reason FROM shadow_decisions AS s WHERE $1::timestamptz IS NULL OR s.decided_at >= $1
    ) AS x
    WHERE x.call_id IS NOT NULL
    GROUP BY x.call_id
) AS d ON d.call_id = c.call_id
WHERE $1::timestamptz IS NULL OR c.asked_at >= $1
GROUP BY c.advisor, c.provider, c.model, c.template_hash
ORDER BY c.advisor, calls DESC
