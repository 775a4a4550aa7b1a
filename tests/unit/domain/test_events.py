"""Every event goes through the journal's codec and comes back the same."""

import typing

import msgspec
import pytest
from brain_desk import BTC, T0, D, Desk, book, candle, ledger, quote, say, started

from simple_trader.domain import events as e

CODEC = msgspec.json.Decoder(e.Stamped)


def test_every_event_has_its_own_tag() -> None:
    kinds = typing.get_args(e.Event)
    tags = [kind.__struct_config__.tag for kind in kinds]
    assert len(set(tags)) == len(kinds)


@pytest.mark.parametrize(
    "event",
    [
        started(),
        e.QuoteSeen(quote=quote(BTC, "0.10000000", "0.2", T0)),
        e.BookSeen(book=book(BTC, T0)),
        e.CandleSeen(candle=candle(BTC, T0)),
        e.LedgerSeen(entry=ledger("L", "USD", "1.50", "2", T0)),
        e.BalancesSeen(balances={"USD": D("1E-8")}, source="ws"),
        e.OperatorHalt(actor="me", detail="now"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_comes_back_from_the_journal_unchanged(event: e.Event) -> None:
    stamped = e.Stamped(7, T0, event)
    coded = msgspec.json.encode(stamped)
    assert CODEC.decode(coded) == stamped
    assert msgspec.json.encode(CODEC.decode(coded)) == coded


def test_the_events_of_a_trading_hour_come_back_from_the_journal() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    desk.fill(request, "E1")
    desk.advise(say(BTC, "sell"))
    for stamped, _ in desk.log:
        assert CODEC.decode(msgspec.json.encode(stamped)) == stamped
