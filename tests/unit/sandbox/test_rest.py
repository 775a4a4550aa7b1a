"""REST: envelope, signature, names, paging."""

import json
from decimal import Decimal
from typing import Any

import pytest
import sandbox_parts as parts

from simple_trader.sandbox.auth import sign
from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.settings import DEFAULT_KEY, DEFAULT_SIGNING_TEXT

FORM = "application/x-www-form-urlencoded"


def test_a_signature_is_kraken_s_published_one() -> None:
    published = (
        "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
    )
    body = b"nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    assert sign(published, "/0/private/AddOrder", "1616492376594", body) == (
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    )


def private(there: Exchange, path: str, body: bytes, **headers: str) -> dict[str, Any]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    status, answer = there.rest("POST", path, {"Content-Type": FORM, **given}, body)
    assert status == 200
    envelope: dict[str, Any] = json.loads(answer)
    return envelope


def test_key_signature_and_nonce_are_judged_and_an_old_nonce_never_passes() -> None:
    there = parts.exchange()
    path, body = "/0/private/Balance", b"nonce=5"
    good = sign(DEFAULT_SIGNING_TEXT, path, "5", body)
    assert private(there, path, body)["error"] == ["EAPI:Invalid key"]
    wrong = private(there, path, body, api_key=DEFAULT_KEY, api_sign="AAAA")
    assert wrong["error"] == ["EAPI:Invalid signature"]
    missing = private(there, path, b"", api_key=DEFAULT_KEY, api_sign=good)
    assert missing["error"] == ["EAPI:Invalid nonce"]
    assert private(there, path, body, api_key=DEFAULT_KEY, api_sign=good)["result"] == {
        "ZUSD": "1000.0000"
    }
    again = private(there, path, body, api_key=DEFAULT_KEY, api_sign=good)
    assert again["error"] == ["EAPI:Invalid nonce"]


def test_a_signed_json_body_is_as_good_as_a_form() -> None:
    there = parts.exchange()
    path, body = "/0/private/Balance", b'{"nonce": "7"}'
    headers = {
        "API-Key": DEFAULT_KEY,
        "API-Sign": sign(DEFAULT_SIGNING_TEXT, path, "7", body),
        "Content-Type": "application/json; charset=utf-8",
    }
    _, answer = there.rest("POST", path, headers, body)
    assert json.loads(answer)["error"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/0/public/Dance"),
        ("GET", "/0/private/Balance"),
        ("POST", "/0/private/Withdraw"),
        ("GET", "/0/"),
    ],
)
def test_what_does_not_exist_is_an_unknown_method(method: str, path: str) -> None:
    status, answer = parts.exchange().rest(method, path, {"Content-Type": FORM}, b"")
    assert status == 200
    assert json.loads(answer) == {"error": ["EGeneral:Unknown method"]}


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ("XBTUSD", "XXBTZUSD"),
        ("XXBTZUSD", "XXBTZUSD"),
        ("XBT/USD", "XBT/USD"),
        ("BTC/USD", "BTC/USD"),
    ],
)
def test_answers_are_keyed_by_id_or_by_the_slash_form_that_was_asked(asked: str, key: str) -> None:
    there = parts.exchange()
    for name in ("AssetPairs", "Ticker", "Depth", "Trades", "OHLC"):
        errors, result = parts.public(there, name, pair=asked)
        assert errors == []
        assert set(result) - {"last"} == {key}
    assert parts.public(there, "Ticker", pair="NOPE")[0] == ["EQuery:Unknown asset pair"]


def test_pair_rules_agree_with_the_instrument_channel() -> None:
    there = parts.exchange()
    rules = parts.public(there, "AssetPairs")[1]
    assert len(rules) == len(there.pairs)
    row = rules["XXBTZUSD"]
    assert (row["altname"], row["wsname"], row["base"], row["quote"]) == (
        "XBTUSD",
        "XBT/USD",
        "XXBT",
        "ZUSD",
    )
    assert (row["pair_decimals"], row["lot_decimals"], row["tick_size"]) == (1, 8, "0.1")
    assert (row["ordermin"], row["costmin"]) == ("0.00005", "0.5")
    assert row["fees"][0] == [0, 0.40]
    assert row["fees_maker"][-1] == [10_000_000, 0.0]


def test_candles_reach_back_twelve_hours_without_holes_and_end_with_the_running_one() -> None:
    there = parts.exchange()
    parts.step(there, 90)
    result = parts.public(there, "OHLC", pair="XBTUSD", interval=1)[1]
    times = [row[0] for row in result["XXBTZUSD"]]
    assert len(times) == 720
    assert times == list(range(times[0], times[0] + 720 * 60, 60))
    assert times[-1] == int(there.now.timestamp()) // 60 * 60
    assert result["last"] == times[-2]
    for _, opened, high, low, close, *_rest in result["XXBTZUSD"]:
        assert Decimal(low) <= min(Decimal(opened), Decimal(close))
        assert Decimal(high) >= max(Decimal(opened), Decimal(close))
    since = parts.public(there, "OHLC", pair="XBTUSD", since=times[-4])[1]["XXBTZUSD"]
    assert [row[0] for row in since] == times[-3:]
    assert parts.public(there, "OHLC", pair="XBTUSD", interval=7)[0] != []


