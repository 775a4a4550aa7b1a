"""Every trade, skip and refusal carries exactly one Reason.

docs/reference/reasons.md is made from this file.

The text behind each name is what a person reads. Names are stable: they stand in the database.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why something was done, skipped or refused."""

    # decisions: what became of an idea
    TRADED = "traded"
    ADVISED_HOLD = "advised_hold"
    BIAS_BUY = "bias_buy"
    BIAS_SELL = "bias_sell"
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"
    # advice that cannot be used: HOLD
    ADVICE_LATE = "advice_late"
    ADVICE_FAILED = "advice_failed"
    ADVICE_TIMEOUT = "advice_timeout"
    INTERRUPTED = "interrupted"
    ADVICE_MALFORMED = "advice_malformed"
    ADVICE_TRUNCATED = "advice_truncated"
    ADVICE_REFUSED_BY_MODEL = "advice_refused_by_model"
    ADVICE_TOO_LONG = "advice_too_long"
    ADVICE_WRONG_TYPE = "advice_wrong_type"
    ADVICE_OUT_OF_RANGE = "advice_out_of_range"
    ADVICE_UNKNOWN_PAIR = "advice_unknown_pair"
    ADVICE_DUPLICATE = "advice_duplicate"
    ADVICE_MISSING_PAIR = "advice_missing_pair"
    ADVICE_CONTRADICTORY = "advice_contradictory"
    ADVICE_STALE = "advice_stale"
    PROMPT_FAILED = "prompt_failed"
    NO_PROVIDER = "no_provider"
    LLM_BUDGET = "llm_budget"
    LLM_BREAKER = "llm_breaker"
    # gates before the risk manager
    CONFIDENCE_TOO_LOW = "confidence_too_low"
    RISK_TOO_HIGH = "risk_too_high"
    MOVE_TOO_SMALL = "move_too_small"
    NOTHING_TO_SELL = "nothing_to_sell"
    ALLOCATION_REACHED = "allocation_reached"
    FLIP_LIMIT = "flip_limit"
    AGGREGATOR_OFF = "aggregator_off"
    CYCLE_BUSY = "cycle_busy"
    # risk manager
    TRADING_HALTED = "trading_halted"
    REDUCE_ONLY = "reduce_only"
    NOT_RECONCILED = "not_reconciled"
    PAIR_NOT_ALLOWED = "pair_not_allowed"
    NO_INSTRUMENT = "no_instrument"
    PAIR_NOT_ONLINE = "pair_not_online"
    VENUE_NOT_ONLINE = "venue_not_online"
    NO_PRICE = "no_price"
    PRICE_STALE = "price_stale"
    PRICE_AHEAD = "price_ahead"
    PRICE_UNREASONABLE = "price_unreasonable"
    BOOK_UNTRUSTED = "book_untrusted"
    SPREAD_TOO_WIDE = "spread_too_wide"
    SAME_CANDLE = "same_candle"
    ORDER_UNKNOWN = "order_unknown"
    BELOW_MIN_QTY = "below_min_qty"
    BELOW_MIN_COST = "below_min_cost"
    BELOW_MIN_VALUE = "below_min_value"
    NO_FUNDS = "no_funds"
    EXPOSURE_ASSET = "exposure_asset"
    EXPOSURE_TOTAL = "exposure_total"
    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"
    OFF_STEP = "off_step"
    PRICE_COLLAR = "price_collar"
    NO_REFERENCE = "no_reference"
    PRICE_MOVED = "price_moved"
    PAIR_MISTRUSTED = "pair_mistrusted"
    MARKET_ENTRY = "market_entry"
    ORDER_TOO_LARGE = "order_too_large"
    NOTIONAL_LIMIT = "notional_limit"
    ORDER_RATE = "order_rate"
    TOO_MANY_ORDERS = "too_many_orders"
    DUPLICATE_ORDER = "duplicate_order"
    COOL_DOWN = "cool_down"
    SIZED_UP = "sized_up"
    STORE_SLOW = "store_slow"
    ACCOUNT_STALE = "account_stale"
    BALANCE_UNEXPLAINED = "balance_unexplained"
    # the gate: an approved order that was not sent
    PLACING_OFF = "placing_off"
    NOT_ARMED = "not_armed"
    LOCK_LOST = "lock_lost"
    LEASE_LOST = "lease_lost"
    LOOP_STALLED = "loop_stalled"
    APPROVAL_EXPIRED = "approval_expired"
    WIRE_DIFFERS = "wire_differs"
    PRIVATE_FEED_DOWN = "private_feed_down"
    RATE_LIMITED = "rate_limited"
    RESTARTED_BEFORE_SEND = "restarted_before_send"
    # what became of an order
    SENT_UNKNOWN = "sent_unknown"
    REJECTED_BY_VENUE = "rejected_by_venue"
    NEVER_ACCEPTED = "never_accepted"
    FILLED = "filled"
    CANCELED_BY_VENUE = "canceled_by_venue"
    CANCELED_BY_US = "canceled_by_us"
    EXPIRED_AT_VENUE = "expired_at_venue"
    LATE_EVIDENCE = "late_evidence"
    AMENDED_AT_VENUE = "amended_at_venue"
    ORDER_IMPORTED = "order_imported"
    FEE_CORRECTED = "fee_corrected"
    # trading state
    STARTING = "starting"
    RECONCILING = "reconciling"
    RECONCILED = "reconciled"
    OPERATOR = "operator"
    FEED_DISABLED = "feed_disabled"
    PRIVATE_DOWN = "private_down"
    PUBLIC_DOWN = "public_down"
    STORE_DOWN = "store_down"
    INVARIANT = "invariant_broken"
    CLOCK_SKEW = "clock_skew"
    MAINTENANCE_AHEAD = "maintenance_ahead"
    SETTLING = "settling"
    SWITCH_FIRED = "switch_fired"
    LOOP_LAG = "loop_lag"
    KEY_REFUSED = "key_refused"
    NONCE_REFUSED = "nonce_refused"
    REJECT_STORM = "reject_storm"
    REPEATED_ORDERS = "repeated_orders"
    # marks
    MARK_GAP = "mark_gap"
    MARK_STALE = "mark_stale"
    PREDICTION_STALE = "prediction_stale"
    # learning
    MODEL_OFF = "model_off"
    MODEL_LATE = "model_late"
    MODEL_FAILED = "model_failed"
    TOO_FEW_ROWS = "too_few_rows"
    TRAINED = "trained"
    MODEL_DIVERGED = "model_diverged"
    MODEL_DRIFTED = "model_drifted"
    MODEL_UNSKILLED = "model_unskilled"
    MODEL_REGAINED = "model_regained"


