"""The public side of a WS v2 session, word for word."""

import json
import zlib
from decimal import Decimal
from typing import Any

import pytest
import sandbox_parts as parts

from simple_trader.sandbox.session import Session


def public(symbols: int = 0) -> Session:
    session = parts.exchange().open_session(private=False)
    session.outgoing()
    return session


def test_the_first_frame_is_status_with_an_id_beyond_any_float() -> None:
    frame = parts.exchange().open_session(private=False).outgoing()[0]
    row = json.loads(frame)["data"][0]
    assert (row["system"], row["api_version"]) == ("online", "v2")
    assert row["connection_id"] > 2**53
    assert int(float(row["connection_id"])) != row["connection_id"] or row["connection_id"] > 2**63


def test_each_symbol_is_acked_or_refused_by_itself_then_its_snapshot_follows() -> None:
    frames = parts.ask(
        public(),
        "subscribe",
        7001,
        channel="book",
        symbol=["BTC/USD", "XBT/USD", "ETH/USD"],
        depth=25,
    )
    acks = [frame for frame in frames if frame.get("method")]
    assert [ack["req_id"] for ack in acks] == [7001] * 3
    assert acks[0]["result"] == {
        "channel": "book",
        "depth": 25,
        "snapshot": True,
        "symbol": "BTC/USD",
    }
    assert acks[1]["error"] == "Currency pair not supported XBT/USD"
    assert (acks[1]["symbol"], acks[1]["success"]) == ("XBT/USD", False)
    assert "result" not in acks[1]
    kinds = [frame.get("channel") or "ack" for frame in frames]
    assert kinds == ["ack", "book", "ack", "ack", "book"]
    snapshot = frames[1]["data"][0]
    assert len(snapshot["bids"]) == len(snapshot["asks"]) == 25


def test_a_request_without_req_id_is_answered_without_one() -> None:
    ack = parts.ask(public(), "subscribe", channel="ticker", symbol=["BTC/USD"])[0]
    assert "req_id" not in ack
    assert ack["result"] == {
        "channel": "ticker",
        "event_trigger": "trades",
        "snapshot": True,
        "symbol": "BTC/USD",
    }


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("no json", "Malformed request"),
        ("[]", "Malformed request"),
        ('{"params":{}}', "Malformed request"),
        ('{"method":"dance"}', "Unsupported event"),
        (
            '{"method":"ping","params":{}}',
            "Unsupported field: 'params' for the given msg type: ping",
        ),
        ('{"method":"ping","req_id":"7"}', "Req_id field must be a number_integer"),
        (
            '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"colour":1}}',
            "Unsupported field: 'colour' for the given msg type: subscribe",
        ),
        (
            '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":50}}',
            "Subscription depth not supported",
        ),
        (
            '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":"10"}}',
            "Depth field must be a number_integer",
        ),
        (
            '{"method":"subscribe","params":{"channel":"ohlc","symbol":["BTC/USD"],"interval":7}}',
            "Subscription ohlc interval not supported",
        ),
        ('{"method":"subscribe","params":{"channel":"weather"}}', "Subscription name invalid"),
    ],
)
def test_a_wrong_request_is_refused_in_kraken_s_words(text: str, error: str) -> None:
    session = public()
    session.receive(text)
    frame = parts.decoded(session)[0]
    assert frame["error"] == error
    assert frame["success"] is False


def test_pong_is_bare() -> None:
    session = public()
    session.receive('{"method":"ping","req_id":3}')
    pong = parts.decoded(session)[0]
    assert set(pong) == {"method", "req_id", "time_in", "time_out"}
    assert pong["method"] == "pong"


def test_unsubscribing_what_is_not_subscribed_answers_as_subscribe() -> None:
    session = public()
    frame = parts.ask(session, "unsubscribe", 4, channel="ticker", symbol=["BTC/USD"])[0]
    assert (frame["method"], frame["error"]) == ("subscribe", "Subscription Not Found")
    assert (frame["symbol"], frame["req_id"]) == ("BTC/USD", 4)


