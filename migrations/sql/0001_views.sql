-- Views of the first version.

CREATE VIEW v_decision_audit AS
SELECT
    d.decision_id,
    d.cycle_id,
    d.pair,
    d.decided_at,
    s.snapshot_id,
    s.as_of,
    s.newest_event_at,
    s.mid,
    s.bid,
    s.ask,
    s.spread_bps,
    s.features,
    s.feature_times,
    s.balances,
    s.unrealised_pct,
    s.tradable,
    s.limits,
    s.probabilities,
    s.texts,
    c.call_id,
    d.reused_from,
    c.asked_at,
    c.provider,
    c.model,
    c.advisor_label,
    c.prompt_hash,
    c.template_hash,
    c.prompt,
    c.reply,
    c.kind AS reply_kind,
    c.finish_reason,
    c.error AS call_error,
    c.params AS call_params,
    c.attempt AS attempts,
    c.tokens_in,
    c.tokens_out,
    c.latency_ms,
    a.cost_usd,
    round(a.cost_usd / n.decisions, 8) AS cost_share_usd,
    d.action,
    d.confidence,
    d.risk_level,
    d.price_target,
    d.stop_loss,
    d.expected_move_pct,
    d.horizon_minutes,
    d.bias_allocation,
    d.sentiment,
    d.rationale,
    d.expected_move_used_pct,
    d.cost_pct,
    d.wanted_side,
    d.wanted_value,
    d.size_confidence,
    d.sized_qty,
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
    f.realised_pnl,
    f.left_qty,
    f.later_pnl,
    m.horizon_s,
    m.due_at AS outcome_due_at,
    m.outcome_mid,
    m.roi_pct AS outcome_pct,
    m.net_roi_pct AS outcome_net_pct,
    m.is_right AS outcome_right,
    m.void_reason AS outcome_void,
    w.kind AS instead_kind,
    w.wanted_pnl AS instead_pnl,
    w.effect AS gate_effect
FROM ai_decisions AS d
LEFT JOIN ai_snapshots AS s ON s.snapshot_id = d.snapshot_id
LEFT JOIN llm_calls AS c ON c.call_id = d.call_id
LEFT JOIN LATERAL (
    SELECT sum(t.cost_usd) AS cost_usd
    FROM llm_calls AS t
    WHERE t.cycle_id = c.cycle_id AND (t.call_id = c.call_id OR starts_with(t.call_id, c.call_id || '.'))
) AS a ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS decisions FROM ai_decisions AS e WHERE e.call_id = d.call_id
) AS n ON true
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
        sum(t.realised_pnl) AS realised_pnl,
        sum(l.left_qty) AS left_qty,
        sum(l.realised_pnl) AS later_pnl
    FROM trades AS t
    LEFT JOIN holding_lots AS l ON l.opened_exec_id = t.exec_id AND NOT l.deleted
    WHERE t.cl_ord_id = o.cl_ord_id
) AS f ON true
LEFT JOIN LATERAL (
    SELECT *
    FROM decision_marks AS k
    WHERE k.decision_id = d.decision_id
    ORDER BY k.roi_pct IS NULL, k.is_own DESC, k.horizon_s DESC
    LIMIT 1
) AS m ON true
LEFT JOIN counterfactuals AS w ON w.decision_id = d.decision_id;

