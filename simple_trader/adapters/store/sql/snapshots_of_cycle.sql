-- The snapshots of a cycle (null: of the newest one), in the order of the prompt.
SELECT
    snapshot_id, cycle_id, pair, position, as_of, newest_event_at, mid, bid, ask, spread_bps, features::text,
    feature_times::text, balances::text, unrealised_pct, tradable, cost_pct, limits::text, probabilities::text,
    texts::text, config_hash
FROM ai_snapshots
WHERE cycle_id = coalesce($1::text, (SELECT n.cycle_id FROM ai_snapshots AS n ORDER BY n.as_of DESC LIMIT 1))
ORDER BY position, pair
