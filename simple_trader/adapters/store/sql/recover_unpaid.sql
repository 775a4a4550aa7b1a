-- Per owner and pair the oldest trade whose fee may still be told otherwise (X26): those of the last
-- ten minutes of market time, and of the last day those without any fee.
SELECT told.owner, told.pair, min(told.venue_at) AS oldest
FROM trades AS told
WHERE told.venue_at > (SELECT max(venue_at) FROM trades) - interval '1 day'
  AND (
    told.fees = '[]'
    OR told.venue_at > (SELECT max(venue_at) FROM trades) - interval '10 minutes'
  )
GROUP BY told.owner, told.pair
