"""What the risk side remembers over a restart."""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.domain.reasons import Reason


class Strike(msgspec.Struct, frozen=True, kw_only=True):
    """Refusals of the exchange on one pair since it last took an order there (X16, X17).

    `until` is the market moment at which its cool-down ends, `pause_s` how long that one is.
    `most_qty` bounds the next order of `side` after a refusal for lack of funds, in base units.
    """

    row: int = 0
    until: datetime | None = None
    pause_s: float = 0.0
    side: str = ""
    most_qty: Decimal | None = None


class Turned(msgspec.Struct, frozen=True, kw_only=True):
    """An approved order as the rolling limits count it: value in the reporting currency (PT3).

    `side` and `origin` are words of the order: the sides of advice are counted (L20).
    """

    cl_ord_id: str
    pair: str
    at: datetime
    value: Decimal
    side: str = ""
    origin: str = ""


class RiskMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What the risk side must not forget over a restart (I-24): amounts in `currency`."""

    halted: bool = False
    halt_reason: Reason | None = None
    halt_detail: str = ""
    cancel_due: bool = False  # the kill switch was pressed while no cancel could be sent (X22)
    loss_day: datetime | None = None
    day_start_equity: Decimal | None = None
    day_start_at: datetime | None = None  # when that equity was taken: later flows count
    net_flows_today: Decimal = Decimal(0)
    day_stopped: bool = False
    candle_guard: dict[str, datetime] = {}  # "BTC/USD buy" -> begin of the candle of the last entry
    peak_equity: Decimal | None = None  # the highest since the last `resume` from a drawdown
    drawdown_stopped: bool = False
    strikes: dict[str, Strike] = {}  # by pair
    rejects_in_row: int = 0  # on all pairs, since the exchange last took an order
    paused_until: datetime | None = None  # no order before: the exchange counts too many (X18)
    pause_s: float = 0.0
