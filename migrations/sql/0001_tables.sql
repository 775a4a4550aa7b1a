-- Tables of the first version (frozen: later changes are later revisions).

CREATE TABLE ai_snapshots (
    snapshot_id TEXT NOT NULL,
    cycle_id TEXT NOT NULL,
    pair TEXT NOT NULL,
    as_of TIMESTAMP WITH TIME ZONE NOT NULL,
    newest_event_at TIMESTAMP WITH TIME ZONE NOT NULL,
    mid NUMERIC NOT NULL,
    bid NUMERIC NOT NULL,
    ask NUMERIC NOT NULL,
    spread_bps DOUBLE PRECISION NOT NULL,
    features JSONB NOT NULL,
    feature_times JSONB NOT NULL,
    balances JSONB NOT NULL,
    unrealised_pct DOUBLE PRECISION,
    tradable BOOLEAN NOT NULL,
    cost_pct NUMERIC,
    limits JSONB NOT NULL,
    probabilities JSONB NOT NULL,
    texts JSONB NOT NULL,
    position INTEGER NOT NULL,
    config_hash TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_ai_snapshots PRIMARY KEY (snapshot_id),
    CONSTRAINT ck_ai_snapshots_mid_positive CHECK (mid > 0 AND mid < 'Infinity'::numeric),
    CONSTRAINT ck_ai_snapshots_bid_positive CHECK (bid > 0 AND bid < 'Infinity'::numeric),
    CONSTRAINT ck_ai_snapshots_ask_positive CHECK (ask > 0 AND ask < 'Infinity'::numeric),
    CONSTRAINT ck_ai_snapshots_position_counted CHECK (position >= 0),
    CONSTRAINT ck_ai_snapshots_newest_event_at_at_most_as_of CHECK (newest_event_at <= as_of)
);

CREATE INDEX ix_ai_snapshots_as_of_pair ON ai_snapshots (as_of, pair);
CREATE INDEX ix_ai_snapshots_cycle_id ON ai_snapshots (cycle_id);
COMMENT ON TABLE ai_snapshots IS 'Everything about one pair that the advisor is shown in one cycle.';
COMMENT ON COLUMN ai_snapshots.snapshot_id IS 'Id of the snapshot.';
COMMENT ON COLUMN ai_snapshots.cycle_id IS 'Id of the decision cycle.';
COMMENT ON COLUMN ai_snapshots.pair IS 'Pair by its v2 name.';
COMMENT ON COLUMN ai_snapshots.as_of IS 'Market time the snapshot stands for; nothing in it is newer.';
COMMENT ON COLUMN ai_snapshots.newest_event_at IS 'Moment of the newest observation in it (never after as_of).';
COMMENT ON COLUMN ai_snapshots.mid IS 'Middle of bid and ask at as_of, in quote units.';
COMMENT ON COLUMN ai_snapshots.bid IS 'Best bid at as_of, in quote units.';
COMMENT ON COLUMN ai_snapshots.ask IS 'Best ask at as_of, in quote units.';
COMMENT ON COLUMN ai_snapshots.spread_bps IS 'Spread that was shown, in basis points of the mid.';
COMMENT ON COLUMN ai_snapshots.features IS 'Features by name (numbers; null where there was too little data).';
COMMENT ON COLUMN ai_snapshots.feature_times IS 'Newest event behind each feature: a moment, the features of it.';
COMMENT ON COLUMN ai_snapshots.balances IS 'Cash and holding as fractions of equity, exact text.';
COMMENT ON COLUMN ai_snapshots.unrealised_pct IS 'Unrealised result of the holding, % of cost.';
COMMENT ON COLUMN ai_snapshots.tradable IS 'Whether the pair could be traded.';
COMMENT ON COLUMN ai_snapshots.cost_pct IS 'Fees and spread of a round trip, percent of price.';
COMMENT ON COLUMN ai_snapshots.limits IS 'Limits of the house as the prompt told them.';
COMMENT ON COLUMN ai_snapshots.probabilities IS 'What was shown of the online model, by horizon.';
COMMENT ON COLUMN ai_snapshots.texts IS 'Texts of others that were shown, each with its source.';
COMMENT ON COLUMN ai_snapshots.position IS 'Place among the pairs of the prompt, from 0.';
COMMENT ON COLUMN ai_snapshots.config_hash IS 'Version of the configuration (config_versions).';
COMMENT ON COLUMN ai_snapshots.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN ai_snapshots.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE llm_calls (
    call_id TEXT NOT NULL,
    cycle_id TEXT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    advisor_label TEXT NOT NULL,
    prompt_hash TEXT NOT NULL,
    template_hash TEXT NOT NULL,
    prompt TEXT NOT NULL,
    reply TEXT NOT NULL,
    kind TEXT NOT NULL,
    finish_reason TEXT NOT NULL,
    tokens_in INTEGER NOT NULL,
    tokens_out INTEGER NOT NULL,
    latency_ms INTEGER NOT NULL,
    error TEXT NOT NULL,
    reason TEXT,
    advisor TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    status INTEGER,
    params TEXT NOT NULL,
    cost_usd NUMERIC,
    budget_tokens INTEGER NOT NULL,
    budget_usd NUMERIC NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_llm_calls PRIMARY KEY (call_id),
    CONSTRAINT ck_llm_calls_cost_usd_not_negative CHECK (cost_usd >= 0 AND cost_usd < 'Infinity'::numeric),
    CONSTRAINT ck_llm_calls_attempt_counted CHECK (attempt >= 0),
    CONSTRAINT ck_llm_calls_tokens_in_counted CHECK (tokens_in >= 0),
    CONSTRAINT ck_llm_calls_tokens_out_counted CHECK (tokens_out >= 0),
    CONSTRAINT ck_llm_calls_latency_ms_counted CHECK (latency_ms >= 0),
    CONSTRAINT ck_llm_calls_budget_tokens_counted CHECK (budget_tokens >= 0),
    CONSTRAINT ck_llm_calls_budget_usd_not_negative CHECK (budget_usd >= 0 AND budget_usd < 'Infinity'::numeric)
);

CREATE INDEX ix_llm_calls_asked_at ON llm_calls (asked_at);
CREATE INDEX ix_llm_calls_cycle_id ON llm_calls (cycle_id);
COMMENT ON TABLE llm_calls IS 'Every question to an advisor, with its exact prompt and reply.';
COMMENT ON COLUMN llm_calls.call_id IS 'Id of the question; attempts before its last one have a suffix.';
COMMENT ON COLUMN llm_calls.cycle_id IS 'Id of the decision cycle.';
COMMENT ON COLUMN llm_calls.asked_at IS 'Market time of the question.';
COMMENT ON COLUMN llm_calls.answered_at IS 'Market time of the answer or of its failure.';
COMMENT ON COLUMN llm_calls.provider IS 'Who was asked, as openai or sandbox.';
COMMENT ON COLUMN llm_calls.model IS 'Model by the provider''s name.';
COMMENT ON COLUMN llm_calls.advisor_label IS 'What people are told of the advisor, as `not an LLM`.';
COMMENT ON COLUMN llm_calls.prompt_hash IS 'SHA-256 of the prompt.';
COMMENT ON COLUMN llm_calls.template_hash IS 'SHA-256 of the template and tool schema.';
COMMENT ON COLUMN llm_calls.prompt IS 'The exact prompt.';
COMMENT ON COLUMN llm_calls.reply IS 'The exact reply, or empty.';
COMMENT ON COLUMN llm_calls.kind IS 'tool_call or content.';
COMMENT ON COLUMN llm_calls.finish_reason IS 'Why the provider ended the answer.';
COMMENT ON COLUMN llm_calls.tokens_in IS 'Tokens of the prompt, by the provider.';
COMMENT ON COLUMN llm_calls.tokens_out IS 'Tokens of the answer, by the provider.';
COMMENT ON COLUMN llm_calls.latency_ms IS 'Real milliseconds from question to answer.';
COMMENT ON COLUMN llm_calls.error IS 'What went wrong, or empty.';
COMMENT ON COLUMN llm_calls.reason IS 'Reason why there is no usable answer.';
COMMENT ON COLUMN llm_calls.advisor IS 'Shadow that was asked; empty: the advisor that is traded on.';
COMMENT ON COLUMN llm_calls.attempt IS 'Which attempt at the question this was, from 1.';
COMMENT ON COLUMN llm_calls.status IS 'HTTP status; null where none came.';
COMMENT ON COLUMN llm_calls.params IS 'What went with the prompt, as a JSON object (temperature and so on).';
COMMENT ON COLUMN llm_calls.cost_usd IS 'What it cost, in USD; null where tokens or price are not told.';
COMMENT ON COLUMN llm_calls.budget_tokens IS 'Tokens it counts against llm_budget: at most, if nobody told.';
COMMENT ON COLUMN llm_calls.budget_usd IS 'USD it counts against llm_budget, in the same way.';
COMMENT ON COLUMN llm_calls.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN llm_calls.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE ai_decisions (
    decision_id TEXT NOT NULL,
    cycle_id TEXT NOT NULL,
    pair TEXT NOT NULL,
    snapshot_id TEXT,
    call_id TEXT,
    decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
    action TEXT NOT NULL,
    confidence DOUBLE PRECISION,
    risk_level TEXT,
    rationale TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    cl_ord_id TEXT,
    config_hash TEXT NOT NULL,
    price_target NUMERIC,
    stop_loss NUMERIC,
    expected_move_pct DOUBLE PRECISION,
    horizon_minutes DOUBLE PRECISION,
    bias_allocation DOUBLE PRECISION,
    sentiment DOUBLE PRECISION,
    wanted_side TEXT,
    wanted_value NUMERIC,
    sized_qty NUMERIC,
    size_confidence DOUBLE PRECISION,
    reused_from TEXT,
    expected_move_used_pct DOUBLE PRECISION,
    cost_pct NUMERIC,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_ai_decisions PRIMARY KEY (decision_id),
    CONSTRAINT ck_ai_decisions_action_known CHECK (action IN ('buy', 'sell', 'hold')),
    CONSTRAINT ck_ai_decisions_verdict_known CHECK (verdict IN ('approved', 'refused', 'hold')),
    CONSTRAINT ck_ai_decisions_wanted_side_known CHECK (wanted_side IN ('buy', 'sell')),
    CONSTRAINT ck_ai_decisions_confidence_fraction CHECK (confidence >= 0 AND confidence <= 1),
    CONSTRAINT ck_ai_decisions_size_confidence_fraction CHECK (size_confidence >= 0 AND size_confidence <= 1),
    CONSTRAINT ck_ai_decisions_wanted_value_not_negative CHECK (wanted_value >= 0 AND wanted_value < 'Infinity'::numeric),
    CONSTRAINT ck_ai_decisions_sized_qty_not_negative CHECK (sized_qty >= 0 AND sized_qty < 'Infinity'::numeric)
);

