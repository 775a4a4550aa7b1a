"""20,000 broken frames and any bytes: no crash, no state from a bad frame, each counted."""

import json
from typing import Any
from zlib import crc32

import msgspec
import pytest
from frame_storm import storm
from hypothesis import given
from hypothesis import strategies as st
from kraken_parts import (
    AT,
    BALANCES_SNAPSHOT,
    EXECUTIONS_SNAPSHOT,
    FILLED,
    HEARTBEAT,
    NEW,
    PENDING_NEW,
    STATUS,
    TICKER,
    TRADE,
    ack,
    book,
    executions,
    symbols,
)

from simple_trader.adapters.kraken.frame_counts import FrameCounts
from simple_trader.adapters.kraken.order_books import Throttle
from simple_trader.adapters.kraken.parse import KnownOrders
from simple_trader.adapters.kraken.private_session import PrivateSession
from simple_trader.adapters.kraken.public_session import PublicPlan, PublicSession
from simple_trader.adapters.kraken.session import Session, Timing
from simple_trader.domain.events import Event, Stamped

COUNT = 10_000  # on each of two connections
PLAN = PublicPlan(pairs=("BTC/USD",), trades=True, book_depth=10, candle_minutes=(1, 5))
BIDS = [("100.0", "3.00000000"), ("99.0", "1.00000000")]
ASKS = [("102.0", "1.00000000")]
CRC = crc32(b"1020100000000" + b"1000300000000" + b"990100000000")
SNAPSHOT = book("snapshot", BIDS, ASKS, CRC)
UPDATE = book("update", [("99.0", "2.00000000")], [], crc32(
    b"1020100000000" + b"1000300000000" + b"990200000000"
))  # fmt: skip
TRADES = (
    '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":68500.0,'
    '"qty":0.01044926,"ord_type":"limit","trade_id":70635299,'
    '"timestamp":"2026-03-02T10:00:02.798009Z"}]}'
)
CANDLE = (
    '{"channel":"ohlc","type":"update","timestamp":"2026-03-02T10:02:30.524394914Z","data":[{'
    '"symbol":"BTC/USD","open":3027.80,"high":3027.80,"low":3026.13,"close":3026.13,"trades":9,'
    '"volume":13.31603062,"vwap":3027.01,"interval_begin":"2026-03-02T10:02:00.000000000Z",'
    '"interval":1,"timestamp":"2026-03-02T10:03:00.000000Z"}]}'
)
INSTRUMENT = (
    '{"channel":"instrument","type":"update","data":{"assets":[],"pairs":[{"symbol":"BTC/USD",'
    '"base":"BTC","quote":"USD","status":"online","qty_precision":8,"qty_increment":1e-08,'
    '"price_precision":1,"cost_precision":5,"cost_min":"0.5","price_increment":0.1,'
    '"qty_min":5e-05}]}}'
)
LEDGER = (
    '{"channel":"balances","type":"update","data":[{"ledger_id":"LA5","ref_id":"TGB",'
    '"timestamp":"2026-03-02T10:05:19.833400Z","type":"trade","asset":"USD","amount":132.9995,'
    '"fee":0.5320,"balance":80727.9618}],"sequence":2}'
)
PONG = (
    '{"method":"pong","req_id":3,"time_in":"2026-03-02T10:00:01.000100Z",'
    '"time_out":"2026-03-02T10:00:01.000120Z"}'
)
PUBLIC_SHAPES = [
    STATUS, HEARTBEAT, TICKER, SNAPSHOT, UPDATE, TRADES, CANDLE, INSTRUMENT, PONG,
    ack("book", 4, "BTC/USD"),
]  # fmt: skip
PRIVATE_SHAPES = [
    STATUS, HEARTBEAT, PONG, EXECUTIONS_SNAPSHOT, BALANCES_SNAPSHOT, LEDGER,
    executions(2, PENDING_NEW), executions(3, NEW), executions(4, TRADE), executions(5, FILLED),
    executions(2, PENDING_NEW, NEW, TRADE, FILLED), ack("executions", 1), UPDATE, TICKER,
]  # fmt: skip


def acked(session: Session) -> None:
    for text in session.take_outgoing(1e6):
        message = json.loads(text)
        for symbol in message["params"].get("symbol", [None]):
            session.receive(ack(message["params"]["channel"], message["req_id"], symbol), 0.1)


def public(counts: FrameCounts) -> PublicSession:
    made = PublicSession(
        Timing(),
        0.0,
        plan=PLAN,
        symbols=symbols(),
        market_now=lambda: AT,
        throttle=Throttle(1.0),
        counts=counts,
        clock=lambda: AT,
    )
    acked(made)
    for frame in (STATUS, SNAPSHOT, TICKER, INSTRUMENT):
        made.receive(frame, 0.1)
    made.take_events()
    return made


