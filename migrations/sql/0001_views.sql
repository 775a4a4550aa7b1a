-- Views of the first version.

CREATE VIEW v_decision_audit AS
SELECT
    d.decision_id,
    d.cycle_id,
    d.pair,
    d.decided_at,
    s.snapshot_id,
    s.as_of,
    s.mid,
    s.features,
    s.probability,
    c.call_id,
    c.provider,
    c.model,
    c.advisor_label,
    c.prompt_hash,
    c.prompt,
    c.reply,
    c.latency_ms,
    d.action,
    d.confidence,
    d.risk_level,
    d.rationale,
    d.verdict,
    d.reason,
    d.detail,
    d.config_hash,
    o.cl_ord_id,
    o.order_id,
    o.origin,
    o.side,
    o.order_type,
    o.qty,
    o.limit_price,
    o.state AS order_state,
    o.state_reason AS order_reason,
    o.filled_qty,
    f.fills,
    f.exec_ids,
    f.filled_cost,
    f.avg_price,
    f.fees,
    f.first_fill_at,
    f.last_fill_at,
    f.realised_pnl
FROM ai_decisions AS d
LEFT JOIN ai_snapshots AS s ON s.snapshot_id = d.snapshot_id
LEFT JOIN llm_calls AS c ON c.call_id = d.call_id
LEFT JOIN pending_trades AS o ON o.cl_ord_id = d.cl_ord_id
LEFT JOIN LATERAL (
    SELECT
        count(*) AS fills,
        array_agg(t.exec_id ORDER BY t.venue_at, t.trade_id) AS exec_ids,
        sum(t.cost) AS filled_cost,
        sum(t.cost) / sum(t.qty) AS avg_price,
        sum(t.fee) AS fees,
        min(t.venue_at) AS first_fill_at,
        max(t.venue_at) AS last_fill_at,
        sum(t.realised_pnl) AS realised_pnl
    FROM trades AS t
    WHERE t.cl_ord_id = o.cl_ord_id
) AS f ON true;

COMMENT ON VIEW v_decision_audit IS
'One row per decision: what was shown, asked, answered, decided, ordered, filled and earned.';

CREATE VIEW v_open_lots AS
SELECT
    l.lot_id,
    l.owner,
    l.pair,
    l.base,
    l.quote,
    l.opened_at,
    l.qty,
    l.left_qty,
    l.price,
    l.cost / l.qty AS unit_cost,
    l.cost * l.left_qty / l.qty AS left_cost,
    l.realised_pnl,
    t.cl_ord_id,
    t.decision_id,
    t.origin
FROM holding_lots AS l
LEFT JOIN trades AS t ON t.exec_id = l.opened_exec_id
WHERE l.left_qty > 0 AND NOT l.deleted;

COMMENT ON VIEW v_open_lots IS
'What is held: each lot with its cost (buy fee included) and the decision that bought it.';

CREATE VIEW v_pnl_daily AS
SELECT
    (t.venue_at AT TIME ZONE 'UTC')::date AS day,
    split_part(t.pair, '/', 2) AS quote,
    count(*) AS trades,
    sum(t.cost) AS volume,
    sum(t.fee) AS fees,
    sum(t.realised_pnl) AS realised_pnl
FROM trades AS t
GROUP BY 1, 2;

COMMENT ON VIEW v_pnl_daily IS
'Per UTC day and quote asset: number of trades, volume, fees and realised PnL (net of fees).';
