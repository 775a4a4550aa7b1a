-- Orders that are not finished, and those taken as never accepted within the last day ($1).
SELECT *
FROM pending_trades
WHERE state NOT IN ('FILLED', 'CANCELED', 'EXPIRED', 'REJECTED', 'VOID', 'NOT_ACCEPTED')
   OR (state = 'NOT_ACCEPTED' AND coalesce(changed_at, at) > $1)
ORDER BY approved_at, cl_ord_id
