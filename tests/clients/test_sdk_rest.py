"""python-kraken-sdk 3.5 over REST finds in the sandbox what it finds at Kraken."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from clients_parts import Told

PROGRAM = "sdk_rest.py"


def only(rows: dict[str, Any]) -> Any:
    """The one value of a map of one."""
    (value,) = rows.values()
    return value


def test_the_reference_data_reads_by_every_name_of_a_pair(told: Told) -> None:
    seen = told("reference_data")
    assert seen["status"]["status"] == "online"
    assert seen["assets"]["XXBT"]["altname"] == "XBT"
    assert list(seen["one_asset"]) == ["ZUSD"]
    assert set(seen["two_assets"]) == {"XXBT", "ZUSD"}
    pair = seen["pairs"]["XXBTZUSD"]
    assert (pair["altname"], pair["wsname"], pair["status"]) == ("XBTUSD", "XBT/USD", "online")
    assert Decimal(pair["tick_size"]) == Decimal("0.1")
    assert seen["by_altname"] == seen["by_id"] == {"XXBTZUSD": pair}
    # The SDK's book client looks the pair up by this form and reads the answer under it.
    assert seen["by_slash"] == {"BTC/USD": pair}


def test_an_info_parameter_gives_that_part_of_a_pair_only(told: Told) -> None:
    seen = told("reference_data")
    assert {"fees", "fee_volume_currency"} <= set(only(seen["fees_only"]))
    assert "altname" not in only(seen["fees_only"])
    assert set(only(seen["leverage_only"])) == {"leverage_buy", "leverage_sell"}


def test_bitcoin_is_found_by_its_modern_name(told: Told) -> None:
    seen = told("bitcoin_by_its_modern_name")
    assert only(seen["pairs"])["altname"] == "XBTUSD"
    assert len(seen["two"]) == 2
    assert len(seen["ohlc"]) == 2


def test_ticker_ohlc_book_trades_and_spreads_have_kraken_s_shapes(told: Told) -> None:
    seen = told("market_data")
    assert {"XXBTZUSD", "XETHZUSD"} <= set(seen["all_tickers"])
    assert set(seen["two_tickers"]) == {"XXBTZUSD", "DOTUSD"}
    ticker = only(seen["ticker"])
    assert Decimal(ticker["b"][0]) < Decimal(ticker["a"][0])
    candles = seen["ohlc"]["XXBTZUSD"]
    assert {b[0] - a[0] for a, b in pairwise(candles)} == {60}
    assert all(row[0] % (240 * 60) == 0 for row in seen["ohlc_240"]["XXBTZUSD"])
    book = seen["book"]["XXBTZUSD"]
    asks = [Decimal(row[0]) for row in book["asks"]]
    bids = [Decimal(row[0]) for row in book["bids"]]
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]
    assert [len(seen["book_2"]["XXBTZUSD"][side]) for side in ("asks", "bids")] == [2, 2]
    ids = [row[6] for row in seen["trades"]["XXBTZUSD"]]
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    assert all(Decimal(row[1]) < Decimal(row[2]) for row in seen["spreads"]["XXBTZUSD"])


def test_trades_page_on_from_the_last_mark_without_hole_or_repeat(told: Told) -> None:
    seen = told("trades_page_on")
    first, again = seen["first"], seen["again"]
    assert isinstance(first["last"], str)
    assert again["XXBTZUSD"][0][6] == first["XXBTZUSD"][-1][6] + 1
    assert int(again["last"]) > int(first["last"])


def test_the_account_is_told_with_what_is_held(told: Told) -> None:
    seen = told("the_account")
    assert seen["balances"]["ZUSD"]["hold_trade"] == "0.0000"
    assert seen["dollars"]["available_balance"] == float(seen["balance"]["ZUSD"])
    assert Decimal(seen["trade_balance"]["eb"]) > 0
    assert seen["volume"]["currency"] == "ZUSD"
    assert Decimal(seen["volume"]["fees"]["XXBTZUSD"]["fee"]) == Decimal("0.4")


def test_no_position_is_an_empty_list(told: Told) -> None:
    assert told("the_account")["positions"] == []


def test_a_limit_order_rests_is_held_for_and_is_cancelled(told: Told) -> None:
    seen = told("a_limit_order_rests_is_held_for_and_is_cancelled")
    order = seen["open"][seen["txid"]]
    assert order["status"] == "open"
    assert order["userref"] == 42
    assert "post" in order["oflags"]
    text = f"buy 0.01000000 XBTUSD @ limit {order['descr']['price']}"
    assert seen["placed"]["descr"]["order"] == order["descr"]["order"] == text
    assert seen["other_tag"] == {}
    assert Decimal(seen["held"]["hold_trade"]) >= Decimal(order["descr"]["price"]) / 100
    assert seen["cancelled"] == {"count": 1}
    assert (seen["after"]["status"], seen["after"]["reason"]) == ("canceled", "User requested")
    assert seen["closed"]["count"] == 1
    assert seen["txid"] in seen["closed"]["closed"]
    assert seen["held_after"]["hold_trade"] == "0.0000"


def test_a_market_order_is_in_orders_trades_and_ledger_with_the_same_numbers(told: Told) -> None:
    seen = told("a_market_order_trades_and_is_in_every_history")
    order, trades, ledgers = seen["order"], seen["trades"], seen["ledgers"]
    assert (order["status"], order["vol_exec"]) == ("closed", "0.02000000")
    assert sorted(order["trades"]) == sorted(trades)
    assert seen["by_id"] == trades
    assert sum(Decimal(row["cost"]) for row in trades.values()) == Decimal(order["cost"])
    assert sum(Decimal(row["fee"]) for row in trades.values()) == Decimal(order["fee"])
    assert not any(row["maker"] for row in trades.values())
    assert seen["ledgers_by_id"] == ledgers
    assert len(ledgers) == 2 * len(trades)
    for asset, name in (("ZUSD", "ZUSD"), ("XXBT", "XXBT")):
        rows = [row for row in ledgers.values() if row["asset"] == asset]
        change = sum(Decimal(row["amount"]) - Decimal(row["fee"]) for row in rows)
        before = Decimal(seen["before"].get(name, "0"))
        assert Decimal(seen["after"][name]) == before + change


def test_the_30_day_volume_grows_with_a_trade(told: Told) -> None:
    seen = told("a_market_order_trades_and_is_in_every_history")
    cost = Decimal(seen["order"]["cost"])
    assert Decimal(seen["volume"]["volume"]) >= cost.quantize(Decimal("0.0001"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("stop-loss", "stop loss {price}"),
        ("stop-loss-limit", "stop loss {price} -> limit {price2}"),
        ("take-profit", "take profit {price}"),
        ("take-profit-limit", "take profit {price} -> limit {price2}"),
        ("trailing-stop", "trailing stop "),
        ("trailing-stop-limit", "trailing stop "),
    ],
)
def test_a_triggered_order_waits_and_is_described(told: Told, name: str, text: str) -> None:
    seen = told("stop_loss_and_its_relatives_are_accepted")[name]
    described = seen["order"]["descr"]
    assert described["ordertype"] == name
    assert seen["order"]["status"] in {"open", "pending"}
    wanted = text.format(price=described["price"], price2=described["price2"])
    assert seen["placed"]["descr"]["order"].startswith(f"sell 0.00100000 XBTUSD @ {wanted}")


def test_a_conditional_close_is_told_with_its_order(told: Told) -> None:
    seen = told("a_conditional_close_is_described")
    assert seen["placed"]["descr"]["close"].startswith("close position @ stop loss")
    assert seen["order"]["descr"]["close"] == seen["placed"]["descr"]["close"]


def test_an_order_that_is_only_checked_leaves_nothing(told: Told) -> None:
    seen = told("a_checked_order_leaves_nothing")
    assert seen["placed"] == {"descr": {"order": "buy 0.01000000 XBTUSD @ limit 1000.0"}}
    assert seen["open"] == {}


def test_amend_keeps_the_order_and_edit_replaces_it(told: Told) -> None:
    seen = told("amend_keeps_the_order_and_edit_replaces_it")
    assert seen["amended"]["amend_id"].startswith("T")
    assert seen["after_amend"]["vol"] == "0.02000000"
    assert Decimal(seen["after_amend"]["descr"]["price"]) == Decimal(seen["prices"][1])
    assert "amended" in seen["after_amend"]["misc"]
    assert [row["amend_type"] for row in seen["amends"]["amends"]] == ["original", "user"]
    assert (seen["edited"]["status"], seen["edited"]["originaltxid"]) == ("ok", seen["txid"])
    assert (seen["old"]["status"], seen["old"]["reason"]) == ("canceled", "Order replaced")
    assert (seen["new"]["status"], seen["new"]["vol"]) == ("open", "0.03000000")


def test_a_batch_is_placed_and_cancelled_as_one(told: Told) -> None:
    seen = told("a_batch_is_placed_and_cancelled_as_one")
    txids = [row["txid"] for row in seen["placed"]["orders"]]
    assert sorted(seen["open"]) == sorted(txids)
    assert seen["cancelled"] == {"count": 3}
    assert seen["after"] == {}


def test_cancel_all_empties_the_book_of_the_account(told: Told) -> None:
    seen = told("cancel_all_empties_the_book_of_the_account")
    assert seen["answer"] == {"count": seen["before"]}
    assert seen["after"] == {}
    assert seen["armed"]["triggerTime"] > seen["armed"]["currentTime"]
    assert "triggerTime" in seen["disarmed"]


def test_a_limit_order_larger_than_the_quote_fills_in_part_and_rests(told: Told) -> None:
    seen = told("a_large_limit_order_fills_in_part_and_rests")
    assert seen["order"]["status"] == "open"
    assert seen["after"]["status"] == "canceled"
    assert seen["after"]["vol_exec"] == seen["order"]["vol_exec"]
    assert "partial" in seen["after"]["misc"]


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("funds", "EOrder:Insufficient funds"),
        ("unknown_order", "EOrder:Unknown order"),
        ("unknown_pair", "EQuery:Unknown asset pair"),
        ("unknown_method", "EGeneral:Unknown method"),
        ("permission", "EGeneral:Permission denied"),
        ("unknown_key", "EAPI:Invalid key"),
        ("signature", "EAPI:Invalid signature"),
    ],
)
def test_a_refusal_is_the_sdk_s_own_class_for_it(told: Told, case: str, text: str) -> None:
    seen = told("errors_are_the_classes_of_the_sdk")[case]
    assert "type" in seen, seen
    assert f"['{text}']" in seen["text"]


def test_a_flood_of_questions_is_stopped_by_the_counter_of_the_tier(told: Told) -> None:
    seen = told("a_flood_of_questions_is_stopped_by_the_counter")
    # Starter: 15 at once, and a third of one more in each second.
    assert 15 <= seen["answered"] <= 20
    assert "['EAPI:Rate limit exceeded']" in seen["text"]


def test_an_unknown_key_is_answered_without_a_result(told: Told) -> None:
    assert told("an_unknown_key_is_answered_literally") == {"error": ["EAPI:Invalid key"]}


def test_the_asynchronous_client_signs_as_well(told: Told) -> None:
    seen = told("the_asynchronous_client_works_too")
    assert seen["time"]["unixtime"] > 1_700_000_000
    assert "ZUSD" in seen["balance"]
    assert seen["token"]["expires"] == 900
