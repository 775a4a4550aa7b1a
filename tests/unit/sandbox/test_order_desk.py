"""The private side of a session: orders, executions, balances."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sandbox_parts as parts

from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.session import Session


def desk(**options: Any) -> tuple[Exchange, Session, str]:
    there = parts.exchange(**options)
    session = there.open_session(private=True)
    return there, session, there.keys.issue_token()


LIMIT = {"order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.001}


def test_nothing_private_works_without_a_token_and_each_has_fifteen_minutes() -> None:
    wall = parts.Wall()
    there = parts.exchange(wall)
    session = there.open_session(private=True)
    for params in ({}, {"token": "stranger"}):
        frame = parts.ask(session, "subscribe", channel="executions", **params)[0]
        assert frame["error"] == "Token(s) not found"
    old, used = there.keys.issue_token(), there.keys.issue_token()
    assert parts.ask(session, "subscribe", channel="balances", token=used)[0]["success"]
    wall.pass_seconds(901)
    assert parts.ask(session, "cancel_all", token=old)[0]["error"] == "Token(s) not found"
    assert parts.ask(session, "cancel_all", token=used)[0]["success"]
    other = there.open_session(private=True)
    assert parts.ask(other, "cancel_all", token=used)[0]["error"] == "Token(s) not found"


def test_a_marketable_order_is_pending_new_new_trade_filled_without_symbol() -> None:
    _, session, token = desk()
    parts.ask(session, "subscribe", channel="executions", token=token)
    order = {**LIMIT, "order_type": "market", "cl_ord_id": "bot-1", "token": token}
    frames = parts.ask(session, "add_order", 9, **order)
    assert frames[0]["result"].keys() == {"cl_ord_id", "order_id"}
    events = [frame["data"][0] for frame in frames[1:]]
    assert [event["exec_type"] for event in events] == ["pending_new", "new", "trade", "filled"]
    assert [frame["sequence"] for frame in frames[1:]] == [2, 3, 4, 5]
    assert events[0]["symbol"] == events[2]["symbol"] == "BTC/USD"
    assert "symbol" not in events[1]
    assert "symbol" not in events[3]
    assert events[2]["order_status"] == "partially_filled"
    assert events[2]["cum_qty"] == Decimal("0.00100000")
    assert events[2]["fees"][0]["asset"] == "USD"
    assert all(event["cl_ord_id"] == "bot-1" and "order_userref" not in event for event in events)


def test_balances_tell_one_entry_each_way_that_add_up() -> None:
    there, session, token = desk()
    _, snapshot = parts.ask(session, "subscribe", channel="balances", token=token)
    assert snapshot["sequence"] == 1
    assert snapshot["data"][0]["balance"] == Decimal("1000.0000")
    order = {**LIMIT, "order_type": "market", "token": token}
    frames = parts.ask(session, "add_order", 9, **order)[1:]
    rows = [frame["data"][0] for frame in frames]
    assert [(row["asset"], frame["sequence"]) for row, frame in zip(rows, frames, strict=True)] == [
        ("BTC", 2),
        ("USD", 3),
    ]
    assert rows[0]["ref_id"] == rows[1]["ref_id"] == there.truth()["trades"][0]["exec_id"]
    assert rows[1]["balance"] == Decimal(1000) + rows[1]["amount"] - rows[1]["fee"]


def test_one_response_for_each_cancelled_id() -> None:
    _, session, token = desk()
    parts.ask(session, "subscribe", channel="executions", token=token)
    order = {**LIMIT, "limit_price": 50000.0, "cl_ord_id": "bot-1", "token": token}
    parts.ask(session, "add_order", 1, **order)
    frames = parts.ask(session, "cancel_order", 34, cl_ord_id=["bot-1", "bot-2"], token=token)
    answers = [frame for frame in frames if frame.get("method") == "cancel_order"]
    assert answers[0]["result"] == {"cl_ord_id": "bot-1"}
    assert answers[1]["error"] == "EOrder:Unknown order"
    assert [answer["req_id"] for answer in answers] == [34, 34]
    events = [frame["data"][0] for frame in frames if frame.get("channel") == "executions"]
    assert events[0]["reason"] == "User requested"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"price": 5}, "Unsupported field: 'price' for the given msg type: add order"),
        ({"limit_price": "28440"}, "Limit_price field must be a number_float"),
        ({"order_qty": True}, "Order_qty field must be a number_float"),
        ({"side": "hold"}, "EGeneral:Invalid arguments:side"),
        ({"time_in_force": "GTC"}, "EGeneral:Invalid arguments:time_in_force"),
        ({"order_type": "stop-loss"}, "EGeneral:Invalid arguments:ordertype"),
        ({"deadline": "tomorrow"}, "EGeneral:Invalid arguments:deadline"),
        ({"deadline": "2026-03-02T09:59:59Z"}, "EService:Deadline elapsed"),
        ({"symbol": "XBT/USD"}, "Currency pair not supported XBT/USD"),
        ({"limit_price": 50000.05}, "EOrder:Tick size check failed"),
        ({"order_qty": 0.00004}, "EGeneral:Invalid arguments:volume minimum not met"),
        ({"order_qty": 9}, "EOrder:Insufficient funds"),
        ({"limit_price": 90000.0, "post_only": True}, "EOrder:Post only order"),
    ],
)
def test_an_order_is_refused_in_kraken_s_words(changes: dict[str, Any], error: str) -> None:
    there, session, token = desk()
    order = {**LIMIT, "limit_price": 50000.0, "token": token, **changes}
    frame = parts.ask(session, "add_order", 5, **order)[0]
    assert (frame["error"], frame["success"], frame["req_id"]) == (error, False, 5)
    assert there.truth()["orders"] == []


def test_numbers_are_taken_digit_by_digit() -> None:
    there, session, token = desk()
    session.receive(
        '{"method":"add_order","params":{"order_type":"limit","side":"buy","symbol":"BTC/USD",'
        f'"order_qty":0.00123457,"limit_price":50000,"token":{json.dumps(token)}}}}}'
    )
    assert there.truth()["orders"][0]["qty"] == "0.00123457"


def test_every_connection_hears_of_an_order_and_the_snapshot_shows_it_later() -> None:
    there, session, token = desk()
    other = there.open_session(private=True)
    parts.ask(other, "subscribe", channel="executions", token=there.keys.issue_token())
    order = {**LIMIT, "limit_price": 50000.0, "order_userref": 77, "token": token}
    order_id = parts.ask(session, "add_order", 1, **order)[0]["result"]["order_id"]
    assert [frame["data"][0]["exec_type"] for frame in parts.decoded(other)] == [
        "pending_new",
        "new",
    ]
    late = there.open_session(private=True)
    fresh = there.keys.issue_token()
    _, snapshot = parts.ask(
        late, "subscribe", channel="executions", token=fresh, ratecounter=True, snap_trades=True
    )
    row = snapshot["data"][0]
    assert (row["order_id"], row["order_status"], row["order_userref"]) == (order_id, "new", 77)
    assert row["limit_price"] == Decimal("50000.0")


def test_userref_zero_names_no_order_least_of_all_those_without_one() -> None:
    there, session, token = desk()
    order = {**LIMIT, "limit_price": 50000.0, "token": token}
    order_id = parts.ask(session, "add_order", 1, **order)[0]["result"]["order_id"]
    (answer,) = parts.ask(session, "cancel_order", 2, order_userref=[0], token=token)
    assert answer["error"] == "EOrder:Unknown order"
    (row,) = there.truth()["orders"]
    assert (row["order_id"], row["status"]) == (order_id, "new")


def test_an_amend_answers_with_the_name_that_was_used() -> None:
    _, session, token = desk()
    parts.ask(session, "subscribe", channel="executions", token=token)
    order = {**LIMIT, "limit_price": 50000.0, "cl_ord_id": "bot-1", "token": token}
    parts.ask(session, "add_order", 1, **order)
    frames = parts.ask(
        session, "amend_order", 2, cl_ord_id="bot-1", limit_price=51000.0, token=token
    )
    assert frames[0]["result"]["cl_ord_id"] == "bot-1"
    assert frames[0]["result"]["amend_id"].startswith("T")
    event = frames[1]["data"][0]
    assert (event["exec_type"], event["amended"]) == ("amended", True)


def test_a_gtd_order_expires_between_two_market_steps() -> None:
    there, session, token = desk()
    parts.ask(session, "subscribe", channel="executions", token=token)
    end = there.now + timedelta(seconds=2, milliseconds=500)
    order = {
        **LIMIT,
        "limit_price": 50000.0,
        "time_in_force": "gtd",
        "expire_time": end.isoformat(),
        "token": token,
    }
    parts.ask(session, "add_order", 1, **order)
    parts.step(there, 2)
    assert there.next_at == end
    parts.step(there)
    event = parts.decoded(session)[-1]["data"][0]
    assert event["exec_type"] == "expired"
    assert event["timestamp"].startswith("2026-03-02T10:00:02.5")


def test_the_dead_man_s_switch_fires_once_by_real_time() -> None:
    wall = parts.Wall()
    there = parts.exchange(wall)
    session = there.open_session(private=True)
    token = there.keys.issue_token()
    parts.ask(session, "add_order", 1, **LIMIT, limit_price=50000.0, token=token)
    armed = parts.ask(session, "cancel_all_orders_after", 2, timeout=60, token=token)[0]["result"]
    assert armed == {"currentTime": "2026-03-02T10:00:00Z", "triggerTime": "2026-03-02T10:01:00Z"}
    wall.pass_seconds(59)
    there.beat(59.0)
    assert there.venue.open
    wall.pass_seconds(2)
    there.beat(61.0)
    assert not there.venue.open
    parts.ask(session, "add_order", 3, **LIMIT, limit_price=50000.0, token=token)
    there.beat(200.0)
    assert there.venue.open


def test_mixed_replies_let_events_overtake_some_responses_and_not_others() -> None:
    _, session, token = desk(mixed_replies=True)
    parts.ask(session, "subscribe", channel="executions", token=token)
    firsts = set()
    for number in range(12):
        order = {**LIMIT, "limit_price": 50000.0 + number, "token": token}
        frames = parts.ask(session, "add_order", number, **order)
        assert len(frames) == 3
        firsts.add(frames[0].get("method"))
    assert firsts == {"add_order", None}