TEXT: dict[Reason, str] = {
    Reason.TRADED: "The idea became an order.",
    Reason.ADVISED_HOLD: "The advisor said hold.",
    Reason.BIAS_BUY: "The advisor said buy.",
    Reason.BIAS_SELL: "The advisor said sell.",
    Reason.STOP_LOSS: "The position fell below its stop-loss.",
    Reason.TAKE_PROFIT: "The position rose above its take-profit.",
    Reason.ADVICE_LATE: "The answer came after its deadline or to no open question.",
    Reason.ADVICE_FAILED: "The advisor could not be reached or answered with an error.",
    Reason.ADVICE_TIMEOUT: "The advisor did not answer in time.",
    Reason.INTERRUPTED: "The daemon ended before the advice came.",
    Reason.ADVICE_MALFORMED: "The answer was not one JSON object of the expected shape.",
    Reason.ADVICE_TRUNCATED: "The answer was cut off at the token limit.",
    Reason.ADVICE_REFUSED_BY_MODEL: "The model refused to answer.",
    Reason.ADVICE_TOO_LONG: "The answer was longer than allowed.",
    Reason.ADVICE_WRONG_TYPE: "A field of the answer had the wrong type.",
    Reason.ADVICE_OUT_OF_RANGE: "A number of the answer was out of its range.",
    Reason.ADVICE_UNKNOWN_PAIR: "The answer named a pair that was not asked about.",
    Reason.ADVICE_DUPLICATE: "The answer named a pair twice.",
    Reason.ADVICE_MISSING_PAIR: "The answer did not name this pair.",
    Reason.ADVICE_CONTRADICTORY: "What the answer says of prices speaks against its own action.",
    Reason.ADVICE_STALE: "The price moved more than 0.5 % between question and answer.",
    Reason.PROMPT_FAILED: "The prompt could not be rendered from its template.",
    Reason.NO_PROVIDER: "No LLM provider is configured.",
    Reason.LLM_BUDGET: "The budget of tokens or money for advice is used up; nobody was asked.",
    Reason.LLM_BREAKER: "Every provider failed again and again; the next trial waits a while.",
    Reason.CONFIDENCE_TOO_LOW: "The confidence was below min_confidence.",
    Reason.RISK_TOO_HIGH: "The risk level was above max_risk_level.",
    Reason.MOVE_TOO_SMALL: "The expected move is not min_expected_move_pct above what it costs.",
    Reason.NOTHING_TO_SELL: "There is no holding of ours to sell.",
    Reason.ALLOCATION_REACHED: "The holding that the advisor wanted is there already.",
    Reason.FLIP_LIMIT: "The advice changed sides on this pair too often in 24 hours.",
    Reason.AGGREGATOR_OFF: "enable_aggregator is false.",
    Reason.CYCLE_BUSY: "The previous decision cycle was still waiting.",
    Reason.TRADING_HALTED: "Trading is halted; `simple-trader resume` lifts it.",
    Reason.REDUCE_ONLY: "Only orders that lower exposure are allowed at the moment.",
    Reason.NOT_RECONCILED: "The account is not yet reconciled with the exchange.",
    Reason.PAIR_NOT_ALLOWED: "The pair is not in traded_pairs.",
    Reason.NO_INSTRUMENT: "The exchange gave no trading rules or no fee for the pair.",
    Reason.PAIR_NOT_ONLINE: "The exchange does not take this order on the pair now.",
    Reason.VENUE_NOT_ONLINE: "The exchange is not online.",
    Reason.NO_PRICE: "There is no price for the pair yet.",
    Reason.PRICE_STALE: "The price is older than max_quote_age_seconds.",
    Reason.PRICE_AHEAD: "The price carries a moment that is still to come, by our clock.",
    Reason.PRICE_UNREASONABLE: "The quote is crossed, empty or outside the price collar.",
    Reason.BOOK_UNTRUSTED: "The order book failed its checksum and is being fetched again.",
    Reason.SPREAD_TOO_WIDE: "The spread is wider than max_spread_bps.",
    Reason.SAME_CANDLE: "There was already an entry on this pair and side in this candle.",
    Reason.ORDER_UNKNOWN: "An order on this pair has an unknown outcome.",
    Reason.BELOW_MIN_QTY: "The quantity is below the exchange's minimum.",
    Reason.BELOW_MIN_COST: "The value is below the exchange's minimum cost.",
    Reason.BELOW_MIN_VALUE: "The value is below min_order_value.",
    Reason.NO_FUNDS: "The spendable balance does not cover the order and its fee.",
    Reason.EXPOSURE_ASSET: "The exposure cap of the asset leaves no room.",
    Reason.EXPOSURE_TOTAL: "The total exposure cap leaves no room.",
    Reason.DAILY_LOSS: "The daily loss limit is reached.",
    Reason.DRAWDOWN: "The equity fell too far from its highest value; an operator must resume.",
    Reason.OFF_STEP: "Price or quantity is not on the exchange's step.",
    Reason.PRICE_COLLAR: "Price or limit is too far from the middle or its one-minute median.",
    Reason.NO_REFERENCE: "There is no slow reference price of the pair yet.",
    Reason.PRICE_MOVED: "The price is not the one that the order was made from.",
    Reason.PAIR_MISTRUSTED: "The pair's order book failed its checksum too often of late.",
    Reason.MARKET_ENTRY: "An order without a limit price may only protect what is held.",
    Reason.ORDER_TOO_LARGE: "The order is larger than the limit for one order.",
    Reason.NOTIONAL_LIMIT: "The value of the orders of this minute, hour or day is at its limit.",
    Reason.ORDER_RATE: "There were too many orders in the last second or minute.",
    Reason.TOO_MANY_ORDERS: "Too many orders of ours are open on the pair.",
    Reason.DUPLICATE_ORDER: "The same order was made a moment ago or is still open.",
    Reason.COOL_DOWN: "The exchange refused orders; the pair or the account waits a while.",
    Reason.SIZED_UP: "After a refusal for lack of funds no larger order is tried.",
    Reason.STORE_SLOW: "The database is too slow to take new risk.",
    Reason.ACCOUNT_STALE: "The account state is too old to take new risk.",
    Reason.BALANCE_UNEXPLAINED: "A balance differs from the books and is not explained.",
    Reason.PLACING_OFF: "Placing live orders is off (by config or version): recorded, not sent.",
    Reason.NOT_ARMED: "Live trading is not armed.",
    Reason.LOCK_LOST: "The single-writer lock is not held.",
    Reason.LEASE_LOST: "The health lease is not held.",
    Reason.LOOP_STALLED: "The event loop stood still for too long.",
    Reason.APPROVAL_EXPIRED: "The approval was older than its life.",
    Reason.WIRE_DIFFERS: "The bytes to be sent did not equal the approved order.",
    Reason.PRIVATE_FEED_DOWN: "The private connection was down.",
    Reason.RATE_LIMITED: "The exchange's order counter of the pair leaves no room for it now.",
    Reason.RESTARTED_BEFORE_SEND: "The daemon restarted before the order was sent.",
    Reason.SENT_UNKNOWN: "The order was sent and its outcome is not known.",
    Reason.REJECTED_BY_VENUE: "The exchange rejected the order.",
    Reason.NEVER_ACCEPTED: "The exchange shows no trace of the order after its deadline.",
    Reason.FILLED: "The order is filled.",
    Reason.CANCELED_BY_VENUE: "The exchange cancelled the order or its rest.",
    Reason.CANCELED_BY_US: "We cancelled the order.",
    Reason.EXPIRED_AT_VENUE: "The order expired at the exchange.",
    Reason.LATE_EVIDENCE: "Evidence of an order came after it was taken as over.",
    Reason.AMENDED_AT_VENUE: "The exchange says that the order was changed.",
    Reason.ORDER_IMPORTED: "An order of ours that the books did not hold was found and taken in.",
    Reason.FEE_CORRECTED: "The fee of a trade became known, or another than first told.",
    Reason.STARTING: "The daemon is starting.",
    Reason.RECONCILING: "The account is being reconciled with the exchange.",
    Reason.RECONCILED: "The account agrees with the exchange.",
    Reason.OPERATOR: "An operator asked for it.",
    Reason.FEED_DISABLED: "The feed is switched off in config.yaml.",
    Reason.PRIVATE_DOWN: "The private stream is down, fills cannot be seen.",
    Reason.PUBLIC_DOWN: "The public stream is down, prices cannot be seen.",
    Reason.STORE_DOWN: "The database cannot be reached, nothing can be recorded.",
    Reason.INVARIANT: "An invariant of the books is broken.",
    Reason.MAINTENANCE_AHEAD: "The exchange announced a maintenance or an emergency.",
    Reason.SETTLING: "The trouble is over; new risk waits until it has been over for 30 seconds.",
    Reason.SWITCH_FIRED: "The exchange's dead man's switch cancelled our orders.",
    Reason.CLOCK_SKEW: "Our clock and the exchange's are too far apart.",
    Reason.LOOP_LAG: "The event loop comes too late to everything: this machine is overloaded.",
    Reason.KEY_REFUSED: "The exchange refuses our key; nothing private is asked any more.",
    Reason.NONCE_REFUSED: "The exchange refuses our nonces: something else may use the key.",
    Reason.REJECT_STORM: "The exchange refused twenty orders in a row.",
    Reason.REPEATED_ORDERS: "The same side of a pair was filled again and again within minutes.",
    Reason.MARK_GAP: "No price came within one more horizon after the outcome was due.",
    Reason.MARK_STALE: "The price at the decision was over a minute old: no outcome counts.",
    Reason.PREDICTION_STALE: "The price is over a minute old: no prediction begins at it.",
    Reason.MODEL_OFF: "The online model is not available.",
    Reason.MODEL_LATE: "The online model did not answer in time.",
    Reason.MODEL_FAILED: "The online model failed.",
    Reason.TOO_FEW_ROWS: "There is too little history to train on.",
    Reason.TRAINED: "The model was trained.",
    Reason.MODEL_DIVERGED: "Weights were no usable numbers: the last good ones are used again.",
    Reason.MODEL_DRIFTED: "The errors of the predictions have changed: the market is another.",
    Reason.MODEL_UNSKILLED: "The predictions are worse than the base rate: not shown any more.",
    Reason.MODEL_REGAINED: "The predictions are better than the base rate again: shown again.",
}