def test_subscribing_twice_is_refused_and_after_unsubscribing_allowed() -> None:
    session = public()
    channel: dict[str, Any] = {"channel": "trade", "symbol": ["BTC/USD"], "snapshot": False}
    assert parts.ask(session, "subscribe", **channel)[0]["success"]
    assert parts.ask(session, "subscribe", **channel)[0]["error"] == "Already subscribed"
    gone = parts.ask(session, "unsubscribe", channel="trade", symbol=["BTC/USD"])[0]
    assert gone["result"] == {"channel": "trade", "symbol": "BTC/USD"}
    assert parts.ask(session, "subscribe", **channel)[0]["success"]


def test_private_channels_are_refused_on_the_public_address_and_the_other_way_round() -> None:
    there = parts.exchange()
    refused = parts.ask(there.open_session(private=False), "subscribe", channel="executions")[0]
    assert "authenticated" in refused["error"]
    refused = parts.ask(
        there.open_session(private=True), "subscribe", channel="ticker", symbol=["BTC/USD"]
    )[0]
    assert "public" in refused["error"]


def test_heartbeats_come_each_second_after_the_first_subscription_and_not_before() -> None:
    session = public()
    for tenth in range(50):
        session.beat(tenth / 10)
    assert session.outgoing() == []
    parts.ask(session, "subscribe", channel="ticker", symbol=["BTC/USD"])
    for tenth in range(50, 101):
        session.beat(tenth / 10)
    assert session.outgoing() == ['{"channel":"heartbeat"}'] * 5


def test_a_silent_connection_without_subscription_is_idle_after_a_minute() -> None:
    session = public()
    session.beat(0.0)
    assert not session.idle(59.0)
    assert session.idle(61.0)
    session.receive('{"method":"ping"}')
    session.beat(61.0)
    assert not session.idle(100.0)


class BookReader:
    """A client that keeps a book by the rules of protocol section 4.2."""

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.sides: dict[str, dict[Decimal, Decimal]] = {"bids": {}, "asks": {}}
        self.messages = 0

    def take(self, frame: dict[str, Any]) -> None:
        row = frame["data"][0]
        if frame["type"] == "snapshot":
            self.sides = {"bids": {}, "asks": {}}
        for name, book in self.sides.items():
            for level in row[name]:
                book.pop(level["price"], None)
                if level["qty"]:
                    book[level["price"]] = level["qty"]
            best = sorted(book.items(), reverse=name == "bids")[: self.depth]
            self.sides[name] = dict(best)
        asks, bids = list(self.sides["asks"].items()), list(self.sides["bids"].items())
        assert not asks or not bids or bids[0][0] < asks[0][0]
        text = "".join(
            f"{price}".replace(".", "").lstrip("0") + f"{qty:f}".replace(".", "").lstrip("0")
            for price, qty in asks[:10] + bids[:10]
        )
        assert zlib.crc32(text.encode()) == row["checksum"], self.messages
        self.messages += 1


@pytest.mark.parametrize("depth", [10, 25, 100, 1000])
def test_a_client_that_follows_the_rules_has_every_checksum_right(depth: int) -> None:
    there = parts.exchange()
    watcher, trader = there.open_session(private=False), there.open_session(private=True)
    token = there.keys.issue_token()
    reader = BookReader(depth)
    pairs = ["BTC/USD"]
    for frame in parts.ask(watcher, "subscribe", channel="book", symbol=pairs, depth=depth):
        if frame.get("channel") == "book":
            reader.take(frame)
    for second in range(120 if depth < 1000 else 20):
        parts.step(there)
        if second % 7 == 0:
            last = there.market("BTC/USD").bid / 10
            trader.receive(
                json.dumps(
                    {
                        "method": "add_order",
                        "params": {
                            "order_type": "limit",
                            "side": "buy",
                            "symbol": "BTC/USD",
                            "order_qty": 0.0005,
                            "limit_price": round(last + (second % 3) - 1, 1),
                            "token": token,
                        },
                    }
                )
            )
        for frame in parts.decoded(watcher):
            if frame.get("channel") == "book":
                reader.take(frame)
    assert reader.messages > (100 if depth < 1000 else 20)
    assert there.truth()["trades"]


