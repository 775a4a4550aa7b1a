"""Answers go through the journal's codec and come back the same."""

import msgspec
import pytest
from brain_desk import BTC, T0, Desk, say

from simple_trader.domain import events as e
from simple_trader.domain.reasons import Reason

CODEC = msgspec.json.Decoder(e.Stamped)


@pytest.mark.parametrize(
    "event",
    [e.PredictionsFailed(question_id="q", reason=Reason.MODEL_LATE, detail="late")],
    ids=lambda event: type(event).__name__,
)
def test_an_event_comes_back_from_the_journal_unchanged(event: e.Event) -> None:
    stamped = e.Stamped(7, T0, event)
    coded = msgspec.json.encode(stamped)
    assert CODEC.decode(coded) == stamped
    assert msgspec.json.encode(CODEC.decode(coded)) == coded


def test_those_of_a_trading_hour_come_back_from_the_journal() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    desk.fill(request, "E1")
    desk.advise(say(BTC, "sell"))
    met = [stamped for stamped, _ in desk.log if isinstance(stamped.event, e.AdviceArrived)]
    assert met
    for stamped in met:
        assert CODEC.decode(msgspec.json.encode(stamped)) == stamped
