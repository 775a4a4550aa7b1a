"""Order events go through the journal's codec and come back the same."""

import pytest
from journal_parts import assert_a_trading_hour_comes_back, assert_comes_back

from simple_trader.domain import events as e


@pytest.mark.parametrize(
    "event",
    [
        e.CancelRejected(cl_ord_id="a", error="EOrder:Unknown order"),
        e.SendUnknown(cl_ord_id="a", detail="socket lost"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_comes_back_from_the_journal_unchanged(event: e.Event) -> None:
    assert_comes_back(event)


def test_those_of_a_trading_hour_come_back_from_the_journal() -> None:
    assert_a_trading_hour_comes_back(e.ExecutionReport)