def test_what_left_the_window_is_not_deleted_and_what_moved_in_is_sent() -> None:
    there = parts.exchange()
    session = there.open_session(private=False)
    frames = parts.ask(session, "subscribe", channel="book", symbol=["BTC/USD"], depth=10)
    seen = {level["price"] for level in frames[-1]["data"][0]["bids"]}
    deleted = 0
    for _ in range(60):
        parts.step(there)
        for frame in parts.decoded(session):
            if frame.get("channel") != "book":
                continue
            row = frame["data"][0]
            worst = min(seen)
            for level in row["bids"]:
                if level["qty"] == 0:
                    deleted += 1
                    assert level["price"] in seen
            changed = {level["price"] for level in row["bids"] if level["qty"]}
            gone = {level["price"] for level in row["bids"] if not level["qty"]}
            seen = set(sorted((seen - gone) | changed, reverse=True)[:10])
            assert len(seen) == 10
            assert worst <= max(seen)
    assert deleted > 10


def test_ticker_by_trades_is_silent_without_trades_and_by_bbo_never_stale() -> None:
    there = parts.exchange()
    slow, quick = there.open_session(private=False), there.open_session(private=False)
    for session, trigger in ((slow, "trades"), (quick, "bbo")):
        parts.ask(session, "subscribe", channel="ticker", symbol=["DOT/USD"], event_trigger=trigger)
    counts = {"trades": 0, "bbo": 0}
    for _ in range(100):
        parts.step(there)
        counts["trades"] += len(slow.outgoing())
        counts["bbo"] += len(quick.outgoing())
    assert counts["bbo"] == 100
    assert 0 < counts["trades"] < 80


def test_candles_of_the_history_come_oldest_first_and_updates_carry_the_running_one() -> None:
    there = parts.exchange()
    session = there.open_session(private=False)
    ack, snapshot = parts.ask(session, "subscribe", channel="ohlc", symbol=["BTC/USD"], interval=1)
    assert ack["result"]["warnings"] == ["timestamp is deprecated, use interval_begin"]
    begins = [row["interval_begin"] for row in snapshot["data"]]
    assert len(begins) == 720
    assert begins == sorted(begins)
    parts.step(there, 70)
    updates = [frame for frame in parts.decoded(session) if frame["channel"] == "ohlc"]
    assert {row["interval_begin"] for frame in updates for row in frame["data"]} == {
        "2026-03-02T10:00:00.000000000Z",
        "2026-03-02T10:01:00.000000000Z",
    }
    assert all(frame["type"] == "update" for frame in updates)


def test_trades_count_by_one_and_the_snapshot_holds_fifty() -> None:
    there = parts.exchange()
    session = there.open_session(private=False)
    _, snapshot = parts.ask(
        session, "subscribe", channel="trade", symbol=["BTC/USD"], snapshot=True
    )
    ids = [row["trade_id"] for row in snapshot["data"]]
    assert len(ids) == 50
    parts.step(there, 60)
    for frame in parts.decoded(session):
        ids += [row["trade_id"] for row in frame["data"]]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert len(ids) > 60


def test_instrument_data_is_an_object_with_assets_and_pairs() -> None:
    session = public()
    ack, snapshot = parts.ask(session, "subscribe", channel="instrument")
    assert ack["result"]["warnings"]
    pair = next(row for row in snapshot["data"]["pairs"] if row["symbol"] == "BTC/USD")
    assert (pair["price_precision"], pair["qty_precision"]) == (1, 8)
    assert pair["qty_min"] == Decimal("0.00005000")
    assert {row["id"] for row in snapshot["data"]["assets"]} >= {"BTC", "USD"}
