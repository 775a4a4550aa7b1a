"""Strikes: refusals of the exchange in a row, and how long a pair or the account then waits.

Five in a row on a pair, or one for lack of funds or open orders, begin a cool-down in market time
that doubles until an order is taken again (X16, X17, X33); too many requests pause all orders
(X18); twenty in a row on whatever pairs halt trading. Cancels are never held back.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.domain.events import RejectKind
from simple_trader.domain.memory import RiskMemory, Strike
from simple_trader.domain.moments import seconds

COOL_AFTER = 5
HALT_AFTER = 20
COOL_FIRST_S, COOL_MAX_S = 60.0, 900.0
PAUSE_FIRST_S, PAUSE_MAX_S = 5.0, 320.0


def refused(
    memory: RiskMemory, pair: str, side: str, qty: Decimal, kind: RejectKind, at: datetime
) -> RiskMemory:
    """Count a refusal of an order for `qty` base units."""
    before = memory.strikes.get(pair, Strike())
    strike = msgspec.structs.replace(before, row=before.row + 1)
    if kind is RejectKind.FUNDS:
        least = qty if before.side != side else min(qty, before.most_qty or qty)
        strike = msgspec.structs.replace(strike, side=side, most_qty=least)
    at_once = kind in (RejectKind.FUNDS, RejectKind.CROWDED)
    if at_once or strike.row >= COOL_AFTER:
        pause_s = min(COOL_MAX_S, before.pause_s * 2 or COOL_FIRST_S)
        strike = msgspec.structs.replace(strike, until=at + seconds(pause_s), pause_s=pause_s)
    memory = msgspec.structs.replace(
        memory,
        strikes={**memory.strikes, pair: strike},
        rejects_in_row=memory.rejects_in_row + 1,
    )
    if kind is RejectKind.RATE:
        pause_s = min(PAUSE_MAX_S, memory.pause_s * 2 or PAUSE_FIRST_S)
        until = at + seconds(pause_s)
        memory = msgspec.structs.replace(memory, paused_until=until, pause_s=pause_s)
    return memory


def taken(memory: RiskMemory, pair: str) -> RiskMemory:
    """The exchange took an order on the pair: the row is broken; the same object where none was."""
    if pair not in memory.strikes and not memory.rejects_in_row and memory.paused_until is None:
        return memory
    return msgspec.structs.replace(
        memory,
        strikes={name: strike for name, strike in memory.strikes.items() if name != pair},
        rejects_in_row=0,
        paused_until=None,
        pause_s=0.0,
    )


def lifted(memory: RiskMemory) -> RiskMemory:
    """An operator resumes: every row begins anew."""
    return msgspec.structs.replace(
        memory, strikes={}, rejects_in_row=0, paused_until=None, pause_s=0.0
    )
