"""Rolling value and number of orders: to the second, exact, and the same after a restart."""

from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
from brain_desk import BTC, ETH, T0, D
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.core.risk.turnover import Flow, Turnover
from simple_trader.domain.memory import Turned


def turned(number: int, pair: str, after_s: float, value: str) -> Turned:
    """An order so many seconds after the begin."""
    moment = T0 + timedelta(seconds=after_s)
    return Turned(cl_ord_id=f"st1-{number:06}", pair=pair, at=moment, value=D(value))


def test_pt3_each_window_ends_to_the_second() -> None:
    book = Turnover()
    book.add(turned(1, BTC, 0, "10"))
    book.add(turned(2, ETH, 0, "5"))
    for span_s, name in ((60, "minute"), (3_600, "hour"), (86_400, "day")):
        still = book.flow(BTC, T0 + timedelta(seconds=span_s))
        assert getattr(still, name) == 15
        assert getattr(still, f"pair_{name}") == 10
        over = book.flow(BTC, T0 + timedelta(seconds=span_s, microseconds=1))
        assert getattr(over, name) == 0
        assert getattr(over, f"pair_{name}") == 0


def test_pt3_an_order_that_never_left_counts_no_more() -> None:
    book = Turnover()
    book.add(turned(1, BTC, 0, "10"))
    book.add(turned(2, BTC, 1, "20"))
    book.forget("st1-000001")
    book.forget("st1-000001")
    assert book.flow(BTC, T0 + timedelta(seconds=2)).pair_day == 20


def test_pt3_an_order_that_is_told_of_late_counts_from_its_own_moment() -> None:
    book = Turnover()
    book.add(turned(1, BTC, 100, "10"))
    book.add(turned(2, BTC, 50, "20"))
    assert book.flow(BTC, T0 + timedelta(seconds=110)).minute == 30
    assert book.flow(BTC, T0 + timedelta(seconds=111)).minute == 10


def test_pt6_orders_of_the_last_second_are_counted_by_pair() -> None:
    book = Turnover()
    for number, after_s in enumerate((0, 0.5, 0.9, 1.4)):
        book.add(turned(number, BTC, after_s, "1"))
    book.add(turned(9, ETH, 1.4, "1"))
    flow = book.flow(BTC, T0 + timedelta(seconds=1.45))
    assert (flow.pair_orders_second, flow.pair_orders, flow.orders) == (3, 4, 5)


def test_l20_changes_of_side_are_counted_by_pair_and_origin_for_a_day() -> None:
    book = Turnover()
    sides = ("buy", "buy", "sell", "buy", "sell")
    for number, side in enumerate(sides):
        advised = turned(number, BTC, 60.0 * number, "1")
        book.add(msgspec.structs.replace(advised, side=side, origin="ai"))
        other = turned(90 + number, ETH, 60.0 * number, "1")
        book.add(msgspec.structs.replace(other, side="buy", origin="ai"))
        exit_sale = turned(190 + number, BTC, 60.0 * number, "1")
        book.add(msgspec.structs.replace(exit_sale, side="sell", origin="exit"))
    last = T0 + timedelta(seconds=240)
    assert book.flips(BTC, "ai", last) == (3, "sell")
    assert book.flips(ETH, "ai", last) == (0, "buy")
    assert book.flips("SOL/USD", "ai", last) == (0, "")
    book.forget("st1-000003")
    assert book.flips(BTC, "ai", last) == (1, "sell")
    assert book.flips(BTC, "ai", T0 + timedelta(days=1, seconds=200)) == (0, "sell")


history = st.lists(
    st.tuples(st.sampled_from([BTC, ETH]), st.integers(0, 20_000), st.integers(1, 9_999)),
    max_size=60,
)


@given(history, st.integers(0, 60))
def test_i_22_the_windows_are_the_sums_of_their_orders_and_survive_a_restart(
    steps: list[tuple[str, int, int]], gone: int
) -> None:
    book, moment, orders = Turnover(), T0, []
    for number, (pair, gap_s, cents) in enumerate(steps):
        moment += timedelta(seconds=gap_s)
        order = Turned(
            cl_ord_id=f"st1-{number:06}", pair=pair, at=moment, value=Decimal(cents) / 100
        )
        orders.append(order)
        book.add(order)
    if gone < len(orders):
        book.forget(orders.pop(gone).cl_ord_id)
    again = Turnover()
    again.begin(tuple(reversed(orders)))
    assert book.flow(BTC, moment) == again.flow(BTC, moment) == plainly(orders, BTC, moment)


def plainly(orders: list[Turned], pair: str, at: datetime) -> Flow:
    """The same figures, added up anew."""

    def total(span_s: int, *, own: bool) -> Decimal:
        since = at - timedelta(seconds=span_s)
        found = [o.value for o in orders if o.at >= since and (not own or o.pair == pair)]
        return sum(found, D(0))

    late = [o for o in orders if o.at >= at - timedelta(seconds=60)]
    own = [o for o in late if o.pair == pair]
    return Flow(
        minute=total(60, own=False),
        hour=total(3_600, own=False),
        day=total(86_400, own=False),
        pair_minute=total(60, own=True),
        pair_hour=total(3_600, own=True),
        pair_day=total(86_400, own=True),
        orders=len(late),
        pair_orders=len(own),
        pair_orders_second=sum(o.at > at - timedelta(seconds=1) for o in own),
    )
