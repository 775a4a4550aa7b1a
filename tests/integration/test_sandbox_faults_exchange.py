"""Family X is really produced on real sockets: what a client without any opinion sees of each."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from faulty_sandbox import Raw, Rest, There, faulty_sandbox, raw_private, raw_public

from simple_trader.sandbox.faults.frames import checksum

pytestmark = pytest.mark.timeout(30)
BTC = "BTC/USD"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def there() -> AsyncIterator[There]:
    async with faulty_sandbox(capital=Decimal(100_000)) as sandbox:
        yield sandbox


@pytest.fixture
async def client(there: There, http: aiohttp.ClientSession) -> AsyncIterator[Raw]:
    async with raw_private(http, there, "executions") as raw:
        yield raw


@pytest.fixture
def rest(there: There, http: aiohttp.ClientSession) -> Rest:
    return Rest(http, there)


def price(there: There, part: str = "0.9") -> float:
    """A price at a part of the market's, on BTC's step."""
    market = there.exchange.market(BTC)
    return float((Decimal(market.bid) / 10 * Decimal(part)).quantize(Decimal("0.1")))


def order(kind: str = "market", qty: float = 0.001, **more: Any) -> dict[str, Any]:
    """The parameters of a buy of BTC."""
    return {"order_type": kind, "side": "buy", "symbol": BTC, "order_qty": qty, **more}


def resting(there: There, qty: float = 0.01, **more: Any) -> dict[str, Any]:
    """The parameters of a buy that rests."""
    return order("limit", qty, limit_price=price(there), **more)


def told(frames: list[dict[str, Any]], channel: str = "executions") -> list[dict[str, Any]]:
    """The rows of a channel's frames."""
    return [row for frame in frames if frame.get("channel") == channel for row in frame["data"]]


def kinds(frames: list[dict[str, Any]]) -> list[str]:
    """The exec_types in order of arrival."""
    return [row["exec_type"] for row in told(frames)]


def sequences(frames: list[dict[str, Any]]) -> list[int]:
    """The sequences of the execution frames in order of arrival."""
    return [frame["sequence"] for frame in frames if frame.get("channel") == "executions"]


def orders(there: There) -> list[Any]:
    """All orders as they really are."""
    return list(there.exchange.venue.state.orders.values())


async def test_x01_ack_lost_after_the_order_was_accepted(there: There, client: Raw) -> None:
    there.fault("X01")
    await client.ask("add_order", **order())
    frames = await client.drained()
    assert [f for f in frames if f.get("method") == "add_order"] == []
    assert kinds(frames) == ["pending_new", "new", "trade", "filled"]
    assert [o.status for o in orders(there)] == ["filled"]
    assert (await client.answer("add_order", **order()))["success"]


async def test_x01_ack_lost_on_rest_cuts_the_connection(there: There, rest: Rest) -> None:
    there.fault("X01")
    with pytest.raises(aiohttp.ClientError):
        await rest.ask("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.001")
    assert [o.status for o in orders(there)] == ["filled"]


async def test_x02_accepted_late_and_still_before_its_deadline(there: There, client: Raw) -> None:
    there.fault("X02 delay_s=4")
    deadline = (there.exchange.now + timedelta(seconds=5)).isoformat().replace("+00:00", "Z")
    await client.ask("add_order", **order(deadline=deadline))
    await client.drained()
    await there.step(3)
    assert orders(there) == []
    await there.step(1)
    frames = await client.drained()
    if not any(f.get("success") for f in frames):
        pytest.fail(f"the order came after its deadline: {frames}")
    assert len(orders(there)) == 1


@pytest.mark.parametrize("status", [502, 504, 520])
@pytest.mark.parametrize("lands", [True, False])
async def test_x03_bad_gateway_is_html_whether_the_order_landed_or_not(
    there: There, rest: Rest, status: int, lands: bool
) -> None:
    there.fault(f"X03 status={status} lands={lands}")
    got, body = await rest.raw(
        "AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.001"
    )
    assert got == status
    assert body.startswith(b"<html>")
    assert len(orders(there)) == int(lands)


async def test_x04_fill_before_ack(there: There, client: Raw) -> None:
    there.fault("X04 delay_s=1")
    await client.ask("add_order", **order())
    assert kinds(await client.drained()) == ["pending_new", "new", "trade", "filled"]
    await there.step(2)
    frames = await client.drained()
    assert [f["success"] for f in frames if f.get("method") == "add_order"] == [True]


