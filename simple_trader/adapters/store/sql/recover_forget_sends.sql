-- Whether an order was sent is not known after a restart: it is looked up, never sent again.
UPDATE pending_trades
SET state = 'UNKNOWN',
    state_reason = 'sent_unknown',
    detail = 'the daemon restarted before the outcome was known',
    changed_at = greatest(coalesce(changed_at, approved_at), $1)
WHERE state IN ('DISPATCHING', 'SENT')
