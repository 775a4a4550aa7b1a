-- What is held, valued at the last price that was seen.
SELECT l.pair, l.owner, l.opened_at, l.left_qty, l.unit_cost, l.left_cost, p.last,
       (p.last::numeric * l.left_qty - l.left_cost) AS unrealised_pnl
FROM v_open_lots AS l
LEFT JOIN LATERAL (
    SELECT h.last FROM price_history AS h WHERE h.pair = l.pair ORDER BY h.ts DESC LIMIT 1
) AS p ON true
ORDER BY l.pair, l.opened_at
