-- Trades already booked: those of the last day of market time, and at least the newest 5000.
SELECT exec_id
FROM (
    (SELECT exec_id, venue_at, trade_id FROM trades ORDER BY venue_at DESC, trade_id DESC LIMIT 5000)
    UNION
    SELECT exec_id, venue_at, trade_id
    FROM trades
    WHERE venue_at > (SELECT max(venue_at) FROM trades) - interval '1 day'
) AS seen
ORDER BY venue_at, trade_id
