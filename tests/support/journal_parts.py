"""The journal's codec, as the events of every family must pass it."""

import msgspec
from brain_desk import BTC, T0, Desk, say

from simple_trader.domain import events as e

CODEC = msgspec.json.Decoder(e.Stamped)


def assert_comes_back(event: e.Event) -> None:
    """The event, stamped, is read as it was written, to the byte."""
    stamped = e.Stamped(7, T0, event)
    coded = msgspec.json.encode(stamped)
    assert CODEC.decode(coded) == stamped
    assert msgspec.json.encode(CODEC.decode(coded)) == coded


def assert_a_trading_hour_comes_back(kind: type) -> None:
    """So are all events of this kind, of which there are some, in an hour of trading."""
    desk = Desk()
    desk.open()
    request = desk.place()
    desk.fill(request, "E1")
    desk.advise(say(BTC, "sell"))
    met = [stamped for stamped, _ in desk.log if isinstance(stamped.event, kind)]
    assert met
    for stamped in met:
        assert CODEC.decode(msgspec.json.encode(stamped)) == stamped
