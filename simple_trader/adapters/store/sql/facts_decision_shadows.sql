-- What the shadows said of the same snapshot.
SELECT advisor, provider, model, action, confidence, risk_level, verdict, reason, detail
FROM shadow_decisions
WHERE cycle_id = $1 AND pair = $2
ORDER BY advisor
