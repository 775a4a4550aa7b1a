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
LEFT JOIN LATERAL (
    SELECT bool_or(x.reason LIKE 'advice\_%' AND x.reason NOT IN ('advice_late', 'advice_stale')) AS bad
    FROM (
        SELECT a.reason FROM ai_decisions AS a WHERE a.call_id = c.call_id
        UNION ALL
        SELECT s.reason FROM shadow_decisions AS s WHERE s.call_id = c.call_id
    ) AS x
) AS d ON true
WHERE $1::timestamptz IS NULL OR c.asked_at >= $1
GROUP BY c.advisor, c.provider, c.model, c.template_hash
ORDER BY c.advisor, calls DESC
