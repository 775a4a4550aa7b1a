"""Several accounts on one exchange: each sees its own and nothing of the others."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sandbox_parts as parts

from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.session import Session
from simple_trader.sandbox.settings import SandboxError

SECRET = "c2FuZGJveC1zZWNyZXQ="
ACCOUNTS = f"""
accounts:
  main: {{balances: {{USD: 5000}}}}
  other: {{balances: {{USD: 100, BTC: 1, ETH.B: 2, EUR: 50}}, tier: pro, volume_30d: 60000}}
keys:
  - {{key: main, secret: {SECRET}}}
  - {{key: other, secret: {SECRET}, account: other}}
"""
LIMIT = {"order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.001}


def there(tmp_path: Path, wall: parts.Wall | None = None, **options: Any) -> Exchange:
    path = tmp_path / "accounts.yaml"
    path.write_text(ACCOUNTS)
    return parts.exchange(wall, accounts=path, **options)


def listening(exchange: Exchange, key: str) -> tuple[Session, str]:
    session, token = exchange.open_session(private=True), exchange.keys.issue_token(key)
    for channel in ("executions", "balances"):
        parts.ask(session, "subscribe", channel=channel, token=token)
    return session, token


def test_a_session_hears_of_its_own_account_only(tmp_path: Path) -> None:
    exchange = there(tmp_path)
    mine, my_token = listening(exchange, "main")
    other, other_token = listening(exchange, "other")
    frames = parts.ask(mine, "add_order", **{**LIMIT, "order_type": "market"}, token=my_token)
    assert len(frames) == 7
    assert other.outgoing() == []
    parts.ask(other, "add_order", **LIMIT, limit_price=50000.0, token=other_token)
    assert mine.outgoing() == []


def test_tier_and_balances_are_those_of_the_account(tmp_path: Path) -> None:
    exchange = there(tmp_path)
    session, token = exchange.open_session(private=True), exchange.keys.issue_token("other")
    ack = parts.ask(session, "subscribe", channel="executions", token=token)[0]
    assert ack["result"]["maxratecount"] == 180
    _, snapshot = parts.ask(session, "subscribe", channel="balances", token=token)
    rows = {row["asset"]: row for row in snapshot["data"]}
    assert rows["BTC"]["balance"] == Decimal("1.0000000000")
    assert rows["BTC"]["wallets"][0]["type"] == "spot"
    assert rows["ETH.B"]["wallets"][0] == {
        "type": "earn",
        "id": "bonded",
        "balance": Decimal("2.0000000000"),
    }
    rest = parts.Signed(exchange, "other", SECRET)
    assert rest.good("Balance") == {
        "ZUSD": "100.0000",
        "XXBT": "1.0000000000",
        "ETH.B": "2.0000000000",
        "ZEUR": "50.0000",
    }
    fees = rest.good("TradeVolume", pair="XBTUSD")
    assert (fees["volume"], fees["fees"]["XXBTZUSD"]["fee"]) == ("60000.0000", "0.2400")


def test_no_name_reaches_an_order_of_another_account(tmp_path: Path) -> None:
    exchange = there(tmp_path)
    mine, my_token = listening(exchange, "main")
    other, other_token = listening(exchange, "other")
    order = {**LIMIT, "limit_price": 50000.0, "cl_ord_id": "same"}
    placed = parts.ask(mine, "add_order", **order, token=my_token)[0]["result"]["order_id"]
    assert parts.ask(other, "add_order", **order, token=other_token)[0]["success"]
    for name in ("order_id",):
        refused = parts.ask(other, "cancel_order", **{name: [placed]}, token=other_token)[0]
        assert refused["error"] == "EOrder:Unknown order"
    refused = parts.ask(other, "amend_order", order_id=placed, order_qty=0.002, token=other_token)
    assert refused[0]["error"] == "EOrder:Unknown order"
    rest = parts.Signed(exchange, "other", SECRET)
    assert placed not in rest.good("OpenOrders")["open"]
    assert rest.request("QueryOrders", txid=placed)[0] == ["EOrder:Invalid order"]
    assert rest.request("OrderAmends", order_id=placed)[0] == ["EOrder:Unknown order"]
    assert rest.request("EditOrder", txid=placed, pair="XBTUSD")[0] == ["EOrder:Unknown order"]
    assert parts.ask(other, "cancel_all", token=other_token)[0]["result"] == {"count": 1}
    assert [o["status"] for o in exchange.truth("main")["orders"]] == ["new"]


def test_each_account_has_one_switch_for_both_roads_and_it_fires_for_that_account_alone(
    tmp_path: Path,
) -> None:
    wall = parts.Wall()
    exchange = there(tmp_path, wall)
    mine, my_token = listening(exchange, "main")
    other, other_token = listening(exchange, "other")
    parts.ask(mine, "add_order", **LIMIT, limit_price=50000.0, token=my_token)
    parts.ask(other, "add_order", **LIMIT, limit_price=50000.0, token=other_token)
    rest = parts.Signed(exchange, "main", SECRET)
    armed = rest.good("CancelAllOrdersAfter", timeout=60)
    assert armed["triggerTime"] == "2026-03-02T10:01:00Z"
    # The same switch, armed anew over the socket.
    parts.ask(mine, "cancel_all_orders_after", timeout=10, token=my_token)
    other.outgoing()
    wall.pass_seconds(11)
    exchange.beat(11.0)
    (event,) = [f["data"][0] for f in parts.decoded(mine) if f["channel"] == "executions"]
    assert (event["exec_type"], event["reason"]) == ("canceled", "Dead man's switch")
    assert all('"heartbeat"' in frame for frame in other.outgoing())
    parts.ask(mine, "add_order", **LIMIT, limit_price=50000.0, token=my_token)
    wall.pass_seconds(100)
    exchange.beat(120.0)
    assert len(exchange.venue.open) == 2


def test_a_switch_that_ran_out_while_the_sandbox_was_down_fires_on_return(tmp_path: Path) -> None:
    wall = parts.Wall()
    first = there(tmp_path, wall, state=tmp_path / "s", stepped=False)
    session, token = listening(first, "main")
    parts.ask(session, "add_order", **LIMIT, limit_price=50000.0, token=token)
    parts.ask(session, "cancel_all_orders_after", timeout=60, token=token)
    first.close()
    wall.pass_seconds(600)
    again = there(tmp_path, wall, state=tmp_path / "s", stepped=False)
    assert len(again.venue.open) == 1
    again.beat(0.0)
    assert not again.venue.open
    again.close()
    third = there(tmp_path, wall, state=tmp_path / "s", stepped=False)
    assert third.truth()["switch_at"] is None


def test_a_disarmed_switch_says_zero_or_the_time_as_the_switch_of_that_name_says() -> None:
    for rule, told in (("zero", "0"), ("now", "2026-03-02T10:00:00Z")):
        rest = parts.Signed(parts.exchange(rules=(f"disarmed={rule}",)))
        assert rest.good("CancelAllOrdersAfter", timeout=0)["triggerTime"] == told


def test_the_truth_is_told_of_each_account_with_its_counters(tmp_path: Path) -> None:
    exchange = there(tmp_path, counters=True)
    rest = parts.Signed(exchange, "other", SECRET)
    order = {"pair": "XBTUSD", "type": "sell", "ordertype": "limit", "price": "90000"}
    rest.good("AddOrder", **order, volume="0.1")
    rest.good("Balance")
    truth = exchange.truth("other")
    assert (truth["account"], truth["tier"]) == ("other", "pro")
    assert truth["accounts"] == ["main", "other"]
    assert truth["held"] == {"BTC": "0.1000000000"}
    assert truth["rate_counts"] == {"BTC/USD": "1.00"}
    assert truth["max_rate_count"] == 180
    assert truth["rest_counters"] == {"other": "1.00"}
    assert exchange.truth("main")["orders"] == []


def test_a_kept_world_refuses_keys_of_accounts_that_it_does_not_have(tmp_path: Path) -> None:
    parts.exchange(state=tmp_path / "s").close()
    with pytest.raises(SandboxError, match="has no account other"):
        there(tmp_path, state=tmp_path / "s")