@pytest.mark.parametrize(("sequence", "numbers"), [("same", 1), ("next", 3)])
async def test_x05_duplicate_events_come_three_times(
    there: There, client: Raw, sequence: str, numbers: int
) -> None:
    there.fault(f"X05 sequence={sequence}")
    await client.ask("add_order", **order())
    frames = await client.drained()
    trades = [f for f in frames if kinds([f]) == ["trade"]]
    assert len(trades) == 3
    assert len({f["data"][0]["exec_id"] for f in trades}) == 1
    assert len({f["sequence"] for f in trades}) == numbers
    assert sequences(frames)[-1] == max(sequences(frames))


async def test_x06_out_of_order_filled_before_the_trade(there: There, client: Raw) -> None:
    there.fault("X06")
    await client.ask("add_order", **order())
    frames = await client.drained()
    assert kinds(frames) == ["filled", "trade", "new", "pending_new"]
    assert sequences(frames) == sorted(sequences(frames))


async def test_x06_out_of_order_cancel_before_the_fill(there: There, client: Raw) -> None:
    placed = await client.answer("add_order", **resting(there, 1.0))
    there.fault("X06 how=held exec_type=trade")
    there.do("fill", share=0.5)
    await there.step(1)
    await client.ask("cancel_order", order_id=[placed["result"]["order_id"]])
    frames = await client.drained()
    assert kinds(frames)[-2:] == ["canceled", "trade"]
    assert sequences(frames) == sorted(sequences(frames))


@pytest.mark.parametrize(("how", "jump"), [("gap", 3), ("restart", None), ("backwards", -3)])
async def test_x07_sequence_jump(there: There, client: Raw, how: str, jump: int | None) -> None:
    await client.ask("add_order", **order())
    before = sequences(await client.drained())
    there.fault(f"X07 how={how}")
    await client.ask("add_order", **order())
    after = sequences(await client.drained())
    assert after[0] == (1 if jump is None else before[-1] + 1 + jump)
    assert after == list(range(after[0], after[0] + 4))


async def test_x08_rest_lag_shows_the_open_order_that_has_filled(
    there: There, client: Raw, rest: Rest
) -> None:
    placed = (await client.answer("add_order", **resting(there, 1.0)))["result"]["order_id"]
    await there.step(100)
    there.fault("X08 lag_s=60")
    there.do("fill")
    assert kinds(await client.drained())[-1] == "filled"
    opened = await rest.ask("OpenOrders")
    row = opened["result"]["open"][placed]
    assert (await rest.ask("ClosedOrders"))["result"]["closed"] == {}
    asked = (await rest.ask("QueryOrders", txid=placed))["result"][placed]
    assert (asked["status"], Decimal(asked["vol_exec"])) == ("open", 0)
    assert (row["status"], Decimal(row["vol_exec"])) == ("open", 0)
    assert (await rest.ask("TradesHistory"))["result"]["trades"] == {}
    assert Decimal((await rest.ask("Balance"))["result"]["ZUSD"]) == 100_000
    await there.step(61)
    asked = (await rest.ask("QueryOrders", txid=placed))["result"][placed]
    assert (asked["status"], Decimal(asked["vol_exec"])) == ("closed", 1)
    assert len((await rest.ask("TradesHistory"))["result"]["trades"]) == 1


async def test_x09_empty_cancel_although_trades_exist(
    there: There, client: Raw, rest: Rest
) -> None:
    placed = (await client.answer("add_order", **order()))["result"]["order_id"]
    there.fault("X09")
    for endpoint in ("QueryOrders", "ClosedOrders"):
        result = (await rest.ask(endpoint, txid=placed))["result"]
        row = result.get("closed", result)[placed]
        assert (row["status"], Decimal(row["vol_exec"])) == ("canceled", 0)
    trades = (await rest.ask("TradesHistory"))["result"]["trades"]
    assert [trade["ordertxid"] for trade in trades.values()] == [placed]


