"""The private session: the token, sequences, gaps, and replies that find their request."""

import json
import logging
from typing import Any

import pytest
from kraken_parts import (
    BALANCES_SNAPSHOT,
    EXECUTIONS_SNAPSHOT,
    FILLED,
    NEW,
    PENDING_NEW,
    STATUS,
    TRADE,
    ack,
    executions,
    refusal,
    symbols,
)

from simple_trader.adapters.kraken.parse import KnownOrders
from simple_trader.adapters.kraken.private_session import PrivateSession
from simple_trader.adapters.kraken.session import Timing
from simple_trader.domain.events import (
    BalancesSeen,
    Event,
    ExecutionReport,
    FeedDown,
    FeedUp,
    LedgerSeen,
)

TOKEN = "the-token-nobody-may-see"
LEDGER = (
    '{"channel":"balances","type":"update","data":[{"ledger_id":"LA5","ref_id":"TGB",'
    '"timestamp":"2026-03-02T10:05:19.833400Z","type":"trade","asset":"USD","amount":132.9995,'
    '"fee":0.5320,"balance":80727.9618}],"sequence":%d}'
)


def session() -> PrivateSession:
    return PrivateSession(Timing(), 0.0, token=TOKEN, known=KnownOrders(), symbols=symbols())


def sent(made: PrivateSession) -> list[dict[str, Any]]:
    return [json.loads(text) for text in made.take_outgoing()]


def feed(made: PrivateSession, *frames: str) -> list[Event]:
    for frame in frames:
        made.receive(frame, 0.1)
    return made.take_events()


def up() -> PrivateSession:
    made = session()
    for message in sent(made):
        made.receive(ack(message["params"]["channel"], message["req_id"]), 0.1)
    feed(made, STATUS, EXECUTIONS_SNAPSHOT, BALANCES_SNAPSHOT)
    return made


def test_both_channels_are_asked_for_with_the_token_and_every_snapshot() -> None:
    first, second = sent(session())
    assert first["params"] == {
        "channel": "executions",
        "snap_orders": True,
        "snap_trades": True,
        "order_status": True,
        "ratecounter": True,
        "token": TOKEN,
    }
    assert second["params"] == {"channel": "balances", "snapshot": True, "token": TOKEN}


def test_the_feed_is_up_when_both_snapshots_are_in() -> None:
    made = session()
    assert feed(made, EXECUTIONS_SNAPSHOT) == []
    events = feed(made, BALANCES_SNAPSHOT)
    assert [type(event) for event in events] == [BalancesSeen, FeedUp]
    assert made.up


def test_snapshot_entries_are_reported_as_such_before_the_feed_is_up() -> None:
    made = session()
    snap = executions(1, PENDING_NEW.replace('"exec_type":"pending_new"', '"exec_type":"new"'))
    events = feed(made, BALANCES_SNAPSHOT, snap.replace('"update"', '"snapshot"'))
    assert [type(event) for event in events] == [BalancesSeen, ExecutionReport, FeedUp]
    report = events[1]
    assert isinstance(report, ExecutionReport)
    assert report.snapshot


def test_an_order_is_followed_from_pending_to_filled() -> None:
    made = up()
    events = feed(
        made, executions(2, PENDING_NEW, NEW), executions(3, TRADE), executions(4, FILLED)
    )
    assert [event.exec_type for event in events if isinstance(event, ExecutionReport)] == [
        "pending_new",
        "new",
        "trade",
        "filled",
    ]
    assert {event.pair for event in events if isinstance(event, ExecutionReport)} == {"BTC/USD"}


def test_orders_and_trades_may_come_as_two_snapshots() -> None:
    made = session()
    second = executions(2, TRADE).replace('"update"', '"snapshot"')
    events = feed(made, EXECUTIONS_SNAPSHOT, second, BALANCES_SNAPSHOT, executions(3, FILLED))
    assert not [event for event in events if isinstance(event, FeedDown)]


@pytest.mark.parametrize("sequence", [1, 4, 99])
def test_x07_a_hole_or_a_step_back_takes_the_feed_down_until_a_new_snapshot(sequence: int) -> None:
    made = up()
    feed(made, executions(2, PENDING_NEW))
    events = feed(made, executions(sequence, TRADE))
    assert [type(event) for event in events] == [
        FeedDown,
        ExecutionReport,
    ]  # nothing is thrown away
    assert [(m["method"], m["params"]["channel"]) for m in sent(made)] == [
        ("unsubscribe", "executions"),
        ("subscribe", "executions"),
    ]
    assert [type(event) for event in feed(made, EXECUTIONS_SNAPSHOT)] == [FeedUp]


def test_a_hole_in_balances_counts_too() -> None:
    made = up()
    assert [type(e) for e in feed(made, LEDGER % 2)] == [LedgerSeen]
    assert [type(e) for e in feed(made, LEDGER % 4)] == [FeedDown, LedgerSeen]


def test_a_fill_that_cannot_be_read_is_a_gap_not_a_silence() -> None:
    made = up()
    broken = TRADE.replace('"last_price":26599.9', '"last_price":"NaN"')
    events = feed(made, executions(2, NEW, broken))
    assert [type(event) for event in events] == [FeedDown]  # all of it comes again, or nothing
    asked = [(m["method"], m["params"]["channel"]) for m in sent(made)]
    assert asked == [("unsubscribe", "executions"), ("subscribe", "executions")]


def test_a_message_that_cannot_be_read_is_a_gap() -> None:
    made = up()
    events = feed(made, executions(2, NEW).replace('"sequence":2', '"sequence":"two"'))
    assert [type(event) for event in events] == [FeedDown]


