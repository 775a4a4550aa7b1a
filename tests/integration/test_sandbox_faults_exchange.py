"""Family X is really produced on real sockets: what a client without any opinion sees of each."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import aiohttp
import pytest
from faulty_orders import BTC, order, orders, price, resting, sequences, told
from faulty_sandbox import Raw, Rest, There, raw_private, raw_public

pytestmark = pytest.mark.timeout(30)
SANDBOX = {"capital": Decimal(100_000)}


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
