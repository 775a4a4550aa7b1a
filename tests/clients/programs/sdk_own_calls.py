"""The REST calls that python-kraken-sdk's own tests make live at Kraken, with a key like theirs.

That key may read and not trade. What the suite expects stands in tests/clients. It asks for DOTEUR
where this asks for DOTUSD: the one pair of its calls that the sandbox does not have.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from kraken.base_api import SpotClient
from kraken.spot import Market, Trade, User
from telling import READER_KEY, SECRET, Sandbox, Scenarios, refusal

scenario = Scenarios()


def outcomes(calls: dict[str, Callable[[], Any]]) -> dict[str, Any]:
    """What each call gave: the kind of the answer, or the class of the error."""
    seen: dict[str, Any] = {}
    for name, call in calls.items():
        try:
            seen[name] = {"answer": type(call()).__name__}
        except Exception as error:
            seen[name] = refusal(error)
    return seen


@scenario
async def the_market_is_read(there: Sandbox) -> Any:
    market = Market(url=there.url)
    return outcomes(
        {
            "status": market.get_system_status,
            "assets": market.get_assets,
            "asset": lambda: market.get_assets(assets="USD"),
            "asset in a list": lambda: market.get_assets(assets=["USD"]),
            "assets in one text": lambda: market.get_assets(assets=["XBT,USD"]),
            "assets of a class": lambda: market.get_assets(
                assets=["XBT", "USD"], aclass="currency"
            ),
            "pairs": market.get_asset_pairs,
            "pair": lambda: market.get_asset_pairs(pair="BTCUSD"),
            "two pairs": lambda: market.get_asset_pairs(pair=["DOTUSD", "BTCUSD"]),
            "info of a pair": lambda: market.get_asset_pairs(pair="DOTUSD", info="info"),
            "tickers": market.get_ticker,
            "two tickers": lambda: market.get_ticker(pair=["DOTUSD", "XBTUSD"]),
            "candles": lambda: market.get_ohlc(pair="XBTUSD"),
            "candles since": lambda: market.get_ohlc(
                pair="XBTUSD", interval=240, since="1616663618"
            ),
            "book": lambda: market.get_order_book(pair="XBTUSD"),
            "short book": lambda: market.get_order_book(pair="XBTUSD", count=2),
            "trades since": lambda: market.get_recent_trades(pair="XBTUSD", since="1616663618"),
            "spreads": lambda: market.get_recent_spreads(pair="XBTUSD"),
            "spreads since": lambda: market.get_recent_spreads(pair="XBTUSD", since="1616663618"),
        }
    )


@scenario
async def the_account_is_read(there: Sandbox) -> Any:
    user = User(key=READER_KEY, secret=SECRET, url=there.url)
    since, until = "1668431675.4778206", "1668455555.4778206"
    return outcomes(
        {
            "balance": user.get_account_balance,
            "balances": user.get_balances,
            "trade balance": user.get_trade_balance,
            "trade balance in euros": lambda: user.get_trade_balance(asset="EUR"),
            "open": lambda: user.get_open_orders(trades=True),
            "open by tag": lambda: user.get_open_orders(trades=False, userref="1234567"),
            "closed": user.get_closed_orders,
            "closed by tag": lambda: user.get_closed_orders(trades=True, userref="1234"),
            "closed since": lambda: user.get_closed_orders(trades=True, start=since),
            "closed page": lambda: user.get_closed_orders(
                trades=True, start=since, end=until, ofs=2
            ),
            "closed by opening": lambda: user.get_closed_orders(
                trades=True, start=since, end=until, ofs=1, closetime="open"
            ),
            "trades": lambda: user.get_trades_history(type_="all", trades=True),
            "trades of a kind": lambda: user.get_trades_history(
                type_="closed position", start="1677717104", end="1677817104", ofs="1"
            ),
            "positions": user.get_open_positions,
            "position": lambda: user.get_open_positions(txid="OQQYNL-FXCFA-FBFVD7", docalcs=True),
            "ledgers": user.get_ledgers_info,
            "deposits": lambda: user.get_ledgers_info(type_="deposit"),
            "euro ledgers": lambda: user.get_ledgers_info(
                asset="EUR", start=since, end=until, ofs=2
            ),
            "two ledgers": lambda: user.get_ledgers_info(asset=["EUR", "USD"]),
            "two ledgers in one text": lambda: user.get_ledgers_info(asset="EUR,USD"),
            "volume": user.get_trade_volume,
            "volume of a pair": lambda: user.get_trade_volume(pair="DOT/USD", fee_info=False),
        }
    )


@scenario
async def unknown_orders_and_trades_are_asked_for(there: Sandbox) -> Any:
    user = User(key=READER_KEY, secret=SECRET, url=there.url)
    two = ["OE3B4A-NSIEQ-5L6HW3", "O23GOI-WZDVD-XWGC3R"]
    return outcomes(
        {
            "trade": lambda: user.get_trades_info(txid="OXBBSK-EUGDR-TDNIEQ", trades=True),
            "trades": lambda: user.get_trades_info(txid=two),
            "order": lambda: user.get_orders_info(
                txid="OQQYNL-FXCFA-FBFVD7", consolidate_taker=True
            ),
            "orders": lambda: user.get_orders_info(txid=two),
        }
    )


@scenario
async def trading_is_tried_without_the_permission(there: Sandbox) -> Any:
    trade = Trade(key=READER_KEY, secret=SECRET, url=there.url)
    deadline = (datetime.now(UTC) + timedelta(seconds=20)).isoformat()
    leg = {"ordertype": "limit", "price": 140, "timeinforce": "GTC", "type": "buy"}
    close = {"ordertype": "stop-loss-limit", "price": 120, "price2": 110}
    return outcomes(
        {
            "limit": lambda: trade.create_order(
                ordertype="limit",
                side="buy",
                volume=1.001,
                oflags=["post"],
                pair="BTC/EUR",
                price=1.001,
                timeinforce="GTC",
                truncate=True,
                validate=True,
            ),
            "hidden": lambda: trade.create_order(
                ordertype="limit",
                side="buy",
                volume=10000000,
                oflags=["post"],
                pair="BTC/EUR",
                price=100,
                expiretm="0",
                displayvol=1000,
                validate=True,
            ),
            "stop on margin": lambda: trade.create_order(
                ordertype="stop-loss",
                side="sell",
                volume="1000",
                trigger="last",
                pair="XBTUSD",
                price="100",
                leverage="2",
                reduce_only=True,
                userref="12345",
                close_ordertype="limit",
                close_price="123",
                close_price2="92",
                validate=True,
            ),
            "stop with a deadline": lambda: trade.create_order(
                ordertype="stop-loss-limit",
                pair="XBTUSD",
                side="buy",
                volume=0.001,
                price=25000,
                price2=27000,
                validate=True,
                trigger="last",
                timeinforce="GTC",
                leverage=4,
                deadline=deadline,
            ),
            "batch": lambda: trade.create_order_batch(
                orders=[
                    {**leg, "close": close, "price2": 130, "userref": 1680953421, "volume": 1000},
                    {**leg, "type": "sell", "userref": 1680953421, "volume": 123},
                ],
                pair="BTC/USD",
                validate=True,
            ),
            "edit": lambda: trade.edit_order(
                txid="OHYO67-6LP66-HMQ437",
                userref="12345678",
                volume=1.25,
                pair="XBTUSD",
                price=27500,
                price2=26500,
                cancel_response=False,
                truncate=True,
                oflags=["post"],
                validate=True,
            ),
            "cancel": lambda: trade.cancel_order(txid="OB6JJR-7NZ5P-N5SKCB"),
            "cancel batch": lambda: trade.cancel_order_batch(
                orders=["O2JLFP-VYFIW-35ZAAE", "O523KJ-DO4M2-KAT243"]
            ),
            "cancel all": trade.cancel_all_orders,
            "switch": lambda: trade.cancel_all_orders_after_x(timeout=0),
        }
    )


@scenario
async def amounts_are_truncated_by_the_pair(there: Sandbox) -> Any:
    trade = Trade(url=there.url)
    cases = [
        ("XBTUSD", "price", (10000, 1000.1, 1000.01, 1000.001)),
        ("DOTUSD", "price", (2, 12.1, 13.105, 4.32595)),
        ("XBTUSD", "volume", (1, 1.1, 1.67, 1.9328649837)),
        ("DOTUSD", "volume", (2, 12.158, 13.1052093, 4.32595342455)),
    ]
    return {
        f"{pair} {kind}": [
            trade.truncate(amount=amount, amount_type=kind, pair=pair) for amount in amounts
        ]
        for pair, kind, amounts in cases
    }


if __name__ == "__main__":
    SpotClient.URL = sys.argv[1]
    scenario.main()