async def test_x10_fast_fill_is_nowhere_but_in_closed_orders_and_trades(
    there: There, client: Raw, rest: Rest
) -> None:
    there.fault("X10")
    await client.ask("add_order", **order(cl_ord_id="fast-1"))
    assert await client.drained() == []
    assert (await rest.ask("OpenOrders"))["result"]["open"] == {}
    closed = (await rest.ask("ClosedOrders"))["result"]["closed"]
    assert [row["cl_ord_id"] for row in closed.values()] == ["fast-1"]
    assert len((await rest.ask("TradesHistory"))["result"]["trades"]) == 1


async def test_x10_hides_events_but_no_snapshot(
    there: There, http: aiohttp.ClientSession, client: Raw
) -> None:
    there.fault("X10 count=all")
    await client.ask("add_order", **order(cl_ord_id="fast-1"))
    assert await client.drained() == []
    async with raw_private(http, there) as again:
        await again.answer("subscribe", channel="executions", snap_trades=True)
        snapshot = await again.until(channel="executions", type="snapshot")
        assert [row["cl_ord_id"] for row in snapshot["data"]] == ["fast-1"]


async def test_x11_many_fills_are_more_than_a_page_and_a_snapshot(
    there: There, client: Raw, rest: Rest
) -> None:
    await client.answer("add_order", **resting(there, 0.9))
    await client.drained()
    there.fault("X11 fills=60")
    await there.step(1)
    assert kinds(await client.drained()).count("trade") == 60
    history = (await rest.ask("TradesHistory"))["result"]
    assert (len(history["trades"]), int(history["count"])) == (50, 60)


async def test_x12_paging_shifts_and_a_row_comes_twice(
    there: There, client: Raw, rest: Rest
) -> None:
    await client.answer("add_order", **resting(there, 0.9))
    there.do("fill", share=0.9, parts=80)
    there.fault("X12 trades=3")
    first = (await rest.ask("TradesHistory"))["result"]
    second = (await rest.ask("TradesHistory", ofs=50))["result"]
    assert (int(first["count"]), int(second["count"])) == (80, 83)
    assert len(set(first["trades"]) & set(second["trades"])) == 3


@pytest.mark.parametrize("how", ["checksum", "quantity"])
async def test_x13_bad_checksum_once(there: There, http: aiohttp.ClientSession, how: str) -> None:
    async with raw_public(http, there) as public:
        there.fault(f"X13 count=1 how={how}")
        await public.ask("subscribe", channel="book", symbol=[BTC], depth=10)
        frames = [f for f in await public.drained() if f.get("channel") == "book"]
        assert not sound(there, frames[0])
        await public.answer("unsubscribe", channel="book", symbol=[BTC])
        await public.ask("subscribe", channel="book", symbol=[BTC], depth=10)
        frames = [f for f in await public.drained() if f.get("channel") == "book"]
        assert sound(there, frames[0])


def sound(there: There, frame: dict[str, Any]) -> bool:
    """Whether a snapshot's checksum fits its levels."""
    pair = there.exchange.pairs[BTC]
    row = frame["data"][0]
    sides = [
        [(f"{x['price']:.{pair.price_precision}f}", f"{x['qty']:.{pair.qty_precision}f}")
         for x in row[side]] for side in ("asks", "bids")
    ]  # fmt: skip
    return bool(row["checksum"] == checksum(sides[0], sides[1]))


BAD = {
    "crossed": lambda bids, asks: bids[0] > asks[0],
    "locked": lambda bids, asks: bids[0] == asks[0],
    "empty": lambda bids, asks: not bids,
    "zero": lambda bids, asks: asks[0] == 0,
    "negative": lambda bids, asks: asks[0] < 0,
    "absurd": lambda bids, asks: True,
}


@pytest.mark.parametrize("how", BAD)
async def test_x14_bad_book_with_a_right_checksum(
    there: There, http: aiohttp.ClientSession, how: str
) -> None:
    async with raw_public(http, there) as public:
        there.fault(f"X14 how={how}")
        await public.ask("subscribe", channel="book", symbol=[BTC], depth=10)
        await public.ask("subscribe", channel="ticker", symbol=[BTC])
        frames = await public.drained()
        book = next(f for f in frames if f.get("channel") == "book")
        row = book["data"][0]
        bids, asks = ([level["price"] for level in row[side]] for side in ("bids", "asks"))
        assert BAD[how](bids, asks)
        if how != "absurd":
            assert how == "negative" or sound(there, book)
        else:
            assert row["bids"][0]["qty"] > 1e18
        ticker = told(frames, "ticker")[0]
        if how == "crossed":
            assert ticker["bid"] > ticker["ask"]
        there.stop_fault()
        there.fault(f"X14 how={how} channel=book type=update")
        await there.step(5)
        assert there.fired("X14") > 2


