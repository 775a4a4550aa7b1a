"""Doubts of the reconciliation over time: told once, explained later, kept over a restart."""

import msgspec
import pytest
from brain_desk import T0, D
from ledger_parts import BUY, LATER, OPENING, at, balances_after, entries_of, feed, found, opened

from simple_trader.core.portfolio.balances import REST_LAG_S
from simple_trader.core.portfolio.reconcile import Finding, Reconciliation
from simple_trader.domain.orders import Side
from simple_trader.domain.recovered import AssetLedger, LedgerMemory, OpenDoubt, Unmet

OFF = {"USD": Finding(asset="USD", detail="x", residual=D(1))}


def test_a_difference_is_told_by_the_first_look_that_lag_cannot_excuse() -> None:
    recon = opened()
    assert recon.doubt(OFF, at(100)) == ([], [])
    recon.looked_from = at(100 + REST_LAG_S - 1)
    assert recon.doubt(OFF, at(200)) == ([], [])
    assert recon.told == ""
    recon.looked_from = at(100 + REST_LAG_S)
    due, _ = recon.doubt(OFF, at(201))
    assert [doubt.finding.asset for doubt in due] == ["USD"]
    assert recon.told.startswith("USD")
    assert recon.doubt(OFF, at(300)) == ([], [])  # once


def test_a_transient_is_never_told() -> None:
    recon = opened()
    recon.doubt(OFF, at(100))
    recon.looked_from = at(100 + REST_LAG_S)
    assert recon.doubt({}, at(200)) == ([], [])
    assert recon.doubts == {}


def test_a_later_entry_explains_by_itself() -> None:
    recon = opened()
    recon.doubt(OFF, at(100))
    recon.looked_from = at(200)
    recon.doubt(OFF, at(200))
    _, over = recon.doubt({}, at(260))
    assert [doubt.subject for doubt in over] == ["USD"]
    assert recon.told == ""


def test_the_deciding_look_is_due_once() -> None:
    recon = opened()
    recon.doubt(OFF, at(100))
    assert not recon.look_due(at(100 + REST_LAG_S - 1))
    assert recon.look_due(at(100 + REST_LAG_S))
    recon.looked_from = at(100 + REST_LAG_S)
    assert not recon.look_due(at(300))


def test_i_13_a_person_explains_no_trade_of_which_only_a_half_was_told_so_far() -> None:
    recon = opened()
    first, second = entries_of(BUY)
    feed(recon, BUY, first)
    assert found(recon, {**OPENING, "BTC": D("1.5")}, BUY.venue_at) == {}
    recon.accept("USD", D(1000), D(0))
    feed(recon, second)
    assert recon.trades == {}
    assert found(recon, balances_after([first, second])) == {}


def test_what_an_operator_accepts_is_explained_and_nothing_else() -> None:
    recon = opened()
    assert recon.accept("USD", D(990), D(0)) == D(-10)
    assert found(recon, {**OPENING, "USD": D(990)}) == {}
    assert found(recon, {**OPENING, "USD": D(980)})["USD"].residual == D(-10)


def test_a_restart_goes_on_from_the_rows() -> None:
    memory = LedgerMemory(
        since=T0,
        assets=(
            AssetLedger(asset="USD", opening=D(1000), ledger_sum=D(5), explained=D(-1), short=D(0)),
        ),
        doubts=(OpenDoubt(subject="trade T1", asset="USD", detail="x", residual=D(0)),),
        unmet=(
            Unmet(
                ref_id="T1",
                asset="USD",
                amount=D("-100.4"),
                gross=D(-100),
                foreign=False,
                at=at(60),
            ),
        ),
        lost_fills={"T9": "BTC"},
        looked_from=at(30),
    )
    recon = Reconciliation()
    recon.begin(memory, LATER)
    assert recon.told.startswith("USD")
    told = found(recon, {"USD": D(1004)})
    assert sorted(told) == ["fill T9", "trade T1"]
    assert recon.doubt(told, LATER)[0] == []  # it stood already: not told again
    feed(recon, msgspec.structs.replace(BUY, side=Side.BUY))
    assert list(recon.trades["T1"].left) == ["BTC"]


@pytest.mark.parametrize("foreign", [False, True])
@pytest.mark.parametrize("known", [0, 1, 2, 3])
def test_i_13_p01_a_trade_half_told_at_a_kill_meets_after_it(known: int, foreign: bool) -> None:
    reports = [*entries_of(BUY), BUY]
    before = opened()
    feed(before, *reports[:known], foreign=foreign)
    again = opened()
    again.begin(
        LedgerMemory(
            since=T0,
            unmet=tuple(
                Unmet(
                    ref_id=ref_id,
                    asset=asset,
                    amount=legs.left.get(asset, D(0)),
                    gross=legs.gross.get(asset, D(0)),
                    foreign=legs.foreign,
                    at=legs.at,
                )
                for ref_id, legs in before.trades.items()
                for asset in {**legs.left, **legs.gross}
            ),
        ),
        LATER,
    )
    feed(again, *reports[known:], foreign=foreign)
    assert again.trades == {}
