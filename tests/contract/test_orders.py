"""The contract: how limit and market orders live and end, told by socket and REST alike."""

from datetime import timedelta
from decimal import Decimal

import pytest
from contract_facts import Driver, Opener, Refused
from contract_words import (
    LEDGER_UNIT,
    accepted,
    d,
    ended,
    fills_of,
    kinds,
    limit,
    market,
    on_grid,
    refused,
)
from contract_world import World


async def test_a_limit_order_rests_and_is_told_as_pending_and_new(
    trader: Driver, there: World
) -> None:
    """Section 6.1: pending_new with all fields, then new with none; balances stay as they are."""
    bid, _ = there.best()
    before = await trader.totals_told()
    price = on_grid(bid * d("0.9"))
    order_id = accepted(await trader.place(limit("rest-1", price)))
    events = await trader.told("rest-1")
    assert kinds(events) == ["pending_new", "new"]
    assert [event.status for event in events] == ["pending_new", "new"]
    assert {event.order_id for event in events} == {order_id}
    first = events[0]
    assert (first.pair, first.side, first.qty, first.price) == ("BTC/USD", "buy", d("0.01"), price)
    (row,) = await trader.open_orders()
    assert (row.order_id, row.cl_ord_id, row.pair, row.side) == (
        order_id,
        "rest-1",
        "BTC/USD",
        "buy",
    )
    assert (row.kind, row.status, row.qty, row.filled, row.price) == (
        "limit",
        "open",
        d("0.01"),
        d("0"),
        price,
    )
    assert await trader.totals_told() == before


@pytest.mark.parametrize("by", ["cl_ord_id", "order_id"])
async def test_a_cancelled_order_is_told_and_kept_as_canceled(
    trader: Driver, there: World, by: str
) -> None:
    """Sections 6.1 and 8.4: a canceled event with reason `User requested`, closed by REST."""
    bid, _ = there.best()
    order_id = accepted(await trader.place(limit("c-1", on_grid(bid * d("0.9")))))
    assert await trader.cancel("c-1", order_id if by == "order_id" else None) is None
    events = await ended(trader, "c-1", "canceled")
    assert kinds(events) == ["pending_new", "new", "canceled"]
    assert (events[-1].status, events[-1].reason) == ("canceled", "User requested")
    assert events[-1].cum_qty == 0
    assert await trader.open_orders() == []
    (row,) = await trader.closed_orders()
    assert (row.order_id, row.status, row.filled) == (order_id, "canceled", d("0"))
    assert await trader.orders([order_id]) == [row]


@pytest.mark.parametrize("side", ["buy", "sell"])
async def test_a_marketable_limit_order_fills_as_taker_at_the_displayed_prices(
    trader: Driver, there: World, side: str
) -> None:
    """Section 6.1: pending_new, new, trade, filled; cost is price times quantity."""
    bids, asks = there.depth("BTC/USD", 10)
    levels = asks if side == "buy" else bids
    price = levels[3][0]
    qty = levels[0][1] + levels[1][1]
    order_id = accepted(await trader.place(limit("m-1", price, side=side).but(qty=qty)))
    events = await ended(trader, "m-1", "filled")
    assert kinds(events) == ["pending_new", "new", "trade", "filled"]
    fills = fills_of(events)
    assert [(fill.price, fill.qty) for fill in fills] == levels[:2]
    for fill in fills:
        assert not fill.maker
        assert abs(fill.cost - fill.price * fill.qty) < d("0.0001")
        assert (fill.order_id, fill.pair, fill.side) == (order_id, "BTC/USD", side)
    assert events[-1].cum_qty == qty
    (row,) = await trader.orders([order_id])
    assert (row.status, row.filled, row.cost) == ("closed", qty, sum(f.cost for f in fills))


async def test_a_market_order_fills_at_once(trader: Driver, there: World) -> None:
    """Section 8.1: a market order is worked at once at the best prices."""
    _, ask = there.best()
    order_id = accepted(await trader.place(market("k-1", "0.0001")))
    (fill,) = fills_of(await ended(trader, "k-1", "filled"))
    assert (fill.price, fill.qty, fill.maker) == (ask, d("0.0001"), False)
    (row,) = await trader.orders([order_id])
    assert (row.kind, row.status) == ("market", "closed")


