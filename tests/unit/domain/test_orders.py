"""The table of order states: every cell is checked, the ugly real ones by name."""

from dataclasses import dataclass

import pytest
from brain_desk import BTC, D
from order_parts import plain_order

from simple_trader.domain.money import ZERO
from simple_trader.domain.orders import (
    TERMINAL,
    TRANSITIONS,
    UNRESOLVED,
    Intent,
    Order,
    OrderState,
    OrderType,
    Origin,
    Side,
    TimeInForce,
    may_become,
)
from simple_trader.domain.reasons import Reason

S = OrderState


def order(state: OrderState = S.OPEN, filled: str = "0") -> Order:
    """An order for one BTC."""
    return plain_order(state=state, filled=filled)


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(OrderState)


@pytest.mark.parametrize("state", list(OrderState))
def test_staying_is_always_allowed(state: OrderState) -> None:
    assert may_become(state, state)


@dataclass
class Real:
    """A change that looks wrong and happens."""

    old: OrderState
    new: OrderState


@pytest.mark.parametrize(
    "real",
    [
        Real(S.DISPATCHING, S.FILLED),  # X04: the fill came before our own "sent"
        Real(S.SENT, S.PARTIAL),  # a fill without an ack
        Real(S.OPEN, S.REJECTED),  # post-only accepted, then refused
        Real(S.PENDING_CANCEL, S.FILLED),  # filled while being cancelled
        Real(S.PENDING_CANCEL, S.OPEN),  # the cancel was refused
        Real(S.CANCELED, S.FILLED),  # X06: a late fill completes it
        Real(S.EXPIRED, S.FILLED),
        Real(S.NOT_ACCEPTED, S.OPEN),  # late evidence
        Real(S.REJECTED, S.PARTIAL),
        Real(S.UNKNOWN, S.NOT_ACCEPTED),
    ],
    ids=lambda real: f"{real.old}-{real.new}",
)
def test_real_changes_are_allowed(real: Real) -> None:
    assert may_become(real.old, real.new)


@pytest.mark.parametrize("state", [S.DISPATCHING, S.SENT])
def test_nothing_ever_becomes_sendable_again(state: OrderState) -> None:
    came_from = {old for old, news in TRANSITIONS.items() if state in news}
    assert came_from <= {S.DISPATCHING}


def test_what_was_never_sent_and_what_is_filled_stay_so() -> None:
    assert TRANSITIONS[S.VOID] == frozenset()
    assert TRANSITIONS[S.FILLED] == frozenset()


def test_only_an_unknown_order_may_be_taken_as_never_accepted() -> None:
    assert [s for s in OrderState if S.NOT_ACCEPTED in TRANSITIONS[s]] == [S.UNKNOWN]


def test_terminal_and_unresolved_do_not_overlap() -> None:
    assert not TERMINAL & UNRESOLVED


def test_what_is_left_of_an_order_is_never_negative() -> None:
    assert order(filled="0.4").left_qty == D("0.6")
    assert order(filled="1.5").left_qty == ZERO


def test_an_order_knows_its_name_and_its_end() -> None:
    assert order().cl_ord_id == "st1-1"
    assert order(S.FILLED).is_terminal
    assert not order(S.UNKNOWN).is_terminal


@pytest.mark.parametrize(("side", "lowers"), [(Side.BUY, False), (Side.SELL, True)])
def test_on_a_spot_market_only_sales_lower_exposure(side: Side, lowers: bool) -> None:
    intent = Intent(
        origin=Origin.AI,
        owner="ai",
        pair=BTC,
        side=side,
        order_type=OrderType.LIMIT,
        qty=D(1),
        price=D(1),
        time_in_force=TimeInForce.IOC,
        post_only=False,
        reason=Reason.BIAS_BUY,
        mid=D(1),
    )
    assert intent.lowers_exposure is lowers
