"""Balances: totals from the channel, expectations from fills, and never a false loss in between."""

from datetime import timedelta
from itertools import permutations

import msgspec
import pytest
from brain_desk import BTC, T0, D
from brain_reports import ledger

from simple_trader.core.portfolio.balances import Balances, legs_of
from simple_trader.domain.fills import Fee, Fill
from simple_trader.domain.orders import Side

BUY = Fill(
    exec_id="E1",
    trade_id=1,
    order_id="O1",
    cl_ord_id=None,
    pair=BTC,
    side=Side.BUY,
    price=D(100),
    qty=D(2),
    cost=D(200),
    fees=(Fee("USD", D("0.8")),),
    liquidity="taker",
    venue_at=T0,
)
BASE_LEG = ledger("L1", "BTC", "2", "2", T0, ref_id="E1", kind="trade")
QUOTE_LEG = ledger("L2", "USD", "-200", "799.2", T0, ref_id="E1", kind="trade", fee="0.8")


def fresh() -> Balances:
    """1000 USD and nothing else."""
    return Balances(totals={"USD": D(1000)})


def test_a_fill_changes_base_and_quote_with_its_fees() -> None:
    assert legs_of(BUY) == {"BTC": D(2), "USD": D("-200.8")}


def test_a_fill_lowers_what_may_be_spent_before_the_channel_says_so() -> None:
    balances = fresh()
    balances.on_fill(BUY, T0)
    assert balances.total("USD") == D(1000)
    assert balances.at_least("USD") == D("799.2")
    assert balances.at_most("BTC") == D(2)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_any_order_of_fill_and_ledger_ends_in_the_same_books(order: tuple[int, ...]) -> None:
    balances, filled = fresh(), False
    for step in order:
        if step == 0:
            balances.on_fill(BUY, T0)
            filled = True
        else:
            balances.on_ledger((BASE_LEG, QUOTE_LEG)[step - 1], booked=filled)
        value = balances.expected("USD") + balances.expected("BTC") * 100
        assert value in (D(1000), D("999.2"))  # both legs or none: never a transient loss
    assert balances.pending == {}
    assert balances.totals == {"USD": D("799.2"), "BTC": D(2)}


def test_a_ledger_entry_seen_twice_counts_once() -> None:
    balances = fresh()
    assert balances.on_ledger(BASE_LEG, booked=False)
    assert not balances.on_ledger(BASE_LEG, booked=False)
    assert balances.expected("BTC") == D(0)


def test_an_entry_older_than_the_newest_or_than_the_snapshot_does_not_move_the_total_back() -> None:
    balances = fresh()
    balances.on_snapshot({"USD": D(500)}, T0 + timedelta(minutes=5))
    balances.on_ledger(ledger("L9", "USD", "1", "999", T0), booked=False)
    assert balances.total("USD") == D(500)


def test_a_snapshot_that_holds_the_trade_settles_it() -> None:
    balances = fresh()
    balances.on_fill(BUY, T0)
    changed = balances.on_snapshot({"USD": D("799.2"), "BTC": D(2)}, T0)
    assert changed == {"USD": D("799.2"), "BTC": D(2)}
    assert balances.expected("BTC") == D(2)


def test_a_snapshot_from_before_the_trade_leaves_it_expected() -> None:
    balances = fresh()
    balances.on_fill(BUY, T0)
    assert balances.on_snapshot({"USD": D(1000)}, T0) == {}
    assert balances.expected("USD") == D("799.2")


def test_a_snapshot_that_nothing_explains_is_believed() -> None:
    balances = fresh()
    balances.on_fill(BUY, T0)
    balances.on_snapshot({"USD": D(50)}, T0)
    assert balances.expected("USD") == D(50)


def test_an_asset_missing_from_the_snapshot_is_gone() -> None:
    balances = Balances(totals={"USD": D(1), "BTC": D(1)})
    assert balances.on_snapshot({"USD": D(1)}, T0) == {"BTC": D(0)}


def test_what_is_pending_too_long_is_given_up() -> None:
    balances = fresh()
    balances.on_fill(BUY, T0)
    balances.settle(T0 + timedelta(seconds=89))
    assert balances.expected("USD") == D("799.2")
    balances.settle(T0 + timedelta(seconds=91))
    assert balances.expected("USD") == D(1000)


def test_all_expected_names_assets_that_are_only_on_their_way() -> None:
    balances = fresh()
    balances.on_fill(BUY, T0)
    assert balances.all_expected() == {"USD": D("799.2"), "BTC": D(2)}


def test_two_trades_whose_entries_overtake_one_another_never_look_like_a_loss() -> None:
    # The older entry moves no total, but it is in the newer one: its leg is no longer pending.
    later = T0 + timedelta(milliseconds=5)
    second = msgspec.structs.replace(BUY, exec_id="E2", trade_id=2, venue_at=later)
    entries = {
        2: BASE_LEG,
        3: QUOTE_LEG,
        4: ledger("L3", "BTC", "2", "4", later, ref_id="E2", kind="trade"),
        5: ledger("L4", "USD", "-200", "598.4", later, ref_id="E2", kind="trade", fee="0.8"),
    }
    for order in permutations(range(6)):
        balances, filled = fresh(), set()
        for step in order:
            if step < 2:
                fill = (BUY, second)[step]
                balances.on_fill(fill, T0)
                filled.add(fill.exec_id)
            else:
                entry = entries[step]
                balances.on_ledger(entry, booked=entry.ref_id in filled)
        assert balances.pending == {}, order
        assert (balances.expected("USD"), balances.expected("BTC")) == (D("598.4"), 4), order


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_i_13_two_entries_of_one_moment_end_in_the_same_total_whatever_comes_first(
    order: tuple[int, ...],
) -> None:
    two = (
        ledger("L1", "USD", "-100", "900", T0, ref_id="E1", kind="trade"),
        ledger("L2", "USD", "-50", "850", T0, ref_id="E2", kind="trade"),
    )
    book = fresh()
    for place in order:
        book.on_ledger(two[place], booked=True)
    assert book.total("USD") == D(850)
