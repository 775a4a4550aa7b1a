"""The daemon's own events go through the journal's codec and come back the same."""

import typing

import pytest
from brain_desk import started
from journal_parts import assert_a_trading_hour_comes_back, assert_comes_back

from simple_trader.domain import events as e


def test_every_event_has_its_own_tag() -> None:
    kinds = typing.get_args(e.Event)
    tags = [kind.__struct_config__.tag for kind in kinds]
    assert len(set(tags)) == len(kinds)


@pytest.mark.parametrize(
    "event",
    [started(), e.OperatorHalt(actor="me", detail="now"), e.Stopping(reason="asked")],
    ids=lambda event: type(event).__name__,
)
def test_an_event_comes_back_from_the_journal_unchanged(event: e.Event) -> None:
    assert_comes_back(event)


def test_those_of_a_trading_hour_come_back_from_the_journal() -> None:
    assert_a_trading_hour_comes_back(e.Started)
