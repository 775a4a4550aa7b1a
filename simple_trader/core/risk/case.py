"""The case: an intent and everything true about it at the very moment at which it is judged."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.core.risk.exposure import Exposure
from simple_trader.core.risk.turnover import Flow
from simple_trader.domain.instruments import PairRules, VenueStatus
from simple_trader.domain.memory import Strike
from simple_trader.domain.money import ZERO
from simple_trader.domain.orders import Intent, Side
from simple_trader.domain.quotes import Quote
from simple_trader.domain.reasons import Reason
from simple_trader.domain.settings import TradingSettings

RUN, REDUCE, HALT = "RUN", "REDUCE", "HALT"


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """An intent and the state of the very moment at which it is judged.

    `spendable_*` and `exposure` already count everything in flight; `quote_rate` is reporting
    currency per unit of the pair's quote asset; `guarded_since` the candle of the last entry;
    `reference` the slow price; `flow` the orders of the last minute, hour and day; `twin` a same
    order of a moment ago; `due_s` for how long a protective order has been due; `venue_ahead_s` the
    exchange's clock minus ours; `flips` how often advice changed sides on the pair in a day, and
    `advised_side` its last one.
    """

    intent: Intent
    at: datetime
    settings: TradingSettings
    trading_state: str
    causes: tuple[Reason, ...]
    stopping: bool
    day_stopped: bool
    rules: PairRules | None
    venue: VenueStatus
    quote: Quote | None
    book_trusted: bool
    unknown_order: str | None
    guarded_since: datetime | None
    candle_begin: datetime
    taker: Decimal
    quote_rate: Decimal | None
    spendable_base: Decimal
    spendable_quote: Decimal
    exposure: Exposure
    equity: Decimal | None
    reference: Decimal | None
    private_up: bool = True
    fee_known: bool = True
    mistrusted: bool = False
    drawdown_stopped: bool = False
    due_s: float = 0.0
    venue_ahead_s: float = 0.0
    flow: Flow = Flow()
    live_on_pair: int = 0
    twin: str | None = None
    strike: Strike | None = None
    paused_until: datetime | None = None
    flips: int = 0
    advised_side: str = ""

    @property
    def cost(self) -> Decimal:
        """Value of the order at its limit price in quote units, without fee."""
        return self.intent.qty * self.intent.price

    @property
    def raises_exposure(self) -> bool:
        """Whether the order takes risk on."""
        return not self.intent.lowers_exposure

    @property
    def notional(self) -> Decimal:
        """Its value in the reporting currency; in quote units where no rate is known (a sale)."""
        return self.cost if self.quote_rate is None else self.cost * self.quote_rate

    @property
    def reserved(self) -> Decimal:
        """The most a purchase can take out of the caps: with its fee, in the reporting currency."""
        if self.intent.side is Side.SELL:
            return ZERO
        return self.notional * (1 + self.taker)


Objection = tuple[Reason, str]
Check = Callable[[Case], Objection | None]
