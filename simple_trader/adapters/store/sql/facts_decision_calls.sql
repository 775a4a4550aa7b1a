-- Every attempt at a question, in their order.
SELECT call_id, attempt, provider, model, status, reason, error, tokens_in, tokens_out, latency_ms, cost_usd
FROM llm_calls
WHERE call_id = $1 OR starts_with(call_id, $1 || '.')
ORDER BY attempt
