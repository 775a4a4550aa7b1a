-- Orders that are not finished, and those that ended within the last day ($1), at most 1000: a fill
-- that comes late must find its order, or it would be booked as foreign; and what they cost of the
-- exchange's order counter has not all decayed.
SELECT *
FROM pending_trades
WHERE state NOT IN ('FILLED', 'CANCELED', 'EXPIRED', 'REJECTED', 'VOID', 'NOT_ACCEPTED')
   OR cl_ord_id IN (
       SELECT cl_ord_id
       FROM pending_trades
       WHERE state IN ('FILLED', 'CANCELED', 'EXPIRED', 'REJECTED', 'NOT_ACCEPTED')
         AND coalesce(changed_at, at) > $1
       ORDER BY coalesce(changed_at, at) DESC
       LIMIT 1000
   )
ORDER BY approved_at, cl_ord_id
