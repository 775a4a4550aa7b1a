"""Marking: each decision is written down with its claim, and marked when its horizon is over."""

from datetime import datetime, timedelta
from decimal import Decimal

from simple_trader.core.market.price_board import end_of
from simple_trader.core.portfolio.open_orders import taker_of
from simple_trader.core.scoring.labels import is_new
from simple_trader.core.scoring.outcomes import (
    change_pct,
    counterfactual,
    outcome_of,
    round_trip_pct,
    void,
)
from simple_trader.core.state import AI_OWNER, EngineState
from simple_trader.domain.actions import Action, Remember
from simple_trader.domain.marks import DecisionMarkRow, MarkSource, OpenMark, ShadowDecisionRow
from simple_trader.domain.money import ZERO
from simple_trader.domain.orders import Side
from simple_trader.domain.quotes import Quote
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import DecisionRow

SHORTEST_S, LONGEST_S = 60, 7 * 24 * 3600  # an own horizon outside is taken as the nearest of them


def open_marks(
    state: EngineState, row: DecisionRow | ShadowDecisionRow, source: MarkSource, at: datetime
) -> list[Action]:
    """Write down what a decision claims, once for each horizon, before any outcome is known.

    The horizons are those of the online model and the decision's own (`horizon_minutes`, else the
    longest of the model's). A pair without a usable quote has no mid to be marked from; from one
    that is no longer new no outcome counts, and its marks are void at once.
    """
    quote = state.board.quote(row.pair)
    if quote is None or not ZERO < quote.bid < quote.ask:
        return []
    own_s = own_horizon_s(state, row.horizon_minutes)
    horizons = sorted({*horizons_s(state), own_s})
    marks = tuple(_mark(state, row, source, quote, horizon_s, own_s) for horizon_s in horizons)
    written: list[Action] = [Remember(record=DecisionMarkRow(mark=mark)) for mark in marks]
    if not is_new(quote, at, state.health.skew_s):
        return [*written, *(Remember(record=void(m, at, Reason.MARK_STALE)) for m in marks)]
    state.marks.add(marks)
    return written


def settle_marks(state: EngineState, at: datetime) -> list[Action]:
    """At a cycle or a look of the risk manager: void what no price can answer any more."""
    lapsed = state.marks.take_lapsed(at)
    return [Remember(record=void(mark, at, Reason.MARK_GAP)) for mark in lapsed]


def mark_against(state: EngineState, quote: Quote, at: datetime) -> list[Action]:
    """Mark what is due with a new quote: the first one that is of the horizon or after it.

    A quote may have waited on the wire or in the queue until after a horizon: its price is still of
    before. It counts for its own moment, never for that at which it is taken up.
    """
    if not ZERO < quote.bid < quote.ask:
        return []
    actions: list[Action] = []
    mid_at = min(at, quote.moment(state.health.skew_s))
    for mark in state.marks.take_due(quote.pair, mid_at):
        outcome = outcome_of(mark, quote.mid, mid_at, at)
        actions.append(Remember(record=outcome))
        if outcome.is_right is None:
            continue
        if counts(mark) and mark.confidence is not None:
            right = outcome.is_right == 1
            state.calibration.learn(mark.source, mark.confidence, is_right=right)
        missed = counterfactual(mark, quote.mid, at)
        if missed is not None:
            actions.append(Remember(record=missed))
    return actions


def counts(mark: OpenMark) -> bool:
    """Whether calibration learns from it: one claim, one sample. Holds claim nothing, and a
    decision on an earlier answer claims nothing new (recover_mark_tallies.sql is the same rule).
    """
    return mark.is_own and not mark.is_repeat and mark.action != "hold"


def horizons_s(state: EngineState) -> tuple[int, ...]:
    """The horizons of the online model in market seconds."""
    settings = state.settings
    return tuple(cycles * settings.aggregator_interval_s for cycles in settings.model_horizons)


def own_horizon_s(state: EngineState, minutes: float | None) -> int:
    """The horizon a decision is about: its own word, else the longest of the model's."""
    if minutes is None:
        return max(horizons_s(state))
    return min(LONGEST_S, max(SHORTEST_S, round(minutes * 60)))


def _mark(
    state: EngineState,
    row: DecisionRow | ShadowDecisionRow,
    source: MarkSource,
    quote: Quote,
    horizon_s: int,
    own_s: int,
) -> OpenMark:
    decision_id = row.decision_id if isinstance(row, DecisionRow) else row.shadow_id
    sized = row.sized_qty if isinstance(row, DecisionRow) else None
    done = sized * quote.mid if sized is not None and row.verdict == "approved" else ZERO
    return OpenMark(
        mark_id=f"{decision_id}/{horizon_s}",
        decision_id=decision_id,
        source=source,
        pair=row.pair,
        decided_at=row.decided_at,
        due_at=row.decided_at + timedelta(seconds=horizon_s),
        horizon_s=horizon_s,
        is_own=horizon_s == own_s,
        is_repeat=isinstance(row, DecisionRow) and row.reused_from is not None,
        action=row.action,
        verdict=row.verdict,
        reason=row.reason,
        confidence=row.confidence,
        expected_move_pct=row.expected_move_used_pct,
        mid=quote.mid,
        cost_pct=round_trip_pct(quote, taker_of(state.fees, row.pair)),
        past_roi_pct=_past_roi_pct(state, row.pair, quote.mid, row.decided_at, horizon_s),
        wanted_side=row.wanted_side,
        wanted_value=_wanted_value(state, row, quote, done),
        done_value=done,
    )


def _wanted_value(
    state: EngineState, row: DecisionRow | ShadowDecisionRow, quote: Quote, done: Decimal
) -> Decimal | None:
    """The stake before the gates: of a hold the base order, of a sale at most what is held.

    On spot nobody can sell what is not there: refusing that saves and costs nothing.
    """
    if row.wanted_side is None:
        return state.settings.base_order
    if row.wanted_side is Side.SELL and row.wanted_value is not None:
        return min(row.wanted_value, state.sellable(AI_OWNER, row.pair) * quote.mid + done)
    return row.wanted_value


def _past_roi_pct(
    state: EngineState, pair: str, mid: Decimal, at: datetime, horizon_s: int
) -> float | None:
    """Change of the price over the same horizon before; None where no candle reaches back."""
    since = at - timedelta(seconds=horizon_s)
    before: Decimal | None = None
    for candle in state.board.board(pair).candles:
        if end_of(candle) > since:
            break
        before = candle.close
    return None if before is None or before <= ZERO else float(change_pct(before, mid))
