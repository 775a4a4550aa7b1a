-- What is held, valued like equity: at the middle of the last bid and ask that were seen.
SELECT l.pair, l.owner, l.opened_at, l.left_qty, l.unit_cost, l.left_cost, p.mid,
       p.mid * l.left_qty - l.left_cost AS unrealised_pnl
FROM v_open_lots AS l
LEFT JOIN LATERAL (
    SELECT (h.bid::text::numeric + h.ask::text::numeric) / 2 AS mid
    FROM price_history AS h WHERE h.pair = l.pair ORDER BY h.ts DESC LIMIT 1
) AS p ON true
ORDER BY l.pair, l.opened_at
