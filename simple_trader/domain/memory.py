"""What the risk side remembers over a restart."""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.domain.reasons import Reason


class RiskMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What the risk side must not forget over a restart (I-24): amounts in `currency`."""

    halted: bool = False
    halt_reason: Reason | None = None
    halt_detail: str = ""
    loss_day: datetime | None = None
    day_start_equity: Decimal | None = None
    net_flows_today: Decimal = Decimal(0)
    day_stopped: bool = False
    candle_guard: dict[str, datetime] = {}  # "BTC/USD buy" -> begin of the candle of the last entry
