"""krakenex 2.2, the oldest Python client: raw queries, as its examples send them."""

import time
from typing import Any

import krakenex
from telling import KEY, SECRET, Sandbox, Scenarios

scenario = Scenarios()


class Slower(krakenex.API):
    """Its nonces count milliseconds, and on loopback an answer is there within the same one."""

    def query_private(self, *arguments: Any, **more: Any) -> Any:
        time.sleep(0.002)
        return super().query_private(*arguments, **more)


def opened(there: Sandbox) -> krakenex.API:
    """The client with the sandbox's address."""
    api = Slower(key=KEY, secret=SECRET)
    api.uri = there.url
    return api


@scenario
async def public_queries(there: Sandbox) -> Any:
    api = opened(there)
    book = api.query_public("Depth", {"pair": "XXBTZUSD", "count": "10"})
    return {
        "time": api.query_public("Time"),
        "book": book,
        "ohlc": api.query_public("OHLC", {"pair": "XXBTZUSD", "interval": 60}),
        "trades": api.query_public("Trades", {"pair": "XXBTZUSD"}),
        "ticker": api.query_public("Ticker", {"pair": "XXBTZUSD,XETHZUSD"}),
    }


@scenario
async def a_conditional_order_is_checked_then_placed_and_cancelled(there: Sandbox) -> Any:
    api = opened(there)
    bid = api.query_public("Ticker", {"pair": "XXBTZUSD"})["result"]["XXBTZUSD"]["b"][0]
    order = {
        "pair": "XXBTZUSD",
        "type": "buy",
        "ordertype": "limit",
        "price": f"{float(bid) * 0.9:.1f}",
        "volume": "0.01",
        # The nested fields of its example of a conditional close.
        "close[pair]": "XXBTZUSD",
        "close[type]": "sell",
        "close[ordertype]": "limit",
        "close[price]": f"{float(bid) * 1.2:.1f}",
        "close[volume]": "0.01",
    }
    plain = {name: value for name, value in order.items() if not name.startswith("close")}
    checked = api.query_private("AddOrder", {**plain, "validate": "true"})
    placed = api.query_private("AddOrder", plain)
    open_orders = api.query_private("OpenOrders")
    cancelled = api.query_private("CancelOrder", {"txid": placed["result"]["txid"][0]})
    return {
        "with_close": api.query_private("AddOrder", {**order, "validate": "true"}),
        "checked": checked,
        "placed": placed,
        "open": open_orders,
        "cancelled": cancelled,
    }


@scenario
async def trades_and_ledgers_are_paged(there: Sandbox) -> Any:
    api = opened(there)
    for _ in range(3):
        api.query_private(
            "AddOrder",
            {"pair": "XXBTZUSD", "type": "buy", "ordertype": "market", "volume": "0.001"},
        )
    return {
        "balance": api.query_private("Balance"),
        "trades": api.query_private("TradesHistory", {"ofs": 0}),
        "rest": api.query_private("TradesHistory", {"ofs": 2}),
        "ledgers": api.query_private("Ledgers", {"asset": "XXBT"}),
        "closed": api.query_private("ClosedOrders", {"ofs": 0}),
        "volume": api.query_private("TradeVolume", {"pair": "XXBTZUSD"}),
    }


@scenario
async def errors_are_a_list_beside_no_result(there: Sandbox) -> Any:
    api = opened(there)
    stranger = krakenex.API(key="fake", secret=SECRET)
    stranger.uri = there.url
    return {
        "unknown_pair": api.query_public("Ticker", {"pair": "NOPE"}),
        "key": stranger.query_private("Balance"),
        "order": api.query_private("CancelOrder", {"txid": "OB6JJR-7NZ5P-N5SKCB"}),
    }


if __name__ == "__main__":
    scenario.main()
