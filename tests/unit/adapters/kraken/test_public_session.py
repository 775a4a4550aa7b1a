"""The public session: subscriptions, refusals, books that are lost and fetched again, liveness."""

import json
from itertools import pairwise
from typing import Any
from zlib import crc32

import pytest
from kraken_parts import AT, HEARTBEAT, STATUS, TICKER, ack, book, refusal, symbols

from simple_trader.adapters.kraken.order_books import Throttle
from simple_trader.adapters.kraken.public_session import PublicPlan, PublicSession
from simple_trader.adapters.kraken.session import Timing
from simple_trader.domain.events import (
    BookLost,
    BookSeen,
    CandleSeen,
    Event,
    FeedUp,
    InstrumentSeen,
    QuoteSeen,
    VenueStatusSeen,
)

PLAN = PublicPlan(pairs=("BTC/USD", "SOL/USD"), book_depth=10)
BIDS = [("100.0", "3.00000000")]
ASKS = [("102.0", "1.00000000")]
CRC = crc32(b"1020100000000" + b"1000300000000")
INSTRUMENT = (
    '{"channel":"instrument","type":"%s","data":{"assets":[],"pairs":[{"symbol":"BTC/USD",'
    '"base":"BTC","quote":"USD","status":"%s","qty_precision":8,"qty_increment":1e-08,'
    '"price_precision":1,"cost_precision":5,"cost_min":0.5,"price_increment":0.1,"qty_min":5e-05}]}}'
)


def session(plan: PublicPlan = PLAN, timing: Timing | None = None) -> PublicSession:
    return PublicSession(
        timing or Timing(),
        0.0,
        plan=plan,
        symbols=symbols(),
        market_now=lambda: AT,
        throttle=Throttle(1.0),
    )


def sent(made: PublicSession) -> list[dict[str, Any]]:
    return [json.loads(text) for text in made.take_outgoing()]


def feed(made: PublicSession, *frames: str, now: float = 0.1) -> list[Event]:
    for frame in frames:
        made.receive(frame, now)
    return made.take_events()


def snapshot() -> str:
    return book("snapshot", BIDS, ASKS, CRC)


def answer_all(made: PublicSession, *, but: str = "") -> None:
    for message in sent(made):
        for symbol in message["params"].get("symbol", [""]):
            if message["params"]["channel"] != but:
                made.receive(
                    ack(message["params"]["channel"], message["req_id"], symbol or None), 0.1
                )


def test_it_asks_for_reference_quotes_candles_and_books() -> None:
    asked = {m["params"]["channel"]: m["params"] for m in sent(session())}
    assert list(asked) == ["instrument", "ticker", "ohlc", "book"]
    assert asked["ticker"]["event_trigger"] == "bbo"
    assert asked["ohlc"]["interval"] == 1
    assert asked["book"]["depth"] == 10
    assert asked["book"]["symbol"] == ["BTC/USD", "SOL/USD"]
    assert all(params["snapshot"] is True for params in asked.values())


def test_what_is_switched_off_is_not_asked_for() -> None:
    books_only = PublicPlan(pairs=("BTC/USD",), quotes=False)
    assert [m["params"]["channel"] for m in sent(session(books_only))] == ["instrument", "book"]
    quotes_only = PublicPlan(pairs=("BTC/USD",), books=False)
    assert "book" not in [m["params"]["channel"] for m in sent(session(quotes_only))]


def test_the_status_frame_names_the_connection_and_the_state() -> None:
    made = session()
    (event,) = feed(made, STATUS)
    assert isinstance(event, VenueStatusSeen)
    assert made.connection_id == 11043817702341890007


def test_the_feed_is_up_with_the_first_quote_and_only_then() -> None:
    made = session()
    events = feed(made, STATUS, HEARTBEAT, TICKER, TICKER)
    assert [type(event) for event in events][1:] == [FeedUp, QuoteSeen, QuoteSeen]


def _refuse_sol(made: PublicSession, channel: str, now: float) -> int:
    """Answer what waits; how often SOL/USD of the channel was refused."""
    refused = 0
    for text in made.take_outgoing(now):
        message = json.loads(text)
        params = message.get("params", {})
        for symbol in params.get("symbol", [""]):
            frame = ack(params.get("channel", ""), message["req_id"], symbol or None)
            if (params.get("channel"), symbol) == (channel, "SOL/USD"):
                frame, refused = refusal(message["req_id"], "EService:Unavailable", symbol), 1
            made.receive(frame, now)
    return refused


@pytest.mark.parametrize("channel", ["book", "ticker"])
def test_a_refused_subscription_is_asked_again_ever_more_seldom(channel: str) -> None:
    made = session(timing=Timing(silence_s=1e9, heartbeat_s=1e9, snapshot_s=1e9))
    asked_at = []
    for second in range(400):
        made.tick(float(second))
        if _refuse_sol(made, channel, float(second)):
            asked_at.append(second)
    assert asked_at == [0, 60, 180]
    (channel_refused,) = made.refused
    assert channel_refused == (channel, "SOL/USD")
    assert "SOL/USD" not in made.books or channel == "ticker"


