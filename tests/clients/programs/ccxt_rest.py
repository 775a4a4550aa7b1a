"""ccxt 4.5 over REST: the unified calls, with nothing changed but the URLs."""

from contextlib import suppress
from typing import Any

import ccxt.async_support as ccxt
from telling import KEY, LIMITED_KEY, READER_KEY, SECRET, Sandbox, Scenarios, refusal, until

scenario = Scenarios()
SYMBOL = "BTC/USD"


def opened(there: Sandbox, **more: Any) -> ccxt.kraken:
    """A ccxt exchange whose addresses are the sandbox's."""
    exchange = ccxt.kraken(
        # Its own brake is one call a second: the sandbox's counters are what is tried here.
        {"apiKey": KEY, "secret": SECRET, "enableRateLimit": False, **more}
    )
    exchange.urls["api"] = {**exchange.urls["api"], "public": there.url, "private": there.url}
    return exchange


async def price(exchange: ccxt.kraken, factor: float) -> float:
    """A price on the tick, as a share of the best bid."""
    ticker = await exchange.fetch_ticker(SYMBOL)
    return float(exchange.price_to_precision(SYMBOL, ticker["bid"] * factor))


@scenario
async def markets_and_currencies(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        markets = await exchange.load_markets()
        return {
            "btc": markets[SYMBOL],
            "doge": markets["DOGE/USD"],
            "count": len(markets),
            "currencies": await exchange.fetch_currencies(),
            "status": await exchange.fetch_status(),
            "time": await exchange.fetch_time(),
        }


@scenario
async def market_data(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        return {
            "ticker": await exchange.fetch_ticker(SYMBOL),
            "tickers": await exchange.fetch_tickers([SYMBOL, "ETH/USD"]),
            "book": await exchange.fetch_order_book(SYMBOL, 20),
            "ohlcv": await exchange.fetch_ohlcv(SYMBOL, "5m"),
            "ohlcv_since": await exchange.fetch_ohlcv(
                SYMBOL, "1m", since=exchange.milliseconds() - 30 * 60_000
            ),
            "trades": await exchange.fetch_trades(SYMBOL),
        }


@scenario
async def balances_and_fees(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        return {
            "balance": await exchange.fetch_balance(),
            "fee": await exchange.fetch_trading_fee(SYMBOL),
            "positions": await exchange.fetch_positions(),
        }


@scenario
async def a_limit_order_lives_and_dies(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        low = await price(exchange, 0.9)
        made = await exchange.create_order(
            SYMBOL, "limit", "buy", 0.01, low, {"postOnly": True, "clientOrderId": "ccxt-1"}
        )
        open_orders = await exchange.fetch_open_orders(SYMBOL)
        held = await exchange.fetch_balance()
        await exchange.cancel_order(made["id"], SYMBOL)
        return {
            "made": made,
            "price": low,
            "open": open_orders,
            "held": held["USD"],
            "fetched": await exchange.fetch_order(made["id"], SYMBOL),
            "closed": await exchange.fetch_closed_orders(SYMBOL),
            "open_after": await exchange.fetch_open_orders(),
        }


@scenario
async def an_order_is_edited(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        low, lower = await price(exchange, 0.9), await price(exchange, 0.89)
        made = await exchange.create_order(SYMBOL, "limit", "buy", 0.01, low)
        edited = await exchange.edit_order(made["id"], SYMBOL, "limit", "buy", 0.02, lower)
        open_orders = await exchange.fetch_open_orders(SYMBOL)
        await exchange.cancel_all_orders()
        return {"made": made, "edited": edited, "price": lower, "open": open_orders}


@scenario
async def a_market_order_is_in_trades_and_ledger(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        before = await exchange.fetch_balance()
        made = await exchange.create_order(SYMBOL, "market", "buy", 0.02)
        order = await exchange.fetch_order(made["id"], SYMBOL)
        return {
            "before": before["total"],
            "after": (await exchange.fetch_balance())["total"],
            "order": order,
            "trades": await exchange.fetch_my_trades(SYMBOL),
            "order_trades": await exchange.fetch_order_trades(
                made["id"], SYMBOL, params={"trades": order["info"].get("trades")}
            ),
            "ledger": await exchange.fetch_ledger(),
            "closed": await exchange.fetch_closed_orders(SYMBOL),
        }


@scenario
async def a_market_buy_is_sized_in_dollars(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        made = await exchange.create_market_buy_order_with_cost(SYMBOL, 100)
        return await exchange.fetch_order(made["id"], SYMBOL)


@scenario
async def triggered_orders_are_understood(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        low, high = await price(exchange, 0.9), await price(exchange, 1.1)
        shapes: dict[str, Any] = {
            "stop-loss": ("market", None, {"stopLossPrice": low}),
            "stop-loss-limit": ("limit", low - 10, {"stopLossPrice": low}),
            "take-profit": ("market", None, {"takeProfitPrice": high}),
            "take-profit-limit": ("limit", high + 10, {"takeProfitPrice": high}),
            "trailing-stop": ("market", None, {"trailingPercent": "5"}),
        }
        seen: dict[str, Any] = {"prices": {"low": low, "high": high}}
        for name, (kind, limit, params) in shapes.items():
            made = await exchange.create_order(SYMBOL, kind, "sell", 0.001, limit, params)
            seen[name] = await exchange.fetch_order(made["id"], SYMBOL)
            await exchange.cancel_order(made["id"], SYMBOL)
        return seen


@scenario
async def an_order_with_a_conditional_close_is_accepted(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        low = await price(exchange, 0.9)
        close = {"ordertype": "stop-loss", "price": await price(exchange, 0.8)}
        made = await exchange.create_order(SYMBOL, "limit", "buy", 0.001, low, {"close": close})
        order = await exchange.fetch_order(made["id"], SYMBOL)
        await exchange.cancel_order(made["id"], SYMBOL)
        return {"made": made, "order": order}


@scenario
async def several_orders_are_placed_and_cancelled_at_once(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        await exchange.load_markets()
        orders = [
            {
                "symbol": SYMBOL,
                "type": "limit",
                "side": "buy",
                "amount": 0.001,
                "price": await price(exchange, factor),
            }
            for factor in (0.9, 0.91, 0.92)
        ]
        made = await exchange.create_orders(orders)
        ids = [order["id"] for order in made]
        open_orders = await exchange.fetch_open_orders(SYMBOL)
        await exchange.cancel_orders(ids[:2])
        left = await exchange.fetch_open_orders(SYMBOL)
        await exchange.cancel_all_orders()
        return {
            "ids": ids,
            "open": [order["id"] for order in open_orders],
            "left": [order["id"] for order in left],
            "after": await exchange.fetch_open_orders(SYMBOL),
            "by_ids": await exchange.fetch_orders_by_ids(ids),
        }


@scenario
async def a_large_limit_order_fills_in_part(there: Sandbox) -> Any:
    async with opened(there) as exchange:

        async def once() -> Any:
            symbol = "LTC/USD"
            book = await exchange.fetch_order_book(symbol, 1)
            ask, quantity = book["asks"][0][:2]
            if ask * quantity > 3000:
                return None  # more than the account should spend here
            made = await exchange.create_order(symbol, "limit", "buy", quantity + 5, ask)
            order = await exchange.fetch_order(made["id"], symbol)
            # The market goes on meanwhile: it may have moved, or fill the rest before the cancel.
            with suppress(ccxt.OrderNotFound):
                await exchange.cancel_order(made["id"], symbol)
            after = await exchange.fetch_order(made["id"], symbol)
            in_part = 0 < order["filled"] == after["filled"] < order["amount"]
            return {"order": order, "after": after} if in_part else None

        return await until(once, limit_s=35)


async def flood(exchange: ccxt.kraken) -> Any:
    """Ask until the counter says no."""
    for _ in range(40):
        await exchange.fetch_balance()
    return "never stopped"


@scenario
async def errors_are_ccxt_s_own_classes(there: Sandbox) -> Any:
    async with (
        opened(there) as exchange,
        opened(there, apiKey="fake") as stranger,
        opened(there, secret="ZmFrZQ==") as forger,
        opened(there, apiKey=READER_KEY) as reader,
        opened(there, apiKey=LIMITED_KEY) as limited,
    ):
        await exchange.load_markets()
        stale = exchange.milliseconds() - 10_000_000
        cases = {
            "funds": lambda: exchange.create_order(SYMBOL, "limit", "sell", 1000, 90_000),
            "unknown_order": lambda: exchange.cancel_order("OB6JJR-7NZ5P-N5SKCB", SYMBOL),
            "too_small": lambda: exchange.create_order(SYMBOL, "limit", "buy", 0.00001, 90_000),
            "unknown_pair": lambda: exchange.publicGetTicker({"pair": "NOPEUSD"}),
            "permission": reader.cancel_all_orders,
            "rate": lambda: flood(limited),
            "unknown_key": stranger.fetch_balance,
            "signature": forger.fetch_balance,
        }
        seen: dict[str, Any] = {}
        for name, call in cases.items():
            try:
                seen[name] = {"answer": await call()}
            except ccxt.BaseError as error:
                seen[name] = refusal(error)
        exchange.incrementing_nonce = lambda: stale
        try:
            seen["nonce"] = {"answer": await exchange.fetch_balance()}
        except ccxt.BaseError as error:
            seen["nonce"] = refusal(error)
        return seen


@scenario
async def the_exchange_s_state_has_its_classes(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        low = await price(exchange, 0.9)
        seen: dict[str, Any] = {}
        for state in ("cancel_only", "post_only", "maintenance"):
            await there.do("system", status=state)
            seen[state] = {"status": (await exchange.fetch_status())["status"]}
            try:
                await exchange.create_order(SYMBOL, "limit", "buy", 0.01, low)
            except ccxt.BaseError as error:
                seen[state] |= refusal(error)
        await there.do("system", status="online")
        return seen


@scenario
async def a_flood_of_orders_is_stopped_by_the_trading_counter(there: Sandbox) -> Any:
    async with opened(there, apiKey=LIMITED_KEY) as exchange:
        low = await price(exchange, 0.9)
        for number in range(20):
            try:
                made = await exchange.create_order(SYMBOL, "limit", "buy", 0.0001, low)
                await exchange.cancel_order(made["id"], SYMBOL)
            except ccxt.BaseError as error:
                return {"cycles": number, **refusal(error)}
        return {"cycles": 20}


@scenario
async def times_in_force_and_icebergs_are_understood(there: Sandbox) -> Any:
    async with opened(there) as exchange:
        low = await price(exchange, 0.9)
        shapes: dict[str, Any] = {
            "immediate": ("limit", {"timeInForce": "IOC"}),
            "dated": ("limit", {"timeInForce": "GTD", "expiretm": "+3600"}),
            "iceberg": ("iceberg", {"displayvol": "0.005", "price": low}),
        }
        seen: dict[str, Any] = {}
        for name, (kind, params) in shapes.items():
            made = await exchange.create_order(SYMBOL, kind, "buy", 0.01, low, params)
            seen[name] = await exchange.fetch_order(made["id"], SYMBOL)
        await exchange.cancel_all_orders()
        return seen


if __name__ == "__main__":
    scenario.main()
