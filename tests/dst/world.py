"""A scenario's world around the daemon: market, configuration, nonces, and what was told of it."""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import market_parts
from checker.record import Caps, Facts, Life, Span
from virtual_time import START

from dst.agenda import TrueClock
from dst.plan import Scenario
from dst.venue import VirtualVenue
from simple_trader.adapters.kraken.auth import Credentials
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.config.env import Secret
from simple_trader.domain.settings import TradingSettings
from simple_trader.ports import Clock
from simple_trader.sandbox import sources_generated
from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.opening import open_exchange
from simple_trader.sandbox.settings import DEFAULT_KEY, DEFAULT_SIGNING_TEXT, SandboxOptions


class KeptMark:
    """Nonces survive the process, as the file of the daemon does."""

    def __init__(self) -> None:
        """None used yet."""
        self.mark = 0

    def load(self) -> int:
        """See HighWater."""
        return self.mark

    def save(self, nonce: int) -> None:
        """See HighWater."""
        self.mark = nonce


@dataclass
class Tally:
    """What happened in the daemon's lives."""

    kills: Counter[str] = field(default_factory=Counter)
    lives: list[Life] = field(default_factory=list)
    pauses: list[Span] = field(default_factory=list)
    outages: list[Span] = field(default_factory=list)
    halts: list[tuple[datetime, str]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def opened(options: SandboxOptions, truth: TrueClock) -> Exchange:
    """A market with a short past: each connection tells all of it, and indicators need an hour."""
    usual = sources_generated.HISTORY_MINUTES
    sources_generated.HISTORY_MINUTES = options.history_bars
    try:
        return open_exchange(options, truth.now)
    finally:
        sources_generated.HISTORY_MINUTES = usual


def settings_of(scenario: Scenario) -> TradingSettings:
    """The daemon's configuration in this scenario."""
    return market_parts.settings(
        traded_pairs=scenario.pairs,
        aggregator_interval_s=scenario.interval_s,
        candle_minutes=scenario.candle_minutes,
        advice_deadline_s=max(4, min(30, scenario.interval_s)),
        min_confidence=0.9,  # the size confidence until marks are known
        base_order=scenario.base_order,
        max_slippage_bps=scenario.slippage_bps,
        max_spread_bps=300.0,
        max_asset_exposure=Decimal("0.4"),
        max_total_exposure=Decimal("0.8"),
        daily_loss_limit=Decimal(0),
        stop_loss_percent=scenario.stop_loss,
        take_profit_percent=Decimal("0.4"),
        quantity_of_price_history=60,
    )


def facts_of(
    scenario: Scenario,
    settings: TradingSettings,
    tally: Tally,
    *,
    calm_at: datetime,
    ended_at: datetime,
) -> Facts:
    """What the checker must know of a run."""
    return Facts(
        started_at=START,
        ended_at=ended_at,
        calm_at=calm_at,
        lives=tuple(tally.lives),
        pauses=tuple(tally.pauses),
        outages=tuple(tally.outages),
        halts=tuple(tally.halts),
        caps=Caps(
            asset=settings.max_asset_exposure,
            total=settings.max_total_exposure,
            deadline_s=Decimal(str(settings.order_deadline_s)),
            max_age_s=Decimal(str(settings.max_quote_age_s)),
            # Nothing is asked for beyond it: the drawn advisor is always as sure as that, and
            # the multipliers of risk only lower it.
            order_value=settings.base_order * Decimal("0.9"),
            orders_per_minute=settings.max_orders_per_minute,
            notional_per_minute=settings.max_notional_per_minute,
            notional_per_hour=settings.max_notional_per_hour,
            notional_per_day=settings.max_notional_per_day,
        ),
        candle=timedelta(minutes=settings.candle_minutes),
        pairs=scenario.pairs,
        commit_stamps=True,
    )


def rest_of(
    scenario: Scenario, there: VirtualVenue, *, clock: Clock, mark: KeptMark, number: str
) -> KrakenRest:
    """Our own REST on the virtual exchange; its dice are of life `number`."""
    return KrakenRest(
        RestClient(
            url="http://virtual",
            http=there,
            clock=clock,
            dice=random.Random(f"rest {number}"),
            credentials=Credentials(Secret(DEFAULT_KEY), Secret(DEFAULT_SIGNING_TEXT)),
            high_water=mark,
            tier="none" if not scenario.counters else "intermediate",
            public_pace=False,
        )
    )
