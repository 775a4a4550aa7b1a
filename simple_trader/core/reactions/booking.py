"""Booking: what a fold of fills changed becomes rows, and its gain the sums that people see."""

from datetime import datetime

from simple_trader.core.portfolio.account import rate_of
from simple_trader.core.portfolio.lots import Booked
from simple_trader.core.state import EngineState
from simple_trader.domain.actions import Action, Note, Remember
from simple_trader.domain.fills import Fill
from simple_trader.domain.instruments import quote_of
from simple_trader.domain.moments import utc_day
from simple_trader.domain.money import ONE, ZERO
from simple_trader.domain.orders import Order
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import LotRow, TradeRow


def lot_rows(booked: Booked) -> list[Action]:
    """Rows of the lots that changed, and of other trades whose PnL is now different."""
    actions: list[Action] = [
        Remember(record=TradeRow(fill=other, realised_pnl=pnl)) for other, pnl in booked.corrected
    ]
    actions.extend(Remember(record=LotRow(lot=lot)) for lot in booked.changed)
    actions.extend(Remember(record=LotRow(lot=lot, deleted=True)) for lot in booked.deleted)
    return actions


def count_gain(state: EngineState, booked: Booked, fill: Fill, at: datetime) -> None:
    """Add to the sums that people see, in the reporting currency at the rate of this moment."""
    if booked.delta == ZERO:
        return
    gain = booked.delta * (rate_of(quote_of(fill.pair), state.mids()) or ONE)
    state.tally.realised += gain
    if state.tally.today != utc_day(at):
        state.tally.today = utc_day(at)
        state.tally.realised_today = ZERO
    state.tally.realised_today += gain


def note_order(level: str, text: str, order: Order, reason: Reason) -> Note:
    """A line about an order."""
    return Note(
        level=level,
        text=text,
        reason=reason,
        pair=order.request.pair,
        decision_id=order.decision_id,
        cl_ord_id=order.cl_ord_id,
    )