async def test_x15_wick_falls_and_comes_back(there: There, http: aiohttp.ClientSession) -> None:
    async with raw_public(http, there) as public:
        await public.answer("subscribe", channel="ticker", symbol=[BTC], event_trigger="bbo")
        await there.step(3)
        before = told(await public.drained(), "ticker")[-1]["bid"]
        there.fault("X15 percent=-60 lasts_s=20")
        await there.step(10)
        during = told(await public.drained(), "ticker")[-1]["bid"]
        await there.step(20)
        after = told(await public.drained(), "ticker")[-1]["bid"]
        assert during < before * 0.45
        assert abs(after - before) < before * 0.1


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("X16", "EOrder:Trading agreement required"),
        ("X17", "EOrder:Insufficient funds"),
        ("X18 how=order", "EOrder:Rate limit exceeded"),
        ("X20 how=permission", "EGeneral:Permission denied"),
        ("X20 how=lockout", "EGeneral:Temporary lockout"),
        ("X33", "EOrder:Orders limit exceeded"),
    ],
)
async def test_x16_x17_x18_x20_x33_refuse_orders_on_both_ways(
    there: There, client: Raw, rest: Rest, line: str, text: str
) -> None:
    there.fault(f"{line} count=2")
    answer = await client.answer("add_order", **order())
    assert (answer["success"], answer["error"]) == (False, text)
    envelope = await rest.ask(
        "AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.001"
    )
    assert envelope == {"error": [text]}
    assert orders(there) == []
    assert (await client.answer("add_order", **order()))["success"]


async def test_x16_reject_storm_goes_on_until_it_is_stopped(there: There, client: Raw) -> None:
    there.fault('X16 text="EOrder:Invalid order"')
    for _ in range(25):
        assert (await client.answer("add_order", **order()))["success"] is False
    there.stop_fault("reject-storm")
    assert (await client.answer("add_order", **order()))["success"]


@pytest.mark.parametrize(
    ("how", "status", "begins"),
    [
        ("rest", 200, "EAPI:Rate limit exceeded"),
        ("http", 429, "<html>"),
        ("throttled", 200, "EService: Throttled: "),
    ],
)
async def test_x18_rate_limit_on_rest(
    there: There, rest: Rest, how: str, status: int, begins: str
) -> None:
    there.fault(f"X18 how={how} count=1")
    got, body = await rest.raw("Balance")
    assert got == status
    said = body.decode() if how == "http" else json.loads(body)["error"][0]
    assert said.startswith(begins)
    assert (await rest.ask("Balance"))["error"] == []


@pytest.mark.parametrize(("count", "last"), [("1", []), ("all", ["EAPI:Invalid nonce"])])
async def test_x19_bad_nonce_once_or_for_ever(
    there: There, rest: Rest, count: str, last: list[str]
) -> None:
    there.fault(f"X19 count={count}")
    assert (await rest.ask("Balance"))["error"] == ["EAPI:Invalid nonce"]
    assert (await rest.ask("Balance"))["error"] == last


@pytest.mark.parametrize(
    ("how", "text"), [("key", "EAPI:Invalid key"), ("signature", "EAPI:Invalid signature")]
)
async def test_x20_locked_out_keeps_every_private_door_shut(
    there: There, client: Raw, rest: Rest, how: str, text: str
) -> None:
    there.fault(f"X20 how={how}")
    for name in ("Balance", "OpenOrders", "GetWebSocketsToken"):
        assert (await rest.ask(name))["error"] == [text]
    assert (await client.answer("subscribe", channel="balances"))["error"] == text


async def test_x21_token_expired_until_a_new_one_is_asked_for(
    there: There, client: Raw, rest: Rest
) -> None:
    there.fault("X21")
    refused = await client.answer("subscribe", channel="balances")
    assert refused["error"] == "Token(s) not found"
    client.token = (await rest.ask("GetWebSocketsToken"))["result"]["token"]
    assert (await client.answer("subscribe", channel="balances"))["success"]


