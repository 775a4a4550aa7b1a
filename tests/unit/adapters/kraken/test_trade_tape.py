"""The tape: each public trade once, over reconnects, and a hole where numbers are missing."""

from datetime import timedelta
from decimal import Decimal

from kraken_parts import AT

from simple_trader.adapters.kraken.trade_tape import Hole, TradeTape
from simple_trader.domain.history import PublicTrade


def trades(*numbers: int, pair: str = "BTC/USD", after_s: float = 0.0) -> list[PublicTrade]:
    return [
        PublicTrade(
            pair=pair,
            at=AT + timedelta(seconds=after_s),
            price=Decimal(1),
            qty=Decimal(1),
            trade_id=number,
        )
        for number in numbers
    ]


def numbers(found: tuple[PublicTrade, ...]) -> list[int | None]:
    return [trade.trade_id for trade in found]


def test_a_snapshot_after_a_reconnect_adds_only_what_is_new() -> None:
    tape = TradeTape()
    tape.take(trades(1, 2, 3), snapshot=True)
    new, holes = tape.take(trades(2, 3, 4, 5), snapshot=True)
    assert numbers(new) == [4, 5]
    assert holes == []


def test_a_trade_told_twice_in_one_message_is_taken_once() -> None:
    new, _ = TradeTape().take(trades(7, 7, 8), snapshot=False)
    assert numbers(new) == [7, 8]


def test_missing_numbers_are_a_hole_of_that_pair_only() -> None:
    tape = TradeTape()
    tape.take([*trades(1), *trades(10, pair="ETH/USD")], snapshot=False)
    new, holes = tape.take([*trades(5), *trades(11, pair="ETH/USD")], snapshot=False)
    assert holes == [Hole("BTC/USD", 2, 4)]
    assert len(new) == 2


def test_trades_of_one_message_come_in_their_order() -> None:
    new, holes = TradeTape().take(trades(3, 1, 2), snapshot=False)
    assert numbers(new) == [1, 2, 3]
    assert holes == []


def test_an_exchange_that_counts_anew_is_followed() -> None:
    tape = TradeTape()
    tape.take(trades(900), snapshot=True)
    new, holes = tape.take(trades(1, 2, after_s=60), snapshot=True)
    assert numbers(new) == [1, 2]
    assert holes == []