def test_public_trades_are_given_since_a_moment_in_nanoseconds() -> None:
    there = parts.exchange()
    first = parts.public(there, "Trades", pair="XBTUSD", count=10)[1]
    assert len(first["XXBTZUSD"]) == 10
    parts.step(there, 20)
    newer = parts.public(there, "Trades", pair="XBTUSD", since=first["last"])[1]["XXBTZUSD"]
    assert newer
    assert newer[0][6] == first["XXBTZUSD"][-1][6] + 1


def test_an_order_s_whole_life_is_seen_by_every_endpoint() -> None:
    there = parts.exchange()
    rest = parts.Signed(there)
    placed = rest.good(
        "AddOrder",
        pair="XBTUSD",
        type="buy",
        ordertype="limit",
        price="50000",
        volume="0.001",
        cl_ord_id="rest-1",
    )
    order_id = placed["txid"][0]
    assert placed["descr"]["order"] == "buy 0.00100000 XBTUSD @ limit 50000.0"
    row = rest.good("OpenOrders", cl_ord_id="rest-1")["open"][order_id]
    assert (row["status"], row["cl_ord_id"], row["descr"]["pair"]) == ("open", "rest-1", "XBTUSD")
    assert rest.good("OpenOrders", cl_ord_id="other")["open"] == {}
    held = rest.good("BalanceEx")["ZUSD"]
    assert held == {"balance": "1000.0000", "hold_trade": "50.2000"}
    assert rest.good("CancelOrder", cl_ord_id="rest-1") == {"count": 1}
    assert rest.request("CancelOrder", txid=order_id)[0] == ["EOrder:Unknown order"]
    closed = rest.good("ClosedOrders", cl_ord_id="rest-1")["closed"][order_id]
    assert (closed["status"], closed["reason"]) == ("canceled", "User requested")
    bought = rest.good("AddOrder", pair="BTC/USD", type="buy", ordertype="market", volume="0.002")
    row = rest.good("QueryOrders", txid=bought["txid"][0], trades="true")[bought["txid"][0]]
    assert (row["status"], row["vol_exec"]) == ("closed", "0.00200000")
    trade = rest.good("TradesHistory")["trades"][row["trades"][0]]
    assert (trade["ordertxid"], trade["pair"], trade["maker"]) == (
        bought["txid"][0],
        "XXBTZUSD",
        False,
    )
    entries = rest.good("Ledgers")["ledger"]
    assert {entry["asset"] for entry in entries.values()} == {"ZUSD", "XXBT"}
    usd = next(entry for entry in entries.values() if entry["asset"] == "ZUSD")
    assert Decimal(usd["balance"]) == Decimal(1000) + Decimal(usd["amount"]) - Decimal(usd["fee"])
    assert Decimal(trade["cost"]) == -Decimal(usd["amount"])
    assert Decimal(trade["fee"]) == Decimal(usd["fee"])


def test_history_comes_newest_first_in_pages_of_fifty() -> None:
    there = parts.exchange()
    rest = parts.Signed(there)
    for _ in range(27):
        for side in ("buy", "sell"):
            rest.good("AddOrder", pair="XBTUSD", type=side, ordertype="market", volume="0.0001")
        parts.step(there)
    pages = [rest.good("TradesHistory", ofs=offset) for offset in (0, 50)]
    assert [len(page["trades"]) for page in pages] == [50, 4]
    assert {page["count"] for page in pages} == {54}
    seen = [exec_id for page in pages for exec_id in page["trades"]]
    assert seen == [trade["exec_id"] for trade in reversed(there.truth()["trades"])]
    assert rest.good("Ledgers", ofs=100)["count"] == 108
    assert len(rest.good("Ledgers", ofs=100)["ledger"]) == 8
    assert len(rest.good("ClosedOrders")["closed"]) == 50
    assert rest.request("TradesHistory", ofs=-1)[0] != []


def test_validate_places_nothing_and_refusals_carry_kraken_s_text() -> None:
    rest = parts.Signed(parts.exchange())
    order = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.001"}
    assert "txid" not in rest.good("AddOrder", **order, validate="true")
    refused = rest.request("AddOrder", **{**order, "volume": "9"})
    assert refused[0] == ["EOrder:Insufficient funds"]
    for broken in ({"volume": "NaN"}, {"volume": "much"}, {"ordertype": "iceberg"}, {"type": ""}):
        errors, _ = rest.request("AddOrder", **{**order, **broken})
        assert errors[0].startswith("EGeneral:Invalid arguments")
    assert rest.good("ClosedOrders")["count"] == 0


def test_the_fee_tier_is_told_for_the_pairs_asked() -> None:
    rest = parts.Signed(parts.exchange())
    answer = rest.good("TradeVolume", pair="XBTUSD,ETHUSD")
    assert answer["volume"] == "0.0000"
    assert answer["fees"]["XXBTZUSD"]["fee"] == "0.4000"
    assert answer["fees_maker"]["XETHZUSD"]["fee"] == "0.2500"
    assert answer["fees"]["XXBTZUSD"]["nextvolume"] == "10000.0000"


def test_time_status_and_assets_are_told() -> None:
    there = parts.exchange()
    assert parts.public(there, "Time")[1]["unixtime"] == int(there.now.timestamp())
    assert parts.public(there, "SystemStatus")[1]["status"] == "online"
    assert parts.public(there, "Assets", asset="XBT")[1]["XXBT"]["altname"] == "XBT"
    assert parts.public(there, "Assets", asset="NOPE")[0] == ["EQuery:Unknown asset"]


def test_an_account_without_margin_has_an_empty_list_of_positions() -> None:
    assert parts.Signed(parts.exchange()).good("OpenPositions") == []
