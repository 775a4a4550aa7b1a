"""batch_add, batch_cancel, edit_order and the trading counter over the socket."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sandbox_parts as parts

from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.session import Session

ONE = {"order_type": "limit", "side": "buy", "order_qty": 0.001, "limit_price": 50000.0}


def desk(**options: Any) -> tuple[Exchange, Session, str]:
    there = parts.exchange(**options)
    session = there.open_session(private=True)
    return there, session, there.keys.issue_token()


def batch(session: Session, token: str, *orders: dict[str, Any], **more: Any) -> dict[str, Any]:
    fields = {"symbol": "BTC/USD", "orders": list(orders), "token": token, **more}
    return parts.ask(session, "batch_add", 7, **fields)[0]


def test_the_answer_lists_the_orders_in_their_order() -> None:
    there, session, token = desk()
    answer = batch(session, token, {**ONE, "cl_ord_id": "a"}, {**ONE, "order_userref": 5}, ONE)
    assert [set(row) for row in answer["result"]] == [
        {"order_id", "cl_ord_id"},
        {"order_id", "order_userref"},
        {"order_id"},
    ]
    assert [row["order_id"] for row in answer["result"]] == list(there.venue.open)


@pytest.mark.parametrize(
    ("rule", "refused"), [("error", {"error": "EOrder:Insufficient funds"}), ("null", None)]
)
def test_one_order_without_funds_does_not_hold_up_the_others(rule: str, refused: object) -> None:
    there, session, token = desk(rules=(f"batch_refused={rule}",))
    answer = batch(session, token, ONE, {**ONE, "order_qty": 900}, ONE)
    assert answer["success"]
    assert answer["result"][1] == refused
    assert len(there.venue.open) == 2


def test_one_malformed_order_refuses_the_whole_batch() -> None:
    there, session, token = desk()
    answer = batch(session, token, ONE, {**ONE, "order_qty": 0.00001})
    assert not answer["success"]
    assert "volume minimum" in answer["error"]
    assert not there.venue.open


@pytest.mark.parametrize(
    ("orders", "error"),
    [
        ([ONE], "EGeneral:Invalid arguments:orders"),
        ([ONE] * 16, "EGeneral:Invalid arguments:orders"),
        (
            [ONE, {**ONE, "symbol": "BTC/USD"}],
            "Unsupported field: 'symbol' for the given msg type: batch add",
        ),
        ([ONE, {**ONE, "order_qty": "1"}], "Order_qty field must be a number_float"),
        ("many", "Orders field must be a array of objects"),
        ([ONE, 5], "Orders field must be a array of objects"),
    ],
)
def test_a_batch_that_is_no_batch_is_refused_in_kraken_s_words(orders: Any, error: str) -> None:
    _, session, token = desk()
    fields = {"symbol": "BTC/USD", "orders": orders, "token": token}
    assert parts.ask(session, "batch_add", **fields)[0]["error"] == error


def test_a_batch_that_is_only_checked_opens_nothing() -> None:
    there, session, token = desk()
    assert batch(session, token, ONE, ONE, validate=True)["success"]
    assert not there.venue.open


@pytest.mark.parametrize("rule", ["result", "top"])
def test_batch_cancel_takes_every_kind_of_name_and_counts(rule: str) -> None:
    there, session, token = desk(rules=(f"batch_cancel_count={rule}",))
    rows = batch(session, token, {**ONE, "cl_ord_id": "a"}, {**ONE, "order_userref": 5}, ONE)
    ids = [rows["result"][2]["order_id"], "5", "OUNKNO-WNUNK-NOWNXX"]
    answer = parts.ask(session, "batch_cancel", orders=ids, cl_ord_id=["a"], token=token)[0]
    assert answer["success"]
    assert (answer["result"]["count"] if rule == "result" else answer["orders_cancelled"]) == 3
    assert not there.venue.open
    few = parts.ask(session, "batch_cancel", orders=["O1"], token=token)[0]
    assert few["error"] == "EGeneral:Invalid arguments:orders"


def test_an_edit_gives_a_new_order_and_ends_the_old_one() -> None:
    there, session, token = desk()
    parts.ask(session, "subscribe", channel="executions", token=token)
    order = {**ONE, "symbol": "BTC/USD"}
    old = parts.ask(session, "add_order", **order, token=token)[0]["result"]["order_id"]
    edit = {"order_id": old, "symbol": "BTC/USD", "limit_price": 50100.0}
    answer, *frames = parts.ask(session, "edit_order", 3, **edit, token=token)
    assert answer["result"]["original_order_id"] == old
    told = [frame["data"][0] for frame in frames]
    assert [event["exec_type"] for event in told] == ["canceled", "pending_new", "new"]
    assert told[0]["reason"] == "Order replaced"
    assert told[1]["limit_price"] == Decimal("50100.0")
    assert list(there.venue.open) == [answer["result"]["order_id"]]
    again = parts.ask(session, "edit_order", **edit, token=token)[0]
    assert again["error"] == "EOrder:Unknown order"


def test_the_trading_counter_refuses_adds_above_the_tier_s_threshold_and_decays() -> None:
    there, session, token = desk(counters=True)
    order = {**ONE, "symbol": "BTC/USD", "token": token}
    refused = 0
    for _ in range(60):
        answer = parts.ask(session, "add_order", **order)[0]
        refused += answer.get("error") == "EOrder:Rate limit exceeded"
        open_ids = list(there.venue.open)
        parts.ask(session, "cancel_order", order_id=open_ids, token=token)
    assert refused > 20
    parts.step(there, 60)
    assert parts.ask(session, "add_order", **order)[0]["success"]


def test_amend_reaches_trigger_and_display() -> None:
    there, session, token = desk()
    stop = {
        "order_type": "stop-loss",
        "side": "buy",
        "symbol": "BTC/USD",
        "order_qty": 0.001,
        "triggers": {"price": 90000.0},
    }
    order_id = parts.ask(session, "add_order", **stop, token=token)[0]["result"]["order_id"]
    amend = {"order_id": order_id, "trigger_price": 91000.0}
    assert parts.ask(session, "amend_order", **amend, token=token)[0]["success"]
    trigger = there.venue.open[order_id].trigger
    assert trigger is not None
    assert trigger.actual_price == Decimal(91000)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        (
            {"triggers": {"price": 1.0, "colour": "red"}},
            "Unsupported field: 'colour' for the given msg type: add order",
        ),
        ({"triggers": {"price": "1"}}, "Price field must be a number_float"),
        ({"triggers": {}}, "EGeneral:Invalid arguments:triggers.price"),
        (
            {"triggers": {"price": 1.0, "reference": "mid"}},
            "EGeneral:Invalid arguments:triggers.reference",
        ),
        ({"triggers": 5}, "Triggers field must be a object"),
        (
            {"conditional": {"order_type": "market"}},
            "EGeneral:Invalid arguments:conditional.order_type",
        ),
        ({"stp_type": "cancel-newest"}, "EGeneral:Invalid arguments:stp_type"),
        ({"limit_price_type": "percent"}, "EGeneral:Invalid arguments:limit_price_type"),
        ({"fee_preference": "eur"}, "EGeneral:Invalid arguments:fee_preference"),
        ({"order_userref": 2**31}, "EGeneral:Invalid arguments:order_userref"),
        ({"order_userref": 1.5}, "Order_userref field must be a number_integer"),
        ({"margin": True}, "EGeneral:Invalid arguments:margin"),
        ({"effective_time": "later"}, "EGeneral:Invalid arguments:effective_time"),
    ],
)
def test_wrong_words_are_refused_by_name(changes: dict[str, Any], error: str) -> None:
    there, session, token = desk()
    order = {**ONE, "symbol": "BTC/USD", "token": token, **changes}
    assert parts.ask(session, "add_order", **order)[0]["error"] == error
    assert not there.venue.open


def test_too_many_messages_a_second_are_answered_with_the_old_frame() -> None:
    there = parts.exchange(rules=("message_limit=3",))
    session = there.open_session(private=False)
    session.outgoing()
    session.beat(0.0)
    for _ in range(5):
        session.receive('{"method":"ping"}')
    frames = session.outgoing()
    assert frames[3:] == ['{"Error":"Exceeded msg rate"}'] * 2
    session.beat(1.1)
    session.receive('{"method":"ping"}')
    assert "pong" in session.outgoing()[0]


def test_public_habits_that_nobody_knows_are_switches() -> None:
    there = parts.exchange(
        rules=("duplicate=ack", "trade_snapshot=true", "ohlc_rows=5", "idle_by=client")
    )
    session = there.open_session(private=False)
    trade = {"channel": "trade", "symbol": ["BTC/USD"]}
    for _ in range(2):
        ack, snapshot = parts.ask(session, "subscribe", **trade)
        assert ack["result"]["snapshot"] is True
        assert len(snapshot["data"]) == 50
    _, candles = parts.ask(session, "subscribe", channel="ohlc", symbol=["BTC/USD"], interval=1)
    assert len(candles["data"]) == 5
    session.beat(0.0)
    assert session.idle(61.0)
    wrong = parts.exchange(rules=("wrong_socket=permission",)).open_session(private=False)
    refused = parts.ask(wrong, "subscribe", channel="executions", token="x")[0]
    assert refused["error"] == "EGeneral:Permission denied"


def test_a_frozen_exchange_takes_no_order_and_says_maintenance(tmp_path: Path) -> None:
    parts.exchange(state=tmp_path / "s").close()
    there = parts.exchange(state=tmp_path / "s", frozen=True)
    session = there.open_session(private=True)
    assert parts.decoded(session)[0]["data"][0]["system"] == "maintenance"
    token = there.keys.issue_token()
    for method in ("add_order", "batch_add", "edit_order", "amend_order", "cancel_all"):
        assert parts.ask(session, method, token=token)[0]["error"] == "EService:Unavailable"
    rest = parts.Signed(there)
    for name in ("AddOrder", "CancelAll", "EditOrder", "AmendOrder", "CancelAllOrdersAfter"):
        assert rest.request(name, pair="XBTUSD")[0] == ["EService:Unavailable"]
