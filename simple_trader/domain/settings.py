"""Trading settings as the brain knows them: one immutable version, changed only by an event."""

from decimal import Decimal

import msgspec


class TradingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What config.yaml says about trading; spans in seconds, fractions of equity as Decimals.

    `may_place` is true in sim and paper, and in live only when placing is allowed and armed.
    """

    traded_pairs: tuple[str, ...]
    may_place: bool
    enable_aggregator: bool
    aggregator_interval_s: int
    quantity_of_price_history: int
    advice_deadline_s: int
    advice_reuse_s: int  # 0: an answer is never used again
    shadows: tuple[str, ...]  # names of those that are asked beside and never traded
    min_confidence: float  # under the profile
    min_expected_move_pct: float  # above fees and spread of a round trip
    max_risk_level: str
    base_order: Decimal
    risk_multiplier_low: Decimal
    risk_multiplier_medium: Decimal
    risk_multiplier_high: Decimal
    max_balance_fraction: Decimal
    min_order_value: Decimal
    max_order_value: Decimal  # quote units
    max_order_qty: dict[str, Decimal]  # base units by pair; a pair that is not named has no own one
    max_open_orders: int  # on one pair
    max_orders_per_minute: int  # on one pair
    max_flips_per_day: int  # changes of side of advice on one pair
    max_notional_per_minute: Decimal  # gross, reporting currency, as those below
    max_notional_per_hour: Decimal
    max_notional_per_day: Decimal
    max_pair_notional_per_minute: Decimal
    max_pair_notional_per_hour: Decimal
    max_pair_notional_per_day: Decimal
    price_collar_bps: int
    max_slippage_bps: int
    max_quote_age_s: float
    max_spread_bps: float
    candle_minutes: int
    max_asset_exposure: Decimal
    max_total_exposure: Decimal
    daily_loss_limit: Decimal
    max_drawdown: Decimal  # fraction of the highest equity
    order_deadline_s: float
    stop_loss_percent: Decimal
    take_profit_percent: Decimal
    risk_manager_interval_s: int
    enable_model: bool
    model_horizons: tuple[int, ...]  # decision cycles, rising
    training_interval_s: int
    model_lookback_days: int
    min_training_rows: int
    enable_private_feed: bool
    enable_public_feed: bool
    enable_order_book_feed: bool  # of whatever depth