CREATE INDEX ix_ai_decisions_call_id ON ai_decisions (call_id);
CREATE INDEX ix_ai_decisions_cl_ord_id ON ai_decisions (cl_ord_id);
CREATE INDEX ix_ai_decisions_decided_at ON ai_decisions (decided_at);
CREATE INDEX ix_ai_decisions_pair_cycle_id ON ai_decisions (pair, cycle_id);
CREATE UNIQUE INDEX uq_ai_decisions_advised_once ON ai_decisions (cycle_id, pair) WHERE call_id IS NOT NULL;
COMMENT ON TABLE ai_decisions IS 'One decision per pair and cycle, with its verdict.';
COMMENT ON COLUMN ai_decisions.decision_id IS 'Id of the decision.';
COMMENT ON COLUMN ai_decisions.cycle_id IS 'Id of the decision cycle.';
COMMENT ON COLUMN ai_decisions.pair IS 'Pair by its v2 name.';
COMMENT ON COLUMN ai_decisions.snapshot_id IS 'What was shown (ai_snapshots); null where nothing was, as in an exit before the first cycle of a start, or a pair without a price.';
COMMENT ON COLUMN ai_decisions.call_id IS 'What was asked and answered (llm_calls).';
COMMENT ON COLUMN ai_decisions.decided_at IS 'Market time of the decision.';
COMMENT ON COLUMN ai_decisions.action IS 'buy, sell or hold.';
COMMENT ON COLUMN ai_decisions.confidence IS 'Confidence of the advice, in [0, 1].';
COMMENT ON COLUMN ai_decisions.risk_level IS 'Risk level of the advice: low, medium or high.';
COMMENT ON COLUMN ai_decisions.rationale IS 'Why, in the advisor''s words.';
COMMENT ON COLUMN ai_decisions.verdict IS 'approved, refused or hold.';
COMMENT ON COLUMN ai_decisions.reason IS 'The one reason of the verdict (docs/reference/reasons.md).';
COMMENT ON COLUMN ai_decisions.detail IS 'The numbers behind the reason.';
COMMENT ON COLUMN ai_decisions.cl_ord_id IS 'The order it became (pending_trades).';
COMMENT ON COLUMN ai_decisions.config_hash IS 'Version of the configuration (config_versions).';
COMMENT ON COLUMN ai_decisions.price_target IS 'Where the idea has paid off, in quote units.';
COMMENT ON COLUMN ai_decisions.stop_loss IS 'Where the idea is wrong, in quote units.';
COMMENT ON COLUMN ai_decisions.expected_move_pct IS 'Advised change of the price, in percent.';
COMMENT ON COLUMN ai_decisions.horizon_minutes IS 'Within which that is expected.';
COMMENT ON COLUMN ai_decisions.bias_allocation IS 'Advised share of the most allowed, [-1, 1].';
COMMENT ON COLUMN ai_decisions.sentiment IS 'Mood of the market by the advisor, [-1, 1].';
COMMENT ON COLUMN ai_decisions.wanted_side IS 'Side wished for: buy or sell; null for hold.';
COMMENT ON COLUMN ai_decisions.wanted_value IS 'Value wished for, in quote units, before any cap.';
COMMENT ON COLUMN ai_decisions.sized_qty IS 'Quantity after caps, funds and steps, in base units.';
COMMENT ON COLUMN ai_decisions.size_confidence IS 'Confidence that sized it, calibrated, [0, 1].';
COMMENT ON COLUMN ai_decisions.reused_from IS 'Call whose earlier answer was used again (llm_calls).';
COMMENT ON COLUMN ai_decisions.expected_move_used_pct IS 'Expected move that was judged, percent.';
COMMENT ON COLUMN ai_decisions.cost_pct IS 'Fees and spread of a round trip, percent of price.';
COMMENT ON COLUMN ai_decisions.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN ai_decisions.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE model_predictions (
    prediction_id TEXT NOT NULL,
    pair TEXT NOT NULL,
    cycle_id TEXT NOT NULL,
    snapshot_id TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    horizon_cycles INTEGER NOT NULL,
    horizon_s INTEGER NOT NULL,
    probability DOUBLE PRECISION NOT NULL,
    base_rate DOUBLE PRECISION NOT NULL,
    quarantined BOOLEAN NOT NULL,
    model_id TEXT NOT NULL,
    mid NUMERIC NOT NULL,
    outcome INTEGER,
    brier DOUBLE PRECISION,
    log_loss DOUBLE PRECISION,
    scored_mid NUMERIC,
    scored_at TIMESTAMP WITH TIME ZONE,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_model_predictions PRIMARY KEY (prediction_id),
    CONSTRAINT ck_model_predictions_probability_fraction CHECK (probability >= 0 AND probability <= 1),
    CONSTRAINT ck_model_predictions_base_rate_fraction CHECK (base_rate >= 0 AND base_rate <= 1),
    CONSTRAINT ck_model_predictions_brier_fraction CHECK (brier >= 0 AND brier <= 1),
    CONSTRAINT ck_model_predictions_outcome_fraction CHECK (outcome >= 0 AND outcome <= 1),
    CONSTRAINT ck_model_predictions_mid_positive CHECK (mid > 0 AND mid < 'Infinity'::numeric)
);

CREATE INDEX ix_model_predictions_open ON model_predictions (due_at) WHERE outcome IS NULL;
CREATE INDEX ix_model_predictions_pair_made_at ON model_predictions (pair, made_at);
COMMENT ON TABLE model_predictions IS 'Predictions of the online model, logged before their outcome.';
COMMENT ON COLUMN model_predictions.prediction_id IS 'Id of the prediction.';
COMMENT ON COLUMN model_predictions.pair IS 'Pair by its v2 name.';
COMMENT ON COLUMN model_predictions.cycle_id IS 'Id of the decision cycle.';
COMMENT ON COLUMN model_predictions.snapshot_id IS 'Snapshot with the features it was made from (ai_snapshots).';
COMMENT ON COLUMN model_predictions.made_at IS 'Market time of the prediction: written before the outcome is known.';
COMMENT ON COLUMN model_predictions.due_at IS 'Market time from which the outcome is known.';
COMMENT ON COLUMN model_predictions.horizon_cycles IS 'Horizon in decision cycles.';
COMMENT ON COLUMN model_predictions.horizon_s IS 'Horizon in market seconds.';
COMMENT ON COLUMN model_predictions.probability IS 'Chance of a higher mid at due_at, in [0, 1].';
COMMENT ON COLUMN model_predictions.base_rate IS 'Climatology then: share of higher mids so far, in [0, 1].';
COMMENT ON COLUMN model_predictions.quarantined IS 'Whether it was kept from the advisor.';
COMMENT ON COLUMN model_predictions.model_id IS 'Model that made it.';
COMMENT ON COLUMN model_predictions.mid IS 'Mid when it was made, in quote units.';
COMMENT ON COLUMN model_predictions.outcome IS '1 if the mid was higher, else 0; null until known.';
COMMENT ON COLUMN model_predictions.brier IS '(probability - outcome) squared; null until known.';
COMMENT ON COLUMN model_predictions.log_loss IS 'Log loss in nats; null until known.';
COMMENT ON COLUMN model_predictions.scored_mid IS 'Mid at the outcome, in quote units; null until known.';
COMMENT ON COLUMN model_predictions.scored_at IS 'Market time of the outcome; null until known.';
COMMENT ON COLUMN model_predictions.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN model_predictions.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE decision_marks (
    mark_id TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    advisor TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    template_hash TEXT NOT NULL,
    pair TEXT NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    horizon_s INTEGER NOT NULL,
    is_own BOOLEAN NOT NULL,
    is_repeat BOOLEAN NOT NULL,
    action TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    confidence DOUBLE PRECISION,
    expected_move_pct DOUBLE PRECISION,
    mid NUMERIC NOT NULL,
    cost_pct NUMERIC NOT NULL,
    past_roi_pct DOUBLE PRECISION,
    wanted_side TEXT,
    wanted_value NUMERIC,
    done_value NUMERIC NOT NULL,
    outcome_mid NUMERIC,
    mid_at TIMESTAMP WITH TIME ZONE,
    roi_pct DOUBLE PRECISION,
    net_roi_pct DOUBLE PRECISION,
    is_right INTEGER,
    void_reason TEXT,
    scored_at TIMESTAMP WITH TIME ZONE,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_decision_marks PRIMARY KEY (mark_id),
    CONSTRAINT ck_decision_marks_action_known CHECK (action IN ('buy', 'sell', 'hold')),
    CONSTRAINT ck_decision_marks_verdict_known CHECK (verdict IN ('approved', 'refused', 'hold')),
    CONSTRAINT ck_decision_marks_wanted_side_known CHECK (wanted_side IN ('buy', 'sell')),
    CONSTRAINT ck_decision_marks_confidence_fraction CHECK (confidence >= 0 AND confidence <= 1),
    CONSTRAINT ck_decision_marks_is_right_fraction CHECK (is_right >= 0 AND is_right <= 1),
    CONSTRAINT ck_decision_marks_mid_positive CHECK (mid > 0 AND mid < 'Infinity'::numeric),
    CONSTRAINT ck_decision_marks_done_value_not_negative CHECK (done_value >= 0 AND done_value < 'Infinity'::numeric)
);