async def test_x22_maintenance_cycle(there: There, client: Raw) -> None:
    there.fault("X22 step_s=5")
    seen = []
    for _ in range(4):
        await there.step(1)
        system = [row["system"] for row in told(await client.drained(), "status")]
        answer = await client.answer("add_order", **resting(there, post_only=True))
        cancel = await client.answer("cancel_all")
        await client.drained()
        seen.append((system, answer["success"], cancel["success"]))
        await there.step(4)
    assert seen == [
        (["maintenance"], False, False),
        (["cancel_only"], False, True),
        (["post_only"], True, True),
        (["online"], True, True),
    ]


async def test_x23_announcement_of_maintenance_and_of_an_emergency(
    there: There, client: Raw
) -> None:
    there.fault("X23 phase=30s action=disconnect_and_wait emergency=BTC/USD,ETH/USD")
    row = (await client.until(channel="status"))["data"][0]
    assert row["upcoming_maintenance"]["phase"] == "30s"
    assert row["upcoming_maintenance"]["action"] == "disconnect_and_wait"
    assert row["emergency"] == ["BTC/USD", "ETH/USD"]
    assert (row["system"], row["api_version"]) == ("online", "v2")


async def test_x24_post_only_takes_refused_or_canceled(there: There, client: Raw) -> None:
    there.fault("X24 count=1")
    refused = await client.answer("add_order", **resting(there, post_only=True))
    assert refused["error"] == "EOrder:Post only order"
    there.fault("X24 count=1 how=cancel")
    await client.ask("add_order", **resting(there, post_only=True))
    frames = await client.drained()
    assert [f["success"] for f in frames if "success" in f] == [True]
    assert kinds(frames) == ["pending_new", "new", "canceled"]
    assert told(frames)[-1]["reason"] == "Post only order"


@pytest.mark.parametrize("how", ["full", "partial", "dust"])
async def test_x25_cancel_race(there: There, client: Raw, how: str) -> None:
    placed = (await client.answer("add_order", **resting(there, 0.5)))["result"]["order_id"]
    await client.drained()
    there.fault(f"X25 how={how}")
    await client.ask("cancel_order", order_id=[placed])
    frames = await client.drained()
    answer = next(f for f in frames if f.get("method") == "cancel_order")
    last = orders(there)[-1]
    if how == "full":
        assert answer["error"] == "EOrder:Unknown order"
        assert kinds(frames) == ["trade", "filled"]
    else:
        assert answer["success"]
        assert kinds(frames) == ["trade", "canceled"]
        minimum = there.exchange.pairs[BTC].qty_min
        assert (0 < last.open_qty < minimum) is (how == "dust")


async def test_x26_fee_missing_then_corrected(there: There, client: Raw) -> None:
    there.fault("X26")
    await client.ask("add_order", **order())
    frames = await client.drained()
    trades = [row for row in told(frames) if row["exec_type"] == "trade"]
    assert [bool(row["fees"]) for row in trades] == [False, True]
    assert trades[0]["exec_id"] == trades[1]["exec_id"]
    assert sequences(frames) == list(range(sequences(frames)[0], sequences(frames)[0] + 5))


async def test_x26_fee_in_base(there: There, client: Raw) -> None:
    there.fault("X26 how=base")
    await client.ask("add_order", **order(fee_preference="quote"))
    trade = next(r for r in told(await client.drained()) if r["exec_type"] == "trade")
    assert [fee["asset"] for fee in trade["fees"]] == ["BTC"]


async def test_x26_fee_tier_differs(there: There, client: Raw) -> None:
    there.fault("X26 how=tier volume=10000000")
    await there.step(1)
    await client.ask("add_order", **order())
    trade = next(r for r in told(await client.drained()) if r["exec_type"] == "trade")
    assert trade["fees"][0]["qty"] / trade["cost"] == pytest.approx(0.001, rel=0.01)


