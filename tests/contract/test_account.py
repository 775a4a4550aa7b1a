"""The contract: money. Balances, ledger, fees, holds, and pages of history."""

from decimal import Decimal
from itertools import pairwise

import pytest
from contract_facts import Driver, Opener
from contract_raw import RawDriver
from contract_words import (
    LEDGER_UNIT,
    accepted,
    d,
    ended,
    fills_of,
    limit,
    market,
    moved,
    on_grid,
)
from contract_world import OPENING, World


async def test_each_fill_moves_both_assets_by_amount_less_fee(trader: Driver, there: World) -> None:
    """Section 7: two entries sharing the exec_id as ref_id; new balance = old + amount - fee."""
    accepted(await trader.place(market("le-1", "0.05")))
    fills = fills_of(await ended(trader, "le-1", "filled"))
    lines = await trader.lines_told()
    assert {line.ref_id for line in lines} == {fill.exec_id for fill in fills}
    assert len(lines) == 2 * len(fills)
    for fill in fills:
        by_asset = {line.asset: line for line in lines if line.ref_id == fill.exec_id}
        assert set(by_asset) == {"BTC", "USD"}
        assert by_asset["BTC"].amount == fill.qty
        assert abs(by_asset["USD"].amount + fill.cost) <= LEDGER_UNIT
        assert abs(by_asset["USD"].fee - dict(fill.fee)["USD"]) <= LEDGER_UNIT
    for asset in ("BTC", "USD"):
        mine = [line for line in lines if line.asset == asset]
        assert mine[0].balance == OPENING[asset] + mine[0].amount - mine[0].fee
        for one, two in pairwise(mine):
            assert two.balance == one.balance + two.amount - two.fee


async def test_balances_are_opening_plus_ledger_to_the_last_digit_by_socket_and_rest(
    trader: Driver, there: World
) -> None:
    """Section 7: no residual, whichever way it is asked for."""
    bid, _ = there.best()
    accepted(await trader.place(market("ba-1", "0.0317")))
    accepted(await trader.place(market("ba-2", "0.021", side="sell")))
    accepted(await trader.place(market("ba-3", "0.0123", fee="base")))
    accepted(await trader.place(limit("ba-4", bid, "0.2")))
    there.do("fill", account=trader.account, cl_ord_id="ba-4", share=0.37, parts=3)
    await trader.step()
    told, lines = await trader.totals_told(), await trader.lines()
    assert told == await trader.balances()
    assert {line.ledger_id: line for line in lines} == {
        line.ledger_id: line for line in await trader.lines_told()
    }
    for asset, total in told.items():
        assert total == OPENING[asset] + moved(lines, asset), asset
    truth = there.truth(trader.account)["balances"]
    assert told == {asset: Decimal(text) for asset, text in truth.items()}


async def test_fills_are_told_alike_by_socket_and_by_history(trader: Driver, there: World) -> None:
    """Sections 6.1 and 11.5: the same execution ids, prices, quantities, costs and fees."""
    accepted(await trader.place(market("hi-1", "0.1")))
    await trader.step()
    bid, _ = there.best()
    accepted(await trader.place(limit("hi-2", bid, "0.1")))
    there.do("fill", account=trader.account, cl_ord_id="hi-2", parts=2)
    told = {fill.exec_id: fill for fill in fills_of(await trader.told())}
    kept = {fill.exec_id: fill for fill in await trader.fills()}
    assert len(kept) >= 3
    assert kept == told


async def test_the_fee_of_a_fill_follows_the_tier_of_the_account(
    opener: Opener, there: World
) -> None:
    """Section 13: 0.40/0.25 % at first, 0.24/0.14 % from 50k, 0.10/0 % from 10M on."""
    for account, maker, taker in (
        ("", "0.0025", "0.0040"),
        ("tier", "0.0014", "0.0024"),
        ("pro", "0", "0.0010"),
    ):
        trader = await opener(account)
        assert await trader.fee_rates("BTC/USD") == (d(maker), d(taker))
        bid, _ = there.best()
        accepted(await trader.place(market("ti-1", "0.002")))
        accepted(await trader.place(limit("ti-2", bid, "0.002")))
        there.do("fill", account=trader.account, cl_ord_id="ti-2")
        for name, rate in (("ti-1", taker), ("ti-2", maker)):
            for fill in fills_of(await ended(trader, name, "filled")):
                ((_, fee),) = fill.fee
                assert abs(fee - fill.cost * d(rate)) <= LEDGER_UNIT
                assert fill.maker == (rate == maker)


async def test_the_fee_tier_follows_the_volume_that_was_traded(
    trader: Driver, there: World
) -> None:
    """Section 13: the tier is that of the last 30 days' volume in USD."""
    before = await trader.fee_rates("BTC/USD")
    there.do("volume", account=trader.account, volume="49999")
    assert await trader.fee_rates("BTC/USD") == (d("0.0020"), d("0.0035"))
    accepted(await trader.place(market("vo-1", "0.01")))
    assert await trader.fee_rates("BTC/USD") == (d("0.0014"), d("0.0024")) != before


async def test_a_deposit_is_told_by_the_balances_channel(trader: Driver, there: World) -> None:
    """Section 7: an entry of another type than trade moves the total as well."""
    there.do("transfer", account=trader.account, asset="USD", amount="12.5", kind="deposit")
    (line,) = await trader.lines_told()
    assert (line.asset, line.amount, line.fee) == ("USD", d("12.5"), 0)
    assert line.balance == OPENING["USD"] + d("12.5") == (await trader.totals_told())["USD"]
    assert await trader.totals_told() == await trader.balances()