async def test_what_an_ioc_order_cannot_fill_at_once_is_gone(trader: Driver, there: World) -> None:
    """Section 9, asynchronous terminations: an IOC remainder ends as canceled or expired."""
    _, asks = there.depth("BTC/USD", 2)
    price, there_qty = asks[0]
    wanted = limit("i-1", price, force="ioc").but(qty=there_qty + d("0.5"))
    order_id = accepted(await trader.place(wanted))
    events = await trader.told("i-1")
    assert kinds(events)[:3] == ["pending_new", "new", "trade"]
    assert events[-1].status in {"canceled", "expired"}
    assert sum(fill.qty for fill in fills_of(events)) == there_qty == events[-1].cum_qty
    assert await trader.open_orders() == []
    (row,) = await trader.orders([order_id])
    assert (row.status, row.filled) == (events[-1].status, there_qty)

    bid, _ = there.best()
    accepted(await trader.place(limit("i-2", on_grid(bid * d("0.9")), force="ioc")))
    last = (await trader.told("i-2"))[-1]
    assert last.status in {"canceled", "expired"}
    assert last.cum_qty == 0


async def test_a_gtd_order_expires_at_its_moment_and_not_before(
    trader: Driver, there: World
) -> None:
    """Sections 6.1 and 8.1: `expired` when expire_time has come."""
    bid, _ = there.best()
    moment = (there.at + timedelta(seconds=12)).replace(microsecond=0)
    wanted = limit("g-1", on_grid(bid * d("0.9")), force="gtd", expire_at=moment)
    order_id = accepted(await trader.place(wanted))
    await trader.step((moment - there.at).total_seconds() - 1)
    assert [row.order_id for row in await trader.open_orders()] == [order_id]
    await trader.step(2)
    events = await ended(trader, "g-1", "expired")
    assert (events[-1].status, events[-1].cum_qty) == ("expired", 0)
    (row,) = await trader.orders([order_id])
    assert row.status == "expired"


async def test_a_post_only_order_rests_or_is_refused_but_never_takes(
    trader: Driver, there: World
) -> None:
    """Section 9: post-only that would take, here refused at once (other variants: switches)."""
    bid, ask = there.best()
    accepted(await trader.place(limit("p-1", bid, post_only=True)))
    assert kinds(await trader.told("p-1")) == ["pending_new", "new"]
    refused(await trader.place(limit("p-2", ask, post_only=True)), "EOrder:Post only order")
    assert await trader.told("p-2") == []


async def test_a_resting_order_fills_in_parts_as_maker_at_its_own_price(
    trader: Driver, there: World
) -> None:
    """Sections 6.1 and 13: partial fills add up, the maker's fee is taken."""
    bid, _ = there.best()
    order_id = accepted(await trader.place(limit("f-1", bid, "0.4")))
    there.do("fill", account=trader.account, cl_ord_id="f-1", share=0.25)
    events = await trader.told("f-1")
    (first,) = fills_of(events)
    assert (first.price, first.qty, first.maker) == (bid, d("0.1"), True)
    assert (events[-1].status, events[-1].cum_qty) == ("partially_filled", d("0.1"))
    (row,) = await trader.open_orders()
    assert (row.status, row.filled, row.cost) == ("open", d("0.1"), first.cost)
    maker, _taker = await trader.fee_rates("BTC/USD")
    ((asset, fee),) = first.fee
    assert asset == "USD"
    assert abs(fee - first.cost * maker) < d("0.0001")

    there.do("fill", account=trader.account, cl_ord_id="f-1", parts=3)
    events = await ended(trader, "f-1", "filled")
    fills = fills_of(events)
    assert sum(fill.qty for fill in fills) == d("0.4") == events[-1].cum_qty
    assert {(fill.price, fill.maker) for fill in fills} == {(bid, True)}
    assert len({fill.exec_id for fill in fills}) == len(fills) == 4
    (row,) = await trader.orders([order_id])
    assert (row.status, row.filled) == ("closed", d("0.4"))


async def test_an_order_cancelled_after_a_part_is_canceled_with_what_it_filled(
    trader: Driver, there: World
) -> None:
    """Section 11.5: `closed` means fully executed; a part and a cancel is `canceled`."""
    bid, _ = there.best()
    order_id = accepted(await trader.place(limit("h-1", bid, "0.2")))
    there.do("fill", account=trader.account, cl_ord_id="h-1", share=0.5)
    assert await trader.cancel("h-1") is None
    events = await ended(trader, "h-1", "canceled")
    assert events[-1].cum_qty == d("0.1")
    (row,) = await trader.orders([order_id])
    assert (row.status, row.filled, row.qty) == ("canceled", d("0.1"), d("0.2"))


async def test_a_checked_order_is_judged_like_a_real_one_and_never_made(
    trader: Driver, there: World
) -> None:
    """Section 8.1, `validate`: checks only; success without a live order."""
    bid, _ = there.best()
    price = on_grid(bid * d("0.9"))
    assert await trader.check(limit("v-1", price)) is None
    refused(await trader.check(limit("v-2", price, "100")), "EOrder:Insufficient funds")
    refused(await trader.check(limit("v-3", price + d("0.01"))), "EOrder:Tick size", "EOrder:Inv")
    assert await trader.told() == []
    assert await trader.open_orders() == await trader.closed_orders() == []


