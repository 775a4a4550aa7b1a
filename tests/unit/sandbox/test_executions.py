"""Every kind of execution event carries exactly its fields (protocol section 6.1)."""

import json
from decimal import Decimal
from typing import Any

import pytest
import sandbox_parts as parts

from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.session import Session
from simple_trader.simulator.orders import Order, SetPair, SetSystem, Transfer
from simple_trader.simulator.reports import Refilled, Restated, Triggered

LIMIT = {"order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.001}
ALWAYS = {"order_id", "exec_type", "order_status", "timestamp", "order_userref"}


def desk(subscribe: dict[str, Any] | None = None, **options: Any) -> tuple[Exchange, Session, str]:
    there = parts.exchange(**options)
    session, token = there.open_session(private=True), there.keys.issue_token()
    parts.ask(session, "subscribe", channel="executions", token=token, **(subscribe or {}))
    return there, session, token


def events(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for f in frames if f.get("channel") == "executions" for row in f["data"]]


def placed(session: Session, token: str, **changes: Any) -> list[dict[str, Any]]:
    frames = parts.ask(session, "add_order", 1, **{**LIMIT, **changes}, token=token)
    assert frames[0].get("success"), frames[0]
    return events(frames)


def test_the_fee_of_an_order_is_worth_what_its_trades_tell() -> None:
    _there, session, token = desk()
    market = {"order_type": "market", "fee_preference": "base"}
    rows = placed(session, token, **market, order_qty=0.01)
    # One of both sides trades off the last price, by which a fee in base used to be valued.
    rows += placed(session, token, **market, side="sell", order_qty=0.009)
    told = [row["fee_usd_equiv"] for row in rows if row["exec_type"] == "trade"]
    closed = [row["fee_usd_equiv"] for row in rows if row["exec_type"] == "filled"]
    assert len(told) == len(closed) == 2
    assert told == closed


def last_price(there: Exchange) -> float:
    last = there.market("BTC/USD").last
    assert last is not None
    return last.tick / 10


def test_a_resting_limit_order_is_pending_new_then_new_with_nothing_else() -> None:
    _, session, token = desk()
    pending, new = placed(session, token, limit_price=50000.0, post_only=True)
    assert pending.keys() == ALWAYS | {
        "symbol", "order_qty", "cum_cost", "time_in_force", "side", "order_type",
        "limit_price_type", "limit_price", "stop_price", "fee_usd_equiv", "fee_ccy_pref",
        "post_only",
    }  # fmt: skip
    assert (pending["time_in_force"], pending["fee_ccy_pref"]) == ("GTC", "fciq")
    assert new.keys() == ALWAYS | {"post_only"}
    assert new["timestamp"] == pending["timestamp"]


def test_fills_and_their_end_carry_what_the_sheet_lists() -> None:
    _, session, token = desk()
    _, _, trade, filled = placed(session, token, order_type="market", cl_ord_id="c-1")
    named = (ALWAYS - {"order_userref"}) | {"cl_ord_id"}
    assert trade.keys() == named | {
        "exec_id", "trade_id", "symbol", "side", "order_type", "last_qty", "last_price", "cost",
        "liquidity_ind", "cum_qty", "cum_cost", "avg_price", "fees", "fee_usd_equiv",
    }  # fmt: skip
    assert filled.keys() == named | {"cum_qty", "cum_cost", "avg_price", "fee_usd_equiv"}
    full = desk(rules=("final_fields=full",))
    assert {"symbol", "side", "order_type"} <= placed(*full[1:], order_type="market")[-1].keys()


def test_a_canceled_order_has_no_symbol_and_says_its_reason_twice() -> None:
    _, session, token = desk()
    order_id = placed(session, token, limit_price=50000.0)[0]["order_id"]
    (event,) = events(parts.ask(session, "cancel_order", order_id=[order_id], token=token))
    assert event.keys() == ALWAYS | {
        "cum_qty", "cum_cost", "avg_price", "fee_usd_equiv", "reason", "cancel_reason",
    }  # fmt: skip
    assert event["reason"] == event["cancel_reason"] == "User requested"


def test_an_amended_order_tells_its_new_terms() -> None:
    _, session, token = desk()
    order_id = placed(session, token, limit_price=50000.0)[0]["order_id"]
    amend = {"order_id": order_id, "limit_price": 50001.5, "order_qty": 0.002}
    (event,) = events(parts.ask(session, "amend_order", **amend, token=token))
    assert event.keys() == ALWAYS | {
        "amended", "reason", "order_qty", "limit_price", "limit_price_type", "cum_qty",
    }  # fmt: skip
    assert (event["order_qty"], event["limit_price"]) == (Decimal("0.002"), Decimal("50001.5"))


def test_a_trigger_is_told_when_set_when_it_moves_and_when_it_fires() -> None:
    there, session, token = desk()
    trailing = {"order_type": "trailing-stop", "triggers": {"price": 0.01, "price_type": "pct"}}
    pending, _ = placed(session, token, **trailing)
    assert pending["triggers"].keys() == {
        "reference", "price", "price_type", "actual_price", "peak_price", "last_price", "status",
        "timestamp",
    }  # fmt: skip
    assert pending["triggers"]["status"] == "untriggered"
    assert pending["stop_price"] == pending["triggers"]["actual_price"]
    assert "triggered_price" not in pending
    parts.step(there, 60)
    told = events(parts.decoded(session))
    moved = [event for event in told if event["exec_type"] == "status"]
    assert moved[-1]["triggers"]["status"] == "triggered"
    assert moved[-1]["triggered_price"] == moved[-1]["triggers"]["last_price"]
    assert [event["exec_type"] for event in told][-1] == "filled"
    assert all("symbol" not in event for event in moved)


def test_an_iceberg_tells_what_it_shows_and_each_refill() -> None:
    there, session, token = desk()
    best = there.market("BTC/USD").bid / 10
    big = {"order_type": "iceberg", "order_qty": 0.012, "display_qty": 0.001}
    pending, _ = placed(session, token, **big, limit_price=round(best, 1))
    assert (pending["display_qty"], pending["display_qty_remain"]) == (
        Decimal("0.001"),
        Decimal("0.001"),
    )
    order = there.venue.open[pending["order_id"]]
    (row,) = [row for _, row in there.words.events(Refilled(order))]
    assert row.keys() == ALWAYS | {"display_qty", "display_qty_remain"}


def test_a_close_order_names_its_parent_and_the_parent_its_contingent() -> None:
    there, session, token = desk()
    price = round(last_price(there) * 1.01, 1)
    close = {"order_type": "take-profit-limit", "trigger_price": 90000.0, "limit_price": 90001.0}
    rows = placed(session, token, limit_price=price, conditional=close)
    assert rows[0]["contingent"] == {
        "order_type": "take-profit-limit",
        "trigger_price": 90000.0,
        "trigger_price_type": "static",
        "limit_price": 90001.0,
        "limit_price_type": "static",
    }
    child = next(row for row in rows if row.get("ord_ref_id"))
    assert (child["ord_ref_id"], child["side"]) == (rows[0]["order_id"], "sell")


def test_a_scheduled_order_is_pending_new_until_its_start() -> None:
    there, session, token = desk()
    start = "2026-03-02T10:00:03Z"
    rows = placed(session, token, limit_price=50000.0, effective_time=start)
    assert [row["exec_type"] for row in rows] == ["pending_new"]
    assert rows[0]["effective_time"] == "2026-03-02T10:00:03.000000Z"
    parts.step(there, 3)
    (new,) = events(parts.decoded(session))
    assert (new["exec_type"], new["timestamp"]) == ("new", "2026-03-02T10:00:03.000000Z")


def test_a_restatement_is_an_amendment_of_the_engine() -> None:
    there, session, token = desk()
    order = there.venue.open[placed(session, token, limit_price=50000.0)[0]["order_id"]]
    (row,) = [row for _, row in there.words.events(Restated(order, "Market rules"))]
    assert (row["exec_type"], row["reason"]) == ("restated", "Market rules")
    assert "amended" not in row


def test_lean_subscriptions_hear_only_of_beginnings_fills_and_ends() -> None:
    there, session, token = desk({"order_status": False})
    rows = placed(session, token, limit_price=50000.0)
    assert [row["exec_type"] for row in rows] == ["new"]
    order_id = rows[0]["order_id"]
    amend = {"order_id": order_id, "limit_price": 50001.0}
    assert events(parts.ask(session, "amend_order", **amend, token=token)) == []
    order: Order = there.venue.open[order_id]
    session.on_report(Triggered(order))
    assert session.outgoing() == []


def test_the_counter_is_told_when_asked_for_under_the_name_of_the_switch() -> None:
    _, session, token = desk({"ratecounter": True}, counters=True)
    pending, new = placed(session, token, limit_price=50000.0)
    assert (pending["ratecount"], new["ratecount"]) == (1, 1)
    _, other, fresh = desk({"ratecounter": True}, counters=True, rules=("rate_field=counter",))
    assert "counter" in placed(other, fresh, limit_price=50000.0)[0]


def test_the_snapshot_holds_open_orders_and_the_last_fifty_fills_in_one_message_or_two() -> None:
    for rule, sizes in (("one", [51]), ("two", [50, 1])):
        there, session, token = desk(rules=(f"snapshot_messages={rule}",))
        placed(session, token, limit_price=50000.0)
        for number in range(53):
            side = "buy" if number % 2 == 0 else "sell"
            placed(session, token, order_type="market", order_qty=0.0001, side=side)
        late, fresh = there.open_session(private=True), there.keys.issue_token()
        frames = parts.ask(late, "subscribe", channel="executions", token=fresh, snap_trades=True)[
            1:
        ]
        assert [len(frame["data"]) for frame in frames] == sizes
        assert [frame["sequence"] for frame in frames] == list(range(1, len(sizes) + 1))
        trades = [row for row in events(frames) if row["exec_type"] == "trade"]
        assert all(row["order_status"] == "filled" and "cum_qty" not in row for row in trades)
        assert trades[-1]["exec_id"] == there.truth()["trades"][-1]["exec_id"]


def test_without_snapshots_the_sequence_still_begins_at_one() -> None:
    _, session, token = desk({"snap_orders": False})
    assert parts.ask(session, "unsubscribe", channel="executions", token=token)[0]["success"]
    frames = parts.ask(session, "subscribe", channel="executions", token=token, snapshot=False)
    assert "snapshot is deprecated, use snap_orders" in frames[0]["result"]["warnings"]
    assert (frames[1]["data"], frames[1]["sequence"]) == ([], 1)


def test_money_from_outside_is_a_ledger_event_and_no_execution() -> None:
    there, session, token = desk()
    parts.ask(session, "subscribe", channel="balances", token=token)
    told = []
    for command in (
        Transfer(asset="USD", amount=Decimal(25), kind="deposit"),
        Transfer(asset="USD", amount=Decimal(-5), kind="withdrawal"),
        Transfer(asset="USD", amount=Decimal(1), kind="staking"),
    ):
        there.publish(there.execute(command))
        (frame,) = parts.decoded(session)
        assert frame["channel"] == "balances"
        told.append(frame["data"][0])
    assert [(row["type"], row["category"]) for row in told] == [
        ("deposit", "deposit"),
        ("withdrawal", "withdrawal"),
        ("staking", "staking-rewards"),
    ]
    assert told[-1]["balance"] == Decimal("1021.0000")


def test_status_and_instrument_are_pushed_when_they_change() -> None:
    there = parts.exchange()
    watcher, silent = there.open_session(private=False), there.open_session(private=False)
    parts.ask(watcher, "subscribe", channel="instrument", snapshot=False)
    silent.outgoing()
    there.publish(there.execute(SetSystem("post_only")))
    for session in (watcher, silent):
        (frame,) = parts.decoded(session)
        assert (frame["channel"], frame["data"][0]["system"]) == ("status", "post_only")
    assert parts.public(there, "SystemStatus")[1]["status"] == "post_only"
    change = SetPair(symbol="BTC/USD", status="cancel_only", qty_min=Decimal("0.1"))
    there.publish(there.execute(change))
    (frame,) = parts.decoded(watcher)
    (row,) = frame["data"]["pairs"]
    assert (frame["type"], frame["data"]["assets"]) == ("update", [])
    assert (row["symbol"], row["status"]) == ("BTC/USD", "cancel_only")
    assert row["qty_min"] == Decimal("0.1")
    assert silent.outgoing() == []
    told = parts.public(there, "AssetPairs", pair="XBTUSD")[1]["XXBTZUSD"]
    assert (told["status"], told["ordermin"]) == ("cancel_only", "0.1")


def test_an_announcement_is_a_status_with_more_fields() -> None:
    there = parts.exchange()
    session = there.open_session(private=False)
    session.outgoing()
    there.announce(upcoming_maintenance={"phase": "30m", "action": "stop_new_orders"})
    frame = json.loads(session.outgoing()[0])
    assert frame["data"][0]["upcoming_maintenance"]["phase"] == "30m"
    assert frame["data"][0]["system"] == "online"


@pytest.mark.parametrize("kind", ["new", "status"])
def test_the_exec_type_of_open_orders_in_a_snapshot_is_a_switch(kind: str) -> None:
    there, session, token = desk(rules=(f"snapshot_exec_type={kind}",))
    placed(session, token, limit_price=50000.0)
    late, fresh = there.open_session(private=True), there.keys.issue_token()
    _, snapshot = parts.ask(late, "subscribe", channel="executions", token=fresh)
    assert snapshot["data"][0]["exec_type"] == kind
    assert snapshot["data"][0]["order_status"] == "new"
