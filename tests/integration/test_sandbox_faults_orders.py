"""Family X of orders is really produced: acks lost or late, reports twice, missing, reordered."""

from datetime import timedelta
from decimal import Decimal

import aiohttp
import pytest
from faulty_orders import BTC, kinds, order, orders, price, resting, sequences, told
from faulty_sandbox import Raw, Rest, There, raw_private

pytestmark = pytest.mark.timeout(30)
SANDBOX = {"capital": Decimal(100_000)}


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