COMMENT ON VIEW v_decision_audit IS
'One row per decision: what was shown, asked, answered, decided, ordered, filled, earned, and what came of the market.';
COMMENT ON COLUMN v_decision_audit.decision_id IS 'Id of the decision (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.cycle_id IS 'Id of the decision cycle (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.pair IS 'Pair by its v2 name (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.decided_at IS 'Market time of the decision (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.snapshot_id IS 'What was shown (ai_snapshots); null where nothing was.';
COMMENT ON COLUMN v_decision_audit.as_of IS 'Market time the snapshot stands for (ai_snapshots).';
COMMENT ON COLUMN v_decision_audit.newest_event_at IS 'Newest event behind anything shown, never after as_of (ai_snapshots).';
COMMENT ON COLUMN v_decision_audit.mid IS 'Middle of bid and ask at as_of, in quote units (ai_snapshots).';
COMMENT ON COLUMN v_decision_audit.bid IS 'Best bid that was shown, in quote units (ai_snapshots).';
COMMENT ON COLUMN v_decision_audit.ask IS 'Best ask that was shown, in quote units (ai_snapshots).';
COMMENT ON COLUMN v_decision_audit.spread_bps IS 'Spread that was shown, in basis points of the mid (ai_snapshots).';
COMMENT ON COLUMN v_decision_audit.features IS 'Features by name that were shown (ai_snapshots).';
COMMENT ON COLUMN v_decision_audit.feature_times IS 'Newest event behind each feature (ai_snapshots).';
COMMENT ON COLUMN v_decision_audit.balances IS 'Cash and holding that were shown, as fractions of equity (ai_snapshots).';
COMMENT ON COLUMN v_decision_audit.unrealised_pct IS 'Unrealised result that was shown, in percent of cost (ai_snapshots).';
COMMENT ON COLUMN v_decision_audit.tradable IS 'Whether the pair could be traded (ai_snapshots).';
COMMENT ON COLUMN v_decision_audit.limits IS 'Limits as the prompt told them (ai_snapshots).';
COMMENT ON COLUMN v_decision_audit.probabilities IS 'What was shown of the online model, by horizon (ai_snapshots).';
COMMENT ON COLUMN v_decision_audit.texts IS 'Texts of others that were shown (ai_snapshots).';
COMMENT ON COLUMN v_decision_audit.call_id IS 'The question; null where nobody was asked (llm_calls).';
COMMENT ON COLUMN v_decision_audit.reused_from IS 'The question again, where its earlier answer was used again (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.asked_at IS 'Market time of the question (llm_calls).';
COMMENT ON COLUMN v_decision_audit.provider IS 'Who was asked, as openai or sandbox (llm_calls).';
COMMENT ON COLUMN v_decision_audit.model IS 'Model by the provider''s name (llm_calls).';
COMMENT ON COLUMN v_decision_audit.advisor_label IS 'What people are told of the advisor, as `not an LLM` (llm_calls).';
COMMENT ON COLUMN v_decision_audit.prompt_hash IS 'SHA-256 of the prompt, in hex (llm_calls).';
COMMENT ON COLUMN v_decision_audit.template_hash IS 'Version of the prompt: SHA-256 of template and tool schema (llm_calls).';
COMMENT ON COLUMN v_decision_audit.prompt IS 'The exact prompt (llm_calls).';
COMMENT ON COLUMN v_decision_audit.reply IS 'The exact reply, or empty (llm_calls).';
COMMENT ON COLUMN v_decision_audit.reply_kind IS 'tool_call or content (llm_calls).';
COMMENT ON COLUMN v_decision_audit.finish_reason IS 'Why the provider ended the answer (llm_calls).';
COMMENT ON COLUMN v_decision_audit.call_error IS 'What went wrong with the question, or empty (llm_calls).';
COMMENT ON COLUMN v_decision_audit.call_params IS 'What went with the prompt, as temperature, in JSON (llm_calls).';
COMMENT ON COLUMN v_decision_audit.attempts IS 'Attempts at the question, other providers included (llm_calls).';
COMMENT ON COLUMN v_decision_audit.tokens_in IS 'Tokens of the prompt, by the provider (llm_calls).';
COMMENT ON COLUMN v_decision_audit.tokens_out IS 'Tokens of the answer, by the provider (llm_calls).';
COMMENT ON COLUMN v_decision_audit.latency_ms IS 'Real milliseconds from question to answer (llm_calls).';
COMMENT ON COLUMN v_decision_audit.cost_usd IS 'What all attempts at the question cost, in USD; null where no price is known (llm_calls).';
COMMENT ON COLUMN v_decision_audit.cost_share_usd IS 'This decision''s share of that: the same for all decisions on the answer (llm_calls, ai_decisions).';
COMMENT ON COLUMN v_decision_audit.action IS 'Advised action: buy, sell or hold (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.confidence IS 'Confidence of the advice, in [0, 1] (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.risk_level IS 'Risk level of the advice: low, medium or high (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.price_target IS 'Where the idea has paid off, in quote units (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.stop_loss IS 'Where the idea is wrong, in quote units (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.expected_move_pct IS 'Advised change of the price, in percent (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.horizon_minutes IS 'Within which that is expected (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.bias_allocation IS 'Advised share of the most allowed, in [-1, 1] (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.sentiment IS 'Mood of the market by the advisor, in [-1, 1] (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.rationale IS 'Why, in the advisor''s words (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.expected_move_used_pct IS 'Expected move that was judged, in percent (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.cost_pct IS 'Fees and spread of a round trip, in percent of the price (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.wanted_side IS 'Side wished for: buy or sell; null for hold (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.wanted_value IS 'Value wished for before any cap, in quote units (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.size_confidence IS 'Confidence that sized it, calibrated, in [0, 1] (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.sized_qty IS 'Quantity after caps, funds and steps, in base units (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.verdict IS 'What became of the advice: approved, refused or hold (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.reason IS 'The one reason of the verdict (ai_decisions, docs/reference/reasons.md).';
COMMENT ON COLUMN v_decision_audit.detail IS 'The numbers behind the reason (ai_decisions).';
COMMENT ON COLUMN v_decision_audit.config_hash IS 'Version of the configuration that decided (ai_decisions, config_versions).';
COMMENT ON COLUMN v_decision_audit.cl_ord_id IS 'Our client order id; null where no order was made (pending_trades).';
COMMENT ON COLUMN v_decision_audit.order_id IS 'The exchange''s order id (pending_trades).';
COMMENT ON COLUMN v_decision_audit.origin IS 'Who made the order: ai, exit or operator (pending_trades).';
COMMENT ON COLUMN v_decision_audit.side IS 'Side of the order: buy or sell, of the base asset (pending_trades).';
COMMENT ON COLUMN v_decision_audit.order_type IS 'limit or market (pending_trades).';
COMMENT ON COLUMN v_decision_audit.qty IS 'Ordered quantity, in base units (pending_trades).';
COMMENT ON COLUMN v_decision_audit.limit_price IS 'Limit price of the order, in quote units (pending_trades).';
COMMENT ON COLUMN v_decision_audit.order_state IS 'Where the order stands (state of pending_trades).';
COMMENT ON COLUMN v_decision_audit.order_reason IS 'Reason of that state (state_reason of pending_trades).';
COMMENT ON COLUMN v_decision_audit.filled_qty IS 'Filled so far, in base units (pending_trades).';
COMMENT ON COLUMN v_decision_audit.fills IS 'Number of fills of the order; 0 without an order (trades).';
COMMENT ON COLUMN v_decision_audit.exec_ids IS 'Ids of these fills in their order (exec_id of trades).';
COMMENT ON COLUMN v_decision_audit.filled_cost IS 'Sum of their costs, without fees, in quote units (trades).';
COMMENT ON COLUMN v_decision_audit.avg_price IS 'Their average price: cost by quantity, in quote units (trades).';
COMMENT ON COLUMN v_decision_audit.fees IS 'Sum of their fees, in quote units (trades).';
COMMENT ON COLUMN v_decision_audit.first_fill_at IS 'The exchange''s moment of the first fill (trades).';
COMMENT ON COLUMN v_decision_audit.last_fill_at IS 'The exchange''s moment of the last fill (trades).';
COMMENT ON COLUMN v_decision_audit.realised_pnl IS 'Realised by these fills, net of both fees, in quote units (trades).';
COMMENT ON COLUMN v_decision_audit.left_qty IS 'What is still held of a purchase, in base units; null for others (holding_lots).';
COMMENT ON COLUMN v_decision_audit.later_pnl IS 'What sales of that purchase realised since, net of fees, in quote units (holding_lots).';
COMMENT ON COLUMN v_decision_audit.horizon_s IS 'Horizon of the outcome, in market seconds: its own once that is known, else the longest known (decision_marks).';
COMMENT ON COLUMN v_decision_audit.outcome_due_at IS 'Market time from which that outcome is known (decision_marks).';
COMMENT ON COLUMN v_decision_audit.outcome_mid IS 'First mid at or after that; null until known (decision_marks).';
COMMENT ON COLUMN v_decision_audit.outcome_pct IS 'Change of the mid until then, in percent; null until known (decision_marks).';
COMMENT ON COLUMN v_decision_audit.outcome_net_pct IS 'What the action made of it after a round trip, in percent; null until known (decision_marks).';
COMMENT ON COLUMN v_decision_audit.outcome_right IS '1 if the action was right after fees, else 0; null until known (decision_marks).';
COMMENT ON COLUMN v_decision_audit.outcome_void IS 'Why there is no outcome; null where there is one, or none yet (decision_marks).';
COMMENT ON COLUMN v_decision_audit.instead_kind IS 'vetoed, resized or held: what the gates did to it; null for others (counterfactuals).';
COMMENT ON COLUMN v_decision_audit.instead_pnl IS 'What the wish would have made after fees, in quote units (counterfactuals).';
COMMENT ON COLUMN v_decision_audit.gate_effect IS 'What the gates saved (above zero) or cost by it, in quote units (counterfactuals).';

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
COMMENT ON COLUMN v_open_lots.lot_id IS 'Id of the lot (holding_lots).';
COMMENT ON COLUMN v_open_lots.owner IS 'Who holds it (holding_lots).';
COMMENT ON COLUMN v_open_lots.pair IS 'Pair it was bought on (holding_lots).';
COMMENT ON COLUMN v_open_lots.base IS 'Asset it holds (holding_lots).';
COMMENT ON COLUMN v_open_lots.quote IS 'Asset it was paid in (holding_lots).';
COMMENT ON COLUMN v_open_lots.opened_at IS 'The exchange''s moment of the purchase (holding_lots).';
COMMENT ON COLUMN v_open_lots.qty IS 'Bought quantity, in base units (holding_lots).';
COMMENT ON COLUMN v_open_lots.left_qty IS 'Quantity that is still held, in base units (holding_lots).';
COMMENT ON COLUMN v_open_lots.price IS 'Price of the purchase, in quote units (holding_lots).';
COMMENT ON COLUMN v_open_lots.unit_cost IS 'Cost of one base unit including the buy fee, in quote units (cost / qty of holding_lots).';
COMMENT ON COLUMN v_open_lots.left_cost IS 'Cost of left_qty including its part of the buy fee, in quote units (holding_lots).';
COMMENT ON COLUMN v_open_lots.realised_pnl IS 'Realised by what was sold of it, net of both fees, in quote units (holding_lots).';
COMMENT ON COLUMN v_open_lots.cl_ord_id IS 'The order that bought it (trades); null where it was not ours.';
COMMENT ON COLUMN v_open_lots.decision_id IS 'The decision behind the purchase (trades, ai_decisions).';
COMMENT ON COLUMN v_open_lots.origin IS 'Who made the purchase: ai, exit or operator (trades).';

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
COMMENT ON COLUMN v_pnl_daily.day IS 'UTC day of the fills, by the exchange''s moment (venue_at of trades).';
COMMENT ON COLUMN v_pnl_daily.quote IS 'Asset that volume, fees and realised_pnl are in (second half of the pair).';
COMMENT ON COLUMN v_pnl_daily.trades IS 'Number of fills (trades).';
COMMENT ON COLUMN v_pnl_daily.volume IS 'Sum of the costs without fees, in quote units (trades).';
COMMENT ON COLUMN v_pnl_daily.fees IS 'Sum of the fees that were taken in the quote asset, in quote units (trades).';
COMMENT ON COLUMN v_pnl_daily.realised_pnl IS 'Sum of what was realised, net of both fees, in quote units (trades).';

CREATE VIEW v_trade_legs AS
SELECT
    t.exec_id,
    t.owner,
    t.pair,
    t.venue_at,
    leg.asset,
    sum(leg.change) AS change,
    sum(leg.change) FILTER (WHERE leg.what <> 'fee') AS gross
FROM trades AS t
CROSS JOIN LATERAL (
    SELECT split_part(t.pair, '/', 1) AS asset, CASE t.side WHEN 'buy' THEN t.qty ELSE -t.qty END AS change, 'base' AS what
    UNION ALL
    SELECT split_part(t.pair, '/', 2), CASE t.side WHEN 'buy' THEN -t.cost ELSE t.cost END, 'quote'
    UNION ALL
    SELECT took.item ->> 'asset', -(took.item ->> 'qty')::numeric, 'fee'
    FROM jsonb_array_elements(t.fees) AS took (item)
) AS leg
GROUP BY t.exec_id, t.owner, t.pair, t.venue_at, leg.asset;

COMMENT ON VIEW v_trade_legs IS 'What each booked trade did to each asset, fees included.';
COMMENT ON COLUMN v_trade_legs.exec_id IS 'Id of the trade (trades).';
COMMENT ON COLUMN v_trade_legs.owner IS 'Whose trade it was; external: not ours (trades).';
COMMENT ON COLUMN v_trade_legs.pair IS 'Pair by its v2 name (trades).';
COMMENT ON COLUMN v_trade_legs.venue_at IS 'The exchange''s moment (trades).';
COMMENT ON COLUMN v_trade_legs.asset IS 'Asset that changed.';
COMMENT ON COLUMN v_trade_legs.change IS 'By how much, in units of the asset (qty, cost and fees of trades).';
COMMENT ON COLUMN v_trade_legs.gross IS 'The same without fees; null where only a fee changed it.';

CREATE VIEW v_reconciliation AS
SELECT
    r.asset,
    r.since,
    r.opening,
    coalesce(l.ledger_sum, 0) AS ledger_sum,
    r.explained,
    r.short,
    coalesce(b.balance, 0) AS balance,
    coalesce(b.balance, 0) - r.opening - coalesce(l.ledger_sum, 0) - r.explained AS residual,
    coalesce(h.held, 0) AS lots,
    coalesce(b.balance, 0) - coalesce(h.held, 0) AS external,
    r.state,
    r.detail,
    r.at AS compared_at
FROM (
    SELECT DISTINCT ON (n.asset) n.*
    FROM reconciliations AS n
    WHERE n.asset IS NOT NULL
    ORDER BY n.asset, n.id DESC
) AS r
LEFT JOIN kraken_balances AS b ON b.asset = r.asset
LEFT JOIN LATERAL (
    SELECT sum(e.amount - e.fee) AS ledger_sum
    FROM kraken_ledgers AS e
    WHERE e.asset = r.asset AND e.at > r.since
) AS l ON TRUE
LEFT JOIN (
    SELECT o.base, sum(o.left_qty) AS held FROM v_open_lots AS o GROUP BY o.base
) AS h ON h.base = r.asset;

COMMENT ON VIEW v_reconciliation IS
'Each asset now: balance against opening, ledger and what people explained (residual must be zero), and lots against balance.';
COMMENT ON COLUMN v_reconciliation.asset IS 'Asset by its v2 name (reconciliations).';
COMMENT ON COLUMN v_reconciliation.since IS 'Moment of the opening (reconciliations).';
COMMENT ON COLUMN v_reconciliation.opening IS 'Balance at that moment (reconciliations).';
COMMENT ON COLUMN v_reconciliation.ledger_sum IS 'Sum of amount - fee of the entries since (kraken_ledgers).';
COMMENT ON COLUMN v_reconciliation.explained IS 'What people accepted without an entry (reconciliations).';
COMMENT ON COLUMN v_reconciliation.short IS 'What people accepted to be missing of our lots (reconciliations).';
COMMENT ON COLUMN v_reconciliation.balance IS 'Balance as the exchange told it last (kraken_balances).';
COMMENT ON COLUMN v_reconciliation.residual IS 'balance - opening - ledger_sum - explained: must be exactly zero (I-13).';
COMMENT ON COLUMN v_reconciliation.lots IS 'What open lots of ours hold of it (v_open_lots).';
COMMENT ON COLUMN v_reconciliation.external IS 'The rest, which no strategy touches; below zero only where `short` says so (I-15).';
COMMENT ON COLUMN v_reconciliation.state IS 'Verdict of the newest comparison (reconciliations).';
COMMENT ON COLUMN v_reconciliation.detail IS 'Its numbers in words (reconciliations).';
COMMENT ON COLUMN v_reconciliation.compared_at IS 'Market time of that comparison (reconciliations).';

CREATE VIEW v_trade_matching AS
SELECT
    coalesce(e.ref_id, t.exec_id) AS ref_id,
    coalesce(e.asset, t.asset) AS asset,
    coalesce(e.change, 0) AS ledger,
    coalesce(t.change, 0) AS booked,
    CASE
        WHEN abs(d.apart) <= power(10::numeric, -coalesce(a.precision, 10)) THEN 0
        ELSE d.apart
    END AS left_over,
    coalesce(e.at, t.venue_at) AS at
FROM (
    SELECT l.ref_id, l.asset, sum(l.amount) AS gross, sum(l.amount - l.fee) AS change, min(l.at) AS at
    FROM kraken_ledgers AS l
    WHERE l.kind = 'trade' AND l.at > (SELECT min(r.since) + interval '5 seconds' FROM reconciliations AS r)
    GROUP BY l.ref_id, l.asset
) AS e
FULL JOIN (
    SELECT g.*
    FROM v_trade_legs AS g
    WHERE g.venue_at > (SELECT min(r.since) + interval '5 seconds' FROM reconciliations AS r)
) AS t ON t.exec_id = e.ref_id AND t.asset = e.asset
LEFT JOIN kraken_assets AS a ON a.asset = coalesce(e.asset, t.asset)
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN t.owner = 'external' THEN coalesce(e.gross, 0) - coalesce(t.gross, 0)
            ELSE coalesce(e.change, 0) - coalesce(t.change, 0)
        END AS apart
) AS d;

COMMENT ON VIEW v_trade_matching IS
'Each trade since the opening, asset by asset: its ledger entries against its booked fill.';
COMMENT ON COLUMN v_trade_matching.ref_id IS 'Id of the trade (trades), which its ledger entries refer to (kraken_ledgers).';
COMMENT ON COLUMN v_trade_matching.asset IS 'Asset that changed.';
COMMENT ON COLUMN v_trade_matching.ledger IS 'By how much, by the exchange''s ledger (kraken_ledgers).';
COMMENT ON COLUMN v_trade_matching.booked IS 'By how much, by our books (v_trade_legs).';
COMMENT ON COLUMN v_trade_matching.left_over IS 'The difference, of trades of others without fees (REST names no asset of a fee); below the asset''s last digit it is rounding.';
COMMENT ON COLUMN v_trade_matching.at IS 'The exchange''s moment (kraken_ledgers, trades).';

CREATE VIEW v_equity_two_ways AS
SELECT
    t.owner,
    t.pair,
    sum(CASE t.side WHEN 'buy' THEN t.qty ELSE -t.qty END) - coalesce(sum(f.base_fee), 0) AS trades_qty,
    coalesce(max(h.qty), 0) AS lots_qty,
    sum(CASE t.side WHEN 'buy' THEN -t.cost ELSE t.cost END) - coalesce(sum(f.quote_fee), 0) AS trades_cash,
    sum(t.realised_pnl) - coalesce(max(h.cost_left), 0) AS lots_cash
FROM trades AS t
LEFT JOIN LATERAL (
    SELECT
        sum((took.item ->> 'qty')::numeric) FILTER (WHERE took.item ->> 'asset' = split_part(t.pair, '/', 1)) AS base_fee,
        sum((took.item ->> 'qty')::numeric) FILTER (WHERE took.item ->> 'asset' = split_part(t.pair, '/', 2)) AS quote_fee
    FROM jsonb_array_elements(t.fees) AS took (item)
) AS f ON TRUE
LEFT JOIN (
    SELECT
        l.owner,
        l.pair,
        sum(l.left_qty) AS qty,
        sum(l.cost - div(l.cost * (l.qty - l.left_qty) * 10000000000, l.qty) / 10000000000) AS cost_left
    FROM holding_lots AS l
    WHERE l.left_qty > 0 AND NOT l.deleted
    GROUP BY l.owner, l.pair
) AS h ON h.owner = t.owner AND h.pair = t.pair
WHERE t.owner <> 'external'
GROUP BY t.owner, t.pair;

COMMENT ON VIEW v_equity_two_ways IS
'Equity from lots and from raw trades: quantity and cash must be the same, so at any price equity is too (I-14).';
COMMENT ON COLUMN v_equity_two_ways.owner IS 'Whose trades (trades).';
COMMENT ON COLUMN v_equity_two_ways.pair IS 'Pair by its v2 name (trades).';
COMMENT ON COLUMN v_equity_two_ways.trades_qty IS 'Bought less sold less fees in the base asset, in base units (trades).';
COMMENT ON COLUMN v_equity_two_ways.lots_qty IS 'What open lots hold, in base units (holding_lots).';
COMMENT ON COLUMN v_equity_two_ways.trades_cash IS 'Received less paid less fees, in quote units (trades).';
COMMENT ON COLUMN v_equity_two_ways.lots_cash IS 'Realised PnL less what the open lots have cost, in quote units (trades, holding_lots).';

CREATE VIEW v_gate_ledger AS
SELECT
    c.kind,
    c.reason,
    split_part(c.pair, '/', 2) AS quote,
    count(*) AS decisions,
    sum(c.wanted_value) AS wanted_value,
    sum(c.done_value) AS done_value,
    sum(c.wanted_pnl) AS wanted_pnl,
    sum(c.done_pnl) AS done_pnl,
    coalesce(sum(c.effect) FILTER (WHERE c.effect > 0), 0) AS saved,
    coalesce(-sum(c.effect) FILTER (WHERE c.effect < 0), 0) AS missed,
    sum(c.effect) AS effect,
    min(c.decided_at) AS first_at,
    max(c.decided_at) AS last_at
FROM counterfactuals AS c
GROUP BY c.kind, c.reason, split_part(c.pair, '/', 2);

COMMENT ON VIEW v_gate_ledger IS
'What the gates saved and cost, in money and by reason: vetoed and resized wishes at their own horizon, after fees; held ones as purchases of the base order that were not made.';
COMMENT ON COLUMN v_gate_ledger.kind IS 'vetoed, resized or held (counterfactuals).';
COMMENT ON COLUMN v_gate_ledger.reason IS 'The one reason of the verdict (counterfactuals).';
COMMENT ON COLUMN v_gate_ledger.quote IS 'Quote asset of the pair: the unit of the money (counterfactuals).';
COMMENT ON COLUMN v_gate_ledger.decisions IS 'How many decisions.';
COMMENT ON COLUMN v_gate_ledger.wanted_value IS 'What would have been staked, in quote units.';
COMMENT ON COLUMN v_gate_ledger.done_value IS 'What was staked, in quote units.';
COMMENT ON COLUMN v_gate_ledger.wanted_pnl IS 'What the wishes would have made after fees, in quote units.';
COMMENT ON COLUMN v_gate_ledger.done_pnl IS 'What the approved parts made after fees, in quote units.';
COMMENT ON COLUMN v_gate_ledger.saved IS 'Losses that did not happen, in quote units.';
COMMENT ON COLUMN v_gate_ledger.missed IS 'Profits that did not happen, in quote units.';
COMMENT ON COLUMN v_gate_ledger.effect IS 'saved - missed, in quote units.';
COMMENT ON COLUMN v_gate_ledger.first_at IS 'Market time of the first such decision.';
COMMENT ON COLUMN v_gate_ledger.last_at IS 'Market time of the last one.';

CREATE VIEW v_model_skill AS
SELECT
    p.pair,
    p.horizon_s,
    count(*) AS scored,
    avg(p.outcome) AS share_up,
    avg(p.brier) AS brier,
    avg((p.base_rate - p.outcome) ^ 2) AS base_brier,
    1 - avg(p.brier) / nullif(avg((p.base_rate - p.outcome) ^ 2), 0) AS brier_skill,
    avg(p.log_loss) AS log_loss,
    avg(- ln(greatest(CASE WHEN p.outcome = 1 THEN p.base_rate ELSE 1 - p.base_rate END, 1e-6))) AS base_log_loss,
    count(*) FILTER (WHERE p.quarantined) AS scored_in_quarantine,
    max(k.quarantined_at) AS quarantined_at,
    max(k.quarantined_for) AS quarantined_for,
    max(k.diverged) AS diverged,
    max(k.drifts) AS drifts,
    max(k.drifted_at) AS drifted_at,
    min(p.made_at) AS first_at,
    max(p.made_at) AS last_at
FROM model_predictions AS p
LEFT JOIN model_skills AS k ON k.pair = p.pair AND k.horizon_s = p.horizon_s
WHERE p.outcome IS NOT NULL AND p.scored_at <= p.due_at + p.horizon_s * interval '1 second'
GROUP BY p.pair, p.horizon_s;

COMMENT ON VIEW v_model_skill IS
'How good the online model is for each pair and horizon, computed from its predictions: above 0 is better than climatology.';
COMMENT ON COLUMN v_model_skill.pair IS 'Pair by its v2 name.';
COMMENT ON COLUMN v_model_skill.horizon_s IS 'Horizon in market seconds.';
COMMENT ON COLUMN v_model_skill.scored IS 'Predictions whose outcome was known in time.';
COMMENT ON COLUMN v_model_skill.share_up IS 'Share of outcomes with a higher mid.';
COMMENT ON COLUMN v_model_skill.brier IS 'Mean Brier score.';
COMMENT ON COLUMN v_model_skill.base_brier IS 'Mean Brier score of climatology: the base rate that was known at each prediction.';
COMMENT ON COLUMN v_model_skill.brier_skill IS '1 - brier / base_brier.';
COMMENT ON COLUMN v_model_skill.log_loss IS 'Mean log loss, in nats.';
COMMENT ON COLUMN v_model_skill.base_log_loss IS 'Mean log loss of climatology, in nats.';
COMMENT ON COLUMN v_model_skill.scored_in_quarantine IS 'How many of them were kept from the advisor.';
COMMENT ON COLUMN v_model_skill.quarantined_at IS 'Kept from the advisor since; null where it is shown (model_skills).';
COMMENT ON COLUMN v_model_skill.quarantined_for IS 'Reason of the quarantine, or empty (model_skills).';
COMMENT ON COLUMN v_model_skill.diverged IS 'Times that the weights were put back (model_skills).';
COMMENT ON COLUMN v_model_skill.drifts IS 'Times that the errors grew (model_skills).';
COMMENT ON COLUMN v_model_skill.drifted_at IS 'Market time of the newest of these (model_skills).';
COMMENT ON COLUMN v_model_skill.first_at IS 'Market time of the first prediction.';
COMMENT ON COLUMN v_model_skill.last_at IS 'Market time of the last one.';

CREATE VIEW v_point_in_time AS
SELECT 'snapshot' AS kind, s.snapshot_id AS id, s.as_of AS at, 'an event of it is newer than the snapshot' AS fault
FROM ai_snapshots AS s
WHERE s.newest_event_at > s.as_of
UNION ALL
SELECT 'snapshot', s.snapshot_id, s.as_of, 'a feature has an event newer than the snapshot: ' || f.moment
FROM ai_snapshots AS s
CROSS JOIN LATERAL jsonb_object_keys(s.feature_times) AS f (moment)
WHERE f.moment::timestamptz > s.as_of
UNION ALL
SELECT 'decision', d.decision_id, d.decided_at, 'it was taken before what it was shown'
FROM ai_decisions AS d
JOIN ai_snapshots AS s ON s.snapshot_id = d.snapshot_id
WHERE s.as_of > d.decided_at
UNION ALL
SELECT 'decision', d.decision_id, d.decided_at, 'it was taken before the answer came'
FROM ai_decisions AS d
JOIN llm_calls AS c ON c.call_id = d.call_id
WHERE c.answered_at > d.decided_at
UNION ALL
SELECT 'mark', m.mark_id, m.decided_at, 'its price is not of the horizon: ' || m.mid_at
FROM decision_marks AS m
WHERE m.mid_at < m.due_at OR m.mid_at > m.due_at + m.horizon_s * interval '1 second' OR m.mid_at > m.scored_at
UNION ALL
SELECT 'mark', m.mark_id, m.decided_at, 'its horizon is not counted from the decision'
FROM decision_marks AS m
WHERE m.due_at <> m.decided_at + m.horizon_s * interval '1 second' OR m.horizon_s <= 0
UNION ALL
SELECT 'mark', m.mark_id, m.decided_at, 'a price before the one it was marked with was passed over'
FROM decision_marks AS m
WHERE m.mid_at > m.due_at + interval '65 seconds' AND EXISTS (
    -- `ts` is the exchange's moment: a quote may have come up to a minute later.
    SELECT 1
    FROM price_history AS h
    WHERE h.pair = m.pair AND h.ts >= m.due_at + interval '5 seconds' AND h.ts < m.mid_at - interval '60 seconds'
)
UNION ALL
SELECT 'prediction', p.prediction_id, p.made_at, 'it was scored before its horizon was over'
FROM model_predictions AS p
WHERE p.scored_at < p.due_at OR p.due_at <= p.made_at
UNION ALL
SELECT 'prediction', p.prediction_id, p.made_at, 'its model was trained later'
FROM model_predictions AS p
JOIN model_snapshots AS t ON t.model_id = p.model_id
WHERE t.trained_at > p.made_at;

COMMENT ON VIEW v_point_in_time IS
'Rows that know something of later than they may (I-42): empty, or the figures of the scorecard mean nothing.';
COMMENT ON COLUMN v_point_in_time.kind IS 'snapshot, decision, mark or prediction.';
COMMENT ON COLUMN v_point_in_time.id IS 'Id of the row.';
COMMENT ON COLUMN v_point_in_time.at IS 'Market time for which the row stands.';
COMMENT ON COLUMN v_point_in_time.fault IS 'What is of later.';
