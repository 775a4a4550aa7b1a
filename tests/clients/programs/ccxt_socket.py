"""ccxt.pro 4.5 over WebSocket v2: the watch calls and orders, with nothing changed but the URLs."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from functools import partial
from typing import Any

import ccxt.pro as ccxt
from telling import KEY, SECRET, Sandbox, Scenarios, refusal

scenario = Scenarios()
SYMBOL = "BTC/USD"
DECIMALS = {"BTC/USD": (1, 8), "ETH/USD": (2, 8)}


def opened(there: Sandbox, **more: Any) -> ccxt.kraken:
    """A ccxt exchange whose addresses are the sandbox's."""
    exchange = ccxt.kraken(
        {"apiKey": KEY, "secret": SECRET, "enableRateLimit": False, "newUpdates": True, **more}
    )
    exchange.urls["api"] = {
        **exchange.urls["api"],
        "public": there.url,
        "private": there.url,
        "ws": {
            **exchange.urls["api"]["ws"],
            # The key under which it keeps its token; it connects to the other two only.
            "private": there.ws + "/auth",
            "publicV2": there.ws + "/v2",
            "privateV2": there.ws + "/auth/v2",
        },
    }
    return exchange


@scenario
async def public_watches_bring_snapshot_and_updates(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        await exchange.load_markets()
        seen: dict[str, Any] = {}
        calls: dict[str, Callable[[], Awaitable[Any]]] = {
            "ticker": lambda: exchange.watch_ticker(SYMBOL),
            "bids_asks": lambda: exchange.watch_bids_asks([SYMBOL]),
            "trades": lambda: exchange.watch_trades(SYMBOL),
            "ohlcv": lambda: exchange.watch_ohlcv(SYMBOL, "1m"),
        }
        for name, call in calls.items():
            seen[name] = [await call() for _ in range(3)]
        return seen


@scenario
async def several_tickers_come_over_one_socket(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        symbols = [SYMBOL, "ETH/USD", "SOL/USD"]
        told: set[str] = set()
        while told != set(symbols):
            told |= set(await exchange.watch_tickers(symbols))
        return sorted(told)


class RawBook:
    """A book kept from the very frames ccxt reads, with Kraken's checksum rule."""

    def __init__(self) -> None:
        self.sides: dict[str, dict[Decimal, Decimal]] = {"bids": {}, "asks": {}}
        self.right = self.wrong = 0

    def apply(self, text: str, symbol: str, depth: int) -> None:
        """Take a frame if it is one of this book, then compare the checksum."""
        frame = json.loads(text, parse_float=Decimal)
        if frame.get("channel") != "book" or frame["data"][0]["symbol"] != symbol:
            return
        (row,) = frame["data"]
        for side, levels in self.sides.items():
            if frame["type"] == "snapshot":
                levels.clear()
            for level in row[side]:
                levels[level["price"]] = level["qty"]
                if not level["qty"]:
                    del levels[level["price"]]
            best = sorted(levels, reverse=side == "bids")[:depth]
            self.sides[side] = {price: levels[price] for price in best}
        payload = "".join(
            self._token(value, decimals)
            for side in ("asks", "bids")
            for level in list(self.sides[side].items())[:10]
            for value, decimals in zip(level, DECIMALS[symbol], strict=True)
        )
        good = zlib.crc32(payload.encode()) == row["checksum"]
        self.right, self.wrong = self.right + good, self.wrong + (not good)

    @staticmethod
    def _token(value: Decimal, decimals: int) -> str:
        return f"{value:.{decimals}f}".replace(".", "").lstrip("0")


@scenario
async def its_book_is_the_book_of_the_frames(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        await exchange.load_markets()
        raw = RawBook()
        parse = exchange.handle_order_book

        def overheard(client: Any, message: Any) -> None:
            raw.apply(json.dumps(message), SYMBOL, 10)
            parse(client, message)

        exchange.handle_order_book = overheard
        book: Any = {}
        while raw.right + raw.wrong < 40:
            book = await exchange.watch_order_book(SYMBOL, 10)
        mine = {
            side: [[float(price), float(quantity)] for price, quantity in levels.items()]
            for side, levels in raw.sides.items()
        }
        return {
            "right": raw.right,
            "wrong": raw.wrong,
            "ccxt": {side: [row[:2] for row in book[side]] for side in ("bids", "asks")},
            "frames": mine,
        }


@scenario
async def its_own_checksum_option_cannot_work(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        try:
            return {"answer": exchange.format_number(0.5)}
        except Exception as error:
            return refusal(error)


@asynccontextmanager
async def trading(there: Sandbox) -> AsyncIterator[tuple[ccxt.kraken, float]]:
    """An exchange with loaded markets, and the best bid."""
    async with opened(there) as exchange:
        await exchange.load_markets()
        ticker = await exchange.fetch_ticker(SYMBOL)
        yield exchange, ticker["bid"]


def _is(order_id: str, order: Any) -> bool:
    return bool(order["id"] == order_id)


async def order_that(exchange: ccxt.kraken, fits: Callable[[Any], bool]) -> Any:
    """Watch the orders until one fits."""
    while True:
        for order in await exchange.watch_orders():
            if fits(order):
                return order


@scenario
async def orders_are_made_edited_and_cancelled_over_the_socket(there: Sandbox) -> Any:
    async with trading(there) as (exchange, bid):
        low = float(exchange.price_to_precision(SYMBOL, bid * 0.9))
        lower = float(exchange.price_to_precision(SYMBOL, bid * 0.89))
        watching = asyncio.ensure_future(
            order_that(exchange, lambda order: order["status"] == "canceled")
        )
        await asyncio.sleep(1)
        made = await exchange.create_order_ws(
            SYMBOL, "limit", "buy", 0.001, low, {"clientOrderId": "pro-1", "postOnly": True}
        )
        edited = await exchange.edit_order_ws(made["id"], SYMBOL, "limit", "buy", 0.002, lower)
        after_edit = await exchange.fetch_order(made["id"], SYMBOL)
        cancelled = await exchange.cancel_order_ws(made["id"])
        watched = await watching
        await exchange.create_order_ws(SYMBOL, "limit", "buy", 0.001, low)
        await exchange.create_order_ws(SYMBOL, "limit", "buy", 0.001, lower)
        everything = await exchange.cancel_all_orders_ws()
        return {
            "made": made,
            "edited": edited,
            "lower": lower,
            "after_edit": after_edit,
            "cancelled": cancelled,
            "watched": watched,
            "everything": everything,
            "open": await exchange.fetch_open_orders(),
        }


@scenario
async def triggered_orders_are_made_over_the_socket(there: Sandbox) -> Any:
    async with trading(there) as (exchange, bid):
        low = float(exchange.price_to_precision(SYMBOL, bid * 0.9))
        high = float(exchange.price_to_precision(SYMBOL, bid * 1.1))
        shapes: dict[str, Any] = {
            "stop-loss": ("market", None, {"stopLossPrice": high}),
            "stop-loss-limit": ("limit", high + 10, {"stopLossPrice": high}),
            "take-profit": ("market", None, {"takeProfitPrice": low}),
            "take-profit-limit": ("limit", low + 10, {"takeProfitPrice": low}),
            "trailing-stop": ("market", None, {"trailingPercent": "5"}),
        }
        seen: dict[str, Any] = {}
        for name, (kind, limit, params) in shapes.items():
            made = await exchange.create_order_ws(SYMBOL, kind, "buy", 0.001, limit, params)
            seen[name] = await exchange.fetch_order(made["id"], SYMBOL)
        await exchange.cancel_all_orders_ws()
        return seen


@scenario
async def own_trades_and_balances_are_watched(there: Sandbox) -> Any:
    async with trading(there) as (exchange, _):
        before = await exchange.watch_balance()
        trades = asyncio.ensure_future(exchange.watch_my_trades(SYMBOL))
        after = asyncio.ensure_future(exchange.watch_balance())
        await asyncio.sleep(1)
        made = await exchange.create_order_ws(SYMBOL, "market", "buy", 0.01)
        return {
            "before": dict(before["total"]),
            "made": made,
            "trades": await trades,
            "after": (await after)["total"],
        }


@scenario
async def a_large_limit_order_is_watched_while_it_fills_in_part(there: Sandbox) -> Any:
    async with trading(there) as (exchange, _):
        symbol = "LTC/USD"
        while True:
            book = await exchange.fetch_order_book(symbol, 1)
            ask, quantity = book["asks"][0][:2]
            if ask * quantity > 3000:
                await asyncio.sleep(0.2)
                continue
            made = await exchange.create_order_ws(symbol, "limit", "buy", quantity + 5, ask)
            order = await exchange.fetch_order(made["id"], symbol)
            # The market goes on meanwhile: it may have moved, or fill the rest before the cancel.
            with suppress(ccxt.OrderNotFound):
                await exchange.cancel_order_ws(made["id"])
            after = await exchange.fetch_order(made["id"], symbol)
            if 0 < order["filled"] == after["filled"] < order["amount"]:
                return {"order": order, "after": after}


@scenario
async def errors_over_the_socket_are_ccxt_s_own_classes(there: Sandbox) -> Any:
    async with trading(there) as (exchange, bid):
        cases: dict[str, Callable[[], Awaitable[Any]]] = {
            "funds": lambda: exchange.create_order_ws(SYMBOL, "limit", "buy", 100, bid),
            "unknown_order": lambda: exchange.cancel_order_ws("OB6JJR-7NZ5P-N5SKCB"),
            "depth": lambda: exchange.watch_order_book(SYMBOL, 7),
        }
        seen: dict[str, Any] = {}
        for name, call in cases.items():
            try:
                seen[name] = {"answer": await call()}
            except ccxt.BaseError as error:
                seen[name] = refusal(error)
        return seen


@scenario
async def a_watch_goes_on_after_the_connection_was_dropped(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        await exchange.load_markets()
        before = await exchange.watch_order_book(SYMBOL, 10)
        nonce = before["timestamp"]
        broken: list[str] = []
        await there.drop()
        while True:
            try:
                book = await exchange.watch_order_book(SYMBOL, 10)
            except ccxt.NetworkError as error:
                broken.append(type(error).__name__)
                await asyncio.sleep(0.2)
                continue
            if broken and book["timestamp"] and book["timestamp"] > (nonce or 0):
                return {"broken": broken, "bids": book["bids"], "asks": book["asks"]}


@scenario
async def own_orders_are_watched_on_after_a_drop(there: Sandbox) -> Any:
    async with trading(there) as (exchange, bid):
        low = float(exchange.price_to_precision(SYMBOL, bid * 0.9))
        first = asyncio.ensure_future(exchange.watch_orders())
        await asyncio.sleep(1)
        await exchange.create_order_ws(SYMBOL, "limit", "buy", 0.001, low)
        await first
        await there.drop()
        broken: list[str] = []
        while True:
            try:
                made = await exchange.create_order_ws(SYMBOL, "limit", "buy", 0.001, low)
                order = await order_that(exchange, partial(_is, made["id"]))
            except ccxt.NetworkError as error:
                broken.append(type(error).__name__)
                await asyncio.sleep(0.2)
                continue
            await exchange.cancel_all_orders_ws()
            return {"broken": broken, "order": order, "made": made["id"]}


if __name__ == "__main__":
    scenario.main()
