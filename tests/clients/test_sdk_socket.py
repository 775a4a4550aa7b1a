"""python-kraken-sdk 3.5 over WebSocket v2 trades in the sandbox as at Kraken."""

from typing import Any

import pytest
from clients_parts import FEW_PAIRS, Told

PROGRAM = "sdk_socket.py"


def test_the_first_frame_is_the_status_of_api_v2(told: Told) -> None:
    (row,) = told("every_public_channel_is_served")["status"]["data"]
    assert (row["system"], row["api_version"]) == ("online", "v2")
    assert row["connection_id"] > 2**53


@pytest.mark.parametrize(
    ("channel", "fields"),
    [
        ("ticker", {"event_trigger": "trades", "snapshot": True, "symbol": "BTC/USD"}),
        ("trade", {"snapshot": True, "symbol": "BTC/USD"}),
        ("ohlc", {"interval": 1, "snapshot": True, "symbol": "BTC/USD"}),
        ("book", {"depth": 25, "snapshot": True, "symbol": "BTC/USD"}),
    ],
)
def test_a_public_channel_acknowledges_then_sends_snapshot_and_updates(
    told: Told, channel: str, fields: dict[str, Any]
) -> None:
    seen = told("every_public_channel_is_served")[channel]
    acknowledged = {k: v for k, v in seen["ack"]["result"].items() if k != "warnings"}
    assert acknowledged == {"channel": channel, **fields}
    assert seen["snapshot"]["data"][0]["symbol"] == "BTC/USD"
    assert seen["update"]["data"][0]["symbol"] == "BTC/USD"


def test_the_instrument_channel_brings_the_reference_data(told: Told) -> None:
    data = told("every_public_channel_is_served")["instrument"]["snapshot"]["data"]
    assert {"BTC", "ETH", "USD"} <= {asset["id"] for asset in data["assets"]}
    pairs = {pair["symbol"]: pair for pair in data["pairs"]}
    assert set(pairs) == set(FEW_PAIRS)
    assert (pairs["BTC/USD"]["price_precision"], pairs["BTC/USD"]["price_increment"]) == (1, 0.1)


def test_the_client_books_its_subscriptions_from_the_acknowledgements(told: Told) -> None:
    seen = told("every_public_channel_is_served")
    channels = [row["channel"] for row in seen["active"]]
    assert channels == ["ticker", "trade", "ohlc", "book", "instrument"]
    assert seen["gone"]["success"] is True


def test_a_refused_symbol_is_told_and_the_others_are_served(told: Told) -> None:
    seen = told("a_refused_subscription_is_told_and_the_rest_goes_on")
    refused = seen["refused"]
    assert refused["error"] == "Currency pair not supported XBT/USD"
    assert refused["symbol"] == "XBT/USD"
    assert "result" not in refused


@pytest.mark.parametrize("depth", [10, 100])
def test_its_books_agree_with_every_checksum(told: Told, depth: int) -> None:
    seen = told(f"books_of_depth_{depth}_keep_their_checksums")
    assert set(seen["updates"]) == {"BTC/USD", "ETH/USD"}
    assert min(seen["updates"].values()) >= 30
    assert seen["wrong"] == 0
    assert max(seen["levels"]) <= depth


def test_an_order_s_events_come_as_pending_then_new_without_a_symbol(told: Told) -> None:
    seen = told("an_order_is_placed_amended_edited_and_cancelled")
    assert seen["placed"]["result"]["cl_ord_id"] == "sdk-1"
    assert seen["pending"]["symbol"] == "BTC/USD"
    assert seen["pending"]["order_status"] == "pending_new"
    assert seen["new"]["cl_ord_id"] == "sdk-1"
    assert not {"symbol", "side", "order_qty"} & set(seen["new"])


def test_an_amended_order_keeps_its_id_and_an_edited_one_gets_a_new_one(told: Told) -> None:
    seen = told("an_order_is_placed_amended_edited_and_cancelled")
    assert seen["amended"]["result"]["amend_id"].startswith("T")
    assert seen["amended_event"]["amended"] is True
    assert seen["amended_event"]["order_qty"] == 0.002
    edited = seen["edited"]["result"]
    assert edited["original_order_id"] == seen["second"] != edited["order_id"]
    assert seen["replaced"]["reason"] == "Order replaced"


def test_cancel_and_cancel_all_are_answered_and_told_as_events(told: Told) -> None:
    seen = told("an_order_is_placed_amended_edited_and_cancelled")
    assert seen["gone"]["result"] == {"order_id": seen["edited"]["result"]["order_id"]}
    assert seen["canceled"]["reason"] == seen["canceled"]["cancel_reason"] == "User requested"
    assert seen["all"]["result"] == {"count": 1}
    assert seen["last"]["order_status"] == "canceled"


