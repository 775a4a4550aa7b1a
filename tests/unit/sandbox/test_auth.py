"""Keys: nonces with their window, lockouts, permissions, tokens, and what a restart remembers."""

import json
from pathlib import Path
from typing import Any

import pytest
import sandbox_parts as parts

from simple_trader.sandbox.accounts_file import KeySpec
from simple_trader.sandbox.auth import Keys
from simple_trader.sandbox.memory import Memory
from simple_trader.sandbox.rules import SurfaceRules

SECRET = "c2FuZGJveC1zZWNyZXQ="
ACCOUNTS = """
accounts:
  main: {{balances: {{USD: 1000}}}}
  other: {{balances: {{USD: 7}}}}
keys:
  - {{key: main, secret: {secret}}}
  - {{key: other, secret: {secret}, account: other}}
  - {{key: narrow, secret: {secret}, permissions: [{permissions}]}}
  - {{key: wide, secret: {secret}, nonce_window: 100}}
  - {{key: old, secret: {secret}, valid_until: 2026-03-02T10:00:30Z}}
"""


def there(
    tmp_path: Path, permissions: str = "query-funds", wall: parts.Wall | None = None, **options: Any
) -> Any:
    path = tmp_path / "accounts.yaml"
    path.write_text(ACCOUNTS.format(secret=SECRET, permissions=permissions))
    return parts.exchange(wall, accounts=path, **options)


def test_a_nonce_must_rise_and_a_json_body_may_carry_it_as_number_or_text(tmp_path: Path) -> None:
    rest = parts.Signed(there(tmp_path), "main", SECRET)
    assert rest.send("Balance", '{"nonce": 50}', 50, "application/json")[0] == []
    assert rest.send("Balance", '{"nonce": "51"}', 51, "application/json")[0] == []
    assert rest.send("Balance", "nonce=51", 51)[0] == ["EAPI:Invalid nonce"]
    assert rest.send("Balance", "nonce=50", 50)[0] == ["EAPI:Invalid nonce"]
    assert rest.send("Balance", f"nonce={2**64 - 1}&otp=123456", 2**64 - 1)[0] == []
    assert rest.send("Balance", f"nonce={2**64}", 2**64)[0] == ["EAPI:Invalid nonce"]


def test_a_nonce_inside_the_window_passes_once_and_one_below_it_never(tmp_path: Path) -> None:
    rest = parts.Signed(there(tmp_path), "wide", SECRET)
    assert rest.send("Balance", "nonce=1000", 1000)[0] == []
    assert rest.send("Balance", "nonce=901", 901)[0] == []
    assert rest.send("Balance", "nonce=901", 901)[0] == ["EAPI:Invalid nonce"]
    assert rest.send("Balance", "nonce=900", 900)[0] == ["EAPI:Invalid nonce"]
    assert rest.send("Balance", "nonce=1000", 1000)[0] == ["EAPI:Invalid nonce"]


def test_nonces_of_one_key_are_no_other_s_business(tmp_path: Path) -> None:
    exchange = there(tmp_path)
    assert parts.Signed(exchange, "main", SECRET).send("Balance", "nonce=9", 9)[0] == []
    assert parts.Signed(exchange, "other", SECRET).send("Balance", "nonce=9", 9)[0] == []


def test_used_nonces_outlast_a_restart(tmp_path: Path) -> None:
    first = there(tmp_path, state=tmp_path / "s")
    for key in ("main", "wide"):
        assert parts.Signed(first, key, SECRET).send("Balance", "nonce=500", 500)[0] == []
    first.close()
    again = there(tmp_path, state=tmp_path / "s")
    for key in ("main", "wide"):
        used = parts.Signed(again, key, SECRET).send("Balance", "nonce=500", 500)
        assert used[0] == ["EAPI:Invalid nonce"]
    assert parts.Signed(again, "wide", SECRET).send("Balance", "nonce=450", 450)[0] == []


def test_too_many_failures_lock_a_key_out_for_a_while_and_no_other(tmp_path: Path) -> None:
    wall = parts.Wall()
    exchange = there(tmp_path, wall=wall, rules=("lockout_after=3", "lockout_s=60"))
    rest = parts.Signed(exchange, "main", SECRET)
    assert rest.send("Balance", "nonce=5", 5)[0] == []
    for _ in range(3):
        assert rest.send("Balance", "nonce=5", 5)[0] == ["EAPI:Invalid nonce"]
    assert rest.send("Balance", "nonce=6", 6)[0] == ["EGeneral:Temporary lockout"]
    assert parts.Signed(exchange, "other", SECRET).request("Balance")[0] == []
    wall.pass_seconds(61)
    assert rest.send("Balance", "nonce=6", 6)[0] == []
    for _ in range(3):
        assert parts.Signed(exchange, "nobody", SECRET).request("Balance")[0] == [
            "EAPI:Invalid key"
        ]
    locked = parts.Signed(exchange, "nobody", SECRET).request("Balance")[0]
    assert locked == ["EGeneral:Temporary lockout"]