def test_too_many_gaps_end_the_connection() -> None:
    made = up()
    for _ in range(5):
        feed(made, executions(77, NEW), EXECUTIONS_SNAPSHOT)
    assert made.ended == "too many gaps in executions"


def test_x05_a_burst_of_repeats_costs_one_resubscription_and_not_the_connection() -> None:
    made = up()
    again = [executions(sequence, NEW) for sequence in (2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5)]
    feed(made, *again)
    assert made.ended is None
    asked = [(m["method"], m["params"]["channel"]) for m in sent(made)]
    assert asked == [("unsubscribe", "executions"), ("subscribe", "executions")]
    assert made.counts.counts() == {"private.gap": 7}
    assert [type(event) for event in feed(made, EXECUTIONS_SNAPSHOT)] == [FeedUp]


def test_a_refused_token_ends_the_connection_and_is_not_fatal() -> None:
    made = session()
    made.receive(refusal(sent(made)[0]["req_id"], "Token(s) not found"), 0.1)
    assert made.ended is not None
    assert not made.fatal


@pytest.mark.parametrize("error", ["Token(s) not found", "ESession:Invalid session"])
def test_x21_a_token_that_an_order_proves_unknown_ends_the_connection(error: str) -> None:
    made = up()
    req_id, _text = made.cancel("st7-1", None)
    made.receive(refusal(req_id, error, method="cancel_order"), 0.2)
    assert [reply.error for _, _, reply in made.take_replies()] == [error]
    assert made.ended is not None
    assert TOKEN not in made.ended
    assert not made.fatal


def test_a_refused_permission_is_fatal() -> None:
    made = session()
    made.receive(refusal(sent(made)[0]["req_id"], "EGeneral:Permission denied"), 0.1)
    assert made.fatal


def test_the_tier_is_learned_from_the_answer() -> None:
    made = session()
    req_id = sent(made)[0]["req_id"]
    answer = (
        '{"method":"subscribe","req_id":%d,"result":{"channel":"executions","maxratecount":125,'
        '"snap_orders":true,"warnings":["x"]},"success":true}'
    )
    made.receive(answer % req_id, 0.1)
    assert made.max_rate_count == 125


def test_replies_come_out_with_the_request_they_answer() -> None:
    made = up()
    first, frame = made.order(b'{"order_qty":1.0}', "st7-1")
    second, _ = made.cancel("st7-1", "O1")
    third, _ = made.cancel_all()
    assert json.loads(frame)["params"] == {"order_qty": 1.0, "token": TOKEN}
    feed(
        made,
        f'{{"method":"cancel_all","req_id":{third},"result":{{"count":2}},"success":true}}',
        refusal(second, "EOrder:Unknown order", method="cancel_order"),
        f'{{"method":"add_order","req_id":{first},"result":{{"order_id":"O1"}},"success":true}}',
    )
    replies = made.take_replies()
    assert [(req_id, command.method) for req_id, command, _ in replies] == [
        (third, "cancel_all"),
        (second, "cancel_order"),
        (first, "add_order"),
    ]
    assert made.take_replies() == []


def test_a_reply_to_nothing_is_no_reply() -> None:
    made = up()
    feed(made, '{"method":"add_order","req_id":9999,"result":{"order_id":"O1"},"success":true}')
    assert made.take_replies() == []


def test_the_token_stands_in_no_log_and_no_event(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = up()
    made.order(b"{}", "st7-1")
    events = feed(made, "garbage", executions(9, TRADE), refusal(1, "Token(s) not found"))
    assert TOKEN not in caplog.text + repr(events) + repr(made.ended)


def test_n15_a_snapshot_that_never_comes_ends_the_connection() -> None:
    # Heartbeats go on, so nothing else would notice: no order could be sent for ever.
    made = session()
    for message in sent(made):
        made.receive(ack(message["params"]["channel"], message["req_id"]), 0.1)
    made.receive(EXECUTIONS_SNAPSHOT, 0.1)
    for second in range(1, 16):
        made.receive('{"channel":"heartbeat"}', float(second))
        made.tick(float(second))
    assert made.ended is None
    made.receive('{"channel":"heartbeat"}', 16.0)
    made.tick(16.0)
    assert made.ended == "no snapshot of balances"


def test_n15_the_snapshot_after_a_gap_must_come_too() -> None:
    made = up()
    feed(made, executions(9, NEW))
    for message in sent(made):
        if message["method"] == "subscribe":
            made.receive(ack("executions", message["req_id"]), 0.2)
    for second in range(1, 17):
        made.receive('{"channel":"heartbeat"}', float(second))
        made.tick(float(second))
    assert made.ended == "no snapshot of executions"


def test_a_feed_that_is_up_is_not_ended_for_want_of_snapshots() -> None:
    made = up()
    for second in range(1, 60):
        made.receive('{"channel":"heartbeat"}', float(second))
        made.tick(float(second))
    assert made.ended is None


def counted(field: str, value: object) -> str:
    """An execution that tells the counter."""
    return json.dumps({**json.loads(PENDING_NEW), field: value})


@pytest.mark.parametrize("field", ["ratecounter", "ratecount", "rate_counter", "rate_count"])
def test_the_trading_counter_is_read_under_any_of_its_names(field: str) -> None:
    made = up()
    feed(made, executions(2, counted(field, 12.5)))
    assert made.take_rate_counts() == [("BTC/USD", 12.5)]
    assert made.take_rate_counts() == []


@pytest.mark.parametrize("value", ["many", None, -1, 1e300, [1], {"a": 1}])
def test_a_counter_that_is_no_count_is_left_out_and_the_report_stays(value: object) -> None:
    made = up()
    found = feed(made, executions(2, counted("ratecounter", value)))
    assert made.take_rate_counts() == []
    assert len(found) == 1
