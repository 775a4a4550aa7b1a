"""Account events go through the journal's codec and come back the same."""

import pytest
from brain_desk import T0, D
from brain_reports import ledger
from journal_parts import assert_a_trading_hour_comes_back, assert_comes_back

from simple_trader.domain import events as e


@pytest.mark.parametrize(
    "event",
    [
        e.LedgerSeen(entry=ledger("L", "USD", "1.50", "2", T0)),
        e.BalancesSeen(balances={"USD": D("1E-8")}, source="ws"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_comes_back_from_the_journal_unchanged(event: e.Event) -> None:
    assert_comes_back(event)


def test_those_of_a_trading_hour_come_back_from_the_journal() -> None:
    assert_a_trading_hour_comes_back(e.Reconciled)
