"""Reconciliation: residual exactly zero, whatever the order of reports; any tampering is found."""

from datetime import timedelta

import msgspec
import pytest
from brain_desk import T0, D
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ledger_parts import (
    BUY,
    DIGITS,
    LATER,
    OPENING,
    at,
    balances_after,
    entries_of,
    entry,
    feed,
    fill,
    found,
    opened,
)

from simple_trader.core.portfolio.balances import REST_LAG_S
from simple_trader.core.portfolio.reconcile import GRACE_S
from simple_trader.domain.fills import Fee, Fill, LedgerEntry
from simple_trader.domain.orders import Side

# -- I-13 ------------------------------------------------------------------------------------


def test_i_13_an_opening_explains_itself() -> None:
    assert found(opened(), OPENING) == {}


def test_i_13_every_change_needs_its_entry() -> None:
    recon = opened()
    assert found(recon, {**OPENING, "USD": D("1000.0001")})["USD"].residual == D("0.0001")
    feed(recon, entry("L1", "USD", D("0.0001")))
    assert found(recon, {**OPENING, "USD": D("1000.0001")}) == {}


def test_i_13_an_asset_that_was_not_there_at_the_opening_was_empty_then() -> None:
    recon = opened()
    assert found(recon, {**OPENING, "ETH": D(2)})["ETH"].residual == D(2)
    feed(recon, entry("L1", "ETH", D(2), kind="staking"))
    assert found(recon, {**OPENING, "ETH": D(2)}) == {}


def test_i_13_an_asset_that_vanishes_is_told() -> None:
    assert found(opened(), {"USD": D(1000)})["BTC"].residual == D(-1)


def test_i_13_entries_before_the_opening_are_in_it() -> None:
    recon = opened()
    feed(recon, entry("L1", "USD", D(500), seconds=-60))
    assert found(recon, OPENING) == {}


@pytest.mark.parametrize("seconds", [-3, 0, 3])
@pytest.mark.parametrize("inside", [True, False])
def test_i_13_an_entry_close_to_the_opening_counts_once_wherever_it_was(
    seconds: float, inside: bool
) -> None:
    recon = opened()
    one, two = (entry(f"L{n}", "USD", D(n), seconds=seconds + n / 10) for n in (1, 2))
    feed(recon, one, two)
    balance = D(1000) if inside else D(1003)
    now = {**OPENING, "USD": balance}
    assert found(recon, now) == {}
    after_opening = sum(e.change for e in (one, two) if e.at > T0)
    assert recon.assets["USD"].opening + after_opening == balance
    assert found(recon, {**now, "USD": balance + 2})["USD"].residual == D(2)


def test_i_13_a_total_that_lags_at_the_opening_does_not_move_it_for_good() -> None:
    recon = opened()
    feed(recon, *(entry(f"L{n}", "USD", D(-44), seconds=1) for n in (1, 2)))
    assert recon.residual("USD", D(1000)) == 0
    assert recon.assets["USD"].opening == D(1088)
    assert recon.residual("USD", D(912)) == 0
    assert recon.assets["USD"].opening == D(1000)


def test_i_13_once_the_lag_of_rest_is_over_nothing_hides_behind_the_opening() -> None:
    recon = opened()
    feed(recon, entry("L1", "USD", D(-44), seconds=1))
    now = {**OPENING, "USD": D(956)}
    assert found(recon, now, at(REST_LAG_S + 1)) == {}
    assert found(recon, {**now, "USD": D(1000)}, at(REST_LAG_S + 2))["USD"].residual == D(44)


# -- trades ----------------------------------------------------------------------------------


def test_a_trade_meets_its_entries_in_both_assets_and_fees() -> None:
    recon = opened()
    feed(recon, BUY, *entries_of(BUY))
    assert recon.trades == {}
    assert found(recon, balances_after(entries_of(BUY))) == {}


def test_n04_a_trade_of_the_ledger_without_its_fill_is_a_silent_stream() -> None:
    recon = opened()
    feed(recon, *entries_of(BUY))
    told = found(recon, balances_after(entries_of(BUY)))
    assert list(told) == ["trade T1"]
    assert told["trade T1"].silent


def test_a_fill_without_its_entries_is_found() -> None:
    recon = opened()
    feed(recon, BUY)
    assert list(found(recon, OPENING)) == ["trade T1"]


@pytest.mark.parametrize("late_s", [0.0, GRACE_S - 0.1])
def test_a_trade_on_its_way_is_no_finding(late_s: float) -> None:
    recon = opened()
    feed(recon, BUY)
    assert found(recon, OPENING, BUY.venue_at + timedelta(seconds=late_s)) == {}


def test_x26_a_fee_other_than_told_is_found_until_it_is_corrected() -> None:
    recon = opened()
    cheap = msgspec.structs.replace(BUY, fees=(Fee("USD", D("0.1")),))
    feed(recon, cheap, *entries_of(BUY))
    assert list(found(recon, balances_after(entries_of(BUY)))) == ["trade T1"]
    recon.correct_fee("T1", "USD", D("0.3"))
    assert found(recon, balances_after(entries_of(BUY))) == {}


