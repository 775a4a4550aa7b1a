"""Outcomes: what a decision came to at its horizon, after fees, and what its refusal saved or cost.

An action is *right* when it made money after a whole round trip: a purchase when the mid rose by
more than two taker fees and one spread, a sale when it fell by more, a hold when neither happened.
That is what a stated confidence is scored against (ADR 0031).
"""

from bisect import bisect_left, bisect_right, insort
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from simple_trader.domain.marks import CounterfactualRow, MarkOutcomeRow, OpenMark
from simple_trader.domain.money import ZERO
from simple_trader.domain.orders import Side
from simple_trader.domain.quotes import Quote
from simple_trader.domain.reasons import Reason

HUNDRED = Decimal(100)
_EXACT = Decimal("0.00000001")  # of a quote unit; money in the ledger of what might have been
_TWO = Decimal(2)


class OpenMarks(msgspec.Struct, kw_only=True):
    """Marks that wait for their outcome, by pair, soonest first."""

    by_pair: dict[str, list[OpenMark]] = {}

    def add(self, marks: tuple[OpenMark, ...]) -> None:
        """Take marks in; those of one moment keep their order."""
        for mark in marks:
            insort(self.by_pair.setdefault(mark.pair, []), mark, key=_due)

    def take_due(self, pair: str, at: datetime) -> list[OpenMark]:
        """Take out the marks of a pair that are due at `at`, soonest first."""
        waiting = self.by_pair.get(pair)
        if not waiting or waiting[0].due_at > at:
            return []
        count = bisect_right(waiting, at, key=_due)
        due = waiting[:count]
        del waiting[:count]
        return due

    def take_lapsed(self, at: datetime) -> list[OpenMark]:
        """Take out the marks whose price can no longer come in time: see `is_lapsed`."""
        lapsed: list[OpenMark] = []
        for waiting in self.by_pair.values():
            count = bisect_left(waiting, at, key=_due)  # no other can have lapsed
            gone = [mark for mark in waiting[:count] if is_lapsed(mark, at)]
            if gone:
                waiting[:count] = [mark for mark in waiting[:count] if not is_lapsed(mark, at)]
                lapsed += gone
        return lapsed

    @property
    def count(self) -> int:
        """How many wait."""
        return sum(len(waiting) for waiting in self.by_pair.values())


def _due(mark: OpenMark) -> datetime:
    return mark.due_at


def is_lapsed(mark: OpenMark, at: datetime) -> bool:
    """Whether `at` is more than one more horizon after the mark was due."""
    return at > mark.due_at + timedelta(seconds=mark.horizon_s)


def round_trip_pct(quote: Quote, taker: Decimal) -> Decimal:
    """Cost of buying and selling again at once, in percent of the mid: two taker fees, one spread.

    `taker` is a fraction of cost. The quote must be neither empty nor crossed.
    """
    return (_TWO * taker + (quote.ask - quote.bid) / quote.mid) * HUNDRED


def change_pct(before: Decimal, after: Decimal) -> Decimal:
    """Change of a price in percent of what it was."""
    return (after - before) / before * HUNDRED


def net_pct(action: str, change: Decimal, cost: Decimal) -> Decimal:
    """What an action made of a change of the mid after a round trip, in percent; 0 for a hold."""
    if action == "buy":
        return change - cost
    return -change - cost if action == "sell" else ZERO


def is_right(action: str, change: Decimal, cost: Decimal) -> bool:
    """Whether the action was right after fees; a hold when no trade would have paid."""
    if action == "hold":
        return abs(change) <= cost
    return net_pct(action, change, cost) > ZERO


def outcome_of(mark: OpenMark, mid: Decimal, mid_at: datetime, at: datetime) -> MarkOutcomeRow:
    """Mark against the first mid at or after the horizon; void when it came too late to say."""
    if is_lapsed(mark, mid_at):
        return void(mark, at, Reason.MARK_GAP)
    change = change_pct(mark.mid, mid)
    return MarkOutcomeRow(
        mark_id=mark.mark_id,
        outcome_mid=mid,
        mid_at=mid_at,
        roi_pct=float(change),
        net_roi_pct=float(net_pct(mark.action, change, mark.cost_pct)),
        is_right=int(is_right(mark.action, change, mark.cost_pct)),
        void_reason=None,
        scored_at=at,
    )


def void(mark: OpenMark, at: datetime, reason: Reason) -> MarkOutcomeRow:
    """A mark without an outcome: MARK_GAP or MARK_STALE."""
    return MarkOutcomeRow(
        mark_id=mark.mark_id,
        outcome_mid=None,
        mid_at=None,
        roi_pct=None,
        net_roi_pct=None,
        is_right=None,
        void_reason=reason,
        scored_at=at,
    )


def counterfactual(mark: OpenMark, mid: Decimal, at: datetime) -> CounterfactualRow | None:
    """What the decision would have made or lost had no gate changed it; None where none did.

    Only the decision's own horizon counts, and only decisions that could trade (no shadow).
    """
    if not mark.is_own or mark.source.advisor or mark.wanted_value is None:
        return None
    side = mark.wanted_side or Side.BUY
    kind = kind_of(mark)
    if kind is None:
        return None
    change = change_pct(mark.mid, mid)
    net = net_pct(side.value, change, mark.cost_pct) / HUNDRED
    wanted_pnl = (mark.wanted_value * net).quantize(_EXACT)
    done_pnl = (mark.done_value * net).quantize(_EXACT)
    return CounterfactualRow(
        decision_id=mark.decision_id,
        pair=mark.pair,
        provider=mark.source.provider,
        model=mark.source.model,
        template_hash=mark.source.template_hash,
        decided_at=mark.decided_at,
        horizon_s=mark.horizon_s,
        kind=kind,
        reason=mark.reason,
        side=side,
        wanted_value=mark.wanted_value,
        done_value=mark.done_value,
        roi_pct=float(change),
        cost_pct=mark.cost_pct,
        wanted_pnl=wanted_pnl,
        done_pnl=done_pnl,
        effect=done_pnl - wanted_pnl,
        scored_at=at,
    )


def kind_of(mark: OpenMark) -> str | None:
    """vetoed, resized or held; None for a wish that was carried out whole.

    An order is rounded down to the step of the pair: less than 1 % less is no resizing.
    """
    if mark.wanted_side is None:
        return "held"
    if mark.verdict != "approved":
        return "vetoed"
    wanted = mark.wanted_value or ZERO
    return "resized" if abs(wanted - mark.done_value) * HUNDRED > wanted else None
