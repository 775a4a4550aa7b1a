"""The breaker: the UTC day, its loss limit, the candle guard and the latch of HALT.

All of it lives in RiskMemory, which is written as a row at every change and read at the next start.
Loss = equity at the begin of the day + net deposits since - equity now; drawdown = the highest
equity, moved by deposits alike, - equity now. HALT and both stops lift by an operator alone (I-24).
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.core.risk import strikes
from simple_trader.domain.memory import RiskMemory
from simple_trader.domain.moments import floor_to, utc_day
from simple_trader.domain.money import ZERO
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason
from simple_trader.domain.settings import TradingSettings


def roll_day(memory: RiskMemory, equity: Decimal | None, at: datetime) -> RiskMemory:
    """Begin a new UTC day if one began: a fresh loss count; a stop stays (I-24).

    While equity is unknown the new day has no opening yet; the next call with equity sets it.
    """
    day = utc_day(at)
    if memory.loss_day is None or day > memory.loss_day:
        return msgspec.structs.replace(
            memory,
            loss_day=day,
            day_start_equity=equity,
            day_start_at=at,
            net_flows_today=ZERO,
        )
    if memory.day_start_equity is None and equity is not None:
        return msgspec.structs.replace(memory, day_start_equity=equity, day_start_at=at)
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
    loss = loss_today(memory, equity)
    if loss <= ZERO or loss < settings.daily_loss_limit * start:
        return memory  # an account that began the day empty has lost nothing
    return msgspec.structs.replace(memory, day_stopped=True)


def add_flow(memory: RiskMemory, value: Decimal) -> RiskMemory:
    """Count a deposit (or a withdrawal, negative), also of while the daemon was down.

    What counts is not when it was but what the two equities knew of it: an equity is judged only
    while each of its balances is explained, so one that was taken before this flow was counted
    does not hold it. A day whose opening is not taken yet will hold it; the peak moves in any case.
    The caller counts each ledger entry once, over restarts too, and none of before the books began.
    """
    peak, opening = memory.peak_equity, memory.day_start_equity
    if peak is None and opening is None:
        return memory
    return msgspec.structs.replace(
        memory,
        net_flows_today=memory.net_flows_today + (ZERO if opening is None else value),
        peak_equity=None if peak is None else peak + value,
    )


def follow_peak(
    memory: RiskMemory, equity: Decimal | None, settings: TradingSettings
) -> RiskMemory:
    """Raise the highest equity, and latch the drawdown stop where it fell too far from it."""
    if equity is None:
        return memory
    peak = memory.peak_equity
    if peak is None or equity > peak:
        return msgspec.structs.replace(memory, peak_equity=equity)
    if memory.drawdown_stopped or peak <= ZERO or peak - equity < settings.max_drawdown * peak:
        return memory
    return msgspec.structs.replace(memory, drawdown_stopped=True)


def latch(memory: RiskMemory, reason: Reason, detail: str) -> RiskMemory:
    """HALT, until an operator resumes."""
    return msgspec.structs.replace(memory, halted=True, halt_reason=reason, halt_detail=detail)


def resume(memory: RiskMemory, equity: Decimal | None, at: datetime) -> RiskMemory:
    """Lift HALT and the stops; the loss of the day, or the peak, is counted anew from `equity`,
    from the next one that can be judged where it is None. Rows of refusals begin anew too.
    """
    lifted = strikes.lifted(
        msgspec.structs.replace(memory, halted=False, halt_reason=None, halt_detail="")
    )
    if memory.drawdown_stopped:
        lifted = msgspec.structs.replace(lifted, drawdown_stopped=False, peak_equity=equity)
    if not memory.day_stopped:
        return lifted
    return msgspec.structs.replace(
        lifted,
        day_stopped=False,
        day_start_equity=equity,
        day_start_at=at,
        net_flows_today=ZERO,
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
