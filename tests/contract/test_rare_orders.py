"""The contract of order forms that our product does not send: raw frames only, but for tokens."""

import asyncio
from typing import Any

import pytest
from contract_client import ClientDriver
from contract_facts import Opener
from contract_raw import RawDriver
from contract_wire import Raw, RawRest
from contract_words import accepted, d, fills_of, kinds, limit, on_grid, refused
from contract_world import World


async def sent(raw: RawDriver, name: str, **fields: Any) -> dict[str, Any]:
    """The response to an order to buy bitcoin."""
    usual = {"side": "buy", "symbol": "BTC/USD", "cl_ord_id": name}
    return await raw.request("add_order", **usual | fields)


async def test_raw_only_an_iceberg_shows_a_part_and_refills_it(
    raw: RawDriver, there: World
) -> None:
    """Sections 6.1 and 8.1: display_qty, iceberg_refill; less than a fifteenth is refused."""
    bid, _ = there.best()
    iceberg = {"order_type": "iceberg", "limit_price": bid, "order_qty": d("0.3")}
    small = await sent(raw, "ic-0", **iceberg, display_qty=d("0.01"))
    assert small["error"].startswith("EGeneral:Invalid arguments")
    assert (await sent(raw, "ic-1", **iceberg, display_qty=d("0.1")))["success"]
    there.do("fill", account=raw.account, cl_ord_id="ic-1", share=0.5, parts=3)
    events = await raw.told("ic-1")
    assert "iceberg_refill" in kinds(events)
    assert sum(fill.qty for fill in fills_of(events)) == d("0.15")


async def test_raw_only_a_fill_or_kill_order_fills_whole_or_not_at_all(
    raw: RawDriver, there: World
) -> None:
    """Section 8.1: FOK is of REST, and accepted on WS by what clients say [C]."""
    _, asks = there.depth("BTC/USD", 2)
    price, qty = asks[0]
    order = {"order_type": "limit", "limit_price": price, "time_in_force": "fok"}
    assert (await sent(raw, "fk-1", **order, order_qty=qty + 1))["success"]
    events = await raw.told("fk-1")
    assert events[-1].status in {"canceled", "expired"}
    assert fills_of(events) == []
    assert (await sent(raw, "fk-2", **order, order_qty=qty))["success"]
    assert kinds(await raw.told("fk-2"))[-1] == "filled"


async def test_raw_only_a_purchase_for_an_amount_of_money_spends_about_that(
    raw: RawDriver,
) -> None:
    """Section 8.1, cash_order_qty: a market buy sized in quote currency."""
    answer = await sent(raw, "ca-1", order_type="market", cash_order_qty=d("500"))
    assert answer["success"], answer
    fills = fills_of(await raw.told("ca-1"))
    assert d("499") < sum(fill.cost for fill in fills) <= d("500")


async def test_raw_only_a_scheduled_order_starts_at_its_moment(
    raw: RawDriver, there: World
) -> None:
    """Sections 6.1 and 8.1, effective_time: pending_new until then, and new from then on."""
    bid, _ = there.best()
    start = there.at.replace(microsecond=0)
    await raw.step(1)
    later = start.timestamp() + 30
    text = f"{start.fromtimestamp(later, start.tzinfo):%Y-%m-%dT%H:%M:%SZ}"
    answer = await sent(
        raw,
        "sc-1",
        order_type="limit",
        limit_price=on_grid(bid * d("0.9")),
        order_qty=d("0.01"),
        effective_time=text,
    )
    assert answer["success"], answer
    assert kinds(await raw.told("sc-1")) == ["pending_new"]
    await raw.step(40)
    assert kinds(await raw.told("sc-1")) == ["pending_new", "new"]


async def test_raw_only_an_order_without_client_id_is_told_with_its_userref(
    raw: RawDriver, there: World
) -> None:
    """Section 6.1: cl_ord_id, else order_userref, which is 0 when none was given."""
    bid, _ = there.best()
    order = {
        "order_type": "limit", "side": "buy", "symbol": "BTC/USD", "order_qty": d("0.01"),
        "limit_price": on_grid(bid * d("0.9")),
    }  # fmt: skip
    refs = {}
    for userref in (None, 77):
        more = {} if userref is None else {"order_userref": userref}
        answer = await raw.request("add_order", **order, **more)
        refs[answer["result"]["order_id"]] = userref or 0
    await raw.settle()
    rows = [row for frame in raw.private.pushed("executions") for row in frame["data"]]
    assert {row["order_id"]: row["order_userref"] for row in rows} == refs
    assert not any("cl_ord_id" in row for row in rows)
    answers = await raw.private.ask("cancel_order", order_userref=[77], token=raw.token)
    assert answers[0]["result"] == {"order_userref": 77}