CREATE INDEX ix_decision_marks_decided_at ON decision_marks (decided_at);
CREATE INDEX ix_decision_marks_decision_id ON decision_marks (decision_id);
CREATE INDEX ix_decision_marks_open ON decision_marks (due_at) WHERE scored_at IS NULL;
COMMENT ON TABLE decision_marks IS 'What each decision came to, by horizon; logged before the outcome is known.';
COMMENT ON COLUMN decision_marks.mark_id IS 'Id of the mark: that of the decision, and the horizon.';
COMMENT ON COLUMN decision_marks.decision_id IS 'The decision (ai_decisions, or shadow_decisions).';
COMMENT ON COLUMN decision_marks.advisor IS 'Empty for the advisor that trades, else the name of the shadow.';
COMMENT ON COLUMN decision_marks.provider IS 'Who answered; empty where nobody did.';
COMMENT ON COLUMN decision_marks.model IS 'Model by the provider''s name.';
COMMENT ON COLUMN decision_marks.template_hash IS 'Version of the prompt: SHA-256 of template and tool schema.';
COMMENT ON COLUMN decision_marks.pair IS 'Pair by its v2 name.';
COMMENT ON COLUMN decision_marks.decided_at IS 'Market time of the decision: written before the outcome is known.';
COMMENT ON COLUMN decision_marks.due_at IS 'Market time from which the outcome is known.';
COMMENT ON COLUMN decision_marks.horizon_s IS 'Horizon in market seconds.';
COMMENT ON COLUMN decision_marks.is_own IS 'Whether it is the decision''s own horizon: there its confidence is scored.';
COMMENT ON COLUMN decision_marks.is_repeat IS 'Whether an earlier answer was used again: then it is no further claim.';
COMMENT ON COLUMN decision_marks.action IS 'buy, sell or hold.';
COMMENT ON COLUMN decision_marks.verdict IS 'approved, refused or hold.';
COMMENT ON COLUMN decision_marks.reason IS 'The one reason of the verdict (docs/reference/reasons.md).';
COMMENT ON COLUMN decision_marks.confidence IS 'Confidence of the advice, in [0, 1].';
COMMENT ON COLUMN decision_marks.expected_move_pct IS 'Expected move in the direction of the action, in percent.';
COMMENT ON COLUMN decision_marks.mid IS 'Mid at the decision, in quote units.';
COMMENT ON COLUMN decision_marks.cost_pct IS 'Round trip: two taker fees and one spread, in percent of the mid.';
COMMENT ON COLUMN decision_marks.past_roi_pct IS 'Change of the price over the same horizon before, in percent.';
COMMENT ON COLUMN decision_marks.wanted_side IS 'Side before the gates: buy or sell; null for a hold.';
COMMENT ON COLUMN decision_marks.wanted_value IS 'Quote units before the gates and caps; of a hold the base order.';
COMMENT ON COLUMN decision_marks.done_value IS 'Quote units of the order that was approved; 0 for none.';
COMMENT ON COLUMN decision_marks.outcome_mid IS 'First mid at or after due_at; null until known.';
COMMENT ON COLUMN decision_marks.mid_at IS 'Market time of that mid; null until known.';
COMMENT ON COLUMN decision_marks.roi_pct IS 'Change of the mid in percent; null until known.';
COMMENT ON COLUMN decision_marks.net_roi_pct IS 'What the action made of it after the round trip, in percent; null until known.';
COMMENT ON COLUMN decision_marks.is_right IS '1 if the action was right after fees, else 0; null until known.';
COMMENT ON COLUMN decision_marks.void_reason IS 'Why there is no outcome; null where there is one.';
COMMENT ON COLUMN decision_marks.scored_at IS 'Market time of the outcome; null until known.';
COMMENT ON COLUMN decision_marks.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN decision_marks.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE counterfactuals (
    decision_id TEXT NOT NULL,
    pair TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    template_hash TEXT NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
    horizon_s INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    side TEXT NOT NULL,
    wanted_value NUMERIC NOT NULL,
    done_value NUMERIC NOT NULL,
    roi_pct DOUBLE PRECISION NOT NULL,
    cost_pct NUMERIC NOT NULL,
    wanted_pnl NUMERIC NOT NULL,
    done_pnl NUMERIC NOT NULL,
    effect NUMERIC NOT NULL,
    scored_at TIMESTAMP WITH TIME ZONE NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_counterfactuals PRIMARY KEY (decision_id),
    CONSTRAINT ck_counterfactuals_kind_known CHECK (kind IN ('vetoed', 'resized', 'held')),
    CONSTRAINT ck_counterfactuals_side_known CHECK (side IN ('buy', 'sell')),
    CONSTRAINT ck_counterfactuals_wanted_value_not_negative CHECK (wanted_value >= 0 AND wanted_value < 'Infinity'::numeric),
    CONSTRAINT ck_counterfactuals_done_value_not_negative CHECK (done_value >= 0 AND done_value < 'Infinity'::numeric)
);

CREATE INDEX ix_counterfactuals_decided_at ON counterfactuals (decided_at);
COMMENT ON TABLE counterfactuals IS 'What vetoed, resized and held decisions would have made or lost, after fees.';
COMMENT ON COLUMN counterfactuals.decision_id IS 'The decision (ai_decisions).';
COMMENT ON COLUMN counterfactuals.pair IS 'Pair by its v2 name.';
COMMENT ON COLUMN counterfactuals.provider IS 'Who answered; empty where nobody did.';
COMMENT ON COLUMN counterfactuals.model IS 'Model by the provider''s name.';
COMMENT ON COLUMN counterfactuals.template_hash IS 'Version of the prompt: SHA-256 of template and tool schema.';
COMMENT ON COLUMN counterfactuals.decided_at IS 'Market time of the decision.';
COMMENT ON COLUMN counterfactuals.horizon_s IS 'The decision''s own horizon in market seconds.';
COMMENT ON COLUMN counterfactuals.kind IS 'vetoed, resized or held.';
COMMENT ON COLUMN counterfactuals.reason IS 'The one reason of the verdict (docs/reference/reasons.md).';
COMMENT ON COLUMN counterfactuals.side IS 'buy or sell; a hold is taken as a purchase that was not made.';
COMMENT ON COLUMN counterfactuals.wanted_value IS 'Quote units before the gates and caps; of a hold the base order.';
COMMENT ON COLUMN counterfactuals.done_value IS 'Quote units of the order that was approved; 0 for none.';
COMMENT ON COLUMN counterfactuals.roi_pct IS 'Change of the mid to the horizon, in percent.';
COMMENT ON COLUMN counterfactuals.cost_pct IS 'Round trip: two taker fees and one spread, in percent of the mid.';
COMMENT ON COLUMN counterfactuals.wanted_pnl IS 'What the wish would have made after fees, in quote units.';
COMMENT ON COLUMN counterfactuals.done_pnl IS 'What the approved part made after fees, in quote units.';
COMMENT ON COLUMN counterfactuals.effect IS 'done_pnl - wanted_pnl: above zero the gate saved it, below it cost it.';
COMMENT ON COLUMN counterfactuals.scored_at IS 'Market time of the outcome.';
COMMENT ON COLUMN counterfactuals.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN counterfactuals.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE shadow_decisions (
    shadow_id TEXT NOT NULL,
    advisor TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    template_hash TEXT NOT NULL,
    cycle_id TEXT NOT NULL,
    pair TEXT NOT NULL,
    snapshot_id TEXT,
    call_id TEXT,
    decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
    action TEXT NOT NULL,
    confidence DOUBLE PRECISION,
    risk_level TEXT,
    price_target NUMERIC,
    stop_loss NUMERIC,
    expected_move_pct DOUBLE PRECISION,
    horizon_minutes DOUBLE PRECISION,
    bias_allocation DOUBLE PRECISION,
    sentiment DOUBLE PRECISION,
    rationale TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    wanted_side TEXT,
    wanted_value NUMERIC,
    expected_move_used_pct DOUBLE PRECISION,
    cost_pct NUMERIC,
    config_hash TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_shadow_decisions PRIMARY KEY (shadow_id),
    CONSTRAINT ck_shadow_decisions_action_known CHECK (action IN ('buy', 'sell', 'hold')),
    CONSTRAINT ck_shadow_decisions_verdict_known CHECK (verdict IN ('approved', 'refused', 'hold')),
    CONSTRAINT ck_shadow_decisions_wanted_side_known CHECK (wanted_side IN ('buy', 'sell')),
    CONSTRAINT ck_shadow_decisions_confidence_fraction CHECK (confidence >= 0 AND confidence <= 1)
);

CREATE INDEX ix_shadow_decisions_cycle_id ON shadow_decisions (cycle_id);
CREATE INDEX ix_shadow_decisions_decided_at ON shadow_decisions (decided_at);
COMMENT ON TABLE shadow_decisions IS 'What shadow advisors said on the same snapshots; never traded.';
COMMENT ON COLUMN shadow_decisions.shadow_id IS 'Id of the decision.';
COMMENT ON COLUMN shadow_decisions.advisor IS 'Name of the shadow.';
COMMENT ON COLUMN shadow_decisions.provider IS 'Who was asked.';
COMMENT ON COLUMN shadow_decisions.model IS 'Model by the provider''s name.';
COMMENT ON COLUMN shadow_decisions.template_hash IS 'Version of the prompt: SHA-256 of template and tool schema.';
COMMENT ON COLUMN shadow_decisions.cycle_id IS 'Id of the decision cycle.';
COMMENT ON COLUMN shadow_decisions.pair IS 'Pair by its v2 name.';
COMMENT ON COLUMN shadow_decisions.snapshot_id IS 'What was shown (ai_snapshots).';
COMMENT ON COLUMN shadow_decisions.call_id IS 'What was asked and answered (llm_calls).';
COMMENT ON COLUMN shadow_decisions.decided_at IS 'Market time of the decision.';
COMMENT ON COLUMN shadow_decisions.action IS 'buy, sell or hold.';
COMMENT ON COLUMN shadow_decisions.confidence IS 'Confidence of the advice, in [0, 1].';
COMMENT ON COLUMN shadow_decisions.risk_level IS 'Risk level of the advice: low, medium or high.';
COMMENT ON COLUMN shadow_decisions.price_target IS 'Price the advice aims at, in quote units.';
COMMENT ON COLUMN shadow_decisions.stop_loss IS 'Price at which the advice would give up.';
COMMENT ON COLUMN shadow_decisions.expected_move_pct IS 'Expected move by the advice, in percent.';
COMMENT ON COLUMN shadow_decisions.horizon_minutes IS 'Horizon of the advice in minutes.';
COMMENT ON COLUMN shadow_decisions.bias_allocation IS 'Share of the allowed exposure, in [-1, 1].';
COMMENT ON COLUMN shadow_decisions.sentiment IS 'Mood by the advice, in [-1, 1].';
COMMENT ON COLUMN shadow_decisions.rationale IS 'Why, in the shadow''s words.';
COMMENT ON COLUMN shadow_decisions.verdict IS 'What the gates would have said: approved, refused or hold.';
COMMENT ON COLUMN shadow_decisions.reason IS 'The one reason of the verdict (docs/reference/reasons.md).';
COMMENT ON COLUMN shadow_decisions.detail IS 'The numbers behind the reason.';
COMMENT ON COLUMN shadow_decisions.wanted_side IS 'buy or sell; null for a hold.';
COMMENT ON COLUMN shadow_decisions.wanted_value IS 'Quote units before all caps.';
COMMENT ON COLUMN shadow_decisions.expected_move_used_pct IS 'Expected move the gate judged, in percent.';
COMMENT ON COLUMN shadow_decisions.cost_pct IS 'Round trip the gate judged against, in percent.';
COMMENT ON COLUMN shadow_decisions.config_hash IS 'Version of the configuration (config_versions).';
COMMENT ON COLUMN shadow_decisions.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN shadow_decisions.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE model_skills (
    skill_id TEXT NOT NULL,
    pair TEXT NOT NULL,
    horizon_cycles INTEGER NOT NULL,
    horizon_s INTEGER NOT NULL,
    scored INTEGER NOT NULL,
    ups INTEGER NOT NULL,
    brier DOUBLE PRECISION NOT NULL,
    base_brier DOUBLE PRECISION NOT NULL,
    log_loss DOUBLE PRECISION NOT NULL,
    base_log_loss DOUBLE PRECISION NOT NULL,
    gain_squares DOUBLE PRECISION NOT NULL,
    recent_scored INTEGER NOT NULL,
    recent_brier DOUBLE PRECISION NOT NULL,
    recent_base_brier DOUBLE PRECISION NOT NULL,
    quarantined_at TIMESTAMP WITH TIME ZONE,
    quarantined_for TEXT NOT NULL,
    diverged INTEGER NOT NULL,
    drifts INTEGER NOT NULL,
    drifted_at TIMESTAMP WITH TIME ZONE,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_model_skills PRIMARY KEY (skill_id),
    CONSTRAINT ck_model_skills_scored_counted CHECK (scored >= 0),
    CONSTRAINT ck_model_skills_ups_counted CHECK (ups >= 0)
);