def test_the_private_acknowledgements_have_the_documented_fields(told: Told) -> None:
    executions, balances = told("an_order_is_placed_amended_edited_and_cancelled")["acks"]
    assert {"channel", "maxratecount", "snap_orders", "snap_trades"} <= set(executions["result"])
    assert balances["result"] == {"channel": "balances", "snapshot": True}


def test_a_market_order_s_fill_moves_two_balances_by_the_same_reference(told: Told) -> None:
    seen = told("a_market_order_fills_and_moves_the_balances")
    assert seen["trade"]["liquidity_ind"] == "t"
    assert seen["filled"]["cum_qty"] == 0.01
    assert "symbol" not in seen["filled"]
    entries = seen["entries"]
    assert {row["asset"] for row in entries} == {"BTC", "USD"}
    assert sum(row["amount"] for row in entries if row["asset"] == "BTC") == pytest.approx(0.01)
    assert seen["snapshot"]["sequence"] == 1


def test_a_resting_order_fills_in_parts_as_a_maker(told: Told) -> None:
    seen = told("a_resting_order_fills_in_parts")
    assert seen["part"]["liquidity_ind"] == "m"
    assert seen["part"]["order_status"] == "partially_filled"
    assert 0 < seen["part"]["cum_qty"] < 0.01
    assert seen["filled"]["cum_qty"] == 0.01


def test_a_stop_waits_until_the_market_falls_to_it_and_then_trades(told: Told) -> None:
    seen = told("a_stop_trades_when_the_market_falls")
    assert seen["pending"]["order_type"] == "stop-loss"
    assert seen["pending"]["triggers"]["price"] == seen["price"]
    assert seen["status"]["triggers"]["status"] == "triggered"
    assert seen["trade"]["last_price"] <= seen["price"]
    assert seen["filled"]["cum_qty"] == 0.01


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("cancel_only", "EService:Market in cancel_only mode"),
        ("post_only", "EService:Market in post_only mode"),
        ("maintenance", "EService:Unavailable"),
    ],
)
def test_the_exchange_s_state_is_told_and_refuses_orders(told: Told, state: str, text: str) -> None:
    assert told("the_exchange_s_state_is_told_and_refuses_orders")[state] == {
        "told": state,
        "error": text,
    }


def test_the_execution_sequence_has_no_gap(told: Told) -> None:
    sequences = told("a_market_order_fills_and_moves_the_balances")["sequences"]
    assert sequences == list(range(1, len(sequences) + 1))


def test_a_batch_is_answered_in_the_order_of_the_request(told: Told) -> None:
    seen = told("batches_and_the_dead_man_s_switch")
    assert [row["cl_ord_id"] for row in seen["placed"]["result"]] == ["batch-0", "batch-1"]
    gone = seen["gone"]
    assert gone["success"] is True
    assert gone.get("orders_cancelled", gone.get("result", {}).get("count")) == 2
    assert {row["order_status"] for row in seen["canceled"]} == {"canceled"}


def test_the_dead_man_s_switch_is_armed_and_disarmed(told: Told) -> None:
    seen = told("batches_and_the_dead_man_s_switch")
    armed = seen["armed"]["result"]
    assert armed["triggerTime"] > armed["currentTime"]
    assert seen["disarmed"]["success"] is True


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("unknown_order", "EOrder:Unknown order"),
        ("funds", "EOrder:Insufficient funds"),
        ("minimum", "EGeneral:Invalid arguments:volume minimum not met"),
        ("tick", "EOrder:Tick size check failed"),
        ("field", "Unsupported field: 'price' for the given msg type: add order"),
        ("type", "Limit_price field must be a number_float"),
    ],
)
def test_a_refused_request_is_answered_with_kraken_s_text(told: Told, case: str, text: str) -> None:
    answer = told("refusals_come_with_the_request_s_number")[case]
    assert (answer["error"], answer["success"]) == (text, False)
    assert "result" not in answer


def test_the_client_comes_back_by_itself_after_its_connections_were_dropped(told: Told) -> None:
    seen = told("the_client_comes_back_by_itself_after_a_drop")
    assert seen["exception"] is False
    assert seen["ticker"]["data"][0]["symbol"] == "BTC/USD"
    assert seen["executions"]["sequence"] == 1
    assert [row["channel"] for row in seen["public"]] == ["ticker"]
    # In the order in which the acknowledgements came back.
    assert {row["channel"] for row in seen["private"]} == {"executions", "balances"}
