-- Lots that are still held, oldest first.
SELECT l.*
FROM holding_lots AS l
LEFT JOIN trades AS t ON t.exec_id = l.opened_exec_id
WHERE l.left_qty > 0 AND NOT l.deleted
ORDER BY l.opened_at, t.trade_id, l.lot_id
