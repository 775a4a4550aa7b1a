"""The contract: amending, cancelling one and all, and the dead man's switch."""

import asyncio

import pytest
from contract_facts import Change, Driver
from contract_words import accepted, d, ended, kinds, limit, on_grid, refused
from contract_world import World


@pytest.mark.parametrize("by", ["cl_ord_id", "order_id"])
async def test_an_amend_changes_the_price_in_place(trader: Driver, there: World, by: str) -> None:
    """Section 8.2: ids stay, an `amended` event follows, REST shows the new price."""
    bid, _ = there.best()
    old, new = on_grid(bid * d("0.9")), on_grid(bid * d("0.91"))
    order_id = accepted(await trader.place(limit("am-1", old)))
    change = Change(cl_ord_id="am-1", order_id=order_id if by == "order_id" else None, price=new)
    assert await trader.amend(change) is None
    events = await ended(trader, "am-1", "amended")
    assert kinds(events) == ["pending_new", "new", "amended"]
    assert (events[-1].price, events[-1].qty, events[-1].status) == (new, d("0.01"), "new")
    (row,) = await trader.open_orders()
    assert (row.order_id, row.cl_ord_id, row.price, row.qty) == (
        order_id,
        "am-1",
        new,
        d("0.01"),
    )


@pytest.mark.parametrize("qty", ["0.02", "0.005"], ids=["up", "down"])
async def test_an_amend_changes_the_total_quantity(trader: Driver, there: World, qty: str) -> None:
    """Section 8.2: order_qty is the new total, with what is filled."""
    bid, _ = there.best()
    accepted(await trader.place(limit("am-2", bid)))
    there.do("fill", account=trader.account, cl_ord_id="am-2", share=0.2)
    assert await trader.amend(Change(cl_ord_id="am-2", qty=d(qty))) is None
    events = await ended(trader, "am-2", "amended")
    assert (events[-1].qty, events[-1].cum_qty) == (d(qty), d("0.002"))
    assert events[-1].status == "partially_filled"
    (row,) = await trader.open_orders()
    assert (row.qty, row.filled) == (d(qty), d("0.002"))
    there.do("fill", account=trader.account, cl_ord_id="am-2")
    events = await ended(trader, "am-2", "filled")
    assert events[-1].cum_qty == d(qty)


async def test_an_amend_below_what_is_filled_ends_the_order(trader: Driver, there: World) -> None:
    """Section 8.2: a new quantity below the filled one cancels the rest."""
    bid, _ = there.best()
    order_id = accepted(await trader.place(limit("am-3", bid)))
    there.do("fill", account=trader.account, cl_ord_id="am-3", share=0.5)
    assert await trader.amend(Change(cl_ord_id="am-3", qty=d("0.004"))) is None
    events = await trader.told("am-3")
    assert events[-1].kind in {"canceled", "filled"}
    assert events[-1].cum_qty == d("0.005")
    assert await trader.open_orders() == []
    (row,) = await trader.orders([order_id])
    assert row.filled == d("0.005")


async def test_an_amend_of_an_unknown_or_closed_order_is_refused(
    trader: Driver, there: World
) -> None:
    """Section 8.2: `EOrder:Unknown order`, and nothing is told."""
    bid, _ = there.best()
    change = Change(cl_ord_id="am-4", price=on_grid(bid * d("0.8")))
    refused(await trader.amend(change), "EOrder:Unknown order")
    accepted(await trader.place(limit("am-4", on_grid(bid * d("0.9")))))
    assert await trader.cancel("am-4") is None
    refused(await trader.amend(change), "EOrder:Unknown order", "EOrder:Invalid order")
    assert kinds(await trader.told("am-4")) == ["pending_new", "new", "canceled"]


