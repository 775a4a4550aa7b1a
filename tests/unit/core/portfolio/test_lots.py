"""Lots: FIFO, exact, and the same for every order of arrival."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
from brain_desk import BTC, T0, D
from hypothesis import given, settings
from hypothesis import strategies as st

from simple_trader.core.portfolio import lots as lots_file
from simple_trader.core.portfolio.lots import LotBook, cost_left, fold, key_of, share
from simple_trader.domain.fills import Fee, Fill
from simple_trader.domain.orders import Side

KEY = key_of("ai", BTC)


def fill(
    number: int, side: Side, qty: str, price: str, *, fee: str = "0", fee_asset: str = "USD"
) -> Fill:
    """The `number`-th fill of the account, a second after the one before."""
    return Fill(
        exec_id=f"E{number:03d}",
        trade_id=number,
        order_id=f"O{number}",
        cl_ord_id="st1-1",
        pair=BTC,
        side=side,
        price=D(price),
        qty=D(qty),
        cost=D(qty) * D(price),
        fees=(Fee(fee_asset, D(fee)),),
        liquidity="taker",
        venue_at=T0 + timedelta(seconds=number),
        owner="ai",
    )


def booked(fills: list[Fill]) -> LotBook:
    """A book into which the fills came in this order."""
    book = LotBook()
    for one in fills:
        book.book(one)
    return book


def test_a_purchase_opens_a_lot_that_costs_its_fee() -> None:
    book = booked([fill(1, Side.BUY, "2", "100", fee="1")])
    (lot,) = book.lots()
    assert (lot.lot_id, lot.qty, lot.left_qty, lot.cost) == ("lot-E001", D(2), D(2), D(201))


def test_a_fee_in_base_makes_the_lot_smaller() -> None:
    (lot,) = booked([fill(1, Side.BUY, "2", "100", fee="0.01", fee_asset="BTC")]).lots()
    assert (lot.qty, lot.cost) == (D("1.99"), D(200))


def test_a_sale_realises_its_gain_net_of_both_fees() -> None:
    book = booked([fill(1, Side.BUY, "1", "100", fee="0.4")])
    sale = book.book(fill(2, Side.SELL, "1", "110", fee="0.44"))
    assert sale.realised == D("110") - D("0.44") - D("100.4")
    assert book.lots() == []
    (lot,) = sale.changed
    assert lot.closed_at == T0 + timedelta(seconds=2)
    assert lot.realised_pnl == sale.realised


def test_the_oldest_lot_is_sold_first() -> None:
    book = booked([fill(1, Side.BUY, "1", "100"), fill(2, Side.BUY, "1", "200")])
    sale = book.book(fill(3, Side.SELL, "1.5", "300"))
    assert sale.realised == D(450) - D(100) - D(100)
    (left,) = book.lots()
    assert (left.opened_exec_id, left.left_qty, cost_left(left)) == ("E002", D("0.5"), D(100))


def test_i_15_a_sale_that_the_exchange_stamps_before_its_purchase_closes_it() -> None:
    """Its clock was put back by three seconds: it counts its trades on (seed 143)."""
    sale = msgspec.structs.replace(fill(2, Side.SELL, "1", "110"), venue_at=T0)
    for order in ([fill(1, Side.BUY, "1", "100"), sale], [sale, fill(1, Side.BUY, "1", "100")]):
        book = booked(order)
        assert book.lots() == []
        assert book.keys[KEY].folded.realised == {"E002": D(10)}


def test_what_no_lot_covers_is_not_gain() -> None:
    book = booked([fill(1, Side.BUY, "1", "100")])
    sale = book.book(fill(2, Side.SELL, "3", "100"))
    assert sale.realised == D(0)
    assert book.keys[KEY].folded.oversold == {"E002": D(2)}


def test_a_late_fill_corrects_what_came_after_it() -> None:
    book = booked([fill(2, Side.BUY, "1", "200"), fill(3, Side.SELL, "1", "300")])
    late = book.book(fill(1, Side.BUY, "1", "100"))
    assert [(f.exec_id, pnl) for f, pnl in late.corrected] == [("E003", D(200))]
    assert late.delta == D(100)
    assert [lot.opened_exec_id for lot in book.lots()] == ["E002"]


def test_owners_do_not_share_lots() -> None:
    book = booked([fill(1, Side.BUY, "1", "100")])
    other = msgspec.structs.replace(fill(2, Side.SELL, "1", "100"), owner="grid")
    book.book(other)
    assert book.held("ai", BTC) == D(1)


fills_of_a_day = st.lists(
    st.tuples(
        st.sampled_from(list(Side)),
        st.decimals("0.0001", "3", places=4),
        st.decimals("1", "999", places=1),
        st.sampled_from(["USD", "BTC", "KFEE"]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=150)
@given(fills_of_a_day, st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_identical_lots(
    day: list[tuple[Side, Decimal, Decimal, str]], dice: Any
) -> None:
    fills = [
        fill(number, side, str(qty), str(price), fee="0.00001", fee_asset=asset)
        for number, (side, qty, price, asset) in enumerate(day)
    ]
    shuffled = list(fills)
    dice.shuffle(shuffled)
    one, other = booked(fills), booked(shuffled)
    assert msgspec.msgpack.encode(one) == msgspec.msgpack.encode(other)


@given(fills_of_a_day)
def test_quantities_and_money_add_up(day: list[tuple[Side, Decimal, Decimal, str]]) -> None:
    fills = [
        fill(number, side, str(qty), str(price), fee="0.01")
        for number, (side, qty, price, _) in enumerate(day)
    ]
    done = fold((), fills)
    bought = sum((f.qty for f in fills if f.side is Side.BUY), D(0))
    sold = sum((f.qty for f in fills if f.side is Side.SELL), D(0))
    left = sum((lot.left_qty for lot in done.lots), D(0))
    assert left == bought - sold + sum(done.oversold.values(), D(0))
    assert all(lot.left_qty >= 0 for lot in done.lots)
    assert sum(done.realised.values(), D(0)) == sum((lot.realised_pnl for lot in done.lots), D(0))


@given(
    st.decimals("0", "1000000", places=5),
    st.lists(st.decimals("0.0001", "5", places=4), min_size=1, max_size=6),
)
def test_shares_always_add_up_to_the_whole(whole: Decimal, parts: list[Decimal]) -> None:
    of, taken, total = sum(parts, D(0)), D(0), D(0)
    for part in parts:
        total += share(whole, taken + part, of) - share(whole, taken, of)
        taken += part
    assert total == whole


def test_a_restart_goes_on_from_the_rows_and_still_sorts_in_a_late_fill() -> None:
    fills = [
        fill(2, Side.BUY, "1", "200"),
        fill(3, Side.BUY, "1", "300"),
        fill(4, Side.SELL, "1", "400"),
    ]
    running, again = booked(fills), LotBook()
    again.begin(tuple(running.lots()), tuple(fills))
    late = fill(1, Side.BUY, "1", "100")
    assert running.book(late) == again.book(late)
    assert running.lots() == again.lots()


def test_lots_whose_fills_are_not_known_still_stand() -> None:
    running = booked([fill(1, Side.BUY, "2", "100", fee="1"), fill(2, Side.SELL, "1", "120")])
    again = LotBook()
    again.begin(tuple(running.lots()), ())
    sale = fill(3, Side.SELL, "1", "130")
    assert again.book(sale).realised == running.book(sale).realised


def test_a_long_book_is_shortened_without_changing_what_is_held(monkeypatch: Any) -> None:
    monkeypatch.setattr(lots_file, "KEEP_MOST", 6)
    monkeypatch.setattr(lots_file, "KEEP_LEAST", 3)
    sides = [Side.BUY, Side.BUY, Side.SELL] * 5
    fills = [fill(n, side, "1", str(100 + n)) for n, side in enumerate(sides)]
    short = booked(fills)
    assert len(short.keys[KEY].fills) <= 6
    monkeypatch.setattr(lots_file, "KEEP_MOST", 600)
    assert short.lots() == booked(fills).lots()
