"""ccxt 4.5 over REST finds in the sandbox what it finds at Kraken."""

from itertools import pairwise
from typing import Any

import pytest
from clients_parts import Told

PROGRAM = "ccxt_rest.py"
PAIRS: tuple[str, ...] = ()  # all
SYMBOL = "BTC/USD"


def test_markets_have_their_modern_names_steps_and_limits(told: Told) -> None:
    seen = told("markets_and_currencies")
    btc = seen["btc"]
    assert (btc["id"], btc["base"], btc["quote"]) == ("XXBTZUSD", "BTC", "USD")
    assert (btc["active"], btc["spot"]) == (True, True)
    assert btc["precision"]["price"] == 0.1
    assert btc["limits"]["amount"]["min"] == 0.00005
    assert btc["limits"]["cost"]["min"] == 0.5
    assert (btc["taker"], btc["maker"]) == (0.004, 0.0025)
    assert seen["doge"]["altname"] == "XDGUSD"
    assert seen["count"] >= 30
    assert seen["currencies"]["BTC"]["id"] == "XXBT"
    assert seen["status"]["status"] == "ok"


def test_ticker_book_candles_and_trades_are_parsed(told: Told) -> None:
    seen = told("market_data")
    ticker = seen["ticker"]
    assert ticker["low"] <= ticker["last"] <= ticker["high"]
    assert ticker["bid"] < ticker["ask"]
    assert set(seen["tickers"]) == {SYMBOL, "ETH/USD"}
    book = seen["book"]
    assert [len(book[side]) for side in ("bids", "asks")] == [20, 20]
    assert book["bids"][0][0] < book["asks"][0][0]
    assert {b[0] - a[0] for a, b in pairwise(seen["ohlcv"])} == {300_000}
    assert 28 <= len(seen["ohlcv_since"]) <= 31
    ids = [int(trade["id"]) for trade in seen["trades"]]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


def test_balance_and_fee_tier_are_those_of_a_new_account(told: Told) -> None:
    seen = told("balances_and_fees")
    assert seen["balance"]["USD"]["free"] == seen["balance"]["USD"]["total"] > 0
    assert (seen["fee"]["taker"], seen["fee"]["maker"]) == (0.004, 0.0025)
    assert seen["positions"] == []


def test_a_post_only_limit_order_is_found_by_its_client_id_and_cancelled(told: Told) -> None:
    seen = told("a_limit_order_lives_and_dies")
    order_id = seen["made"]["id"]
    (order,) = seen["open"]
    assert (order["id"], order["clientOrderId"]) == (order_id, "ccxt-1")
    assert (order["status"], order["price"], order["remaining"]) == ("open", seen["price"], 0.01)
    assert order["postOnly"] is True
    assert seen["held"]["used"] >= seen["price"] * 0.01
    assert seen["fetched"]["status"] == "canceled"
    assert order_id in {row["id"] for row in seen["closed"]}
    assert seen["open_after"] == []


def test_an_edit_which_ccxt_sends_as_an_amend_leaves_the_order_its_id(told: Told) -> None:
    seen = told("an_order_is_edited")
    (order,) = seen["open"]
    assert order["id"] == seen["made"]["id"]
    assert seen["edited"]["info"]["amend_id"].startswith("T")
    assert (order["price"], order["amount"]) == (seen["price"], 0.02)


def test_a_market_order_s_cost_fee_trades_and_ledger_agree(told: Told) -> None:
    seen = told("a_market_order_is_in_trades_and_ledger")
    order = seen["order"]
    mine = [trade for trade in seen["trades"] if trade["order"] == order["id"]]
    assert (order["status"], order["filled"]) == ("closed", 0.02)
    assert sum(trade["amount"] for trade in mine) == pytest.approx(0.02)
    cost = sum(trade["cost"] for trade in mine)
    assert cost == pytest.approx(order["cost"])  # which ccxt makes of the rounded average price
    fee = sum(trade["fee"]["cost"] for trade in mine)
    assert fee == pytest.approx(float(order["fee"]["cost"]))
    spent = seen["before"]["USD"] - seen["after"]["USD"]
    # Cost and fee of each fill stand in the ledger with four decimals.
    assert spent == pytest.approx(cost + fee, abs=0.0002 * len(mine) + 1e-9)
    assert sorted(t["id"] for t in seen["order_trades"]) == sorted(t["id"] for t in mine)
    entries = [row for row in seen["ledger"] if row["referenceId"] in {t["id"] for t in mine}]
    assert sum(row["amount"] for row in entries if row["currency"] == "BTC") == pytest.approx(0.02)
    assert order["id"] in {row["id"] for row in seen["closed"]}


