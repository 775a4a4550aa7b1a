"""python-kraken-sdk 3.5 over WebSocket v2: channels, books, orders and coming back by itself."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from kraken.base_api import SpotClient
from kraken.spot import SpotOrderBookClient, SpotWSClient
from telling import KEY, SECRET, Heard, Sandbox, Scenarios, until

scenario = Scenarios()
SYMBOL = "BTC/USD"


@asynccontextmanager
async def connected(there: Sandbox, private: bool = False) -> AsyncIterator[tuple[Any, Heard]]:
    """A client with its sockets, and what it heard."""
    heard = Heard()
    keys = {"key": KEY, "secret": SECRET} if private else {}
    async with SpotWSClient(
        **keys,
        callback=heard.take,
        rest_url=there.url,
        ws_url=there.ws,
        auth_ws_url=there.ws + "/auth",
    ) as client:
        yield client, heard


def channel(name: str, kind: str) -> Any:
    """A test of a frame: is it one of this channel and type?"""
    return lambda frame: frame.get("channel") == name and frame.get("type") == kind


@scenario
async def every_public_channel_is_served(there: Sandbox) -> Any:
    async with connected(there) as (client, heard):
        asked: dict[str, dict[str, Any]] = {
            "ticker": {"symbol": [SYMBOL]},
            "trade": {"symbol": [SYMBOL], "snapshot": True},
            "ohlc": {"symbol": [SYMBOL], "interval": 1},
            "book": {"symbol": [SYMBOL], "depth": 25},
            "instrument": {},
        }
        seen: dict[str, Any] = {"status": await heard.first(channel("status", "update"))}
        for number, (name, more) in enumerate(asked.items(), start=1):
            await client.subscribe(params={"channel": name, **more}, req_id=number)
            seen[name] = {
                "ack": await heard.answer("subscribe", number),
                "snapshot": await heard.first(channel(name, "snapshot")),
            }
        for name in ("ticker", "trade", "ohlc", "book"):
            seen[name]["update"] = await heard.first(channel(name, "update"))
        await heard.first(lambda frame: frame == {"channel": "heartbeat"})
        seen["active"] = client.active_public_subscriptions
        await client.unsubscribe(params={"channel": "ticker", "symbol": [SYMBOL]}, req_id=9)
        seen["gone"] = await heard.answer("unsubscribe", 9)
        return seen


@scenario
async def a_refused_subscription_is_told_and_the_rest_goes_on(there: Sandbox) -> Any:
    async with connected(there) as (client, heard):
        symbols = [SYMBOL, "XBT/USD"]
        await client.subscribe(params={"channel": "ticker", "symbol": symbols}, req_id=1)
        refused = await heard.first(lambda frame: frame.get("success") is False)
        await heard.first(channel("ticker", "snapshot"))
        await client.unsubscribe(params={"channel": "trade", "symbol": [SYMBOL]}, req_id=2)
        twice = await heard.first(lambda frame: frame.get("req_id") == 2)
        return {"refused": refused, "never_subscribed": twice}


class Books(SpotOrderBookClient):
    """The book client as its manual shows it: it checks every checksum by itself."""

    updates: dict[str, int]
    wrong: int
    enough: asyncio.Event

    async def on_book_update(self, pair: str, message: dict[str, Any]) -> None:
        self.wrong += "error" in message or not self.get(pair)["valid"]
        self.updates[pair] = self.updates.get(pair, 0) + (message.get("type") == "update")
        if len(self.updates) == 2 and min(self.updates.values()) >= 30:
            self.enough.set()


async def _books(depth: int) -> Any:
    client = Books(depth=depth)
    client.updates, client.wrong, client.enough = {}, 0, asyncio.Event()
    await client.start()
    await client.add_book(["BTC/USD", "ETH/USD"])
    await client.enough.wait()
    bids, asks = (client.get("BTC/USD")[side] for side in ("bid", "ask"))
    told = {"updates": client.updates, "wrong": client.wrong, "levels": [len(bids), len(asks)]}
    await client.close()
    return told


@scenario
async def books_of_depth_10_keep_their_checksums(there: Sandbox) -> Any:
    return await _books(10)


@scenario
async def books_of_depth_100_keep_their_checksums(there: Sandbox) -> Any:
    return await _books(100)


@asynccontextmanager
async def trading(there: Sandbox) -> AsyncIterator[tuple[Any, Heard, float]]:
    """A client that hears its executions and balances; gives the best bid too."""
    async with connected(there, private=True) as (client, heard):
        await client.subscribe(params={"channel": "ticker", "symbol": [SYMBOL]})
        bid = (await heard.first(channel("ticker", "snapshot")))["data"][0]["bid"]
        await client.subscribe(params={"channel": "executions"}, req_id=101)
        await client.subscribe(params={"channel": "balances"}, req_id=102)
        await heard.first(channel("executions", "snapshot"))
        await heard.first(channel("balances", "snapshot"))
        yield client, heard, bid


async def ask(client: Any, heard: Heard, method: str, req_id: int, **params: Any) -> Any:
    """Send a request of the SDK's and give the response."""
    await client.send_message({"method": method, "params": params, "req_id": req_id})
    return await heard.answer(method, req_id)