def test_a_refused_book_is_there_when_it_is_asked_again_and_taken() -> None:
    made = session(timing=Timing(silence_s=1e9, heartbeat_s=1e9, snapshot_s=1e9))
    _refuse_sol(made, "book", 0.0)
    made.tick(61.0)
    _refuse_sol(made, "none", 61.0)
    sol = snapshot().replace("BTC/USD", "SOL/USD")
    made.take_events()
    assert [type(event) for event in feed(made, sol, now=61.2)] == [FeedUp, BookSeen]
    assert not made.refused


def test_one_refused_symbol_leaves_the_others() -> None:
    made = session()
    book_request = next(m for m in sent(made) if m["params"]["channel"] == "book")
    events = feed(
        made,
        ack("book", book_request["req_id"], "BTC/USD"),
        refusal(book_request["req_id"], "Currency pair not supported SOL/USD", "SOL/USD"),
        snapshot(),
    )
    assert made.refused == {("book", "SOL/USD"): "Currency pair not supported SOL/USD"}
    assert [event.pair for event in events if isinstance(event, BookLost)] == ["SOL/USD"]
    assert [event.book.pair for event in events if isinstance(event, BookSeen)] == ["BTC/USD"]
    assert made.ended is None


def test_a_book_speaks_once_a_venue_second() -> None:
    made = session()
    update = book("update", [], [], CRC)
    events = feed(made, snapshot(), update, update)
    assert [type(event) for event in events] == [FeedUp, BookSeen]


def test_a_wrong_checksum_loses_the_book_and_resubscribes_only_this_pair() -> None:
    made = session()
    answer_all(made)
    feed(made, snapshot())
    events = feed(made, book("update", [("100.0", "4.00000000")], [], CRC), now=2.0)
    assert [type(event) for event in events] == [BookLost]
    asked = sent(made)
    assert [(m["method"], m["params"]["symbol"]) for m in asked] == [
        ("unsubscribe", ["BTC/USD"]),
        ("subscribe", ["BTC/USD"]),
    ]
    stale = feed(made, book("update", [("99.0", "1.00000000")], [], 1), now=2.1)
    assert stale == []  # what still comes of the old subscription is dropped
    assert [type(event) for event in feed(made, snapshot())] == [BookSeen]


def test_a_book_that_fails_again_and_again_is_asked_for_ever_more_slowly() -> None:
    made = session()
    answer_all(made)
    broken = book("snapshot", BIDS, ASKS, 1)
    asked_at = []
    now = 0.0
    for _ in range(400):
        now += 0.5
        made.receive(HEARTBEAT, now)
        made.tick(now)
        if any(
            m["method"] == "subscribe" and m["params"]["symbol"] == ["BTC/USD"] for m in sent(made)
        ):
            asked_at.append(now)
            for _ in range(2):
                made.receive(broken, now)
    gaps = [b - a for a, b in pairwise(asked_at)]
    assert len(asked_at) < 25
    assert max(gaps) >= 16


def test_a_snapshot_that_never_comes_is_asked_for_again() -> None:
    made = session(timing=Timing(snapshot_s=10.0))
    answer_all(made)
    for tick in range(25):
        made.receive(HEARTBEAT, tick * 0.5)
        made.tick(tick * 0.5)
    assert any(event.detail == "no snapshot came" for event in made.take_events())
    assert any(m["params"]["channel"] == "book" for m in sent(made) if "params" in m)


def test_an_answer_that_never_comes_is_bounded() -> None:
    made = session(PublicPlan(pairs=("BTC/USD",), books=False), Timing(ack_s=5.0, ack_tries=3))
    answer_all(made, but="ticker")
    asked = 0
    for tick in range(100):
        made.receive(HEARTBEAT, tick * 0.5)
        made.tick(tick * 0.5)
        asked += sum(m["method"] == "subscribe" for m in sent(made))
        if made.ended:
            break
    assert asked == 2
    assert made.ended == "no answer to a subscription of ticker"


def test_silence_ends_the_connection_within_five_seconds() -> None:
    made = session()
    made.receive(STATUS, 0.0)
    ended_at = next(t / 2 for t in range(1, 40) if (made.tick(t / 2), made.ended)[1])
    assert ended_at <= 5.0
    assert made.ended == "no frame for 4.4 s"


def test_pongs_without_heartbeats_are_not_life() -> None:
    made = session(PublicPlan(pairs=("BTC/USD",), books=False))
    answer_all(made)
    pings = 0
    for tick in range(1, 40):
        now = 0.1 + tick * 0.5
        made.tick(now)
        pings += sum(m["method"] == "ping" for m in sent(made))
        made.receive('{"method":"pong","req_id":99}', now)
        if made.ended:
            break
    assert made.ended == "no heartbeat for 4.4 s"


def test_a_quiet_connection_is_pinged() -> None:
    made = session(PublicPlan())
    sent(made)
    for tick in range(1, 6):
        made.tick(tick * 0.5)
    assert [m["method"] for m in sent(made)] == ["ping"]