def private(counts: FrameCounts) -> PrivateSession:
    made = PrivateSession(
        Timing(),
        0.0,
        token="TOK",
        known=KnownOrders(),
        symbols=symbols(),
        counts=counts,
        clock=lambda: AT,
    )
    acked(made)
    for frame in (STATUS, EXECUTIONS_SNAPSHOT, BALANCES_SNAPSHOT):
        made.receive(frame, 0.1)
    made.take_events()
    return made


def public_state(made: PublicSession) -> dict[str, Any]:
    """All that a frame could change, books apart."""
    return {
        "up": set(made.up),
        "active": set(made._active),
        "refused": made.refused,
        "rules": dict(made._rules),
        "tape": dict(made._tape._newest),
        "id": made.connection_id,
        "plan": made.plan,
    }


def private_state(made: PrivateSession) -> dict[str, Any]:
    """All that a frame could change, a resubscription apart."""
    return {
        "known": dict(made._known._orders),
        "refused": made.refused,
        "id": made.connection_id,
        "limit": made.max_rate_count,
    }


def check_events(events: list[Event]) -> None:
    """The journal must be able to keep whatever comes out, and to read it again."""
    for number, event in enumerate(events):
        stamped = Stamped(number, AT, event)
        assert msgspec.json.decode(msgspec.json.encode(stamped), type=Stamped) == stamped


def test_a_storm_on_the_public_connection_changes_nothing_and_is_counted() -> None:
    counts = FrameCounts()
    made = public(counts)
    bad = 0
    for frame in storm(PUBLIC_SHAPES, COUNT, seed=1):
        before, counted = public_state(made), counts.bad_frames
        levels = {pair: (b.levels("bids"), b.levels("asks")) for pair, b in made.books.items()}
        made.receive(frame, 0.2)
        events = made.take_events()
        check_events(events)
        if counts.bad_frames > counted:
            bad += 1
            after = public_state(made)
            # Broken metadata refuses its pair, the rest of such a frame is good and stays.
            if b'"instrument"' in frame:
                after["rules"] = before["rules"]
            assert after == before, frame
            for pair, held in made.books.items():
                now = (held.levels("bids"), held.levels("asks"))
                assert now == levels[pair] or (now == ([], []) and not held.trusted), frame
        if made.ended is not None or not made.books["BTC/USD"].trusted or made.refused:
            made = public(counts)
    assert bad > COUNT / 2
    assert sum(counts.counts().values()) >= bad
    assert {"public.not_json", "public.not_text", "public.wrong_shape", "public.wrong_value",
            "public.unknown_channel", "public.checksum", "public.wrong_level"} <= set(
        counts.counts()
    )  # fmt: skip


def test_a_storm_on_the_private_connection_changes_nothing_and_is_counted() -> None:
    counts = FrameCounts()
    made = private(counts)
    bad = 0
    for frame in storm(PRIVATE_SHAPES, COUNT, seed=2):
        before, counted = private_state(made), dict(counts.counts())
        made.receive(frame, 0.2)
        events = made.take_events()
        check_events(events)
        wrong = {
            name: number - counted.get(name, 0)
            for name, number in counts.counts().items()
            if not name.endswith(("gap", "unknown_word", "unasked_reply", "unknown_stamp"))
        }
        if any(wrong.values()):
            bad += 1
            assert private_state(made) == before, frame
            assert not [e for e in events if type(e).__name__ not in {"FeedDown", "VenueWarned"}]
        if made.ended is not None or not made.up:
            made = private(counts)
    assert bad > COUNT / 2
    assert {"private.not_json", "private.wrong_shape", "private.wrong_value", "private.gap"} <= set(
        counts.counts()
    )


@pytest.mark.parametrize("make", [public, private])
@given(frames=st.lists(st.binary(max_size=200), max_size=5))
def test_any_bytes_are_survived_and_counted(make: Any, frames: list[bytes]) -> None:
    counts = FrameCounts()
    made = make(counts)
    before = counts.bad_frames
    for frame in frames:
        made.receive(frame, 0.2)
    assert counts.bad_frames == before + len(frames)
    assert made.ended is None
    assert made.take_events() == []


@given(
    channel=st.sampled_from(["book", "ticker", "trade", "ohlc", "instrument", "status", "x"]),
    data=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    ),
)
def test_any_json_in_a_channel_is_survived(channel: str, data: object) -> None:
    made = public(FrameCounts())
    made.receive(json.dumps({"channel": channel, "type": "update", "data": data}), 0.2)
    check_events(made.take_events())