async def test_history_of_more_than_a_page_is_read_whole(opener: Opener, there: World) -> None:
    """Section 11.5: 50 rows a page and a count; every closed order, trade and line just once."""
    trader = await opener()
    bid, _ = there.best()
    price = on_grid(bid * d("0.9"))
    names = [f"pg-{number}" for number in range(60)]
    for name in names:
        accepted(await trader.place(limit(name, price, force="ioc")))
    accepted(await trader.place(limit("pg-many", bid, "0.6")))
    there.do("fill", account=trader.account, cl_ord_id="pg-many", parts=55)
    closed = await trader.closed_orders()
    assert sorted(row.cl_ord_id or "" for row in closed) == sorted([*names, "pg-many"])
    fills = await trader.fills()
    assert len(fills) == len({fill.exec_id for fill in fills}) == 55
    assert sum(fill.qty for fill in fills) == d("0.6")
    lines = await trader.lines()
    assert len(lines) == len({line.ledger_id for line in lines}) == 110
    assert {row.order_id for row in await trader.orders([r.order_id for r in closed[:50]])} == {
        row.order_id for row in closed[:50]
    }


async def test_a_new_connection_is_told_what_is_open_and_the_last_fills(
    opener: Opener, there: World
) -> None:
    """Section 6: the snapshot holds open orders with what they filled, and up to 50 fills."""
    first = await opener()
    bid, _ = there.best()
    accepted(await first.place(limit("sn-1", bid, "0.1")))
    there.do("fill", account=first.account, cl_ord_id="sn-1", share=0.5)
    accepted(await first.place(market("sn-2", "0.001")))
    second = await opener(first.account)
    events = [event for event in await second.told() if event.snapshot]
    (open_event,) = [event for event in events if event.fill is None]
    assert (open_event.cl_ord_id, open_event.status) == ("sn-1", "partially_filled")
    assert (open_event.cum_qty, open_event.qty) == (d("0.05"), d("0.1"))
    told = {fill.exec_id: fill for fill in fills_of(await first.told())}
    assert {fill.exec_id: fill for fill in fills_of(events)} == told
    assert await second.totals_told() == await second.balances()


@pytest.mark.parametrize("key", ["", "reader", "rich"])
async def test_the_permissions_of_the_key_are_told(opener: Opener, key: str) -> None:
    """Section 11.5, GetApiKeyInfo: what the key may do; a key that may withdraw says so."""
    trader = await opener(key)
    permissions = await trader.permissions()
    assert "query-funds" in permissions
    assert ("modify-trades" in permissions) == (key != "reader")
    assert ("withdraw-funds" in permissions) == (key == "rich")


async def test_raw_only_open_orders_hold_funds_which_balances_do_not_show(
    raw: RawDriver, there: World
) -> None:
    """Sections 7 and 11.5: hold_trade in BalanceEx, with the fee of a buy; gone with the order.

    Our client tracks holds by itself and asks for no BalanceEx.
    """
    bid, _ = there.best()
    price = on_grid(bid * d("0.9"))
    before = await raw.rest.good("Balance")
    accepted(await raw.place(limit("ho-1", price, "0.5")))
    accepted(await raw.place(limit("ho-2", on_grid(bid * 2), "0.25", side="sell")))
    rows = await raw.rest.good("BalanceEx")
    cost = price * d("0.5")
    held = Decimal(rows["ZUSD"]["hold_trade"])
    assert cost <= held <= cost * d("1.0041")
    assert Decimal(rows["XXBT"]["hold_trade"]) == d("0.25")
    assert {name: row["balance"] for name, row in rows.items()} == before
    assert await raw.cancel_all() == 2
    rows = await raw.rest.good("BalanceEx")
    assert {Decimal(row["hold_trade"]) for row in rows.values()} == {0}


async def test_raw_only_the_trade_volume_names_tier_and_next_tier(raw: RawDriver) -> None:
    """Section 11.5, TradeVolume: currency, volume, fees and fees_maker with their next steps."""
    answer = await raw.rest.good("TradeVolume", pair="XBTUSD")
    assert (answer["currency"], Decimal(answer["volume"])) == ("ZUSD", 0)
    (taker,), (maker,) = answer["fees"].values(), answer["fees_maker"].values()
    assert (Decimal(taker["fee"]), Decimal(maker["fee"])) == (d("0.4"), d("0.25"))
    assert (Decimal(taker["nextfee"]), Decimal(taker["nextvolume"])) == (d("0.35"), 10000)


async def test_raw_only_an_order_by_rest_is_the_same_order_by_socket(
    raw: RawDriver, there: World
) -> None:
    """Section 11.5, AddOrder, AmendOrder, CancelOrder: one engine behind both ways."""
    bid, _ = there.best()
    price = on_grid(bid * d("0.9"))
    fields = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01"}
    answer = await raw.rest.good("AddOrder", **fields, price=str(price), cl_ord_id="re-1")
    (order_id,) = answer["txid"]
    assert answer["descr"]["order"] == f"buy 0.01000000 XBTUSD @ limit {price}"
    checked = await raw.rest.good("AddOrder", **fields, price=str(price), validate="true")
    assert "txid" not in checked
    amended = await raw.rest.good("AmendOrder", txid=order_id, order_qty="0.02")
    assert amended["amend_id"].startswith("T")
    assert (await raw.rest.good("CancelOrder", txid=order_id))["count"] == 1
    assert [event.kind for event in await raw.told("re-1")] == [
        "pending_new",
        "new",
        "amended",
        "canceled",
    ]
    assert await raw.rest.error("CancelOrder", txid=order_id) == "EOrder:Unknown order"
    assert await raw.rest.good("CancelAll") == {"count": 0}