COMMENT ON TABLE model_skills IS 'How good the online model is, for each pair and horizon: measured, not promised.';
COMMENT ON COLUMN model_skills.skill_id IS 'Pair and horizon in seconds, as `BTC/USD 900`.';
COMMENT ON COLUMN model_skills.pair IS 'Pair by its v2 name.';
COMMENT ON COLUMN model_skills.horizon_cycles IS 'Horizon in decision cycles.';
COMMENT ON COLUMN model_skills.horizon_s IS 'Horizon in market seconds.';
COMMENT ON COLUMN model_skills.scored IS 'Predictions scored in time.';
COMMENT ON COLUMN model_skills.ups IS 'Outcomes with a higher mid among them.';
COMMENT ON COLUMN model_skills.brier IS 'Sum of their Brier scores.';
COMMENT ON COLUMN model_skills.base_brier IS 'Sum of the Brier scores of climatology on the same outcomes.';
COMMENT ON COLUMN model_skills.log_loss IS 'Sum of their log losses, in nats.';
COMMENT ON COLUMN model_skills.base_log_loss IS 'Sum of the log losses of climatology, in nats.';
COMMENT ON COLUMN model_skills.gain_squares IS 'Sum of (Brier of climatology - Brier) squared.';
COMMENT ON COLUMN model_skills.recent_scored IS 'Predictions scored since the last quarantine began.';
COMMENT ON COLUMN model_skills.recent_brier IS 'Sum of Brier scores that forgets old ones.';
COMMENT ON COLUMN model_skills.recent_base_brier IS 'The same of climatology.';
COMMENT ON COLUMN model_skills.quarantined_at IS 'Kept from the advisor since; null where it is shown.';
COMMENT ON COLUMN model_skills.quarantined_for IS 'Reason of the quarantine, or empty.';
COMMENT ON COLUMN model_skills.diverged IS 'Times that its weights were put back.';
COMMENT ON COLUMN model_skills.drifts IS 'Times that its errors changed.';
COMMENT ON COLUMN model_skills.drifted_at IS 'Market time of the newest of these.';
COMMENT ON COLUMN model_skills.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN model_skills.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE model_snapshots (
    model_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    basis TEXT NOT NULL,
    trained_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sha256 TEXT NOT NULL,
    blob BYTEA NOT NULL,
    rows INTEGER NOT NULL,
    metrics JSONB NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_model_snapshots PRIMARY KEY (model_id),
    CONSTRAINT ck_model_snapshots_kind_known CHECK (kind IN ('trained', 'online')),
    CONSTRAINT ck_model_snapshots_sha256_is_sha256 CHECK (length(sha256) = 64),
    CONSTRAINT ck_model_snapshots_rows_counted CHECK (rows >= 0)
);

CREATE INDEX ix_model_snapshots_trained_at ON model_snapshots (trained_at);
COMMENT ON TABLE model_snapshots IS 'Checkpoints of the online model.';
COMMENT ON COLUMN model_snapshots.model_id IS 'Id of the model.';
COMMENT ON COLUMN model_snapshots.kind IS 'trained from history, or online: what was learned since, kept now and then.';
COMMENT ON COLUMN model_snapshots.basis IS 'Model it went on from, or empty.';
COMMENT ON COLUMN model_snapshots.trained_at IS 'Market time of the training, or of the checkpoint.';
COMMENT ON COLUMN model_snapshots.sha256 IS 'SHA-256 of blob, in hex: checked before it is loaded.';
COMMENT ON COLUMN model_snapshots.blob IS 'The serialised model (JSON).';
COMMENT ON COLUMN model_snapshots.rows IS 'Rows it was trained from.';
COMMENT ON COLUMN model_snapshots.metrics IS 'Measured while training, by name.';
COMMENT ON COLUMN model_snapshots.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN model_snapshots.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE world (
    one BOOLEAN DEFAULT true NOT NULL,
    mode TEXT NOT NULL,
    identity TEXT NOT NULL,
    detail TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_world PRIMARY KEY (one),
    CONSTRAINT ck_world_mode_known CHECK (mode IN ('sim', 'paper', 'live')),
    CONSTRAINT ck_world_one_row CHECK (one)
);

COMMENT ON TABLE world IS 'What this database is about: one database holds one world.';
COMMENT ON COLUMN world.one IS 'Always true: there is one row.';
COMMENT ON COLUMN world.mode IS 'sim, paper or live.';
COMMENT ON COLUMN world.identity IS 'Fingerprint of the account, or seed and hash of the replay.';
COMMENT ON COLUMN world.detail IS 'The same for people.';
COMMENT ON COLUMN world.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN world.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE writer_epoch (
    one BOOLEAN DEFAULT true NOT NULL,
    epoch BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_writer_epoch PRIMARY KEY (one),
    CONSTRAINT ck_writer_epoch_one_row CHECK (one)
);

COMMENT ON TABLE writer_epoch IS 'Who may write: every transaction of the ledger lane checks and moves this row.';
COMMENT ON COLUMN writer_epoch.one IS 'Always true: there is one row.';
COMMENT ON COLUMN writer_epoch.epoch IS 'Grows with every start of the daemon.';
COMMENT ON COLUMN writer_epoch.last_seq IS 'Number of the last event in the journal; checked in every transaction.';
COMMENT ON COLUMN writer_epoch.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE risk_states (
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    reasons JSONB NOT NULL,
    halted BOOLEAN NOT NULL,
    halt_reason TEXT,
    halt_detail TEXT NOT NULL,
    cancel_due BOOLEAN NOT NULL,
    loss_day TIMESTAMP WITH TIME ZONE,
    day_start_equity NUMERIC,
    day_start_at TIMESTAMP WITH TIME ZONE,
    net_flows_today NUMERIC NOT NULL,
    day_stopped BOOLEAN NOT NULL,
    candle_guard JSONB NOT NULL,
    peak_equity NUMERIC,
    drawdown_stopped BOOLEAN NOT NULL,
    strikes JSONB NOT NULL,
    rejects_in_row INTEGER NOT NULL,
    paused_until TIMESTAMP WITH TIME ZONE,
    pause_s DOUBLE PRECISION NOT NULL,
    equity NUMERIC,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_risk_states PRIMARY KEY (name),
    CONSTRAINT ck_risk_states_rejects_in_row_counted CHECK (rejects_in_row >= 0),
    CONSTRAINT ck_risk_states_state_known CHECK (state IN ('RUN', 'REDUCE', 'HALT'))
);

COMMENT ON TABLE risk_states IS 'Trading state and what must survive a restart.';
COMMENT ON COLUMN risk_states.name IS 'Whose state; `account` is the only one.';
COMMENT ON COLUMN risk_states.state IS 'RUN, REDUCE or HALT.';
COMMENT ON COLUMN risk_states.reasons IS 'Why, a list of reasons.';
COMMENT ON COLUMN risk_states.halted IS 'HALT is latched until an operator resumes.';
COMMENT ON COLUMN risk_states.halt_reason IS 'Why it was halted.';
COMMENT ON COLUMN risk_states.halt_detail IS 'The numbers behind it.';
COMMENT ON COLUMN risk_states.cancel_due IS 'Everything is cancelled as soon as the exchange takes cancels again.';
COMMENT ON COLUMN risk_states.loss_day IS 'Midnight UTC of the day the loss limit counts.';
COMMENT ON COLUMN risk_states.day_start_equity IS 'Equity when that day began, in USD.';
COMMENT ON COLUMN risk_states.day_start_at IS 'When that equity was taken: flows from then on count.';
COMMENT ON COLUMN risk_states.net_flows_today IS 'Deposits less withdrawals of that day, in USD.';
COMMENT ON COLUMN risk_states.day_stopped IS 'The daily loss limit was reached that day.';
COMMENT ON COLUMN risk_states.candle_guard IS 'Begin of the candle of the last entry, by pair and side.';
COMMENT ON COLUMN risk_states.peak_equity IS 'Highest equity since the last resume from a drawdown, in USD.';
COMMENT ON COLUMN risk_states.drawdown_stopped IS 'The drawdown limit was reached; an operator must resume.';
COMMENT ON COLUMN risk_states.strikes IS 'Refusals of the exchange in a row and cool-downs, by pair.';
COMMENT ON COLUMN risk_states.rejects_in_row IS 'Refusals in a row on all pairs.';
COMMENT ON COLUMN risk_states.paused_until IS 'Market time before which no order is made: too many requests.';
COMMENT ON COLUMN risk_states.pause_s IS 'How long that pause is, in seconds.';
COMMENT ON COLUMN risk_states.equity IS 'Equity at `at`, in USD.';
COMMENT ON COLUMN risk_states.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN risk_states.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE engine_journal (
    last_seq BIGINT NOT NULL,
    first_seq BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    at_to TIMESTAMP WITH TIME ZONE NOT NULL,
    events INTEGER NOT NULL,
    epoch BIGINT NOT NULL,
    payload BYTEA NOT NULL,
    prev_hash BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL
)
 PARTITION BY RANGE (at);

