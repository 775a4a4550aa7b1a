"""The typed model of config.yaml: every key with its default, unit and range.

Each default equals the value in the shipped config.yaml (a test). The descriptions become
docs/reference/config.md. `limit` marks a key whose rise must be accepted (C05), `at_start` one that
only a restart changes.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import model_validator

from simple_trader.config.fields import (
    BaseUrl,
    CandleMinutes,
    Depth,
    Dsn,
    Flag,
    Money,
    Pairs,
    Real,
    Section,
    Sizes,
    Speed,
    Text,
    Whole,
    setting,
)

Mode = Literal["sim", "paper", "live"]
Level = Literal["low", "medium", "high"]


class Sim(Section):
    """The simulated exchange."""

    initial_capital: Money = setting(
        Decimal(1000), "Opening balance of the sandbox account.",
        unit="USD", ge=0, le=Decimal("1e12"), at_start=True,
    )  # fmt: skip
    speed: Speed = setting(
        60.0, "Ceiling of market seconds per real second, above 0, or max for none; `--speed` "
        "overrides it.", unit="market seconds per second", at_start=True,
    )  # fmt: skip
    seed: Whole = setting(
        1, "Seed of the generated market and of the paths inside replayed bars; another seed is "
        "another world. `--seed` overrides it.", ge=0, le=2**63 - 1, at_start=True,
    )  # fmt: skip


class Paper(Section):
    """Paper trading: Kraken's live prices, an account and fills of our own."""

    initial_capital: Money = setting(
        Decimal(1000), "Opening balance of the paper account.",
        unit="USD", ge=0, le=Decimal("1e12"), at_start=True,
    )  # fmt: skip
    latency_low_ms: Whole = setting(
        30, "Shortest time that an order is on its way.", unit="milliseconds", ge=0, le=10_000,
        at_start=True,
    )  # fmt: skip
    latency_high_ms: Whole = setting(
        250, "Longest time that an order is on its way; each order draws its own.",
        unit="milliseconds", ge=0, le=10_000, at_start=True,
    )  # fmt: skip
    rest_url: Text = setting(
        "https://api.kraken.com", "Public REST that is relayed: Kraken's, or a sandbox on this "
        "machine (http://127.0.0.1:PORT).", at_start=True,
    )  # fmt: skip
    public_url: Text = setting(
        "wss://ws.kraken.com/v2", "Public feed that is relayed: Kraken's, or that of a sandbox on "
        "this machine (ws://127.0.0.1:PORT/v2).", at_start=True,
    )  # fmt: skip

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.latency_low_ms > self.latency_high_ms:
            raise ValueError(
                f"latency_low_ms ({self.latency_low_ms}) must not be above "
                f"latency_high_ms ({self.latency_high_ms})"
            )
        return self


class RiskMultipliers(Section):
    """Share of base_order for each risk level the advisor names."""

    low: Money = setting(Decimal("1.0"), "Share of base_order at risk level low.", ge=0, le=1)
    medium: Money = setting(Decimal("0.7"), "Share of base_order at level medium.", ge=0, le=1)
    high: Money = setting(Decimal("0.5"), "Share of base_order at risk level high.", ge=0, le=1)


class Database(Section):
    """Where the rows go."""

    dsn: Dsn = setting(
        "", "PostgreSQL 15 or newer, without password (POSTGRES_DSN in .env goes first); "
        "empty: the embedded server.", at_start=True,
    )  # fmt: skip
    bin_dir: Text = setting(
        "", "Directory with initdb, postgres and psql for the embedded server; empty: the build "
        "that came with the program.", at_start=True,
    )  # fmt: skip
    embedded_in_live: Flag = setting(
        False, "Whether mode live may keep its books on the embedded server.", at_start=True
    )


class Health(Section):
    """The loopback health endpoint."""

    port: Whole = setting(
        0, "Port of GET /health on 127.0.0.1; 0: any free one.", ge=0, le=65_535, at_start=True
    )


class RetentionDays(Section):
    """Days of market time that high-volume tables keep; the rest is never deleted."""

    price_history: Whole = setting(30, "Days of price_history.", unit="days", ge=1, le=36_500)
    order_book_metrics: Whole = setting(7, "Days of order_book_metrics.", unit="days", ge=1,
                                        le=36_500)  # fmt: skip
    engine_journal: Whole = setting(30, "Days of engine_journal.", unit="days", ge=1, le=36_500)


def _notional(default: int, when: str) -> Any:
    return setting(
        Decimal(default), f"Most value of all orders {when}; entries use half of it.", unit="USD",
        gt=0, le=Decimal("1e12"), limit=True,
    )  # fmt: skip