def test_our_own_standstill_is_not_the_exchanges_silence() -> None:
    made = session()
    made.receive(HEARTBEAT, 0.0)
    made.tick(0.5)
    made.tick(60.0)  # the loop stood still for a minute: frames wait in the socket
    assert made.ended is None
    made.waited(70.0)
    made.tick(70.5)
    assert made.ended is None


def test_pairs_change_at_run_time() -> None:
    made = session()
    answer_all(made)
    feed(made, snapshot(), INSTRUMENT % ("snapshot", "online"))
    made.change(PublicPlan(pairs=("SOL/USD", "ETH/USD"), book_depth=10), 3.0)
    asked = [(m["method"], m["params"]["channel"], m["params"]["symbol"]) for m in sent(made)]
    assert ("unsubscribe", "ticker", ["BTC/USD"]) in asked
    assert ("subscribe", "ticker", ["ETH/USD"]) in asked
    assert ("unsubscribe", "book", ["BTC/USD"]) in asked
    assert ("subscribe", "book", ["ETH/USD"]) in asked
    assert not any("SOL/USD" in symbols for _, _, symbols in asked)
    assert [event.pair for event in made.take_events()] == ["BTC/USD"]
    assert feed(made, TICKER, snapshot()) == []


def test_a_pair_that_comes_back_is_told_its_rules_again() -> None:
    made = session(PublicPlan(pairs=()))
    assert feed(made, INSTRUMENT % ("snapshot", "online")) == []
    made.change(PublicPlan(pairs=("BTC/USD",)), 1.0)
    assert [type(event) for event in made.take_events()] == [InstrumentSeen]


def test_a_change_of_depth_asks_for_the_book_anew() -> None:
    made = session()
    answer_all(made)
    made.change(PublicPlan(pairs=PLAN.pairs, book_depth=25), 1.0)
    asked = [(m["method"], m["params"]["depth"]) for m in sent(made)]
    assert asked == [("unsubscribe", 10), ("unsubscribe", 10), ("subscribe", 25)]


def test_rules_are_told_when_they_change() -> None:
    made = session()
    online, same = INSTRUMENT % ("snapshot", "online"), INSTRUMENT % ("update", "online")
    assert [type(e) for e in feed(made, online, same)] == [InstrumentSeen]
    assert [e.rules.status for e in feed(made, INSTRUMENT % ("update", "cancel_only"))] == [
        "cancel_only"
    ]


def test_candles_of_another_interval_are_not_ours() -> None:
    frame = (
        '{"channel":"ohlc","type":"update","data":[{"symbol":"BTC/USD","open":1.0,"high":1.0,'
        '"low":1.0,"close":1.0,"trades":9,"volume":1.0,"interval_begin":"2026-03-02T10:02:00Z",'
        '"interval":%d}]}'
    )
    events = feed(session(), frame % 1, frame % 5)
    assert [type(event) for event in events] == [CandleSeen]


def test_garbage_is_counted_and_changes_nothing() -> None:
    made = session()
    events = feed(made, "CloudFlare WebSocket proxy restarting", TICKER.replace("65972.8", '"NaN"'))
    assert events == []
    assert made.unreadable == 2
    assert made.ended is None


def test_the_end_names_the_books_that_are_lost_with_it() -> None:
    made = session()
    feed(made, snapshot())
    assert [event.pair for event in made.close("closed")] == ["BTC/USD"]


def test_x14_a_ticker_without_a_usable_snapshot_is_asked_for_again_ever_more_seldom() -> None:
    """Seed 198 of the simulation: a crossed snapshot, a market that stands, no price for good."""
    made = session(timing=Timing(snapshot_s=10.0))
    answer_all(made)
    crossed = TICKER.replace('"bid":', '"bid":9e9,"was":', 1)
    asked_at, now = [], 0.0
    for _ in range(500):
        now += 0.5
        made.receive(HEARTBEAT, now)
        made.tick(now)
        for message in sent(made):
            params = message.get("params", {})
            for symbol in params.get("symbol", []):
                made.receive(ack(params["channel"], message["req_id"], symbol), now)
            if message["method"] == "subscribe" and params.get("channel") == "ticker":
                asked_at.append(now)
                made.receive(crossed, now)
    gaps = [b - a for a, b in pairwise(asked_at)]
    assert 9 < asked_at[0] < 12
    assert gaps[:3] == [20.5, 40.5, 60.5]
    assert not [event for event in made.take_events() if isinstance(event, QuoteSeen)]


def test_a_ticker_that_has_brought_its_quotes_is_not_asked_for_again() -> None:
    made = session(timing=Timing(snapshot_s=10.0))
    answer_all(made)
    made.receive(TICKER, 1.0)
    made.receive(TICKER.replace("BTC/USD", "SOL/USD"), 1.0)
    for tick in range(100):
        made.receive(HEARTBEAT, tick * 0.5)
        made.tick(tick * 0.5)
    again = [m for m in sent(made) if m.get("params", {}).get("channel") == "ticker"]
    assert again == []