async def test_raw_only_a_quiet_subscription_tells_ends_and_fills_only(
    raw: RawDriver, there: World
) -> None:
    """Section 6, order_status false: only new, filled, canceled, expired, and the trades."""
    quiet = await Raw.open(there, "/auth/v2")
    try:
        await quiet.ask(
            "subscribe", channel="executions", order_status=False, snap_orders=False,
            token=raw.token,
        )  # fmt: skip
        bid, _ = there.best()
        accepted(await raw.place(limit("qu-1", bid, "0.1")))
        there.do("fill", account=raw.account, cl_ord_id="qu-1")
        await quiet.settle(there)
        rows = [row for frame in quiet.pushed("executions") for row in frame["data"]]
        assert [row["exec_type"] for row in rows] == ["new", "trade", "filled"]
        assert not any("ratecount" in row for row in rows)
    finally:
        await quiet.close()


async def test_raw_only_the_rest_counter_of_a_small_tier_fills_and_refuses(
    there: World,
) -> None:
    """Section 11.3: ledger calls cost 4, of 15 at the lowest tier: `EAPI:Rate limit exceeded`."""
    rest = RawRest(there, "starter-raw")
    try:
        answers = [await rest.ask("Ledgers") for _ in range(6)]
    finally:
        await rest.close()
    errors = [answer["error"] for answer in answers]
    assert errors[:3] == [[], [], []]
    assert errors[-1] == ["EAPI:Rate limit exceeded"]


async def test_a_token_that_is_not_known_is_refused_and_a_fresh_one_serves(
    opener: Opener, there: World
) -> None:
    """Section 5: `Token(s) not found` means: get a new token and reconnect (by fault X21)."""
    trader = await opener()
    accepted(await trader.place(limit("to-1", d("30000.0"))))
    number = there.ask(op="fault", start="X21")["started"]["number"]
    try:
        outcome = await trader.place(limit("to-2", d("30000.0")))
        refused(outcome, "Token(s) not found", "ESession:")
        other = await opener(trader.account)
        accepted(await other.place(limit("to-3", d("30000.0"))))
        if isinstance(trader, ClientDriver):  # it renews by itself
            async with asyncio.timeout(20):
                while not trader.venue.can_place:
                    await asyncio.sleep(0.01)
            accepted(await trader.place(limit("to-4", d("30000.0"))))
        names = {row.cl_ord_id for row in await other.open_orders()}
        assert names - {"to-4"} == {"to-1", "to-3"}
    finally:
        there.ask(op="fault", stop=str(number))


@pytest.mark.parametrize("count", [1, 16])
async def test_raw_only_a_batch_has_two_to_fifteen_orders(raw: RawDriver, count: int) -> None:
    """Section 8.7: another number is refused, and no order of it is made."""
    order = {"order_type": "limit", "side": "buy", "order_qty": d("0.01"), "limit_price": d("1000")}
    answer = await raw.request("batch_add", symbol="BTC/USD", orders=[order] * count)
    assert not answer["success"]
    assert await raw.told() == []


async def test_raw_only_a_bad_order_refuses_its_batch_and_missing_funds_only_their_own(
    raw: RawDriver,
) -> None:
    """Section 8.7: validation before the match refuses all; funds refuse one."""
    good = {"order_type": "limit", "side": "buy", "order_qty": d("0.01"), "limit_price": d("30000")}
    bad = {**good, "order_qty": d("0.00001")}
    answer = await raw.request("batch_add", symbol="BTC/USD", orders=[good, bad])
    assert not answer["success"]
    assert await raw.told() == []
    rich = {**good, "order_qty": d("100")}
    answer = await raw.request("batch_add", symbol="BTC/USD", orders=[good, rich])
    assert answer["success"], answer
    assert len(answer["result"]) == 2
    assert len(await raw.open_orders()) == 1
