"""A real capture of Kraken: every checksum verifies, and a book with any usual mistake fails it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from kraken_parts import AT, book, outside_data, symbols

from simple_trader.adapters.kraken import order_books, wire
from simple_trader.adapters.kraken.frame_counts import FrameCounts
from simple_trader.adapters.kraken.order_books import BookBroken, OrderBook, Throttle
from simple_trader.adapters.kraken.public_session import PublicPlan, PublicSession
from simple_trader.adapters.kraken.session import Timing
from simple_trader.domain.events import BookLost, BookSeen

MESSAGES = 510
Merge = Callable[..., bool]


@pytest.fixture(scope="module")
def captured() -> list[dict[str, Any]]:
    """The messages' data, numbers with the digits of the wire again."""
    path = outside_data() / "kraken/fixtures/orderbook-v2-btcusd-d10.json"
    if not path.exists():
        pytest.skip("the captured book is not here: set SIMPLE_TRADER_DATA")
    content: dict[str, Any] = json.loads(path.read_text())
    return [
        {"kind": message["type"], **data}
        for message in [content["init"], *content["updates"]]
        for data in message["data"]
    ]


def side(entries: list[dict[str, float]]) -> list[tuple[str, str]]:
    return [(f"{entry['price']:.1f}", f"{entry['qty']:.8f}") for entry in entries]


def frame(data: dict[str, Any]) -> str:
    return book(
        data["kind"],
        side(data["bids"]),
        side(data["asks"]),
        data["checksum"],
        stamp=data.get("timestamp"),
    )


def verified(frames: list[str], depth: int = 10) -> int:
    """How many messages in a row a book of ours verifies."""
    made = OrderBook("BTC/USD", depth)
    for number, text in enumerate(frames):
        message = wire.read(text)
        assert isinstance(message, wire.BookFrame)
        try:
            if message.type == "snapshot":
                made.snapshot(message.data[0])
            else:
                made.update(message.data[0])
        except BookBroken:
            return number
    return len(frames)


def levels_after(frames: list[str]) -> list[Any]:
    """Both sides of a book after these messages."""
    made = OrderBook("BTC/USD", 10)
    for text in frames:
        message = wire.read(text)
        assert isinstance(message, wire.BookFrame)
        (made.snapshot if message.type == "snapshot" else made.update)(message.data[0])
    return [made.levels("bids"), made.levels("asks")]


def test_every_checksum_of_the_capture_verifies(captured: list[dict[str, Any]]) -> None:
    assert verified([frame(data) for data in captured]) == len(captured) == MESSAGES


def test_the_whole_session_verifies_it_and_never_loses_the_book(
    captured: list[dict[str, Any]],
) -> None:
    counts = FrameCounts()
    made = PublicSession(
        Timing(),
        0.0,
        plan=PublicPlan(pairs=("BTC/USD",), book_depth=10),
        symbols=symbols(),
        market_now=lambda: AT,
        throttle=Throttle(1.0),
        counts=counts,
    )
    for data in captured:
        made.receive(frame(data), 0.1)
    events = made.take_events()
    assert not [event for event in events if isinstance(event, BookLost)]
    assert sum(isinstance(event, BookSeen) for event in events) > 25  # at most one a second
    assert counts.counts() == {}


def test_without_truncation_it_fails(captured: list[dict[str, Any]]) -> None:
    assert verified([frame(data) for data in captured], depth=100_000) < MESSAGES


def test_the_shortest_text_of_floats_fails_at_once(captured: list[dict[str, Any]]) -> None:
    def shortest(entries: list[dict[str, float]]) -> list[tuple[str, str]]:
        return [(repr(entry["price"]), repr(entry["qty"])) for entry in entries]

    first = captured[0]
    frames = [book("snapshot", shortest(first["bids"]), shortest(first["asks"]), first["checksum"])]
    assert verified(frames) == 0


def mutant(keep: Callable[[list[wire.RawLevel]], list[wire.RawLevel]]) -> Merge:
    """Our merge, given only the levels that a mistaken reading keeps."""
    real: Merge = order_books._merge

    def merge(
        ticks: list[int], texts: list[bytes], levels: list[wire.RawLevel], sign: int, depth: int
    ) -> bool:
        return real(ticks, texts, keep(levels), sign, depth)

    return merge


def first_of_each_price(levels: list[wire.RawLevel]) -> list[wire.RawLevel]:
    return list({bytes(level.price): level for level in reversed(levels)}.values())[::-1]


def without_deletions(levels: list[wire.RawLevel]) -> list[wire.RawLevel]:
    return [level for level in levels if bytes(level.qty).strip(b"0.")]


@pytest.mark.parametrize("keep", [first_of_each_price, without_deletions])
def test_a_reading_that_ignores_entries_fails(
    captured: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    keep: Callable[[list[wire.RawLevel]], list[wire.RawLevel]],
) -> None:
    monkeypatch.setattr(order_books, "_merge", mutant(keep))
    assert verified([frame(data) for data in captured]) < MESSAGES


def test_one_lost_update_is_caught_whichever_it_was(captured: list[dict[str, Any]]) -> None:
    frames = [frame(data) for data in captured]
    unseen = [
        lost
        for lost in range(1, MESSAGES - 1)
        if verified(frames[:lost] + frames[lost + 1 :]) == MESSAGES - 1
    ]
    # Only what the very next message makes good can be lost unnoticed: then nothing was lost.
    for lost in unseen:
        assert levels_after([*frames[:lost], frames[lost + 1]]) == levels_after(frames[: lost + 2])
    assert len(unseen) < MESSAGES / 3