CREATE UNIQUE INDEX uq_engine_journal_last_seq_at ON engine_journal (last_seq, at);
COMMENT ON TABLE engine_journal IS 'Every event the engine processed, in order and hash-chained; partitioned by day.';
COMMENT ON COLUMN engine_journal.last_seq IS 'Number of the last event in it.';
COMMENT ON COLUMN engine_journal.first_seq IS 'Number of the first event in it.';
COMMENT ON COLUMN engine_journal.at IS 'Market time of its first event.';
COMMENT ON COLUMN engine_journal.at_to IS 'Market time of its last event.';
COMMENT ON COLUMN engine_journal.events IS 'How many events it holds.';
COMMENT ON COLUMN engine_journal.epoch IS 'Epoch of the daemon that wrote it.';
COMMENT ON COLUMN engine_journal.payload IS 'zlib of the events, each as four bytes of length (big endian) and JSON.';
COMMENT ON COLUMN engine_journal.prev_hash IS 'Hash before its first event.';
COMMENT ON COLUMN engine_journal.hash IS 'Hash after its last event: h = sha256(h before + event), event by event.';
COMMENT ON COLUMN engine_journal.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE engine_snapshots (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY,
    seq BIGINT NOT NULL,
    why TEXT NOT NULL,
    state BYTEA NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_engine_snapshots PRIMARY KEY (id),
    CONSTRAINT ck_engine_snapshots_seq_counted CHECK (seq >= 0)
);

CREATE INDEX ix_engine_snapshots_seq ON engine_snapshots (seq);
COMMENT ON TABLE engine_snapshots IS 'States of the engine, to replay from.';
COMMENT ON COLUMN engine_snapshots.id IS 'Order of writing.';
COMMENT ON COLUMN engine_snapshots.seq IS 'Last event the state includes.';
COMMENT ON COLUMN engine_snapshots.why IS 'start, midnight, config or many (events since the last).';
COMMENT ON COLUMN engine_snapshots.state IS 'zlib of the state of the engine (msgspec).';
COMMENT ON COLUMN engine_snapshots.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN engine_snapshots.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE config_versions (
    config_hash TEXT NOT NULL,
    source TEXT NOT NULL,
    texts JSONB NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_config_versions PRIMARY KEY (config_hash)
);

COMMENT ON TABLE config_versions IS 'The texts behind every config_hash.';
COMMENT ON COLUMN config_versions.config_hash IS 'Hash of config.yaml, templates and tool schemas.';
COMMENT ON COLUMN config_versions.source IS 'The text of the configuration (it holds no secrets).';
COMMENT ON COLUMN config_versions.texts IS 'Templates and tool schemas by name: the prompts can be rendered again.';
COMMENT ON COLUMN config_versions.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN config_versions.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE audit_log (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY,
    actor TEXT NOT NULL,
    origin TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    result TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_audit_log PRIMARY KEY (id)
);

CREATE INDEX ix_audit_log_at ON audit_log (at);
COMMENT ON TABLE audit_log IS 'Who did what; append-only by trigger.';
COMMENT ON COLUMN audit_log.id IS 'Order of writing.';
COMMENT ON COLUMN audit_log.actor IS 'Who.';
COMMENT ON COLUMN audit_log.origin IS 'From where: cli, file, config, engine.';
COMMENT ON COLUMN audit_log.action IS 'start, stop, config, arm, halt, resume, limits or train.';
COMMENT ON COLUMN audit_log.object IS 'On what.';
COMMENT ON COLUMN audit_log.before IS 'What it was before.';
COMMENT ON COLUMN audit_log.after IS 'What it is now.';
COMMENT ON COLUMN audit_log.result IS 'What came of it.';
COMMENT ON COLUMN audit_log.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN audit_log.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE price_history (
    pair TEXT NOT NULL,
    ts TIMESTAMP WITH TIME ZONE NOT NULL,
    last DOUBLE PRECISION NOT NULL,
    bid DOUBLE PRECISION NOT NULL,
    ask DOUBLE PRECISION NOT NULL,
    volume DOUBLE PRECISION NOT NULL,
    vwap DOUBLE PRECISION NOT NULL
)
 PARTITION BY RANGE (ts);

CREATE INDEX ix_price_history_pair_ts ON price_history (pair, ts);
COMMENT ON TABLE price_history IS 'Quotes as they were seen (WS v2 ticker); a partition for each UTC day.';
COMMENT ON COLUMN price_history.pair IS 'Pair by its v2 name, as BTC/USD.';
COMMENT ON COLUMN price_history.ts IS 'Moment of the quote: the venue''s where it gives one, else market time.';
COMMENT ON COLUMN price_history.last IS 'Price of the last trade, in quote units.';
COMMENT ON COLUMN price_history.bid IS 'Best bid, in quote units.';
COMMENT ON COLUMN price_history.ask IS 'Best ask, in quote units.';
COMMENT ON COLUMN price_history.volume IS 'Volume of the last 24 hours, in base units.';
COMMENT ON COLUMN price_history.vwap IS 'Volume-weighted average price of the last 24 hours, in quote units.';

CREATE TABLE order_book_metrics (
    pair TEXT NOT NULL,
    ts TIMESTAMP WITH TIME ZONE NOT NULL,
    bid DOUBLE PRECISION NOT NULL,
    ask DOUBLE PRECISION NOT NULL,
    spread_bps DOUBLE PRECISION NOT NULL,
    imbalance DOUBLE PRECISION NOT NULL,
    mid DOUBLE PRECISION NOT NULL,
    vwap_mid DOUBLE PRECISION NOT NULL,
    depth INTEGER NOT NULL
)
 PARTITION BY RANGE (ts);

CREATE INDEX ix_order_book_metrics_pair_ts ON order_book_metrics (pair, ts);
COMMENT ON TABLE order_book_metrics IS 'Summaries of checksum-verified books (WS v2 book); a partition for each UTC day.';
COMMENT ON COLUMN order_book_metrics.pair IS 'Pair by its v2 name.';
COMMENT ON COLUMN order_book_metrics.ts IS 'Moment of the summary: the venue''s where it gives one, else market time.';
COMMENT ON COLUMN order_book_metrics.bid IS 'Best bid, in quote units.';
COMMENT ON COLUMN order_book_metrics.ask IS 'Best ask, in quote units.';
COMMENT ON COLUMN order_book_metrics.spread_bps IS 'Spread in basis points of the mid.';
COMMENT ON COLUMN order_book_metrics.imbalance IS '(bid qty - ask qty) / sum over the top levels, in [-1, 1].';
COMMENT ON COLUMN order_book_metrics.mid IS 'Middle of bid and ask, in quote units.';
COMMENT ON COLUMN order_book_metrics.vwap_mid IS 'Middle of the volume-weighted sides, in quote units.';
COMMENT ON COLUMN order_book_metrics.depth IS 'Levels a side of the subscription.';

CREATE TABLE market_candles (
    pair TEXT NOT NULL,
    interval_s BIGINT NOT NULL,
    begin TIMESTAMP WITH TIME ZONE NOT NULL,
    open DOUBLE PRECISION NOT NULL,
    high DOUBLE PRECISION NOT NULL,
    low DOUBLE PRECISION NOT NULL,
    close DOUBLE PRECISION NOT NULL,
    volume DOUBLE PRECISION NOT NULL,
    trades INTEGER NOT NULL,
    source TEXT NOT NULL,
    CONSTRAINT pk_market_candles PRIMARY KEY (pair, interval_s, begin),
    CONSTRAINT ck_market_candles_trades_counted CHECK (trades >= 0),
    CONSTRAINT ck_market_candles_source_known CHECK (source IN ('ohlc', 'trades', 'file'))
);

COMMENT ON TABLE market_candles IS 'Finished candles of history (simple-trader backfill).';
COMMENT ON COLUMN market_candles.pair IS 'Pair by its v2 name.';
COMMENT ON COLUMN market_candles.interval_s IS 'Length of a candle, in seconds.';
COMMENT ON COLUMN market_candles.begin IS 'First moment of the candle.';
COMMENT ON COLUMN market_candles.open IS 'First price, in quote units.';
COMMENT ON COLUMN market_candles.high IS 'Highest price, in quote units.';
COMMENT ON COLUMN market_candles.low IS 'Lowest price, in quote units.';
COMMENT ON COLUMN market_candles.close IS 'Last price, in quote units.';
COMMENT ON COLUMN market_candles.volume IS 'Volume, in base units.';
COMMENT ON COLUMN market_candles.trades IS 'Trades in it; intervals without any have no row.';
COMMENT ON COLUMN market_candles.source IS 'ohlc (REST), trades (made of REST trades) or file (a download of Kraken).';

CREATE TABLE market_coverage (
    pair TEXT NOT NULL,
    interval_s BIGINT NOT NULL,
    begin TIMESTAMP WITH TIME ZONE NOT NULL,
    ends TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_market_coverage PRIMARY KEY (pair, interval_s, begin)
);

COMMENT ON TABLE market_coverage IS 'Spans in which market_candles or market_trades are whole: no row means no trade.';
COMMENT ON COLUMN market_coverage.pair IS 'Pair by its v2 name.';
COMMENT ON COLUMN market_coverage.interval_s IS 'Length of the candles, in seconds; 0 for trades.';
COMMENT ON COLUMN market_coverage.begin IS 'From here on nothing is missing ...';
COMMENT ON COLUMN market_coverage.ends IS '... up to here, excluded.';
COMMENT ON COLUMN market_coverage.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE market_trades (
    pair TEXT NOT NULL,
    ts TIMESTAMP WITH TIME ZONE NOT NULL,
    price DOUBLE PRECISION NOT NULL,
    qty DOUBLE PRECISION NOT NULL,
    side TEXT,
    market BOOLEAN,
    trade_id BIGINT,
    source TEXT NOT NULL,
    CONSTRAINT ck_market_trades_side_known CHECK (side IN ('buy', 'sell')),
    CONSTRAINT ck_market_trades_source_known CHECK (source IN ('ohlc', 'trades', 'file'))
);

CREATE INDEX ix_market_trades_pair_ts ON market_trades (pair, ts);
COMMENT ON TABLE market_trades IS 'Public trades of history (simple-trader backfill).';
COMMENT ON COLUMN market_trades.pair IS 'Pair by its v2 name.';
COMMENT ON COLUMN market_trades.ts IS 'The exchange''s moment.';
COMMENT ON COLUMN market_trades.price IS 'Price, in quote units.';
COMMENT ON COLUMN market_trades.qty IS 'Quantity, in base units.';
COMMENT ON COLUMN market_trades.side IS 'buy or sell, of the taker; null where the source does not say.';
COMMENT ON COLUMN market_trades.market IS 'Whether the taker was a market order.';
COMMENT ON COLUMN market_trades.trade_id IS 'Kraken''s number of the trade.';
COMMENT ON COLUMN market_trades.source IS 'trades (REST) or file (a download of Kraken).';

CREATE TABLE kraken_assets (
    asset TEXT NOT NULL,
    rest_id TEXT NOT NULL,
    altname TEXT NOT NULL,
    precision INTEGER NOT NULL,
    display_precision INTEGER NOT NULL,
    status TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_kraken_assets PRIMARY KEY (asset)
);

