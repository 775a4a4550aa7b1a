"""The contract of raw frames alone: shapes that our client hides or never asks for."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from contract_raw import RawDriver
from contract_wire import Raw
from contract_words import accepted, d, limit, on_grid
from contract_world import World


@pytest.fixture
async def line(there: World) -> AsyncIterator[Raw]:
    """A public connection."""
    made = await Raw.open(there, "/v2")
    yield made
    await made.close()


async def test_raw_only_the_first_frame_is_status_with_sorted_keys(line: Raw) -> None:
    """Sections 1 and 3.1: before any ack; the id is above 2^53."""
    frame = line.frames[0]
    assert (frame["channel"], frame["type"]) == ("status", "update")
    (row,) = frame["data"]
    assert (row["system"], row["api_version"]) == ("online", "v2")
    assert row["connection_id"] > 2**53
    assert list(frame) == sorted(frame)


@pytest.mark.parametrize(
    ("channel", "params", "fields", "gone"),
    [
        ("ticker", {}, "channel event_trigger snapshot symbol", "channel event_trigger symbol"),
        ("book", {"depth": 25}, "channel depth snapshot symbol", "channel depth symbol"),
        ("trade", {"snapshot": True}, "channel snapshot symbol", "channel symbol"),
        ("ohlc", {"interval": 5}, "channel interval snapshot symbol warnings",
         "channel interval symbol"),
        ("instrument", {}, "channel snapshot warnings", "channel"),
    ],
)  # fmt: skip
async def test_raw_only_an_ack_for_each_symbol_then_its_snapshot(
    line: Raw, channel: str, params: dict[str, Any], fields: str, gone: str
) -> None:
    """Section 2.2: the fields of each result, alphabetically; both acks differ in method only."""
    named = {} if channel == "instrument" else {"symbol": ["BTC/USD", "ETH/USD"]}
    count = 1 if channel == "instrument" else 2
    acks = await line.ask("subscribe", count, channel=channel, **named, **params)
    for ack in acks:
        assert (ack["method"], ack["success"]) == ("subscribe", True)
        assert list(ack["result"]) == fields.split()
        assert list(ack) == sorted(ack)
    if named:
        assert [ack["result"]["symbol"] for ack in acks] == named["symbol"]
    while len(line.pushed(channel)) < count:
        await line.next()
    assert [frame["type"] for frame in line.pushed(channel)] == ["snapshot"] * count
    first_ack, first_push = (
        next(n for n, f in enumerate(line.frames) if name in f and f.get(name) == value)
        for name, value in (("method", "subscribe"), ("channel", channel))
    )
    assert first_ack < first_push
    left = await line.ask("unsubscribe", count, channel=channel, **named, **_of_topic(params))
    for ack in left:
        assert (ack["method"], ack["success"]) == ("unsubscribe", True)
        assert list(ack["result"]) == gone.split()


def _of_topic(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name != "snapshot"}


async def test_raw_only_a_mixed_list_is_answered_symbol_by_symbol(line: Raw) -> None:
    """Section 2.2: a failure names its symbol at the top level and has no result."""
    good, bad = await line.ask(
        "subscribe", 2, channel="ticker", symbol=["BTC/USD", "XBT/USD"], snapshot=True
    )
    assert good["success"]
    assert (bad["success"], bad["symbol"]) == (False, "XBT/USD")
    assert bad["error"] == "Currency pair not supported XBT/USD"
    assert "result" not in bad


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"channel": "book", "depth": 7}, "Subscription depth not supported"),
        ({"channel": "ohlc", "interval": 2}, "Subscription ohlc interval not supported"),
        ({"channel": "ticker", "nonsense": 1}, "Unsupported field: 'nonsense' for the given msg"),
    ],
)
async def test_raw_only_a_subscription_out_of_the_ordinary_is_refused(
    line: Raw, params: dict[str, Any], error: str
) -> None:
    """Sections 2.1, 4.1 and 9: refused, not rounded; the socket stays up."""
    (answer,) = await line.ask("subscribe", symbol=["BTC/USD"], **params)
    assert not answer["success"]
    assert answer["error"].startswith(error)
    assert (await line.answered({"method": "ping", "req_id": 9}))["method"] == "pong"


async def test_raw_only_unsubscribing_what_is_not_subscribed_answers_subscribe(
    line: Raw,
) -> None:
    """Section 2.2: `"method":"subscribe"` (sic), `Subscription Not Found`."""
    (answer,) = await line.ask("unsubscribe", channel="ticker", symbol=["BTC/USD"])
    assert (answer["method"], answer["success"]) == ("subscribe", False)
    assert (answer["error"], answer["symbol"]) == ("Subscription Not Found", "BTC/USD")


async def test_raw_only_pings_and_what_is_no_request(line: Raw) -> None:
    """Sections 2.1, 2.2 and 2.5: bare pongs, req_id only if sent, errors in their own words."""
    pong = await line.answered({"method": "ping", "req_id": 3})
    assert set(pong) == {"method", "req_id", "time_in", "time_out"}
    assert "req_id" not in await line.answered({"method": "ping"})
    for message, error in (
        ("{nonsense", "Malformed request"),
        ({"method": "dance"}, "Unsupported event"),
        (
            {"method": "ping", "params": {}},
            "Unsupported field: 'params' for the given msg type: ping",
        ),
    ):
        answer = await line.answered(message)
        assert (answer["success"], answer["error"]) == (False, error)


async def test_raw_only_book_numbers_have_the_digits_of_the_pair(line: Raw, there: World) -> None:
    """Section 4.3: fixed precision, trailing zeros kept, no exponent."""
    await line.ask("subscribe", channel="book", symbol=["BTC/USD"], depth=10, snapshot=True)
    for _ in range(5):
        there.advance(1)
    await line.settle(there)
    for frame in line.pushed("book"):
        for row in frame["data"]:
            assert set(row) >= {"symbol", "bids", "asks", "checksum"}
            for level in (*row["bids"], *row["asks"]):
                price, qty = level["price"], level["qty"]
                assert (price.as_tuple().exponent, qty.as_tuple().exponent) == (-1, -8)
    assert len(line.pushed("book")) > 3


async def test_raw_only_a_private_request_needs_a_token_and_the_private_address(
    line: Raw, there: World
) -> None:
    """Section 5: `Token(s) not found`; the public address serves nothing private."""
    private = await Raw.open(there, "/auth/v2")
    try:
        for token in ({"token": "nonsense"}, {}):
            (answer,) = await private.ask("subscribe", channel="balances", **token)
            assert (answer["success"], answer["error"]) == (False, "Token(s) not found")
    finally:
        await private.close()
    (answer,) = await line.ask("subscribe", channel="balances", token="nonsense")
    assert not answer["success"]


async def test_raw_only_one_token_serves_several_connections_each_with_its_own_sequence(
    raw: RawDriver, there: World
) -> None:
    """Sections 5 and 6: sequence starts at 1 with the snapshot and goes up by one."""
    second = await Raw.open(there, "/auth/v2")
    try:
        (ack,) = await second.ask("subscribe", channel="executions", token=raw.token)
        assert ack["result"]["maxratecount"] == 125
        bid, _ = there.best()
        for number in range(3):
            accepted(await raw.place(limit(f"se-{number}", on_grid(bid * d("0.9")))))
        for connection in (raw.private, second):
            await connection.settle(there)
            frames = connection.pushed("executions")
            assert frames[0]["type"] == "snapshot"
            numbers = [frame["sequence"] for frame in frames]
            assert numbers == list(range(1, len(numbers) + 1))
            assert len(numbers) == 1 + 6
    finally:
        await second.close()


async def test_raw_only_short_events_carry_no_symbol_and_fills_name_their_fees(
    raw: RawDriver, there: World
) -> None:
    """Section 6.1: symbol, side and quantity only on pending_new and trade."""
    bid, _ = there.best()
    accepted(await raw.place(limit("sh-1", bid, "0.1")))
    there.do("fill", account=raw.account, cl_ord_id="sh-1", share=0.5)
    assert await raw.cancel("sh-1") is None
    await raw.settle()
    rows = {
        row["exec_type"]: row for frame in raw.private.pushed("executions") for row in frame["data"]
    }
    assert set(rows) == {"pending_new", "new", "trade", "canceled"}
    assert {kind for kind, row in rows.items() if "symbol" in row} == {"pending_new", "trade"}
    pending, new, trade, gone = rows["pending_new"], rows["new"], rows["trade"], rows["canceled"]
    assert (pending["time_in_force"], pending["fee_ccy_pref"]) == ("GTC", "fciq")
    assert new["timestamp"] == pending["timestamp"]
    assert {row["cl_ord_id"] for row in rows.values()} == {"sh-1"}
    assert not any("order_userref" in row for row in rows.values())
    assert trade["liquidity_ind"] == "m"
    assert [fee["asset"] for fee in trade["fees"]] == ["USD"]
    assert trade["cum_qty"] == trade["last_qty"] == d("0.05")
    assert gone["reason"] == gone["cancel_reason"] == "User requested"


async def test_raw_only_a_cancel_of_several_is_answered_one_by_one(
    raw: RawDriver, there: World
) -> None:
    """Section 8.4: one response for each id, with the same req_id; our client sends one id."""
    bid, _ = there.best()
    for name in ("ma-1", "ma-2"):
        accepted(await raw.place(limit(name, on_grid(bid * d("0.9")))))
    answers = await raw.private.ask(
        "cancel_order", 3, cl_ord_id=["ma-1", "none", "ma-2"], token=raw.token
    )
    assert [answer["success"] for answer in answers] == [True, False, True]
    assert [a.get("result") for a in answers] == [
        {"cl_ord_id": "ma-1"},
        None,
        {"cl_ord_id": "ma-2"},
    ]
    assert answers[1]["error"] == "EOrder:Unknown order"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"limit_price": "30000.0"}, "Limit_price field must be a number_float"),
        ({"price": d("30000.0")}, "Unsupported field: 'price' for the given msg type: add order"),
        ({"time_in_force": "gtd"}, "EGeneral:Invalid arguments"),
        ({"order_userref": 7}, "EGeneral:Invalid arguments"),
        ({"cl_ord_id": "nineteen-characters"}, "EGeneral:Invalid arguments"),
        ({"triggers": {"price": d("1.0")}}, "EGeneral:Invalid arguments"),
    ],
    ids=["text for a number", "unknown field", "gtd without end", "two ids", "long id", "trigger"],
)
async def test_raw_only_a_malformed_order_is_refused(
    raw: RawDriver, change: dict[str, Any], error: str
) -> None:
    """Sections 2.1 and 8.1: strict types and fields; our client cannot say such orders."""
    order: dict[str, Any] = {
        "order_type": "limit",
        "side": "buy",
        "symbol": "BTC/USD",
        "order_qty": d("0.01"),
        "limit_price": d("30000.0"),
        "cl_ord_id": "bad-1",
    }
    answer = await raw.request("add_order", **order | change)
    assert not answer["success"]
    assert answer["error"].startswith(error), answer["error"]


async def test_raw_only_batches_edits_and_conditional_closes(raw: RawDriver, there: World) -> None:
    """Sections 8.3, 8.7, 8.8 and 8.1, conditional: our product sends none of them."""
    bid, _ = there.best()
    price = on_grid(bid * d("0.9"))
    orders = [
        {"order_type": "limit", "side": "buy", "order_qty": d("0.01"), "limit_price": price,
         "cl_ord_id": name}
        for name in ("b-1", "b-2")
    ]  # fmt: skip
    answer = await raw.request("batch_add", symbol="BTC/USD", orders=orders)
    ids = [row["order_id"] for row in answer["result"]]
    assert answer["success"]
    named = await raw.request("edit_order", order_id=ids[0], symbol="BTC/USD", order_qty=d("0.02"))
    assert named["error"].startswith("EOrder:")  # an order with a client id cannot be edited
    plain = {**orders[0], "symbol": "BTC/USD"}
    del plain["cl_ord_id"]
    old = (await raw.request("add_order", **plain))["result"]["order_id"]
    edited = await raw.request("edit_order", order_id=old, symbol="BTC/USD", limit_price=price - 1)
    result = edited["result"]
    assert result["original_order_id"] == old != result["order_id"]
    reasons = [event.reason for event in await raw.told() if event.order_id == old]
    assert reasons[-1] == "Order replaced"
    answer = await raw.request("batch_cancel", orders=[ids[1], result["order_id"]])
    assert answer["result"] == {"count": 2}

    primary = {
        "order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": d("0.01"),
        "limit_price": bid, "cl_ord_id": "oto",
        "conditional": {"order_type": "limit", "limit_price": on_grid(bid * d("1.5"))},
    }  # fmt: skip
    parent = (await raw.request("add_order", **primary))["result"]["order_id"]
    there.do("fill", account=raw.account, cl_ord_id="oto")
    await raw.settle()
    rows = [row for frame in raw.private.pushed("executions") for row in frame["data"]]
    (child,) = [row for row in rows if row.get("ord_ref_id") == parent]
    assert (child["side"], child["order_qty"]) == ("sell", d("0.01"))


async def test_raw_only_private_rest_counts_pages_and_names_its_rows(
    raw: RawDriver, there: World
) -> None:
    """Sections 11.2 and 11.5: 50 a page, newest first, a count over all; numbers are strings."""
    bid, _ = there.best()
    for number in range(53):
        accepted(await raw.place(limit(f"pg-{number}", on_grid(bid * d("0.9")), force="ioc")))
    first = await raw.rest.good("ClosedOrders")
    second = await raw.rest.good("ClosedOrders", ofs=50)
    assert (len(first["closed"]), len(second["closed"])) == (50, 3)
    assert first["count"] == second["count"] == 53
    assert not set(first["closed"]) & set(second["closed"])
    row = next(iter(first["closed"].values()))
    assert row["cl_ord_id"] == "pg-52"
    assert isinstance(row["vol"], str)
    assert isinstance(row["opentm"], Decimal | int)
    assert row["descr"]["pair"] == "XBTUSD"


async def test_raw_only_errors_of_rest_that_our_client_never_causes(
    raw: RawDriver, there: World
) -> None:
    """Sections 9 and 11.2: HTTP status 200, one error, no result."""
    assert await raw.rest.error("Dance") == "EGeneral:Unknown method"
    assert (await raw.rest.error("QueryOrders")).startswith("EGeneral:Invalid arguments")
    answer = there.get("/0/public/Depth?pair=NOPE")
    assert answer["error"] == ["EQuery:Unknown asset pair"]
    assert "result" not in answer
    assert json.dumps(there.get("/0/public/Time"), default=str).startswith('{"error": []')


async def test_raw_only_heartbeats_come_about_once_a_second_whatever_else_does(
    line: Raw, there: World
) -> None:
    """Section 2.5: unconditional, from the first subscription on, without type and data."""
    await line.ask("subscribe", channel="ticker", symbol=["BTC/USD"])
    while len(line.pushed("heartbeat")) < 2:
        await line.next()
    assert line.pushed("heartbeat")[0] == {"channel": "heartbeat"}
