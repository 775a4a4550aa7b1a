-- Where the world stands, in market time.
SELECT
    (SELECT max(as_of) FROM ai_snapshots) AS last_cycle_at,
    (SELECT max(trained_at) FROM model_snapshots WHERE kind = 'trained') AS last_training_at,
    (SELECT max(venue_at) FROM trades) AS last_trade_at,
    (SELECT coalesce(sum(realised_pnl), 0) FROM trades) AS realised_pnl,
    (
        SELECT coalesce(sum(realised_pnl), 0)
        FROM trades
        WHERE venue_at >= (SELECT date_trunc('day', max(venue_at), 'UTC') FROM trades)
    ) AS realised_today,
    (SELECT count(*) FROM trades) AS fills_booked,
    (SELECT count(DISTINCT cycle_id) FROM ai_snapshots) AS cycles_run,
    greatest(
        newest_moment('engine_journal', 'at_to'),
        newest_moment('price_history', 'ts'),
        newest_moment('order_book_metrics', 'ts')
    ) AS newest_at