async def test_an_order_past_its_deadline_is_not_made(trader: Driver, there: World) -> None:
    """Section 8.1: past the deadline `EService:Deadline elapsed`."""
    bid, _ = there.best()
    late = limit("d-1", bid, deadline=there.at - timedelta(seconds=1))
    refused(await trader.place(late), "EService:Deadline elapsed")
    far = limit("d-2", bid, deadline=there.at + timedelta(seconds=120))
    refused(await trader.place(far), "EGeneral:Invalid arguments")
    assert await trader.told() == []


@pytest.mark.parametrize(
    "name",
    [
        "eighteen-chars-abc",
        "6d1b345e-2821-40e2-ad83-4ecb18a06876",
        "da8e4ad59b78481c93e589746b0cf91f",
    ],
    ids=["18 characters", "UUID", "32 hex digits"],
)
async def test_a_client_id_of_each_form_names_its_order_everywhere(
    trader: Driver, there: World, name: str
) -> None:
    """Section 8.1: a UUID with dashes, 32 hex digits, or free ASCII of at most 18 characters."""
    bid, _ = there.best()
    accepted(await trader.place(limit(name, bid)))
    there.do("fill", account=trader.account, cl_ord_id=name, share=0.5)
    assert await trader.cancel(name) is None
    assert kinds(await trader.told(name)) == ["pending_new", "new", "trade", "canceled"]
    assert [row.cl_ord_id for row in await trader.closed_orders()] == [name]


async def test_a_client_id_of_another_form_is_refused(trader: Driver, there: World) -> None:
    """Section 8.1: 19 free characters are no client id."""
    bid, _ = there.best()
    wanted = limit("nineteen-characters", bid)
    refused(await trader.place(wanted), "EGeneral:Invalid arguments")


async def test_a_client_id_is_taken_once_among_open_orders_and_free_after_the_close(
    trader: Driver, there: World
) -> None:
    """Section 8.1: unique among your open orders, reusable after close."""
    bid, _ = there.best()
    price = on_grid(bid * d("0.9"))
    first = accepted(await trader.place(limit("twice", price)))
    refused(await trader.place(limit("twice", price)), "EGeneral:Invalid arguments", "EOrder:")
    assert len(await trader.open_orders()) == 1
    assert await trader.cancel("twice") is None
    second = accepted(await trader.place(limit("twice", price)))
    assert second != first
    assert [row.order_id for row in await trader.open_orders()] == [second]


@pytest.mark.parametrize(
    ("stp", "left"),
    [("cancel_newest", ["old"]), ("cancel_oldest", ["new"]), ("cancel_both", [])],
)
async def test_two_own_orders_never_trade_with_each_other(
    trader: Driver, there: World, stp: str, left: list[str]
) -> None:
    """Section 8.1, stp_type: the victim ends canceled or expired, without a fill."""
    bid, ask = there.best()
    inside = on_grid((bid + ask) / 2)
    accepted(await trader.place(limit("old", inside, side="sell")))
    accepted(await trader.place(limit("new", inside, stp=stp)))
    events = await trader.told()
    assert fills_of(events) == []
    open_names = [row.cl_ord_id for row in await trader.open_orders()]
    assert open_names == left
    for name in {"old", "new"} - set(left):
        last = (await trader.told(name))[-1]
        assert last.status in {"canceled", "expired"}
        assert last.cum_qty == 0


@pytest.mark.parametrize(("fee", "asset"), [("quote", "USD"), ("base", "BTC")])
async def test_the_fee_is_taken_in_the_currency_that_was_asked_for(
    trader: Driver, there: World, fee: str, asset: str
) -> None:
    """Section 13: currency and amount of the fee stand in `fees` of each trade."""
    accepted(await trader.place(market("e-1", "0.01", fee=fee)))
    fills = fills_of(await ended(trader, "e-1", "filled"))
    _maker, taker = await trader.fee_rates("BTC/USD")
    for fill in fills:
        ((paid_in, paid),) = fill.fee
        due = (fill.cost if asset == "USD" else fill.qty) * taker
        assert paid_in == asset
        assert abs(paid - due) <= (LEDGER_UNIT if asset == "USD" else d("0.00000001"))
    lines = [line for line in await trader.lines() if line.fee]
    assert {line.asset for line in lines} == {asset}


async def test_an_order_is_known_to_its_own_account_only(trader: Driver, opener: Opener) -> None:
    """Section 6: executions tell of one account; ids of another are unknown to it."""
    other = await opener()
    order_id = accepted(await trader.place(limit("mine", Decimal(1000))))
    assert await other.told() == []
    outcome = await other.cancel("mine")
    refused(outcome, "EOrder:Unknown order")
    assert isinstance(await other.cancel("x", order_id), Refused)
    assert [row.order_id for row in await trader.open_orders()] == [order_id]