async def test_x27_pair_changes_are_told_and_in_force(
    there: There, client: Raw, http: aiohttp.ClientSession
) -> None:
    async with raw_public(http, there) as public:
        await public.answer("subscribe", channel="instrument")
        await public.drained()
        there.fault("X27 qty_min=0.01 price_increment=0.5 cost_min=20")
        await there.step(1)
        rows = [f["data"]["pairs"] for f in await public.drained() if f["channel"] == "instrument"]
        pair = rows[0][0]
        assert (pair["symbol"], pair["qty_min"], pair["price_increment"]) == (BTC, 0.01, 0.5)
        assert (await client.answer("add_order", **order(qty=0.001)))["success"] is False
        there.fault("X27 status=delisted")
        await there.step(1)
        rows = [f["data"]["pairs"] for f in await public.drained() if f["channel"] == "instrument"]
        assert rows[0][0]["status"] == "delisted"
        assert (await client.answer("add_order", **order(qty=0.1)))["success"] is False


@pytest.mark.parametrize("how", ["deposit", "withdrawal", "staking", "adjustment"])
async def test_x28_outside_money_is_told_and_in_the_ledger(
    there: There, http: aiohttp.ClientSession, rest: Rest, how: str
) -> None:
    async with raw_private(http, there, "balances") as client:
        there.fault(f"X28 how={how} asset=USD amount=123.45")
        await there.step(1)
        row = told(await client.drained(), "balances")[0]
        sign = -1 if how == "withdrawal" else 1
        assert (row["type"], row["amount"]) == (how, sign * 123.45)
        assert row["balance"] == 100_000 + sign * 123.45
        ledger = (await rest.ask("Ledgers"))["result"]["ledger"]
        assert how in {entry["type"] for entry in ledger.values()}


async def test_x28_manual_trade_of_someone_else(there: There, client: Raw) -> None:
    there.fault("X28 how=trade side=buy qty=0.002")
    await there.step(1)
    rows = told(await client.drained())
    assert [row["exec_type"] for row in rows] == ["pending_new", "new", "trade", "filled"]
    assert all("cl_ord_id" not in row for row in rows)


async def test_x29_manual_cancel_and_manual_order(there: There, client: Raw) -> None:
    placed = (await client.answer("add_order", **resting(there)))["result"]["order_id"]
    await client.drained()
    there.fault("X29")
    await there.step(1)
    row = told(await client.drained())[-1]
    assert (row["exec_type"], row["order_id"]) == ("canceled", placed)
    there.fault(f"X29 how=place qty=0.01 price={price(there)}")
    await there.step(1)
    rows = told(await client.drained())
    assert [row["exec_type"] for row in rows] == ["pending_new", "new"]
    assert rows[0]["order_userref"] == 0


async def test_x30_switch_fired(there: There, client: Raw) -> None:
    for _ in range(3):
        await client.answer("add_order", **resting(there))
    await client.drained()
    there.fault("X30")
    await there.step(1)
    rows = told(await client.drained())
    assert [row["exec_type"] for row in rows] == ["canceled"] * 3
    assert {row["reason"] for row in rows} == {"Dead man's switch"}


async def test_x31_amend_lost_and_amend_on_a_filled_order(there: There, client: Raw) -> None:
    placed = (await client.answer("add_order", **resting(there, 0.5)))["result"]["order_id"]
    await client.drained()
    there.fault("X31")
    await client.ask("amend_order", order_id=placed, order_qty=0.4)
    frames = await client.drained()
    assert [f for f in frames if f.get("method") == "amend_order"] == []
    assert kinds(frames) == ["amended"]
    assert orders(there)[-1].qty == Decimal("0.4")
    there.fault("X31 how=filled")
    answer = await client.answer("amend_order", order_id=placed, order_qty=0.3)
    assert answer["error"] == "EOrder:Unknown order"
    assert orders(there)[-1].status == "filled"


async def test_x32_one_order_of_a_batch_is_refused(there: There, client: Raw) -> None:
    there.fault("X32 index=1")
    wanted = [
        {"order_type": "limit", "side": "buy", "order_qty": 0.01, "limit_price": price(there, part)}
        for part in ("0.9", "0.8", "0.7", "0.6", "0.5")
    ]
    answer = await client.answer("batch_add", symbol=BTC, orders=wanted)
    assert answer["success"], answer
    assert ["error" in row for row in answer["result"]] == [False, True, False, False, False]
    assert len(there.exchange.venue.open) == 4