@scenario
async def an_order_is_placed_amended_edited_and_cancelled(there: Sandbox) -> Any:
    async with trading(there) as (client, heard, bid):
        order = {"order_type": "limit", "side": "buy", "symbol": SYMBOL, "order_qty": 0.001}
        low, lower = round(bid * 0.9, 1), round(bid * 0.89, 1)
        placed = await ask(
            client, heard, "add_order", 1, **order, limit_price=low, cl_ord_id="sdk-1"
        )
        first = placed["result"]["order_id"]
        new = await heard.event("new", first)
        amended = await ask(
            client, heard, "amend_order", 2, order_id=first, order_qty=0.002, limit_price=lower
        )
        amended_event = await heard.event("amended", first)
        again = await ask(client, heard, "add_order", 3, **order, limit_price=low)
        second = again["result"]["order_id"]
        edited = await ask(
            client,
            heard,
            "edit_order",
            4,
            order_id=second,
            symbol=SYMBOL,
            order_qty=0.003,
            limit_price=lower,
        )
        third = edited["result"]["order_id"]
        replaced = await heard.event("canceled", second)
        await heard.event("new", third)
        gone = await ask(client, heard, "cancel_order", 5, order_id=[third])
        return {
            "placed": placed,
            "pending": await heard.event("pending_new", first),
            "new": new,
            "amended": amended,
            "amended_event": amended_event,
            "second": second,
            "edited": edited,
            "replaced": replaced,
            "gone": gone,
            "canceled": await heard.event("canceled", third),
            "all": await ask(client, heard, "cancel_all", 6),
            "last": await heard.event("canceled", first),
            "acks": [await heard.answer("subscribe", number) for number in (101, 102)],
        }


@scenario
async def a_market_order_fills_and_moves_the_balances(there: Sandbox) -> Any:
    async with trading(there) as (client, heard, _):
        snapshot = await heard.first(channel("balances", "snapshot"))
        order = {"order_type": "market", "side": "buy", "symbol": SYMBOL, "order_qty": 0.01}
        placed = await ask(client, heard, "add_order", 1, **order, cl_ord_id="sdk-market")
        order_id = placed["result"]["order_id"]
        filled = await heard.event("filled", order_id)
        trade = await heard.event("trade", order_id)

        async def entries() -> Any:
            rows = [
                row
                for frame in heard.frames
                if channel("balances", "update")(frame)
                for row in frame["data"]
            ]
            fills = {
                row["exec_id"]
                for frame in heard.frames
                if frame.get("channel") == "executions"
                for row in frame["data"]
                if row["exec_type"] == "trade" and row["order_id"] == order_id
            }
            mine = [row for row in rows if row["ref_id"] in fills]
            return mine if len(mine) == 2 * len(fills) else None

        return {
            "snapshot": snapshot,
            "trade": trade,
            "filled": filled,
            "entries": await until(entries),
            "sequences": [f["sequence"] for f in heard.frames if f.get("channel") == "executions"],
        }


@scenario
async def a_resting_order_fills_in_parts(there: Sandbox) -> Any:
    async with trading(there) as (client, heard, bid):
        order = {"order_type": "limit", "side": "buy", "symbol": SYMBOL, "order_qty": 0.01}
        placed = await ask(
            client, heard, "add_order", 1, **order, limit_price=round(bid * 0.9, 1), post_only=True
        )
        order_id = placed["result"]["order_id"]
        await heard.event("new", order_id)
        await there.do("fill", order_id=order_id, share=0.4)
        part = await heard.event("trade", order_id)
        await there.do("fill", order_id=order_id)
        return {"part": part, "filled": await heard.event("filled", order_id)}