async def test_an_amend_that_may_not_be_leaves_the_order_as_it_is(
    trader: Driver, there: World
) -> None:
    """Section 8.2 and 9: tick, funds, and post_only that would take refuse the change."""
    bid, ask = there.best()
    price = on_grid(bid * d("0.9"))
    accepted(await trader.place(limit("am-5", price)))
    (before,) = await trader.open_orders()
    for change, error in (
        (Change(cl_ord_id="am-5", price=price + d("0.01")), "EOrder:Tick size check failed"),
        (Change(cl_ord_id="am-5", qty=d("1000")), "EOrder:Insufficient funds"),
        (Change(cl_ord_id="am-5", price=ask, post_only=True), "EOrder:Post only order"),
    ):
        refused(await trader.amend(change), error)
    assert await trader.open_orders() == [before]
    assert kinds(await trader.told("am-5")) == ["pending_new", "new"]


async def test_an_amend_to_a_price_of_the_other_side_takes(trader: Driver, there: World) -> None:
    """Section 8.2: without post_only an amended order is worked like a new one."""
    bid, ask = there.best()
    accepted(await trader.place(limit("am-6", on_grid(bid * d("0.9")), "0.0001")))
    assert await trader.amend(Change(cl_ord_id="am-6", price=ask)) is None
    events = await ended(trader, "am-6", "filled")
    assert kinds(events) == ["pending_new", "new", "amended", "trade", "filled"]


async def test_a_cancel_of_an_unknown_or_closed_order_is_refused(
    trader: Driver, there: World
) -> None:
    """Section 8.4: `EOrder:Unknown order`, which means: already terminal, or never there."""
    bid, _ = there.best()
    refused(await trader.cancel("never"), "EOrder:Unknown order")
    order_id = accepted(await trader.place(limit("ca-1", on_grid(bid * d("0.9")))))
    assert await trader.cancel("ca-1", order_id) is None
    refused(await trader.cancel("ca-1", order_id), "EOrder:Unknown order")
    refused(await trader.cancel("ca-1"), "EOrder:Unknown order")
    assert kinds(await trader.told("ca-1")) == ["pending_new", "new", "canceled"]


async def test_cancel_all_counts_what_it_cancels(trader: Driver, there: World) -> None:
    """Section 8.5: resting and untriggered orders of the whole account, and their count."""
    assert await trader.cancel_all() == 0
    bid, _ = there.best()
    for number in range(3):
        price = on_grid(bid * d("0.9")) - number
        accepted(await trader.place(limit(f"all-{number}", price)))
    stop = limit("all-3", bid, kind="stop-loss", side="sell").but(
        price=None, trigger=on_grid(bid * d("0.5"))
    )
    accepted(await trader.place(stop))
    assert await trader.cancel_all() == 4
    assert await trader.open_orders() == []
    for number in range(4):
        await ended(trader, f"all-{number}", "canceled")
    assert await trader.cancel_all() == 0


async def test_an_armed_switch_cancels_everything_once_and_a_disarmed_one_nothing(
    trader: Driver, there: World
) -> None:
    """Section 8.6: triggerTime is the time-out away, it fires once, 0 disarms; in real time."""
    bid, _ = there.best()
    price = on_grid(bid * d("0.9"))
    accepted(await trader.place(limit("sw-1", price)))
    assert await trader.arm_switch(60) == 60
    assert await trader.arm_switch(0) is None
    assert await trader.arm_switch(1) == 1
    assert len(await trader.open_orders()) == 1
    async with asyncio.timeout(20):
        while await trader.open_orders():
            await asyncio.sleep(0.1)
            await trader.step(0.001)
    await ended(trader, "sw-1", "canceled")
    accepted(await trader.place(limit("sw-2", price)))
    await trader.step(2)
    assert kinds(await trader.told("sw-2")) == ["pending_new", "new"]


async def test_the_switch_of_one_account_leaves_the_others_alone(
    trader: Driver, there: World
) -> None:
    """Section 8.6: account-wide, here carried out by the operator for another account."""
    bid, _ = there.best()
    accepted(await trader.place(limit("sw-3", on_grid(bid * d("0.9")))))
    there.do("switch", account="a499")
    assert len(await trader.open_orders()) == 1
    there.do("switch", account=trader.account)
    events = await ended(trader, "sw-3", "canceled")
    assert events[-1].reason != "User requested"
    assert await trader.open_orders() == []