def test_the_last_digit_of_the_ledger_is_rounding() -> None:
    recon = opened()
    fine = msgspec.structs.replace(BUY, cost=D("100.00004"))
    feed(recon, fine, *entries_of(BUY))
    assert found(recon, balances_after(entries_of(BUY))) == {}
    assert recon.trades == {}


def test_x28_a_manual_trade_meets_its_entries_whatever_asset_took_the_fee() -> None:
    recon = opened()
    feed(recon, BUY, foreign=True)
    feed(
        recon,
        entry("L1", "BTC", D("0.5"), kind="trade", ref_id="T1", fee=D("0.002")),
        entry("L2", "USD", D(-100), kind="trade", ref_id="T1"),
    )
    assert found(recon, {"USD": D(900), "BTC": D("1.498")}) == {}


# -- lots, lost fills and orders ----------------------------------------------------------------


def test_i_15_lots_above_the_balance_are_found_and_no_others() -> None:
    recon = opened()
    assert found(recon, OPENING) == {}
    told = recon.findings(OPENING, OPENING, {"BTC": D("1.1")}, DIGITS, LATER)
    assert list(told) == ["lots BTC"]
    recon.accept("BTC", D(1), D("0.1"))
    assert recon.findings(OPENING, OPENING, {"BTC": D("1.1")}, DIGITS, LATER) == {}
    assert recon.findings(OPENING, OPENING, {"BTC": D("1.2")}, DIGITS, LATER) != {}


def test_d12_a_fill_and_an_order_of_ours_that_no_row_explains_are_found() -> None:
    recon = opened()
    recon.lost_fills["T9"] = "BTC"
    recon.lost_orders = ("st1-1",)
    assert sorted(found(recon, OPENING)) == ["fill T9", "order st1-1"]
    recon.accept("BTC", D(1), D(0))
    assert sorted(found(recon, OPENING)) == ["order st1-1"]


# -- any order of reports, any single tampering ------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Fill], list[LedgerEntry]]:
    """Trades and flows of an hour, away from the opening by more than the slack."""
    fills: list[Fill] = []
    entries: list[LedgerEntry] = []
    for n in range(draw(st.integers(1, 6))):
        seconds = draw(st.integers(10, 500))
        if draw(st.booleans()):
            side = draw(st.sampled_from(Side))
            qty = D(draw(st.integers(1, 10**6))).scaleb(-6)
            cost = D(draw(st.integers(10**4, 10**8))).scaleb(-4)
            fee = D(draw(st.integers(10, 10**4))).scaleb(-4)
            one = fill(f"T{n}", side, f"{qty}", f"{cost}", f"{fee}", seconds)
            fills.append(one)
            entries += entries_of(one)
        else:
            amount = D(draw(st.integers(-(10**8), 10**8).filter(bool))).scaleb(-4)
            asset = draw(st.sampled_from(["USD", "BTC", "ETH", "ETH.S"]))
            kind = draw(st.sampled_from(["deposit", "withdrawal", "staking", "transfer"]))
            entries.append(entry(f"F{n}", asset, amount, kind=kind, seconds=seconds))
    return fills, entries


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_i_13_i_12_reports_in_any_order_leave_no_residual(history, dice) -> None:
    fills, entries = history
    reports = [*fills, *entries]
    dice.shuffle(reports)
    recon = opened()
    feed(recon, *reports)
    assert found(recon, balances_after(entries)) == {}
    assert recon.trades == {}
    books = {asset: book.expected for asset, book in recon.assets.items()}
    assert books == {**OPENING, **balances_after(entries)}


@given(histories(), st.randoms(use_true_random=False), st.data())
@settings(max_examples=150, deadline=None)
def test_i_13_any_single_tampering_is_found(history, dice, data) -> None:
    fills, entries = history
    balances = balances_after(entries)
    kept, known = list(entries), list(fills)
    kinds = ["lost entry", "changed entry", "changed balance"]
    kinds += ["lost fill", "changed fill"] if fills else []
    what = data.draw(st.sampled_from(kinds))
    # More than the last digit of a ledger, which is rounding between a fill and its entries.
    step = D("0.0002")
    if what == "lost entry":
        # One whose fee eats it whole moves no money: I-13 is about balances, and they agree.
        moving = [entry for entry in kept if entry.amount != entry.fee]
        assume(moving)
        kept.remove(dice.choice(moving))
    elif what == "changed entry":
        victim = dice.choice(kept)
        tampered = msgspec.structs.replace(victim, amount=victim.amount + step)
        kept[kept.index(victim)] = tampered
    elif what == "changed balance":
        asset = dice.choice(sorted(balances))
        balances = {**balances, asset: balances[asset] + step}
    elif what == "lost fill":
        known.remove(dice.choice(known))
    else:
        victim = dice.choice(known)
        field = dice.choice(["qty", "cost"])
        changed = {field: getattr(victim, field) + step}
        known[known.index(victim)] = msgspec.structs.replace(victim, **changed)
    reports = [*known, *kept]
    dice.shuffle(reports)
    recon = opened()
    feed(recon, *reports)
    assert found(recon, balances) != {}, what
