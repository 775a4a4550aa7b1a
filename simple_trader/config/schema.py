"""The typed model of config.yaml: every key with its default, unit and range.

Each default equals the value in the shipped config.yaml (a test). The descriptions become
docs/reference/config.md. `limit` marks a key whose rise must be accepted (C05), `at_start` one that
only a restart changes.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import model_validator

from simple_trader.config.advisors import LlmBudget, Provider, Shadow, advisor_faults
from simple_trader.config.fields import (
    BaseUrl,
    CandleMinutes,
    Depth,
    Flag,
    Hosts,
    Money,
    Pairs,
    Real,
    Section,
    Sizes,
    Text,
    Whole,
    Wholes,
    setting,
)
from simple_trader.config.sections import (
    Database,
    Health,
    Paper,
    RetentionDays,
    RiskMultipliers,
    Sim,
)

Mode = Literal["sim", "paper", "live"]
Level = Literal["low", "medium", "high"]
MIN_CONFIDENCE = 0.70
_MANY_SMALL_TRADES_CONFIDENCE = 0.80
_FLAT = (  # the first provider, where `providers` is empty
    "openai_model",
    "openai_base_url",
    "is_reasoning_model",
    "reasoning_effort",
    "is_function_calling_model",
    "model_max_tokens",
)


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
        60, "An answer that is not there by then is HOLD, whoever was tried.", unit="seconds",
        ge=1, le=900,
    )  # fmt: skip
    providers: tuple[Provider, ...] = setting(
        (), "LLM providers by name, asked in this order until one answers. Empty: the six keys "
        "from `openai_model` to `model_max_tokens` describe the only one; with providers here, "
        "those six must stay as shipped.",
        max_length=16,
    )  # fmt: skip
    llm_hosts: Hosts = setting(
        (), "Hosts (as host or host:port) that may be asked for advice in mode live beside the "
        "known ones; local servers belong here.", at_start=True,
    )  # fmt: skip
    advice_reuse_seconds: Whole = setting(
        900, "A usable answer is used again while it is younger than this, no mid moved more than "
        "0.25 percent and nothing was filled; 0: never.", unit="market seconds", ge=0, le=86_400,
    )  # fmt: skip
    llm_budget: LlmBudget = setting(LlmBudget, "What advice may cost.")
    log_llm_files: Flag = setting(
        False, "Whether each prompt and reply is also written, masked, below logs/llm/; the newest "
        "2000 stay, 256 MiB at most.",
    )  # fmt: skip
    shadows: tuple[Shadow, ...] = setting(
        (), "Further models or prompts that are asked on the same snapshot, marked, and never "
        "traded.", max_length=8,
    )  # fmt: skip

    enable_public_feed: Flag = setting(True, "Prices and trades; off: no new orders.")
    enable_private_feed: Flag = setting(True, "Own executions and balances; off: no new orders.")
    enable_order_book_feed: Flag = setting(True, "Order books and their metrics.")
    order_book_depth: Depth = setting(10, "Levels of each order book.", unit="levels")
    enable_minimal_order_book_feed: Flag = setting(
        False, "A shallower book of each pair, where enable_order_book_feed is false."
    )
    minimal_order_book_depth: Depth = setting(10, "Levels of the shallower book.", unit="levels")

    profile: Literal["standard", "many_small_trades"] = setting(
        "standard", "standard, or many_small_trades, where the default of `min_confidence` (0.70) "
        "stands for 0.80; another value of it is kept."
    )  # fmt: skip
    min_confidence: Real = setting(
        MIN_CONFIDENCE, "Advice below this confidence is not traded.", ge=0, le=1
    )
    max_risk_level: Level = setting("medium", "Advice above this risk level is not traded.")
    min_expected_move_pct: Real = setting(
        0.02, "An expected move that is not this far above the fees and the spread of a round trip "
        "is not traded.", unit="percent", ge=0, le=100,
    )  # fmt: skip
    base_order: Money = setting(
        Decimal(1000), "Value of an order before risk level, confidence and caps scale it down.",
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
        Decimal(5000), "Larger orders are cut down to this, or refused.", unit="quote currency",
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
    max_flips_per_day: Whole = setting(
        24, "Most changes of side of the advice on one pair in 24 hours; then it buys no more.",
        ge=0, le=1000, limit=True,
    )  # fmt: skip
    max_notional_per_minute: Money = _notional(10_000, "in any minute")
    max_notional_per_hour: Money = _notional(20_000, "in any hour")
    max_notional_per_day: Money = _notional(100_000, "in any 24 hours")
    max_pair_notional_per_minute: Money = _notional(5000, "on one pair in any minute")
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
    model_horizons: Wholes = setting(
        (1, 2, 3, 5, 10), "How far ahead it predicts: 1 to 8 horizons of 1 to 96 cycles, rising.",
        unit="decision cycles",
    )  # fmt: skip
    training_interval_seconds: Whole = setting(
        3600, "Time between trainings from ai_snapshots.", unit="market seconds", ge=60,
        le=604_800,
    )  # fmt: skip
    model_lookback_days: Whole = setting(
        30, "How far back a training reads.", unit="days", ge=1, le=3650
    )
    min_training_rows: Whole = setting(
        50, "Fewer rows: no training.", unit="rows", ge=1, le=100_000
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
        flat = [name for name in _FLAT if getattr(self, name) != _default(name)]
        hosts = self.llm_hosts if self.mode == "live" else None
        for fault in advisor_faults(
            self.providers, self.shadows, flat, self.openai_base_url, hosts
        ):
            raise ValueError(fault)
        return self

    @property
    def confidence_in_force(self) -> float:
        """min_confidence, under the profile."""
        if self.profile == "many_small_trades" and self.min_confidence == MIN_CONFIDENCE:
            return _MANY_SMALL_TRADES_CONFIDENCE
        return self.min_confidence


def _default(name: str) -> object:
    return Settings.model_fields[name].default


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