COMMENT ON TABLE kraken_assets IS 'Assets (REST Assets).';
COMMENT ON COLUMN kraken_assets.asset IS 'Asset by its v2 name, as BTC.';
COMMENT ON COLUMN kraken_assets.rest_id IS 'Its name in REST, as XXBT.';
COMMENT ON COLUMN kraken_assets.altname IS 'Its other name in REST.';
COMMENT ON COLUMN kraken_assets.precision IS 'Decimals the exchange books with.';
COMMENT ON COLUMN kraken_assets.display_precision IS 'Decimals the exchange shows.';
COMMENT ON COLUMN kraken_assets.status IS 'Whether it can be deposited and withdrawn.';
COMMENT ON COLUMN kraken_assets.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN kraken_assets.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE kraken_pairs (
    pair TEXT NOT NULL,
    base TEXT NOT NULL,
    quote TEXT NOT NULL,
    rest_id TEXT NOT NULL,
    altname TEXT NOT NULL,
    price_increment NUMERIC NOT NULL,
    price_precision INTEGER NOT NULL,
    qty_increment NUMERIC NOT NULL,
    qty_precision INTEGER NOT NULL,
    qty_min NUMERIC NOT NULL,
    cost_min NUMERIC NOT NULL,
    cost_precision INTEGER NOT NULL,
    status TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_kraken_pairs PRIMARY KEY (pair),
    CONSTRAINT ck_kraken_pairs_price_increment_positive CHECK (price_increment > 0 AND price_increment < 'Infinity'::numeric),
    CONSTRAINT ck_kraken_pairs_qty_increment_positive CHECK (qty_increment > 0 AND qty_increment < 'Infinity'::numeric),
    CONSTRAINT ck_kraken_pairs_qty_min_not_negative CHECK (qty_min >= 0 AND qty_min < 'Infinity'::numeric),
    CONSTRAINT ck_kraken_pairs_cost_min_not_negative CHECK (cost_min >= 0 AND cost_min < 'Infinity'::numeric)
);

COMMENT ON TABLE kraken_pairs IS 'Pairs and their rules (REST AssetPairs, WS v2 instrument).';
COMMENT ON COLUMN kraken_pairs.pair IS 'Pair by its v2 name, as BTC/USD.';
COMMENT ON COLUMN kraken_pairs.base IS 'Base asset.';
COMMENT ON COLUMN kraken_pairs.quote IS 'Quote asset.';
COMMENT ON COLUMN kraken_pairs.rest_id IS 'Its name in REST, as XXBTZUSD.';
COMMENT ON COLUMN kraken_pairs.altname IS 'Its other name in REST.';
COMMENT ON COLUMN kraken_pairs.price_increment IS 'Step of prices, in quote units.';
COMMENT ON COLUMN kraken_pairs.price_precision IS 'Decimals of prices.';
COMMENT ON COLUMN kraken_pairs.qty_increment IS 'Step of quantities, in base units.';
COMMENT ON COLUMN kraken_pairs.qty_precision IS 'Decimals of quantities.';
COMMENT ON COLUMN kraken_pairs.qty_min IS 'Smallest order, in base units.';
COMMENT ON COLUMN kraken_pairs.cost_min IS 'Smallest order, in quote units.';
COMMENT ON COLUMN kraken_pairs.cost_precision IS 'Decimals of costs.';
COMMENT ON COLUMN kraken_pairs.status IS 'Trading status (protocol section 3.6).';
COMMENT ON COLUMN kraken_pairs.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN kraken_pairs.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE kraken_balances (
    asset TEXT NOT NULL,
    balance NUMERIC NOT NULL,
    cause TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_kraken_balances PRIMARY KEY (asset)
);

COMMENT ON TABLE kraken_balances IS 'Balances as they stand (WS v2 balances, REST Balance).';
COMMENT ON COLUMN kraken_balances.asset IS 'Asset by its v2 name.';
COMMENT ON COLUMN kraken_balances.balance IS 'Total, holds not subtracted, in units of the asset.';
COMMENT ON COLUMN kraken_balances.cause IS 'What told us last.';
COMMENT ON COLUMN kraken_balances.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN kraken_balances.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE kraken_balance_history (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY,
    asset TEXT NOT NULL,
    balance NUMERIC NOT NULL,
    cause TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_kraken_balance_history PRIMARY KEY (id)
);

CREATE INDEX ix_kraken_balance_history_asset_at ON kraken_balance_history (asset, at);
COMMENT ON TABLE kraken_balance_history IS 'Every balance we were told, in order.';
COMMENT ON COLUMN kraken_balance_history.id IS 'Order of arrival.';
COMMENT ON COLUMN kraken_balance_history.asset IS 'Asset by its v2 name.';
COMMENT ON COLUMN kraken_balance_history.balance IS 'Total after the change, in units of the asset.';
COMMENT ON COLUMN kraken_balance_history.cause IS 'What told us.';
COMMENT ON COLUMN kraken_balance_history.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN kraken_balance_history.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE kraken_orders (
    order_id TEXT NOT NULL,
    cl_ord_id TEXT,
    pair TEXT NOT NULL,
    side TEXT NOT NULL,
    order_type TEXT NOT NULL,
    status TEXT NOT NULL,
    qty NUMERIC NOT NULL,
    filled_qty NUMERIC NOT NULL,
    cost NUMERIC NOT NULL,
    fee NUMERIC NOT NULL,
    limit_price NUMERIC,
    avg_price NUMERIC,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    reason TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_kraken_orders PRIMARY KEY (order_id),
    CONSTRAINT ck_kraken_orders_qty_not_negative CHECK (qty >= 0 AND qty < 'Infinity'::numeric),
    CONSTRAINT ck_kraken_orders_filled_qty_not_negative CHECK (filled_qty >= 0 AND filled_qty < 'Infinity'::numeric),
    CONSTRAINT ck_kraken_orders_side_known CHECK (side IN ('buy', 'sell'))
);

CREATE INDEX ix_kraken_orders_cl_ord_id ON kraken_orders (cl_ord_id);
CREATE INDEX ix_kraken_orders_opened_at ON kraken_orders (opened_at);
COMMENT ON TABLE kraken_orders IS 'Orders of the account, ours or not (REST OpenOrders and ClosedOrders, executions).';
COMMENT ON COLUMN kraken_orders.order_id IS 'The exchange''s order id.';
COMMENT ON COLUMN kraken_orders.cl_ord_id IS 'Client order id, if it has one.';
COMMENT ON COLUMN kraken_orders.pair IS 'Pair by its v2 name.';
COMMENT ON COLUMN kraken_orders.side IS 'buy or sell, of the base asset.';
COMMENT ON COLUMN kraken_orders.order_type IS 'Kind of order, by the exchange''s name.';
COMMENT ON COLUMN kraken_orders.status IS 'pending, open, closed, canceled or expired.';
COMMENT ON COLUMN kraken_orders.qty IS 'Ordered quantity, in base units.';
COMMENT ON COLUMN kraken_orders.filled_qty IS 'Filled so far, in base units.';
COMMENT ON COLUMN kraken_orders.cost IS 'Paid or received so far, without fees, in quote units.';
COMMENT ON COLUMN kraken_orders.fee IS 'Fees so far, in quote units.';
COMMENT ON COLUMN kraken_orders.limit_price IS 'Limit price, in quote units.';
COMMENT ON COLUMN kraken_orders.avg_price IS 'Average price of what is filled, in quote units.';
COMMENT ON COLUMN kraken_orders.opened_at IS 'When it was opened.';
COMMENT ON COLUMN kraken_orders.closed_at IS 'When it was closed.';
COMMENT ON COLUMN kraken_orders.reason IS 'The exchange''s reason for its end, or empty.';
COMMENT ON COLUMN kraken_orders.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN kraken_orders.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE kraken_trades (
    exec_id TEXT NOT NULL,
    trade_id BIGINT NOT NULL,
    order_id TEXT NOT NULL,
    cl_ord_id TEXT,
    pair TEXT NOT NULL,
    side TEXT NOT NULL,
    price NUMERIC NOT NULL,
    qty NUMERIC NOT NULL,
    cost NUMERIC NOT NULL,
    fees JSONB NOT NULL,
    liquidity TEXT NOT NULL,
    venue_at TIMESTAMP WITH TIME ZONE NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_kraken_trades PRIMARY KEY (exec_id),
    CONSTRAINT ck_kraken_trades_price_positive CHECK (price > 0 AND price < 'Infinity'::numeric),
    CONSTRAINT ck_kraken_trades_qty_positive CHECK (qty > 0 AND qty < 'Infinity'::numeric),
    CONSTRAINT ck_kraken_trades_side_known CHECK (side IN ('buy', 'sell'))
);

CREATE INDEX ix_kraken_trades_order_id ON kraken_trades (order_id);
CREATE INDEX ix_kraken_trades_venue_at_trade_id ON kraken_trades (venue_at, trade_id);
COMMENT ON TABLE kraken_trades IS 'Trades of the account, ours or not (REST TradesHistory, executions).';
COMMENT ON COLUMN kraken_trades.exec_id IS 'Id of the trade.';
COMMENT ON COLUMN kraken_trades.trade_id IS 'The exchange''s number of the trade.';
COMMENT ON COLUMN kraken_trades.order_id IS 'The exchange''s order id.';
COMMENT ON COLUMN kraken_trades.cl_ord_id IS 'Client order id, if it has one.';
COMMENT ON COLUMN kraken_trades.pair IS 'Pair by its v2 name.';
COMMENT ON COLUMN kraken_trades.side IS 'buy or sell, of the base asset.';
COMMENT ON COLUMN kraken_trades.price IS 'Price, in quote units.';
COMMENT ON COLUMN kraken_trades.qty IS 'Quantity, in base units.';
COMMENT ON COLUMN kraken_trades.cost IS 'Cost, in quote units.';
COMMENT ON COLUMN kraken_trades.fees IS 'All fees: a list of {asset, qty}, qty as exact text.';
COMMENT ON COLUMN kraken_trades.liquidity IS 'maker or taker.';
COMMENT ON COLUMN kraken_trades.venue_at IS 'The exchange''s moment.';
COMMENT ON COLUMN kraken_trades.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN kraken_trades.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE kraken_ledgers (
    ledger_id TEXT NOT NULL,
    ref_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    asset TEXT NOT NULL,
    amount NUMERIC NOT NULL,
    fee NUMERIC NOT NULL,
    balance NUMERIC NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_kraken_ledgers PRIMARY KEY (ledger_id)
);