def test_a_market_buy_is_sized_in_dollars(told: Told) -> None:
    order = told("a_market_buy_is_sized_in_dollars")
    assert order["status"] == "closed"
    assert order["cost"] == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize(
    ("kind", "price"),
    [
        ("stop-loss", "low"),
        ("stop-loss-limit", "low"),
        ("take-profit", "high"),
        ("take-profit-limit", "high"),
        ("trailing-stop", None),
    ],
)
def test_a_triggered_order_is_told_back_as_it_was_sent(
    told: Told, kind: str, price: str | None
) -> None:
    seen = told("triggered_orders_are_understood")
    order = seen[kind]
    assert order["info"]["descr"]["ordertype"] == kind
    assert (order["status"], order["side"], order["amount"]) == ("open", "sell", 0.001)
    if price is not None:
        assert order["triggerPrice"] == seen["prices"][price]


def test_a_conditional_close_sent_as_nested_fields_is_understood(told: Told) -> None:
    seen = told("an_order_with_a_conditional_close_is_accepted")
    assert seen["order"]["status"] == "open"
    assert "stop loss" in seen["order"]["info"]["descr"]["close"]


def test_several_orders_are_placed_and_cancelled_at_once(told: Told) -> None:
    seen = told("several_orders_are_placed_and_cancelled_at_once")
    assert sorted(seen["open"]) == sorted(seen["ids"])
    assert seen["left"] == seen["ids"][2:]
    assert seen["after"] == []
    assert {row["status"] for row in seen["by_ids"]} == {"canceled"}


def test_a_limit_order_larger_than_the_quote_fills_in_part(told: Told) -> None:
    seen = told("a_large_limit_order_fills_in_part")
    assert seen["order"]["status"] == "open"
    assert seen["order"]["remaining"] > 0
    after: dict[str, Any] = seen["after"]
    assert (after["status"], after["filled"]) == ("canceled", seen["order"]["filled"])


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("funds", "InsufficientFunds"),
        ("unknown_order", "OrderNotFound"),
        ("too_small", "InvalidOrder"),
        ("unknown_pair", "ExchangeError"),
        ("permission", "PermissionDenied"),
        ("rate", "DDoSProtection"),
        ("unknown_key", "AuthenticationError"),
        # ccxt knows no class for this text, as at the real exchange.
        ("signature", "ExchangeError"),
        ("nonce", "InvalidNonce"),
    ],
)
def test_a_refusal_is_ccxt_s_own_class_for_it(told: Told, case: str, kind: str) -> None:
    seen = told("errors_are_ccxt_s_own_classes")[case]
    assert seen.get("type") == kind, seen


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("cancel_only", "OnMaintenance"),
        ("post_only", "OnMaintenance"),
        ("maintenance", "ExchangeNotAvailable"),
    ],
)
def test_the_exchange_s_state_refuses_orders_by_ccxt_s_classes(
    told: Told, state: str, kind: str
) -> None:
    seen = told("the_exchange_s_state_has_its_classes")[state]
    assert seen["type"] == kind
    assert seen["status"] == "maintenance"


def test_a_flood_of_orders_is_stopped_by_the_trading_counter_of_the_tier(told: Told) -> None:
    seen = told("a_flood_of_orders_is_stopped_by_the_trading_counter")
    # Starter: 60 for a pair; an order that is cancelled at once costs 1 and 8.
    assert seen["cycles"] in {6, 7}
    assert seen["type"] == "DDoSProtection"
    assert "EOrder:Rate limit exceeded" in seen["text"]


def test_times_in_force_and_icebergs_are_understood(told: Told) -> None:
    seen = told("times_in_force_and_icebergs_are_understood")
    assert seen["immediate"]["status"] in {"canceled", "expired"}
    assert seen["immediate"]["filled"] == 0
    assert seen["dated"]["status"] == "open"
    assert seen["dated"]["info"]["expiretm"] > seen["dated"]["info"]["opentm"]
    assert seen["iceberg"]["info"]["descr"]["ordertype"] == "iceberg"