class Settings(Section):
    """All of config.yaml."""

    mode: Mode = setting(
        "sim", "sim: sandbox exchange, generated or replayed market; paper: sandbox exchange, live "
        "prices; live: Kraken.", at_start=True,
    )  # fmt: skip
    place_live_orders: Flag = setting(
        False, "Read in mode live only. false: everything runs and is recorded, nothing is sent."
    )
    allow_withdrawal_key: Flag = setting(
        False, "Whether mode live starts with a Kraken key that may withdraw funds, or cannot be "
        "shown not to.", at_start=True,
    )  # fmt: skip
    traded_pairs: Pairs = setting(
        ("BTC/USD", "ETH/USD", "SOL/USD"),
        "Pairs that may be traded: no other gets an order. 1 to 100, one quote currency.",
    )

    enable_aggregator: Flag = setting(True, "Whether decision cycles run.")
    aggregator_interval_seconds: Whole = setting(
        900, "Time between decision cycles.", unit="market seconds", ge=10, le=86_400
    )
    quantity_of_price_history: Whole = setting(
        200,
        "One-minute candles that are kept for the indicators, read at the start.",
        unit="candles",
        ge=20,
        le=720,
    )
    candle_minutes: CandleMinutes = setting(
        15,
        "One entry per pair and side in each span of this length. Indicators are of one minute.",
        unit="minutes",
    )

    openai_model: Text = setting("gpt-4.1-mini", "Model that is asked.", min_length=1,
                                 max_length=200)  # fmt: skip
    openai_base_url: BaseUrl = setting(
        "", "Address of an OpenAI-compatible provider; empty: OpenAI in live and in paper with a "
        "key, the sandbox's stand-in advisor in sim."
    )  # fmt: skip
    is_reasoning_model: Flag = setting(
        False, "Whether the model takes reasoning_effort instead of a temperature."
    )
    reasoning_effort: Level = setting("low", "How long a reasoning model thinks.")
    is_function_calling_model: Flag = setting(
        True, "Whether the model gets the tool schema; false: it is asked for plain JSON."
    )
    model_max_tokens: Whole = setting(
        2000, "Upper bound of an answer.", unit="tokens", ge=64, le=200_000
    )
    advice_deadline_seconds: Whole = setting(
        60, "An answer that is not there by then is HOLD.", unit="seconds", ge=1, le=900
    )

    enable_public_feed: Flag = setting(True, "Prices and trades; off: no new orders.")
    enable_private_feed: Flag = setting(True, "Own executions and balances; off: no new orders.")
    enable_order_book_feed: Flag = setting(True, "Order books and their metrics.")
    order_book_depth: Depth = setting(10, "Levels of each order book.", unit="levels")
    enable_minimal_order_book_feed: Flag = setting(
        False, "A shallower book of each pair, where enable_order_book_feed is false."
    )
    minimal_order_book_depth: Depth = setting(10, "Levels of the shallower book.", unit="levels")

    min_confidence: Real = setting(0.70, "Advice below this confidence is not traded.", ge=0, le=1)
    max_risk_level: Level = setting("medium", "Advice above this risk level is not traded.")
    base_order: Money = setting(
        Decimal(200), "Value of an order before risk level, confidence and caps scale it down.",
        unit="quote currency", gt=0, le=Decimal("1e9"),
    )  # fmt: skip
    risk_multipliers: RiskMultipliers = setting(RiskMultipliers, "Share of base_order by level.")
    max_balance_fraction: Money = setting(
        Decimal("0.95"), "Most of a spendable balance that one order may use.",
        unit="fraction", gt=0, le=1, limit=True,
    )  # fmt: skip
    min_order_value: Money = setting(
        Decimal(10), "Smaller orders are not sent.", unit="quote currency", ge=0,
        le=Decimal("1e9"),
    )  # fmt: skip
    max_order_value: Money = setting(
        Decimal(1000), "Larger orders are cut down to this, or refused.", unit="quote currency",
        gt=0, le=Decimal("1e9"), limit=True,
    )  # fmt: skip
    max_order_qty: Sizes = setting(
        dict, "Largest quantity of one order, for the pairs that are named.", unit="base units",
        limit=True,
    )  # fmt: skip
    max_open_orders: Whole = setting(
        40, "Most orders of ours on one pair at a time; entries use half of it.", ge=1, le=225,
        limit=True,
    )  # fmt: skip
    max_orders_per_minute: Whole = setting(
        30, "Most orders on one pair in any 60 seconds; entries use half of it.", ge=1, le=1000,
        limit=True,
    )  # fmt: skip
    max_notional_per_minute: Money = _notional(5000, "in any minute")
    max_notional_per_hour: Money = _notional(20_000, "in any hour")
    max_notional_per_day: Money = _notional(100_000, "in any 24 hours")
    max_pair_notional_per_minute: Money = _notional(2500, "on one pair in any minute")
    max_pair_notional_per_hour: Money = _notional(10_000, "on one pair in any hour")
    max_pair_notional_per_day: Money = _notional(50_000, "on one pair in any 24 hours")
    price_collar_bps: Whole = setting(
        500, "How far limit and price may be from the middle and from its one-minute median.",
        unit="basis points", ge=1, le=10_000, limit=True,
    )  # fmt: skip
    max_slippage_bps: Whole = setting(
        10, "How far an order's limit may lie beyond the touch.", unit="basis points",
        ge=0, le=1000, limit=True,
    )  # fmt: skip
    max_quote_age_seconds: Real = setting(
        10.0, "An older price is stale: no order.", unit="market seconds", gt=0, le=3600
    )
    max_spread_bps: Real = setting(
        25.0, "A wider spread: no order.", unit="basis points", gt=0, le=10_000
    )
    max_asset_exposure: Money = setting(
        Decimal("0.4"), "Most that one base asset may be worth, orders in flight counted.",
        unit="fraction of equity", ge=0, le=1, limit=True,
    )  # fmt: skip
    max_total_exposure: Money = setting(
        Decimal("0.8"), "Most that all assets may be worth, orders in flight counted.",
        unit="fraction of equity", ge=0, le=1, limit=True,
    )  # fmt: skip
    daily_loss_limit: Money = setting(
        Decimal("0.05"), "A greater loss in one UTC day: only orders that lower exposure, until "
        "`simple-trader resume`.",
        unit="fraction of the day's first equity", gt=0, le=1, limit=True,
    )  # fmt: skip
    max_drawdown: Money = setting(
        Decimal("0.20"), "A greater fall from the highest equity: only orders that lower exposure, "
        "until `simple-trader resume`.", unit="fraction of the highest equity", gt=0, le=1,
        limit=True,
    )  # fmt: skip
    order_deadline_seconds: Real = setting(
        5.0, "The exchange must not accept an order later than this.", unit="market seconds",
        ge=0.5, le=60,
    )  # fmt: skip
    stop_loss_percent: Money = setting(
        Decimal("3.0"), "A position this far below its cost is sold; 0: off.", unit="percent",
        ge=0, le=99,
    )  # fmt: skip
    take_profit_percent: Money = setting(
        Decimal("6.0"), "A position this far above its cost is sold; 0: off.", unit="percent",
        ge=0, le=10_000,
    )  # fmt: skip
    risk_manager_interval_seconds: Whole = setting(
        30, "Time between looks at stop-loss, take-profit and daily loss.", unit="market seconds",
        ge=1, le=3600,
    )  # fmt: skip

    enable_model: Flag = setting(True, "Whether the online model predicts and learns.")
    model_horizon_cycles: Whole = setting(
        1, "How far ahead it predicts.", unit="decision cycles", ge=1, le=96
    )
    training_interval_seconds: Whole = setting(
        3600, "Time between trainings from ai_snapshots.", unit="market seconds", ge=60,
        le=604_800,
    )  # fmt: skip
    model_lookback_days: Whole = setting(
        30, "How far back a training reads.", unit="days", ge=1, le=3650
    )
    min_training_rows: Whole = setting(
        50, "Fewer rows: no training.", unit="rows", ge=1, le=1_000_000
    )

    sim: Sim = setting(Sim, "The simulated exchange.")
    paper: Paper = setting(Paper, "Paper trading.")
    database: Database = setting(Database, "Where the rows go.")
    health: Health = setting(Health, "The loopback health endpoint.")
    retention_days: RetentionDays = setting(
        RetentionDays, "Days of market time that high-volume tables keep, counted from the newest "
        "row."
    )  # fmt: skip
    templates_dir: Text = setting(
        "", "Directory with your own prompt templates; empty: those that ship with the program. "
        "Relative to this file."
    )  # fmt: skip
    tools_dir: Text = setting(
        "", "Directory with your own tool schemas; empty: those that ship with the program. "
        "Relative to this file."
    )  # fmt: skip
    dead_man_switch: Literal["auto", "off"] = setting(
        "auto", "`auto`: the exchange cancels our entries where we no longer refresh its dead "
        "man's switch; `off`: never armed.", at_start=True
    )  # fmt: skip
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "Least important line that the log file keeps.", at_start=True
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Rules that span keys."""
        if self.max_asset_exposure > self.max_total_exposure:
            raise ValueError(
                f"max_asset_exposure ({self.max_asset_exposure}) must not be above "
                f"max_total_exposure ({self.max_total_exposure})"
            )
        quotes = {pair.partition("/")[2] for pair in self.traded_pairs}
        if len(quotes) > 1:
            raise ValueError(
                "traded_pairs must share one quote currency, not " + " and ".join(sorted(quotes))
            )
        return self


def walk(visit: Callable[[str, Any], None], model: type[Section] = Settings) -> None:
    """Call `visit(dotted name, field)` for each leaf key in the order of the file."""
    _walk(visit, model, "")


def _walk(visit: Callable[[str, Any], None], model: type[Section], prefix: str) -> None:
    for name, info in model.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            _walk(visit, kind, f"{prefix}{name}.")
        else:
            visit(prefix + name, info)


def marked(mark: str) -> tuple[str, ...]:
    """Dotted names of the keys with this mark: `limit` or `at_start`."""
    found: list[str] = []

    def visit(name: str, info: Any) -> None:
        if (info.json_schema_extra or {}).get(mark):
            found.append(name)

    walk(visit)
    return tuple(found)
