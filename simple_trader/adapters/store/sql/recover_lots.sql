-- Lots that are still held, in the order of the trades that opened them.
SELECT l.*
FROM holding_lots AS l
LEFT JOIN trades AS t ON t.exec_id = l.opened_exec_id
WHERE l.left_qty > 0 AND NOT l.deleted
ORDER BY t.trade_id, l.opened_at, l.lot_id
