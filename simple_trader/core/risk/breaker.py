"""The breaker: the UTC day, its loss limit, the candle guard and the latch of HALT.

All of it lives in RiskMemory, which is written as a row at every change and read at the next start.
Loss = equity at the begin of the day + net deposits since - equity now. The daily stop lifts with
the next UTC day or by an operator; HALT by an operator alone.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.domain.memory import RiskMemory
from simple_trader.domain.moments import floor_to, utc_day
from simple_trader.domain.money import ZERO
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason
from simple_trader.domain.settings import TradingSettings


def roll_day(memory: RiskMemory, equity: Decimal | None, at: datetime) -> RiskMemory:
    """Begin a new UTC day if one began: fresh loss count, daily stop lifted.

    While equity is unknown the new day has no opening yet; the next call with equity sets it.
    """
    day = utc_day(at)
    if memory.loss_day is None or day > memory.loss_day:
        return msgspec.structs.replace(
            memory,
            loss_day=day,
            day_start_equity=equity,
            net_flows_today=ZERO,
            day_stopped=False,
        )
    if memory.day_start_equity is None and equity is not None:
        return msgspec.structs.replace(memory, day_start_equity=equity)
    return memory


def loss_today(memory: RiskMemory, equity: Decimal | None) -> Decimal:
    """The loss of the day in the reporting currency, flows left out; a gain is negative."""
    if equity is None or memory.day_start_equity is None:
        return ZERO
    return memory.day_start_equity + memory.net_flows_today - equity


def stop_day(memory: RiskMemory, equity: Decimal | None, settings: TradingSettings) -> RiskMemory:
    """Latch the daily stop when the loss reaches the limit; a limit of 0 is off."""
    start = memory.day_start_equity
    if memory.day_stopped or start is None or settings.daily_loss_limit <= ZERO:
        return memory
    if loss_today(memory, equity) < settings.daily_loss_limit * start:
        return memory
    return msgspec.structs.replace(memory, day_stopped=True)


def add_flow(
    memory: RiskMemory, value: Decimal, moment: datetime, started_at: datetime
) -> RiskMemory:
    """Count a deposit (or a withdrawal, negative) of today.

    Entries from before the start are left out: they are counted already, or stood in the balances
    at the start. A withdrawal made while the daemon was down then looks like a loss: the safe side.
    """
    if memory.loss_day is None or moment < max(memory.loss_day, started_at):
        return memory
    return msgspec.structs.replace(memory, net_flows_today=memory.net_flows_today + value)


def latch(memory: RiskMemory, reason: Reason, detail: str) -> RiskMemory:
    """HALT, until an operator resumes."""
    return msgspec.structs.replace(memory, halted=True, halt_reason=reason, halt_detail=detail)


def resume(memory: RiskMemory, equity: Decimal | None) -> RiskMemory:
    """Lift HALT and the daily stop; the loss of the day is counted anew from now."""
    lifted = msgspec.structs.replace(memory, halted=False, halt_reason=None, halt_detail="")
    if not memory.day_stopped:
        return lifted
    return msgspec.structs.replace(
        lifted, day_stopped=False, day_start_equity=equity, net_flows_today=ZERO
    )


def guard_key(pair: str, side: Side) -> str:
    """The key of the candle guard."""
    return f"{pair} {side.value}"


def candle_of(at: datetime, settings: TradingSettings) -> datetime:
    """The begin of the guard's candle at a moment."""
    return floor_to(at, settings.candle_minutes * 60)


def take_guard(memory: RiskMemory, key: str, begin: datetime) -> RiskMemory:
    """Note an entry in the candle that begins at `begin`."""
    return msgspec.structs.replace(memory, candle_guard={**memory.candle_guard, key: begin})


def free_guard(memory: RiskMemory, key: str, begin: datetime) -> RiskMemory:
    """Take the note back: the order never left."""
    if memory.candle_guard.get(key) != begin:
        return memory
    rest = {name: value for name, value in memory.candle_guard.items() if name != key}
    return msgspec.structs.replace(memory, candle_guard=rest)
