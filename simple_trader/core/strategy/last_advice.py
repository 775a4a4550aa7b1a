"""Last advice: when an answer is good for another cycle, and when it came too late for its own.

An answer is as old as the cycle that it was asked for: what the advisor saw is of that moment.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from simple_trader.domain.marks import MarkSource
from simple_trader.domain.money import ZERO
from simple_trader.domain.settings import TradingSettings

REUSE_MOVE = Decimal("0.0025")  # fraction of the mid: a larger move asks for a new answer
STALE_MOVE = Decimal("0.005")  # fraction of the mid: after a larger one the answer is dropped (L15)


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What a question was asked about: the pairs with the mid that was shown of each."""

    as_of: datetime
    config_hash: str
    mids: dict[str, Decimal]


class LastAdvice(msgspec.Struct, frozen=True, kw_only=True):
    """The last usable answer, word for word, with what it was given to; `fills` is how many fills
    of ours were booked when its cycle began: a later one it has not seen.
    """

    call_id: str
    answered_at: datetime
    shown: Shown
    raw: str
    kind: str
    finish_reason: str
    label: str
    source: MarkSource
    fills: int


def asks_anew(
    last: LastAdvice | None, now: Shown, *, fills: int, settings: TradingSettings
) -> str | None:
    """Why the last answer is not good for what is shown now, in words; None: it is used again.

    Never at or past advice_reuse_s (I-38), never after a fill of ours, a move of any mid above
    0.25 %, another configuration or with further pairs. Fewer are no reason: while one of them has
    no price, the others would be paid for anew in each cycle.
    """
    if last is None:
        return "there is no answer yet"
    age = now.as_of - last.shown.as_of
    if age >= timedelta(seconds=settings.advice_reuse_s):
        return f"the last answer is {age.total_seconds():.0f} s old"
    if last.shown.config_hash != now.config_hash:
        return "the configuration changed"
    if not now.mids.keys() <= last.shown.mids.keys():
        return "there are further pairs"
    if last.fills != fills:
        return "an order was filled"
    for pair, mid in now.mids.items():
        if moved(last.shown.mids, pair, mid) > REUSE_MOVE:
            return f"{pair} moved from {last.shown.mids[pair]:f} to {mid:f}"
    return None


def moved(before: Mapping[str, Decimal], pair: str, mid: Decimal) -> Decimal:
    """How far the mid of a pair is from what was shown, as a fraction of that; 0 if not known."""
    shown = before.get(pair, ZERO)
    return abs(mid - shown) / shown if shown > ZERO else ZERO


def is_late(asked_at: datetime, at: datetime, settings: TradingSettings) -> bool:
    """Whether an answer outlived its question (I-38, L15): exactly at the deadline it has not."""
    return at - asked_at > timedelta(seconds=settings.advice_deadline_s)