def test_failures_long_ago_do_not_count(tmp_path: Path) -> None:
    wall = parts.Wall()
    exchange = there(tmp_path, wall=wall, rules=("lockout_after=3",))
    rest = parts.Signed(exchange, "main", SECRET)
    rest.send("Balance", "nonce=5", 5)
    for _ in range(6):
        rest.send("Balance", "nonce=5", 5)
        wall.pass_seconds(45)
    assert rest.send("Balance", "nonce=6", 6)[0] == []


def test_a_key_ends_with_its_validity(tmp_path: Path) -> None:
    wall = parts.Wall()
    rest = parts.Signed(there(tmp_path, wall=wall), "old", SECRET)
    assert rest.request("Balance")[0] == []
    wall.pass_seconds(31)
    assert rest.request("Balance")[0] == ["EAPI:Invalid key"]


NEEDS = {
    "Balance": "query-funds",
    "BalanceEx": "query-funds",
    "TradeBalance": "query-funds",
    "TradeVolume": "query-funds",
    "OpenOrders": "query-open-trades",
    "OpenPositions": "query-open-trades",
    "ClosedOrders": "query-closed-trades",
    "TradesHistory": "query-closed-trades",
    "Ledgers": "query-ledger",
    "GetWebSocketsToken": "create-ws-token",
    "CancelAll": "close-trades",
    "AddOrder": "modify-trades",
    "AddOrderBatch": "modify-trades",
    "AmendOrder": "modify-trades",
    "EditOrder": "modify-trades",
    "CancelOrder": "close-trades",
    "CancelOrderBatch": "close-trades",
    "CancelAllOrdersAfter": "close-trades",
}


@pytest.mark.parametrize(("endpoint", "permission"), NEEDS.items())
def test_each_endpoint_needs_its_permission(tmp_path: Path, endpoint: str, permission: str) -> None:
    without = there(tmp_path, "export-data")
    assert parts.Signed(without, "narrow", SECRET).request(endpoint)[0] == [
        "EGeneral:Permission denied"
    ]
    having = there(tmp_path, permission)
    assert parts.Signed(having, "narrow", SECRET).request(endpoint)[0] != [
        "EGeneral:Permission denied"
    ]


def test_a_key_may_always_ask_what_it_may_do(tmp_path: Path) -> None:
    exchange = there(tmp_path, "export-data")
    info = parts.Signed(exchange, "narrow", SECRET).good("GetApiKeyInfo")
    assert info["permissions"] == ["export-data"]
    assert (info["apiKey"], info["apiKeyName"], info["nonceWindow"]) == ("narrow", "narrow", 0)
    assert info["nonce"] == "1001"
    snake = there(tmp_path, "withdraw-funds", rules=("key_info=snake",))
    told = parts.Signed(snake, "narrow", SECRET).good("GetApiKeyInfo")
    assert told["permissions"] == ["withdraw-funds"]
    assert "valid_until" in told


def test_a_token_may_do_what_its_key_may(tmp_path: Path) -> None:
    exchange = there(tmp_path, "create-ws-token, query-open-trades")
    token = parts.Signed(exchange, "narrow", SECRET).good("GetWebSocketsToken")["token"]
    session = exchange.open_session(private=True)
    assert parts.ask(session, "subscribe", channel="executions", token=token)[0]["success"]
    refused = parts.ask(session, "subscribe", channel="balances", token=token)[0]
    assert refused["error"] == "EGeneral:Permission denied"
    order = {"order_type": "market", "side": "buy", "symbol": "BTC/USD", "order_qty": 0.001}
    for method, params in (("add_order", order), ("cancel_all", {}), ("batch_add", {})):
        refused = parts.ask(session, method, **params, token=token)[0]
        assert refused["error"] == "EGeneral:Permission denied"


def test_the_word_for_a_bad_token_is_a_switch() -> None:
    session = parts.exchange(rules=("bad_token=session",)).open_session(private=True)
    assert parts.ask(session, "cancel_all", token="?")[0]["error"] == "ESession:Invalid session"


def test_expired_tokens_go_on_where_they_are_in_use() -> None:
    there = parts.exchange()
    session = there.open_session(private=True)
    used, fresh = there.keys.issue_token(), there.keys.issue_token()
    assert parts.ask(session, "cancel_all", token=used)[0]["success"]
    there.keys.expire_tokens()
    assert parts.ask(session, "cancel_all", token=used)[0]["success"]
    assert parts.ask(session, "cancel_all", token=fresh)[0]["error"] == "Token(s) not found"


def test_another_program_s_nonce_makes_ours_too_low() -> None:
    exchange = parts.exchange()
    rest = parts.Signed(exchange)
    assert rest.request("Balance")[0] == []
    exchange.keys.raise_nonce("sandbox-key", 10)
    assert rest.request("Balance")[0] == ["EAPI:Invalid nonce"]


def test_a_long_memory_keeps_only_what_counts(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    spec = KeySpec(key="a", secret=SECRET, nonce_window=3)
    keys = Keys({"a": spec}, parts.Wall(), 7, rules=SurfaceRules(), memory=memory)
    for nonce in range(1, 50):
        keys._used["a"].take(nonce)
    memory.rewrite(keys.facts())
    lines = (tmp_path / "memory.jsonl").read_text().splitlines()
    assert [json.loads(line)["nonce"] for line in lines] == ["47", "48", "49"]