CREATE INDEX ix_kraken_ledgers_asset_at ON kraken_ledgers (asset, at);
CREATE INDEX ix_kraken_ledgers_ref_id ON kraken_ledgers (ref_id);
COMMENT ON TABLE kraken_ledgers IS 'The account''s ledger; `at` is the exchange''s moment (REST Ledgers, WS balances).';
COMMENT ON COLUMN kraken_ledgers.ledger_id IS 'Id of the entry.';
COMMENT ON COLUMN kraken_ledgers.ref_id IS 'What caused it, as an exec_id.';
COMMENT ON COLUMN kraken_ledgers.kind IS 'trade, deposit, withdrawal and so on.';
COMMENT ON COLUMN kraken_ledgers.asset IS 'Asset by its v2 name.';
COMMENT ON COLUMN kraken_ledgers.amount IS 'Change before the fee, in units of the asset.';
COMMENT ON COLUMN kraken_ledgers.fee IS 'Fee that was taken besides, in units of the asset.';
COMMENT ON COLUMN kraken_ledgers.balance IS 'Balance after it: old + amount - fee.';
COMMENT ON COLUMN kraken_ledgers.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN kraken_ledgers.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE reconciliations (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY,
    cause TEXT NOT NULL,
    state TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    asset TEXT,
    since TIMESTAMP WITH TIME ZONE,
    opening NUMERIC,
    ledger_sum NUMERIC,
    explained NUMERIC,
    short NUMERIC,
    balance NUMERIC,
    residual NUMERIC,
    looked_from TIMESTAMP WITH TIME ZONE,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_reconciliations PRIMARY KEY (id),
    CONSTRAINT ck_reconciliations_cause_known CHECK (cause IN ('start', 'reconnect', 'stream', 'rest', 'operator')),
    CONSTRAINT ck_reconciliations_state_known CHECK (state IN ('clean', 'explained', 'UNEXPLAINED'))
);

CREATE INDEX ix_reconciliations_subject_id ON reconciliations (subject, id);
CREATE INDEX ix_reconciliations_asset_id ON reconciliations (asset, id);
COMMENT ON TABLE reconciliations IS 'Each comparison of the account with the books that found a change.';
COMMENT ON COLUMN reconciliations.id IS 'Order of writing.';
COMMENT ON COLUMN reconciliations.cause IS 'What asked for the comparison: start, reconnect, stream, rest or operator.';
COMMENT ON COLUMN reconciliations.state IS 'clean, explained (by a person) or UNEXPLAINED (no new risk).';
COMMENT ON COLUMN reconciliations.subject IS 'The asset, `trade ID`, `lots ASSET`, `fill ID`, `order ID`; empty: a look.';
COMMENT ON COLUMN reconciliations.detail IS 'The numbers in words; of a person: who and why.';
COMMENT ON COLUMN reconciliations.asset IS 'Asset by its v2 name; null for a whole look by REST.';
COMMENT ON COLUMN reconciliations.since IS 'Moment of the opening, by the exchange''s stamps.';
COMMENT ON COLUMN reconciliations.opening IS 'Balance at `since`, in units of the asset.';
COMMENT ON COLUMN reconciliations.ledger_sum IS 'Sum of amount - fee of all entries after `since`.';
COMMENT ON COLUMN reconciliations.explained IS 'What people have accepted without an entry.';
COMMENT ON COLUMN reconciliations.short IS 'What people have accepted to be missing of our lots.';
COMMENT ON COLUMN reconciliations.balance IS 'Balance as the exchange tells it.';
COMMENT ON COLUMN reconciliations.residual IS 'balance - opening - ledger_sum - explained; zero (I-13).';
COMMENT ON COLUMN reconciliations.looked_from IS 'When the look by REST began.';
COMMENT ON COLUMN reconciliations.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN reconciliations.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE rate_counters (
    name TEXT NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_rate_counters PRIMARY KEY (name)
);

COMMENT ON TABLE rate_counters IS 'Our model of the exchange''s rate counters.';
COMMENT ON COLUMN rate_counters.name IS 'Which counter of the exchange.';
COMMENT ON COLUMN rate_counters.value IS 'Value at that moment.';
COMMENT ON COLUMN rate_counters.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN rate_counters.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE pending_trades (
    cl_ord_id TEXT NOT NULL,
    pair TEXT NOT NULL,
    side TEXT NOT NULL,
    order_type TEXT NOT NULL,
    qty NUMERIC NOT NULL,
    limit_price NUMERIC,
    time_in_force TEXT NOT NULL,
    post_only BOOLEAN NOT NULL,
    expire_at TIMESTAMP WITH TIME ZONE,
    deadline TIMESTAMP WITH TIME ZONE NOT NULL,
    limit_price_type TEXT NOT NULL,
    trigger_price NUMERIC,
    trigger_price_type TEXT,
    trigger_reference TEXT,
    fee_preference TEXT NOT NULL,
    stp TEXT NOT NULL,
    origin TEXT NOT NULL,
    owner TEXT NOT NULL,
    decision_id TEXT,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    state_reason TEXT,
    detail TEXT NOT NULL,
    approved_at TIMESTAMP WITH TIME ZONE NOT NULL,
    send_by TIMESTAMP WITH TIME ZONE NOT NULL,
    params_hash TEXT NOT NULL,
    config_hash TEXT NOT NULL,
    notional NUMERIC NOT NULL,
    reserved NUMERIC NOT NULL,
    cap_asset NUMERIC NOT NULL,
    cap_total NUMERIC NOT NULL,
    order_id TEXT,
    filled_qty NUMERIC NOT NULL,
    filled_cost NUMERIC NOT NULL,
    fees_quote NUMERIC NOT NULL,
    amended_qty NUMERIC,
    amended_price NUMERIC,
    changed_at TIMESTAMP WITH TIME ZONE,
    epoch BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_pending_trades PRIMARY KEY (cl_ord_id),
    CONSTRAINT ck_pending_trades_qty_positive CHECK (qty > 0 AND qty < 'Infinity'::numeric),
    CONSTRAINT ck_pending_trades_limit_price_positive CHECK (limit_price > 0 AND limit_price < 'Infinity'::numeric),
    CONSTRAINT ck_pending_trades_trigger_price_positive CHECK (trigger_price > 0 AND trigger_price < 'Infinity'::numeric),
    CONSTRAINT ck_pending_trades_notional_not_negative CHECK (notional >= 0 AND notional < 'Infinity'::numeric),
    CONSTRAINT ck_pending_trades_reserved_not_negative CHECK (reserved >= 0 AND reserved < 'Infinity'::numeric),
    CONSTRAINT ck_pending_trades_cap_asset_not_negative CHECK (cap_asset >= 0 AND cap_asset < 'Infinity'::numeric),
    CONSTRAINT ck_pending_trades_cap_total_not_negative CHECK (cap_total >= 0 AND cap_total < 'Infinity'::numeric),
    CONSTRAINT ck_pending_trades_filled_qty_not_negative CHECK (filled_qty >= 0 AND filled_qty < 'Infinity'::numeric),
    CONSTRAINT ck_pending_trades_amended_qty_positive CHECK (amended_qty > 0 AND amended_qty < 'Infinity'::numeric),
    CONSTRAINT ck_pending_trades_amended_price_positive CHECK (amended_price > 0 AND amended_price < 'Infinity'::numeric),
    CONSTRAINT ck_pending_trades_filled_qty_at_most_qty CHECK (filled_qty <= coalesce(amended_qty, qty)),
    CONSTRAINT ck_pending_trades_filled_when_complete CHECK (state <> 'FILLED' OR filled_qty = coalesce(amended_qty, qty)),
    CONSTRAINT ck_pending_trades_side_known CHECK (side IN ('buy', 'sell')),
    CONSTRAINT ck_pending_trades_order_type_known CHECK (order_type IN ('limit', 'market', 'stop-loss', 'stop-loss-limit', 'take-profit', 'take-profit-limit', 'trailing-stop', 'trailing-stop-limit')),
    CONSTRAINT ck_pending_trades_time_in_force_known CHECK (time_in_force IN ('gtc', 'gtd', 'ioc')),
    CONSTRAINT ck_pending_trades_limit_price_type_known CHECK (limit_price_type IN ('static', 'pct', 'quote')),
    CONSTRAINT ck_pending_trades_trigger_price_type_known CHECK (trigger_price_type IN ('static', 'pct', 'quote')),
    CONSTRAINT ck_pending_trades_trigger_reference_known CHECK (trigger_reference IN ('last', 'index')),
    CONSTRAINT ck_pending_trades_fee_preference_known CHECK (fee_preference IN ('base', 'quote')),
    CONSTRAINT ck_pending_trades_stp_known CHECK (stp IN ('cancel_newest', 'cancel_oldest', 'cancel_both')),
    CONSTRAINT ck_pending_trades_origin_known CHECK (origin IN ('ai', 'exit', 'operator')),
    CONSTRAINT ck_pending_trades_state_known CHECK (state IN ('DISPATCHING', 'SENT', 'OPEN', 'AMENDING', 'PARTIAL', 'PENDING_CANCEL', 'FILLED', 'CANCELED', 'EXPIRED', 'REJECTED', 'VOID', 'UNKNOWN', 'NOT_ACCEPTED'))
);