@pytest.mark.parametrize("skew", [3, -3])
async def test_x34_clock_skew_moves_stamps_and_deadlines(
    there: There, client: Raw, http: aiohttp.ClientSession, skew: int
) -> None:
    there.fault(f"X34 skew_s={skew}")
    now = there.exchange.now
    deadline = (now + timedelta(seconds=2)).isoformat().replace("+00:00", "Z")
    answer = await client.answer("add_order", **order(deadline=deadline))
    stamped = datetime.fromisoformat(answer["time_in"])
    assert stamped - now == timedelta(seconds=skew)
    assert answer["success"] is (skew < 0)
    if skew > 0:
        assert answer["error"] == "EService:Deadline elapsed"
    async with http.get(there.url + "/0/public/Time") as response:
        told_s = (await response.json())["result"]["unixtime"]
    assert abs(told_s - now.astimezone(UTC).timestamp() - skew) <= 1


# --- protocol section 15 ------------------------------------------------------------------------


async def test_s01_text_frame_that_is_not_json(there: There, client: Raw) -> None:
    there.fault("S01")
    message = await client.socket.receive(timeout=5)
    while message.data == '{"channel":"heartbeat"}':
        message = await client.socket.receive(timeout=5)
    assert message.data == "CloudFlare WebSocket proxy restarting"


async def test_s02_backlog_arrives_late_whole_and_in_order(
    there: There, http: aiohttp.ClientSession
) -> None:
    async with raw_public(http, there) as public:
        await public.answer("subscribe", channel="trade", symbol=[BTC], snapshot=False)
        line = next(iter(there.server.lines.values()))
        there.fault("S02 hold_s=26 channel=trade")
        await there.step(1)
        written = line.written
        await there.step(24)
        assert line.busy
        assert line.written == written
        await there.step(5)
        ids = [row["trade_id"] for row in told(await public.drained(), "trade")]
        assert len(ids) > 5
        assert ids == list(range(ids[0], ids[0] + len(ids)))


async def test_s03_exponents_and_s04_a_frame_above_a_mebibyte(
    there: There, http: aiohttp.ClientSession
) -> None:
    async with raw_public(http, there) as public:
        there.fault("S03")
        there.fault("S04")
        await public.ask("subscribe", channel="instrument")
        message = await public.socket.receive(timeout=10)
        while '"type":"snapshot"' not in message.data:
            message = await public.socket.receive(timeout=10)
        assert len(message.data) > 1024 * 1024
        assert '"qty_increment":1e-08' in message.data
        pairs = json.loads(message.data)["data"]["pairs"]
        assert {pair["symbol"] for pair in pairs} >= {BTC}


async def test_s05_snapshot_withheld(there: There, http: aiohttp.ClientSession) -> None:
    async with raw_public(http, there) as public:
        there.fault("S05")
        await public.ask("subscribe", channel="book", symbol=[BTC], depth=10)
        assert [f.get("method") for f in await public.drained()] == ["subscribe"]
        await there.step(5)
        assert {f["type"] for f in await public.drained()} == {"update"}


async def test_s06_unavailable_although_the_order_lives(
    there: There, client: Raw, rest: Rest
) -> None:
    there.fault("S06 count=2")
    await client.ask("add_order", **resting(there))
    frames = await client.drained()
    answer = next(f for f in frames if f.get("method") == "add_order")
    assert (answer["success"], answer["error"]) == (False, "EService:Unavailable")
    assert kinds(frames) == ["pending_new", "new"]
    envelope = await rest.ask(
        "AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.001"
    )
    assert envelope["error"] == ["EService:Unavailable"]
    assert [o.status for o in orders(there)] == ["new", "filled"]


async def test_s07_public_trades_are_told_again_after_a_reconnect(
    there: There, http: aiohttp.ClientSession
) -> None:
    there.fault("S07")
    async with raw_public(http, there) as public:
        await public.answer("subscribe", channel="trade", symbol=[BTC], snapshot=True)
        await there.step(60)
        before = [f for f in await public.drained() if f.get("type") == "update"]
    async with raw_public(http, there) as public:
        await public.ask("subscribe", channel="trade", symbol=[BTC], snapshot=True)
        frames = await public.drained()
        assert [f for f in frames if f.get("type") == "update"] == before[-5:]


async def test_s08_too_chatty(there: There, client: Raw) -> None:
    there.fault("S08")
    async with asyncio.timeout(5):
        while await client.frame() != {"Error": "Exceeded msg rate"}:
            continue
