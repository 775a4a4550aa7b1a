"""The contract of REST endpoints that our client does not call: shapes and figures, raw only."""

from decimal import Decimal
from typing import Any

from contract_raw import RawDriver
from contract_words import accepted, d, ended, fills_of, limit, market, on_grid
from contract_world import OPENING, World


def public(there: World, path: str) -> Any:
    """The result of a public request that must succeed."""
    answer = there.get(f"/0/public/{path}")
    assert answer["error"] == [], answer
    return answer["result"]


async def test_raw_only_assets_and_pairs_have_their_three_names(there: World) -> None:
    """Sections 11.4 and 12: id, altname, v1 wsname; decimals, minimums, tick, fees, status."""
    assets = public(there, "Assets")
    assert (assets["XXBT"]["altname"], assets["XXBT"]["decimals"]) == ("XBT", 10)
    assert (assets["ZUSD"]["altname"], assets["ZUSD"]["decimals"]) == ("USD", 4)
    row = public(there, "AssetPairs?pair=XBTUSD")["XXBTZUSD"]
    assert (row["altname"], row["wsname"], row["base"], row["quote"]) == (
        "XBTUSD",
        "XBT/USD",
        "XXBT",
        "ZUSD",
    )
    assert (row["tick_size"], row["ordermin"], row["costmin"]) == ("0.1", "0.00005", "0.5")
    assert (row["pair_decimals"], row["lot_decimals"], row["status"]) == (1, 8, "online")
    assert [Decimal(n) for n in row["fees"][0]] == [0, d("0.4")]
    assert [Decimal(n) for n in row["fees_maker"][0]] == [0, d("0.25")]
    for name in ("XBTUSD", "XXBTZUSD", "BTCUSD"):
        assert list(public(there, f"AssetPairs?pair={name}")) == ["XXBTZUSD"]


async def test_raw_only_ticker_depth_spread_and_trades_are_of_one_market(there: World) -> None:
    """Section 11.4: the best of Depth is the ticker's; lasts are the newest trade's."""
    bids, asks = there.depth("BTC/USD", 10)
    ticker = public(there, "Ticker?pair=XBTUSD")["XXBTZUSD"]
    assert (Decimal(ticker["b"][0]), Decimal(ticker["a"][0])) == (bids[0][0], asks[0][0])
    answer = public(there, "Trades?pair=XBTUSD&count=5")
    assert isinstance(answer["last"], str)
    trades = public(there, "Trades?pair=XBTUSD")["XXBTZUSD"]
    assert Decimal(trades[-1][0]) == Decimal(ticker["c"][0])
    spread = public(there, "Spread?pair=XBTUSD")
    assert Decimal(spread["XXBTZUSD"][-1][1]) < Decimal(spread["XXBTZUSD"][-1][2])


async def test_raw_only_trades_and_ledger_lines_are_found_by_their_ids(
    raw: RawDriver,
) -> None:
    """Section 11.5: QueryTrades and QueryLedgers; an order names its trades, a trade its lines."""
    order_id = accepted(await raw.place(market("qt-1", "0.01")))
    fills = fills_of(await ended(raw, "qt-1", "filled"))
    ids = ",".join(fill.exec_id for fill in fills)
    rows = await raw.rest.good("QueryTrades", txid=ids)
    assert {name: Decimal(row["vol"]) for name, row in rows.items()} == {
        fill.exec_id: fill.qty for fill in fills
    }
    row = rows[fills[0].exec_id]
    assert (row["pair"], row["type"], row["ordertype"]) == ("XXBTZUSD", "buy", "market")
    lines = await raw.lines()
    found = await raw.rest.good("QueryLedgers", id=",".join(line.ledger_id for line in lines))
    assert {name: Decimal(row["amount"]) for name, row in found.items()} == {
        line.ledger_id: line.amount for line in lines
    }
    order = (await raw.rest.good("QueryOrders", txid=order_id, trades="true"))[order_id]
    assert set(order["trades"]) == {fill.exec_id for fill in fills}
    assert Decimal(order["price"]) > 0


async def test_raw_only_the_ledger_is_read_by_asset_and_type(raw: RawDriver, there: World) -> None:
    """Section 11.5, Ledgers: asset and type choose."""
    accepted(await raw.place(market("le-1", "0.01")))
    there.do("transfer", account=raw.account, asset="USD", amount="5", kind="deposit")
    deposits = await raw.rest.good("Ledgers", type="deposit")
    (row,) = deposits["ledger"].values()
    assert (row["asset"], Decimal(row["amount"]), row["type"]) == ("ZUSD", 5, "deposit")
    coins = await raw.rest.good("Ledgers", asset="XBT", type="trade")
    assert {row["asset"] for row in coins["ledger"].values()} == {"XXBT"}


async def test_raw_only_the_trade_balance_is_the_worth_of_the_account(
    raw: RawDriver, there: World
) -> None:
    """Section 11.5, TradeBalance: eb and tb in dollars, nothing in margin."""
    answer = await raw.rest.good("TradeBalance", asset="ZUSD")
    bid, ask = there.best()
    equity = Decimal(answer["eb"])
    assert equity > OPENING["USD"] + OPENING["BTC"] * bid * d("0.99")
    assert Decimal(answer["m"]) == Decimal(answer["n"]) == 0
    assert bid < ask


async def test_raw_only_an_order_tells_of_its_changes(raw: RawDriver, there: World) -> None:
    """Section 11.5, OrderAmends: the original and each amend."""
    bid, _ = there.best()
    order_id = accepted(await raw.place(limit("oa-1", on_grid(bid * d("0.9")))))
    answer = await raw.request("amend_order", order_id=order_id, order_qty=d("0.02"))
    amends = await raw.rest.good("OrderAmends", order_id=order_id)
    assert amends["count"] == 2
    first, second = amends["amends"]
    assert (first["amend_type"], second["amend_type"]) == ("original", "user")
    assert second["amend_id"] == answer["result"]["amend_id"]
    assert Decimal(second["order_qty"]) == d("0.02")


async def test_raw_only_edit_batch_cancel_and_switch_by_rest(raw: RawDriver, there: World) -> None:
    """Section 11.5: EditOrder, CancelOrderBatch, CancelAllOrdersAfter and their answers."""
    bid, _ = there.best()
    fields = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.01"}
    price = on_grid(bid * d("0.9"))
    (old,) = (await raw.rest.good("AddOrder", **fields, price=str(price)))["txid"]
    edited = await raw.rest.good("EditOrder", txid=old, pair="XBTUSD", price=str(price - 1))
    assert (edited["status"], edited["originaltxid"], edited["orders_cancelled"]) == ("ok", old, 1)
    (row,) = (await raw.rest.good("OpenOrders"))["open"].items()
    assert row[0] == edited["txid"] != old
    assert Decimal(row[1]["descr"]["price"]) == price - 1
    armed = await raw.rest.good("CancelAllOrdersAfter", timeout=60)
    assert set(armed) == {"currentTime", "triggerTime"}
    await raw.rest.good("CancelAllOrdersAfter", timeout=0)
    assert (await raw.rest.good("CancelAll"))["count"] == 1