CREATE INDEX ix_pending_trades_approved_at ON pending_trades (approved_at);
CREATE INDEX ix_pending_trades_decision_id ON pending_trades (decision_id);
CREATE INDEX ix_pending_trades_order_id ON pending_trades (order_id);
CREATE INDEX ix_pending_trades_state ON pending_trades (state);
COMMENT ON TABLE pending_trades IS 'Our orders: durable before they are sent, sent at most once.';
COMMENT ON COLUMN pending_trades.cl_ord_id IS 'Our client order id: unique for the life of the account.';
COMMENT ON COLUMN pending_trades.pair IS 'Pair by its v2 name.';
COMMENT ON COLUMN pending_trades.side IS 'buy or sell, of the base asset.';
COMMENT ON COLUMN pending_trades.order_type IS 'Type of the order by its WS v2 name.';
COMMENT ON COLUMN pending_trades.qty IS 'Ordered quantity, in base units.';
COMMENT ON COLUMN pending_trades.limit_price IS 'Limit price, in quote units.';
COMMENT ON COLUMN pending_trades.time_in_force IS 'gtc, gtd or ioc.';
COMMENT ON COLUMN pending_trades.post_only IS 'Refused by the exchange if it would take.';
COMMENT ON COLUMN pending_trades.expire_at IS 'Market time at which the exchange lets it expire.';
COMMENT ON COLUMN pending_trades.deadline IS 'Market time after which the exchange must not match it.';
COMMENT ON COLUMN pending_trades.limit_price_type IS 'static, or how the limit price is a distance: pct or quote.';
COMMENT ON COLUMN pending_trades.trigger_price IS 'Price or distance of the trigger.';
COMMENT ON COLUMN pending_trades.trigger_price_type IS 'static, pct or quote; null without a trigger.';
COMMENT ON COLUMN pending_trades.trigger_reference IS 'Price the trigger watches: last or index.';
COMMENT ON COLUMN pending_trades.fee_preference IS 'Asset the fee was asked for in: base or quote.';
COMMENT ON COLUMN pending_trades.stp IS 'Which order goes when two of ours would trade with each other.';
COMMENT ON COLUMN pending_trades.origin IS 'Who made the intent: ai, exit or operator.';
COMMENT ON COLUMN pending_trades.owner IS 'Whose lots it moves.';
COMMENT ON COLUMN pending_trades.decision_id IS 'The decision it came from (ai_decisions).';
COMMENT ON COLUMN pending_trades.reason IS 'Why it was made.';
COMMENT ON COLUMN pending_trades.state IS 'Where it stands (order states, docs/ARCHITECTURE.md).';
COMMENT ON COLUMN pending_trades.state_reason IS 'Reason of that state.';
COMMENT ON COLUMN pending_trades.detail IS 'The exchange''s or the gate''s words.';
COMMENT ON COLUMN pending_trades.approved_at IS 'Market time of the risk manager''s approval.';
COMMENT ON COLUMN pending_trades.send_by IS 'The approval ends here: never sent later.';
COMMENT ON COLUMN pending_trades.params_hash IS 'Hash of the approved parameters.';
COMMENT ON COLUMN pending_trades.config_hash IS 'Version of the configuration (config_versions).';
COMMENT ON COLUMN pending_trades.notional IS 'Value at approval, in USD: what the rolling limits count.';
COMMENT ON COLUMN pending_trades.reserved IS 'The most a purchase can cost with its fee, in USD; of a sale 0.';
COMMENT ON COLUMN pending_trades.cap_asset IS 'Most that open purchases of its base asset may reserve, in USD.';
COMMENT ON COLUMN pending_trades.cap_total IS 'Most that all open purchases may reserve, in USD.';
COMMENT ON COLUMN pending_trades.order_id IS 'The exchange''s order id.';
COMMENT ON COLUMN pending_trades.filled_qty IS 'Filled so far, in base units.';
COMMENT ON COLUMN pending_trades.filled_cost IS 'Paid or received for it, without fees, in quote units.';
COMMENT ON COLUMN pending_trades.fees_quote IS 'Fees in the quote asset so far.';
COMMENT ON COLUMN pending_trades.amended_qty IS 'Quantity after a change at the exchange; null: as ordered.';
COMMENT ON COLUMN pending_trades.amended_price IS 'Limit price after a change at the exchange; null: as ordered.';
COMMENT ON COLUMN pending_trades.changed_at IS 'Market time of the last change of state.';
COMMENT ON COLUMN pending_trades.epoch IS 'Epoch of the daemon that made it.';
COMMENT ON COLUMN pending_trades.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN pending_trades.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE executions (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY,
    exec_id TEXT,
    order_id TEXT NOT NULL,
    cl_ord_id TEXT,
    exec_type TEXT NOT NULL,
    order_status TEXT NOT NULL,
    source TEXT NOT NULL,
    venue_at TIMESTAMP WITH TIME ZONE NOT NULL,
    raw TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_executions PRIMARY KEY (id)
);

CREATE INDEX ix_executions_cl_ord_id ON executions (cl_ord_id);
CREATE INDEX ix_executions_order_id ON executions (order_id);
CREATE UNIQUE INDEX uq_executions_exec_id ON executions (exec_id);
COMMENT ON TABLE executions IS 'Inbox of execution reports; a trade enters once (unique exec_id).';
COMMENT ON COLUMN executions.id IS 'Order of arrival.';
COMMENT ON COLUMN executions.exec_id IS 'Id of the trade; null for reports that are none.';
COMMENT ON COLUMN executions.order_id IS 'The exchange''s order id.';
COMMENT ON COLUMN executions.cl_ord_id IS 'Our client order id, where it is ours.';
COMMENT ON COLUMN executions.exec_type IS 'Kind of report (WS v2 executions).';
COMMENT ON COLUMN executions.order_status IS 'Status of the order by that report.';
COMMENT ON COLUMN executions.source IS 'ws or rest.';
COMMENT ON COLUMN executions.venue_at IS 'The exchange''s moment.';
COMMENT ON COLUMN executions.raw IS 'The payload as it was received.';
COMMENT ON COLUMN executions.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN executions.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE trades (
    exec_id TEXT NOT NULL,
    trade_id BIGINT NOT NULL,
    order_id TEXT NOT NULL,
    cl_ord_id TEXT,
    pair TEXT NOT NULL,
    side TEXT NOT NULL,
    price NUMERIC NOT NULL,
    qty NUMERIC NOT NULL,
    cost NUMERIC NOT NULL,
    fee NUMERIC NOT NULL,
    fees JSONB NOT NULL,
    liquidity TEXT NOT NULL,
    venue_at TIMESTAMP WITH TIME ZONE NOT NULL,
    owner TEXT NOT NULL,
    origin TEXT,
    decision_id TEXT,
    realised_pnl NUMERIC NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_trades PRIMARY KEY (exec_id),
    CONSTRAINT ck_trades_price_positive CHECK (price > 0 AND price < 'Infinity'::numeric),
    CONSTRAINT ck_trades_qty_positive CHECK (qty > 0 AND qty < 'Infinity'::numeric),
    CONSTRAINT ck_trades_cost_not_negative CHECK (cost >= 0 AND cost < 'Infinity'::numeric),
    CONSTRAINT ck_trades_side_known CHECK (side IN ('buy', 'sell')),
    CONSTRAINT ck_trades_origin_known CHECK (origin IN ('ai', 'exit', 'operator'))
);

CREATE INDEX ix_trades_cl_ord_id ON trades (cl_ord_id);
CREATE INDEX ix_trades_order_id ON trades (order_id);
CREATE INDEX ix_trades_venue_at_trade_id ON trades (venue_at, trade_id);
COMMENT ON TABLE trades IS 'Fills, each booked once.';
COMMENT ON COLUMN trades.exec_id IS 'Id of the trade: unique forever.';
COMMENT ON COLUMN trades.trade_id IS 'The exchange''s number of the trade.';
COMMENT ON COLUMN trades.order_id IS 'The exchange''s order id.';
COMMENT ON COLUMN trades.cl_ord_id IS 'Our client order id (pending_trades).';
COMMENT ON COLUMN trades.pair IS 'Pair by its v2 name.';
COMMENT ON COLUMN trades.side IS 'buy or sell, of the base asset.';
COMMENT ON COLUMN trades.price IS 'Price, in quote units.';
COMMENT ON COLUMN trades.qty IS 'Quantity, in base units.';
COMMENT ON COLUMN trades.cost IS 'Price times quantity as the exchange booked it, in quote units.';
COMMENT ON COLUMN trades.fee IS 'What its fees are worth in the quote asset: one in base at the price of the trade.';
COMMENT ON COLUMN trades.fees IS 'All fees: a list of {asset, qty}, qty as exact text.';
COMMENT ON COLUMN trades.liquidity IS 'maker or taker.';
COMMENT ON COLUMN trades.venue_at IS 'The exchange''s moment.';
COMMENT ON COLUMN trades.owner IS 'Whose lots it moved; external for orders that are not ours.';
COMMENT ON COLUMN trades.origin IS 'Who made the intent.';
COMMENT ON COLUMN trades.decision_id IS 'The decision behind it (ai_decisions).';
COMMENT ON COLUMN trades.realised_pnl IS 'Realised by it, net of both fees, in quote units.';
COMMENT ON COLUMN trades.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN trades.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

CREATE TABLE holding_lots (
    lot_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    pair TEXT NOT NULL,
    base TEXT NOT NULL,
    quote TEXT NOT NULL,
    opened_exec_id TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    qty NUMERIC NOT NULL,
    left_qty NUMERIC NOT NULL,
    price NUMERIC NOT NULL,
    cost NUMERIC NOT NULL,
    realised_pnl NUMERIC NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    deleted BOOLEAN DEFAULT false NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_holding_lots PRIMARY KEY (lot_id),
    CONSTRAINT ck_holding_lots_qty_positive CHECK (qty > 0 AND qty < 'Infinity'::numeric),
    CONSTRAINT ck_holding_lots_left_qty_not_negative CHECK (left_qty >= 0 AND left_qty < 'Infinity'::numeric),
    CONSTRAINT ck_holding_lots_left_qty_at_most_qty CHECK (left_qty <= qty)
);

CREATE INDEX ix_holding_lots_open ON holding_lots (base) WHERE left_qty > 0 AND NOT deleted;
CREATE INDEX ix_holding_lots_opened_exec_id ON holding_lots (opened_exec_id);
CREATE INDEX ix_holding_lots_owner_base_quote_opened_at ON holding_lots (owner, base, quote, opened_at);
COMMENT ON TABLE holding_lots IS 'Purchases and what is left of them: a fold over the fills of a pair by trade_id.';
COMMENT ON COLUMN holding_lots.lot_id IS 'Id of the lot.';
COMMENT ON COLUMN holding_lots.owner IS 'Who holds it.';
COMMENT ON COLUMN holding_lots.pair IS 'Pair it was bought on.';
COMMENT ON COLUMN holding_lots.base IS 'Asset it holds.';
COMMENT ON COLUMN holding_lots.quote IS 'Asset it was paid in.';
COMMENT ON COLUMN holding_lots.opened_exec_id IS 'The purchase (trades).';
COMMENT ON COLUMN holding_lots.opened_at IS 'The exchange''s moment of the purchase.';
COMMENT ON COLUMN holding_lots.qty IS 'Bought quantity, in base units.';
COMMENT ON COLUMN holding_lots.left_qty IS 'Quantity that is still held, in base units.';
COMMENT ON COLUMN holding_lots.price IS 'Price of the purchase, in quote units.';
COMMENT ON COLUMN holding_lots.cost IS 'Paid for qty including the buy fee, in quote units.';
COMMENT ON COLUMN holding_lots.realised_pnl IS 'Realised so far, net of both fees, in quote units.';
COMMENT ON COLUMN holding_lots.closed_at IS 'The exchange''s moment of the last sale; null while open.';
COMMENT ON COLUMN holding_lots.deleted IS 'A later look at the order of fills removed it; kept for the record.';
COMMENT ON COLUMN holding_lots.at IS 'Market time of the event that caused this row.';
COMMENT ON COLUMN holding_lots.recorded_at IS 'Wall time at which the database wrote this row (a stamp, not an order).';

COMMENT ON TABLE alembic_version IS 'Which revision of the schema this database has; Alembic keeps it.';
COMMENT ON COLUMN alembic_version.version_num IS 'Id of the revision (migrations/versions).';
