"""Hand-made market data and settings for tests of the brain: plain values, every part nameable."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from simple_trader.domain.instruments import PairRules, PairStatus
from simple_trader.domain.quotes import BookSummary, Candle, Quote
from simple_trader.domain.settings import TradingSettings

T0 = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
BTC = "BTC/USD"
ETH = "ETH/USD"


def minutes(count: float) -> timedelta:
    """A span of minutes."""
    return timedelta(minutes=count)


def quote(pair: str = BTC, *, bid: str = "99.9", ask: str = "100.1", **changes: Any) -> Quote:
    """A sane quote of T0."""
    values: dict[str, Any] = {
        "pair": pair,
        "bid": Decimal(bid),
        "ask": Decimal(ask),
        "bid_qty": Decimal(1),
        "ask_qty": Decimal(1),
        "last": Decimal(100),
        "volume": Decimal(1234),
        "vwap": Decimal(98),
        "low": Decimal(90),
        "high": Decimal(110),
        "change_pct": Decimal("1.5"),
        "venue_at": T0,
        "seen_at": T0,
    }
    return Quote(**values | changes)


def book(pair: str = BTC, **changes: Any) -> BookSummary:
    """A sane book summary of T0."""
    values: dict[str, Any] = {
        "pair": pair,
        "bid": Decimal("99.95"),
        "ask": Decimal("100.05"),
        "mid": Decimal(100),
        "vwap_mid": Decimal(100),
        "spread_bps": 10.0,
        "imbalance": 0.25,
        "depth": 10,
        "venue_at": T0,
    }
    return BookSummary(**values | changes)


def candle(number: int, close: float | str = 100, pair: str = BTC, **changes: Any) -> Candle:
    """The finished one-minute candle that begins `number` minutes after T0."""
    price = Decimal(str(close))
    values: dict[str, Any] = {
        "pair": pair,
        "interval_s": 60,
        "begin": T0 + minutes(number),
        "open": price,
        "high": price + 1,
        "low": price - 1,
        "close": price,
        "volume": Decimal(5),
        "trades": 3,
    }
    return Candle(**values | changes)


def rules(pair: str = BTC, **changes: Any) -> PairRules:
    """Rules of a pair with a price step of 0.1."""
    values: dict[str, Any] = {
        "pair": pair,
        "base": pair.partition("/")[0],
        "quote": "USD",
        "rest_id": "XXBTZUSD",
        "altname": "XBTUSD",
        "price_increment": Decimal("0.1"),
        "price_precision": 1,
        "qty_increment": Decimal("0.00000001"),
        "qty_precision": 8,
        "qty_min": Decimal("0.00005"),
        "cost_min": Decimal("0.5"),
        "cost_precision": 5,
        "status": PairStatus.ONLINE,
    }
    return PairRules(**values | changes)


def settings(**changes: Any) -> TradingSettings:
    """The settings of seed 000: base order 1000, confidence 0.70, risk up to medium."""
    values: dict[str, Any] = {
        "traded_pairs": (BTC, ETH),
        "may_place": True,
        "enable_aggregator": True,
        "aggregator_interval_s": 900,
        "quantity_of_price_history": 200,
        "advice_deadline_s": 30,
        "min_confidence": 0.7,
        "max_risk_level": "medium",
        "base_order": Decimal(1000),
        "risk_multiplier_low": Decimal("1.0"),
        "risk_multiplier_medium": Decimal("0.7"),
        "risk_multiplier_high": Decimal("0.5"),
        "max_balance_fraction": Decimal("0.95"),
        "min_order_value": Decimal(10),
        "max_order_value": Decimal(100_000),
        "max_order_qty": {},
        "max_open_orders": 40,
        "max_orders_per_minute": 42,
        "max_flips_per_day": 288,
        "max_notional_per_minute": Decimal(500_000),
        "max_notional_per_hour": Decimal(2_000_000),
        "max_notional_per_day": Decimal(10_000_000),
        "max_pair_notional_per_minute": Decimal(500_000),
        "max_pair_notional_per_hour": Decimal(2_000_000),
        "max_pair_notional_per_day": Decimal(10_000_000),
        "price_collar_bps": 2000,
        "max_drawdown": Decimal("0.5"),
        "max_slippage_bps": 20,
        "max_quote_age_s": 10.0,
        "max_spread_bps": 50.0,
        "candle_minutes": 15,
        "max_asset_exposure": Decimal("0.4"),
        "max_total_exposure": Decimal("0.8"),
        "daily_loss_limit": Decimal("0.05"),
        "order_deadline_s": 5.0,
        "stop_loss_percent": Decimal(5),
        "take_profit_percent": Decimal(10),
        "risk_manager_interval_s": 10,
        "enable_model": True,
        "model_horizons": (1,),
        "advice_reuse_s": 0,
        "shadows": (),
        "min_expected_move_pct": 0.02,
        "training_interval_s": 86_400,
        "model_lookback_days": 30,
        "min_training_rows": 100,
        "enable_private_feed": True,
        "enable_public_feed": True,
        "enable_order_book_feed": True,
    }
    return TradingSettings(**values | changes)
