"""Open orders: states by the table, ends by quantity, holds with their fee."""

import pytest
from brain_desk import BTC, T0, D
from brain_reports import fill_of
from order_parts import plain_order

from simple_trader.core.portfolio import open_orders as file
from simple_trader.core.portfolio.open_orders import (
    Closing,
    OpenOrders,
    cost_in_flight,
    holds,
    is_unresolved,
    taker_of,
)
from simple_trader.domain.instruments import FeeRates
from simple_trader.domain.order_states import OrderState, may_become
from simple_trader.domain.orders import Order, Side
from simple_trader.domain.reasons import Reason

S = OrderState
FEES = {BTC: FeeRates(pair=BTC, maker=D("0.001"), taker=D("0.002"))}


def order(name: str = "st1-1", side: Side = Side.BUY, state: S = S.OPEN) -> Order:
    """One BTC at 100."""
    return plain_order(name=name, side=side, state=state)


@pytest.mark.parametrize("old", list(S))
@pytest.mark.parametrize("new", list(S))
def test_an_order_moves_only_as_the_table_allows(old: S, new: S) -> None:
    book, one = OpenOrders(), order(state=old)
    book.put(one)
    after = book.move(one, new, T0, reason=Reason.OPERATOR)
    if old is new or not may_become(old, new):
        assert after is None
        assert book.orders["st1-1"].state is old
    else:
        assert after is not None
        assert book.orders["st1-1"].state is new


@pytest.mark.parametrize("state", [s for s in S if s not in {S.FILLED, S.VOID}])
def test_a_full_fill_completes_an_order_in_any_state_that_may(state: S) -> None:
    book, one = OpenOrders(), order(state=state)
    book.put(one)
    assert book.fill(one, fill_of(one.request, "E1", T0), T0).state is S.FILLED


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (S.DISPATCHING, S.PARTIAL),
        (S.UNKNOWN, S.PARTIAL),
        (S.NOT_ACCEPTED, S.PARTIAL),
        (S.PENDING_CANCEL, S.PENDING_CANCEL),
        (S.CANCELED, S.CANCELED),
    ],
)
def test_a_part_of_a_fill_opens_what_was_not_on_its_way_out(state: S, after: S) -> None:
    book, one = OpenOrders(), order(state=state)
    book.put(one)
    part = fill_of(one.request, "E1", T0, qty=D("0.3"))
    assert book.fill(one, part, T0).state is after


def test_an_announced_end_waits_for_the_fills_it_counts() -> None:
    book, one = OpenOrders(), order()
    book.put(one)
    closing = Closing(S.CANCELED, D("0.4"), Reason.CANCELED_BY_VENUE, "")
    assert book.end(one, closing, T0) is None
    assert book.live() == [one]
    grown = book.fill(one, fill_of(one.request, "E1", T0, qty=D("0.4")), T0)
    ended = book.ready_to_end(grown, T0)
    assert ended is not None
    assert (ended.state, ended.filled_qty) == (S.CANCELED, D("0.4"))
    assert book.closing == {}


def test_an_order_is_found_by_either_name() -> None:
    book = OpenOrders()
    book.put(order())
    assert book.find(None, "O1") is None
    book.move(order(), S.OPEN, T0, order_id="O1")
    found = book.find(None, "O1")
    assert found is not None
    assert found.cl_ord_id == "st1-1"


def test_finished_orders_are_forgotten_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "KEEP_FINISHED", 3)
    book = OpenOrders()
    book.put(order("st1-0"))
    for number in range(1, 9):
        book.put(order(f"st1-{number}", state=S.FILLED))
    assert "st1-0" in book.orders
    assert "st1-8" in book.orders
    assert len(book.orders) <= 7


def test_a_purchase_holds_quote_with_its_fee_and_a_sale_holds_base() -> None:
    live = [order(), order("st1-2", Side.SELL)]
    assert holds(live, FEES) == {"USD": D("100.2"), "BTC": D(1)}
    assert cost_in_flight(order(), D("0.01")) == D(101)


def test_an_unknown_fee_is_taken_as_the_worst() -> None:
    assert taker_of({}, BTC) == D("0.0040")
    assert taker_of(FEES, BTC) == D("0.002")


def test_only_an_unknown_outcome_blocks_its_pair() -> None:
    book = OpenOrders()
    book.put(order(state=S.SENT))
    assert is_unresolved(order(state=S.SENT))
    assert book.unresolved_on(BTC) is None
    book.put(order("st1-2", state=S.UNKNOWN))
    assert book.unresolved_on(BTC) is not None