@scenario
async def a_stop_trades_when_the_market_falls(there: Sandbox) -> Any:
    async with trading(there) as (client, heard, bid):
        buy = {"order_type": "market", "side": "buy", "symbol": SYMBOL, "order_qty": 0.01}
        await ask(client, heard, "add_order", 1, **buy)
        stop = {**buy, "side": "sell", "order_type": "stop-loss"}
        trigger = {"reference": "last", "price": round(bid * 0.97, 1)}
        placed = await ask(client, heard, "add_order", 2, **stop, triggers=trigger)
        order_id = placed["result"]["order_id"]
        pending = await heard.event("pending_new", order_id)
        await there.do("wick", pair=SYMBOL, percent=-10, lasts_s=3)
        return {
            "price": trigger["price"],
            "pending": pending,
            "status": await heard.event("status", order_id),
            "trade": await heard.event("trade", order_id),
            "filled": await heard.event("filled", order_id),
        }


@scenario
async def the_exchange_s_state_is_told_and_refuses_orders(there: Sandbox) -> Any:
    async with trading(there) as (client, heard, bid):
        order = {"order_type": "limit", "side": "buy", "symbol": SYMBOL, "order_qty": 0.01}
        seen: dict[str, Any] = {}
        for number, state in enumerate(("cancel_only", "post_only", "maintenance")):
            before = len(heard.frames)
            await there.do("system", status=state)
            told = await heard.first(channel("status", "update"), after=before)
            price = round(bid * 0.9, 1)
            answer = await ask(client, heard, "add_order", number, **order, limit_price=price)
            seen[state] = {"told": told["data"][0]["system"], "error": answer.get("error")}
        await there.do("system", status="online")
        return seen


@scenario
async def batches_and_the_dead_man_s_switch(there: Sandbox) -> Any:
    async with trading(there) as (client, heard, bid):
        orders = [
            {
                "order_type": "limit",
                "side": "buy",
                "order_qty": 0.001,
                "limit_price": round(bid * factor, 1),
                "cl_ord_id": f"batch-{number}",
            }
            for number, factor in enumerate((0.9, 0.91))
        ]
        placed = await ask(client, heard, "batch_add", 1, symbol=SYMBOL, orders=orders)
        ids = [row["order_id"] for row in placed["result"]]
        gone = await ask(client, heard, "batch_cancel", 2, orders=ids)
        return {
            "placed": placed,
            "gone": gone,
            "canceled": [await heard.event("canceled", order_id) for order_id in ids],
            "armed": await ask(client, heard, "cancel_all_orders_after", 3, timeout=60),
            "disarmed": await ask(client, heard, "cancel_all_orders_after", 4, timeout=0),
        }


@scenario
async def refusals_come_with_the_request_s_number(there: Sandbox) -> Any:
    async with trading(there) as (client, heard, bid):
        order = {"order_type": "limit", "side": "buy", "symbol": SYMBOL}
        return {
            "unknown_order": await ask(
                client, heard, "cancel_order", 1, order_id=["OB6JJR-7NZ5P-N5SKCB"]
            ),
            "funds": await ask(
                client, heard, "add_order", 2, **order, order_qty=100, limit_price=round(bid, 1)
            ),
            "minimum": await ask(
                client, heard, "add_order", 3, **order, order_qty=0.000001, limit_price=bid
            ),
            "tick": await ask(
                client, heard, "add_order", 4, **order, order_qty=0.01, limit_price=50000.123
            ),
            "field": await ask(
                client, heard, "add_order", 5, **order, order_qty=0.01, price=50000.0
            ),
            "type": await ask(
                client, heard, "add_order", 6, **order, order_qty=0.01, limit_price="50000"
            ),
        }


@scenario
async def the_client_comes_back_by_itself_after_a_drop(there: Sandbox) -> Any:
    async with trading(there) as (client, heard, _):
        before = len(heard.frames)
        await there.drop()
        status = await heard.first(channel("status", "update"), after=before)
        ticker = await heard.first(channel("ticker", "snapshot"), after=before)
        executions = await heard.first(channel("executions", "snapshot"), after=before)
        return {
            "status": status,
            "ticker": ticker,
            "executions": executions,
            "exception": client.exception_occur,
            "public": client.active_public_subscriptions,
            "private": client.active_private_subscriptions,
        }


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    SpotClient.URL = sys.argv[1]
    SpotWSClient.WS_URL = sys.argv[1].replace("http", "ws", 1)
    scenario.main()
