-- The fills of a decision's order, in their order.
SELECT t.venue_at, t.exec_id, t.side, t.qty, t.price, t.cost, t.fee, t.liquidity, t.realised_pnl
FROM trades AS t
WHERE t.cl_ord_id = $1
ORDER BY t.venue_at, t.trade_id
