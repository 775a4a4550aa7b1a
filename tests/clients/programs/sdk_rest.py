"""python-kraken-sdk 3.5 over REST: the calls of its manual, with nothing changed but the URL."""

import asyncio
import sys
from contextlib import suppress
from typing import Any

from kraken.exceptions import (
    KrakenApiLimitExceededError,
    KrakenInsufficientFundsError,
    KrakenInvalidAPIKeyError,
    KrakenInvalidSignatureError,
    KrakenPermissionDeniedError,
    KrakenUnknownAssetError,
    KrakenUnknownMethodError,
    KrakenUnknownOrderError,
)
from kraken.spot import Market, SpotAsyncClient, SpotClient, Trade, User
from telling import KEY, LIMITED_KEY, READER_KEY, SECRET, Sandbox, Scenarios, refusal, until

scenario = Scenarios()
PAIR = "XBTUSD"


def trader(there: Sandbox) -> tuple[Trade, User]:
    """The two clients of an account."""
    keys = {"key": KEY, "secret": SECRET, "url": there.url}
    return Trade(**keys), User(**keys)


def price(there: Sandbox, pair: str = PAIR, factor: float = 1.0) -> str:
    """A price on the tick of the pair, as a share of the best bid."""
    market = Market(url=there.url)
    ((_, row),) = market.get_ticker(pair=pair).items()
    ((_, facts),) = market.get_asset_pairs(pair=pair).items()
    return f"{float(row['b'][0]) * factor:.{facts['pair_decimals']}f}"


@scenario
async def reference_data(there: Sandbox) -> Any:
    market = Market(url=there.url)
    return {
        "status": market.get_system_status(),
        "assets": market.get_assets(),
        "one_asset": market.get_assets(assets="USD"),
        "two_assets": market.get_assets(assets=["XBT", "USD"], aclass="currency"),
        "pairs": market.get_asset_pairs(),
        "by_altname": market.get_asset_pairs(pair="XBTUSD"),
        "by_id": market.get_asset_pairs(pair="XXBTZUSD"),
        "by_slash": market.get_asset_pairs(pair="BTC/USD"),
        "fees_only": market.get_asset_pairs(pair="XBTUSD", info="fees"),
        "leverage_only": market.get_asset_pairs(pair="XBTUSD", info="leverage"),
    }


@scenario
async def bitcoin_by_its_modern_name(there: Sandbox) -> Any:
    market = Market(url=there.url)
    return {
        "pairs": market.get_asset_pairs(pair="BTCUSD"),
        "two": market.get_asset_pairs(pair=["DOTUSD", "BTCUSD"]),
        "ohlc": market.get_ohlc(pair="BTCUSD"),
    }


@scenario
async def market_data(there: Sandbox) -> Any:
    market = Market(url=there.url)
    return {
        "all_tickers": market.get_ticker(),
        "ticker": market.get_ticker(pair=PAIR),
        "two_tickers": market.get_ticker(pair=["DOTUSD", PAIR]),
        "ohlc": market.get_ohlc(pair=PAIR),
        "ohlc_240": market.get_ohlc(pair=PAIR, interval=240, since="1616663618"),
        "book": market.get_order_book(pair=PAIR),
        "book_2": market.get_order_book(pair=PAIR, count=2),
        "trades": market.get_recent_trades(pair=PAIR),
        "spreads": market.get_recent_spreads(pair=PAIR),
    }


@scenario
async def trades_page_on(there: Sandbox) -> Any:
    market = Market(url=there.url)
    first = market.get_recent_trades(pair=PAIR)
    again = await until(lambda: asyncio.to_thread(_more_trades, market, first["last"]), limit_s=30)
    return {"first": first, "again": again}


def _more_trades(market: Market, since: str) -> Any:
    page = market.get_recent_trades(pair=PAIR, since=since)
    return page if page["XXBTZUSD"] else None


@scenario
async def the_account(there: Sandbox) -> Any:
    _, user = trader(there)
    return {
        "balance": user.get_account_balance(),
        "balances": user.get_balances(),
        "dollars": user.get_balance(currency="USD"),
        "trade_balance": user.get_trade_balance(),
        "volume": user.get_trade_volume(pair=PAIR),
        "positions": user.get_open_positions(),
    }


@scenario
async def a_limit_order_rests_is_held_for_and_is_cancelled(there: Sandbox) -> Any:
    trade, user = trader(there)
    placed = trade.create_order(
        ordertype="limit",
        side="buy",
        pair=PAIR,
        volume="0.01",
        price=price(there, factor=0.9),
        oflags=["post"],
        timeinforce="GTC",
        userref=42,
    )
    (txid,) = placed["txid"]
    open_orders = user.get_open_orders(userref=42)["open"]
    other_tag = user.get_open_orders(userref=43)["open"]
    held = user.get_balances()["ZUSD"]
    cancelled = trade.cancel_order(txid=txid)
    return {
        "txid": txid,
        "placed": placed,
        "open": open_orders,
        "other_tag": other_tag,
        "held": held,
        "cancelled": cancelled,
        "after": user.get_orders_info(txid=txid)[txid],
        "closed": user.get_closed_orders(userref=42),
        "held_after": user.get_balances()["ZUSD"],
    }


@scenario
async def a_market_order_trades_and_is_in_every_history(there: Sandbox) -> Any:
    trade, user = trader(there)
    before = user.get_account_balance()
    placed = trade.create_order(ordertype="market", side="buy", pair=PAIR, volume="0.02")
    (txid,) = placed["txid"]
    order = user.get_orders_info(txid=txid, trades=True)[txid]
    history = user.get_trades_history(trades=True)
    mine = {k: v for k, v in history["trades"].items() if v["ordertxid"] == txid}
    ledgers = user.get_ledgers_info(asset=["ZUSD", "XXBT"])["ledger"]
    pieces = {k: v for k, v in ledgers.items() if v["refid"] in mine}
    return {
        "before": before,
        "after": user.get_account_balance(),
        "order": order,
        "trades": mine,
        "by_id": user.get_trades_info(txid=list(mine)),
        "ledgers": pieces,
        "ledgers_by_id": user.get_ledgers(id_=list(pieces)),
        "volume": user.get_trade_volume(pair=PAIR),
    }


@scenario
async def stop_loss_and_its_relatives_are_accepted(there: Sandbox) -> Any:
    trade, user = trader(there)
    low, lower = price(there, factor=0.9), price(there, factor=0.89)
    high, higher = price(there, factor=1.1), price(there, factor=1.11)
    shapes: dict[str, dict[str, Any]] = {
        "stop-loss": {"price": low},
        "stop-loss-limit": {"price": low, "price2": lower},
        "take-profit": {"price": high},
        "take-profit-limit": {"price": high, "price2": higher},
        "trailing-stop": {"price": "+5%"},
        "trailing-stop-limit": {"price": "+5%", "price2": "-1%"},
    }
    seen: dict[str, Any] = {}
    for name, prices in shapes.items():
        placed = trade.create_order(
            ordertype=name, side="sell", pair=PAIR, volume="0.001", trigger="last", **prices
        )
        (txid,) = placed["txid"]
        seen[name] = {"placed": placed, "order": user.get_open_orders()["open"][txid]}
        trade.cancel_order(txid=txid)
    return seen


@scenario
async def a_conditional_close_is_described(there: Sandbox) -> Any:
    trade, user = trader(there)
    placed = trade.create_order(
        ordertype="limit",
        side="buy",
        pair=PAIR,
        volume="0.001",
        price=price(there, factor=0.9),
        close_ordertype="stop-loss-limit",
        close_price=price(there, factor=0.8),
        close_price2=price(there, factor=0.79),
    )
    (txid,) = placed["txid"]
    order = user.get_orders_info(txid=txid)[txid]
    trade.cancel_order(txid=txid)
    return {"placed": placed, "order": order}


@scenario
async def a_checked_order_leaves_nothing(there: Sandbox) -> Any:
    trade, user = trader(there)
    placed = trade.create_order(
        ordertype="limit",
        side="buy",
        pair="BTC/USD",
        volume=0.01,
        price=1000.001,
        truncate=True,
        validate=True,
    )
    return {"placed": placed, "open": user.get_open_orders()["open"]}


@scenario
async def amend_keeps_the_order_and_edit_replaces_it(there: Sandbox) -> Any:
    trade, user = trader(there)
    first, second = price(there, factor=0.9), price(there, factor=0.91)
    (txid,) = trade.create_order(
        ordertype="limit", side="buy", pair=PAIR, volume="0.01", price=first
    )["txid"]
    amended = trade.amend_order(txid=txid, order_qty="0.02", limit_price=second, post_only=True)
    after_amend = user.get_orders_info(txid=txid)[txid]
    amends = user.get_order_amends(order_id=txid)
    edited = trade.edit_order(txid=txid, pair=PAIR, volume="0.03", price=first)
    new = edited["txid"]
    after_edit = user.get_orders_info(txid=[txid, new])
    trade.cancel_order(txid=new)
    return {
        "txid": txid,
        "prices": [first, second],
        "amended": amended,
        "after_amend": after_amend,
        "amends": amends,
        "edited": edited,
        "old": after_edit[txid],
        "new": after_edit[new],
    }


@scenario
async def a_batch_is_placed_and_cancelled_as_one(there: Sandbox) -> Any:
    trade, user = trader(there)
    orders = [
        {
            "ordertype": "limit",
            "type": "buy",
            "volume": "0.001",
            "price": price(there, factor=factor),
            "userref": 7,
            "timeinforce": "GTC",
        }
        for factor in (0.9, 0.91, 0.92)
    ]
    placed = trade.create_order_batch(orders=orders, pair="BTC/USD")
    txids = [row["txid"] for row in placed["orders"]]
    open_orders = user.get_open_orders(userref=7)["open"]
    return {
        "placed": placed,
        "open": list(open_orders),
        "cancelled": trade.cancel_order_batch(orders=txids),
        "after": user.get_open_orders()["open"],
    }


@scenario
async def cancel_all_empties_the_book_of_the_account(there: Sandbox) -> Any:
    trade, user = trader(there)
    for factor in (0.9, 0.91):
        trade.create_order(
            ordertype="limit",
            side="buy",
            pair=PAIR,
            volume="0.001",
            price=price(there, factor=factor),
        )
    before = len(user.get_open_orders()["open"])
    return {
        "before": before,
        "answer": trade.cancel_all_orders(),
        "after": user.get_open_orders()["open"],
        "armed": trade.cancel_all_orders_after_x(timeout=60),
        "disarmed": trade.cancel_all_orders_after_x(timeout=0),
    }


@scenario
async def a_large_limit_order_fills_in_part_and_rests(there: Sandbox) -> Any:
    trade, user = trader(there)
    market = Market(url=there.url)

    async def once() -> Any:
        book = market.get_order_book(pair="LTCUSD", count=1)["XLTCZUSD"]
        ask, quantity, _ = book["asks"][0]
        if float(ask) * float(quantity) > 3000:
            return None  # more than the account should spend here
        volume = f"{float(quantity) + 5:.8f}"
        (txid,) = trade.create_order(
            ordertype="limit", side="buy", pair="LTCUSD", volume=volume, price=ask
        )["txid"]
        order = user.get_orders_info(txid=txid)[txid]
        # The market goes on meanwhile: it may have moved, or fill the rest before the cancel.
        with suppress(KrakenUnknownOrderError):
            trade.cancel_order(txid=txid)
        after = user.get_orders_info(txid=txid)[txid]
        in_part = 0 < float(order["vol_exec"]) == float(after["vol_exec"]) < float(order["vol"])
        return {"order": order, "after": after} if in_part else None

    return await until(once, limit_s=35)


@scenario
async def errors_are_the_classes_of_the_sdk(there: Sandbox) -> Any:
    trade, _ = trader(there)
    market = Market(url=there.url)
    sell = {"ordertype": "limit", "side": "sell", "pair": PAIR}
    cases = {
        "funds": (
            KrakenInsufficientFundsError,
            lambda: trade.create_order(**sell, volume="1000", price="90000.0"),
        ),
        "unknown_order": (
            KrakenUnknownOrderError,
            lambda: trade.cancel_order(txid="OB6JJR-7NZ5P-N5SKCB"),
        ),
        # Its table is searched by prefix: the class for pairs is never reached.
        "unknown_pair": (KrakenUnknownAssetError, lambda: market.get_ticker(pair="NOPEUSD")),
        "unknown_method": (
            KrakenUnknownMethodError,
            lambda: market.request(method="GET", uri="/0/public/Nope", auth=False),
        ),
        "permission": (
            KrakenPermissionDeniedError,
            lambda: Trade(key=READER_KEY, secret=SECRET, url=there.url).cancel_all_orders(),
        ),
        "unknown_key": (
            KrakenInvalidAPIKeyError,
            lambda: User(key="fake", secret="fake", url=there.url).get_account_balance(),
        ),
        "signature": (
            KrakenInvalidSignatureError,
            lambda: User(key=KEY, secret="ZmFrZQ==", url=there.url).get_account_balance(),
        ),
    }
    seen: dict[str, Any] = {}
    for name, (wanted, call) in cases.items():
        try:
            seen[name] = {"answer": call()}
        except wanted as error:
            seen[name] = refusal(error)
        except Exception as error:  # the wrong class: the test shows which
            seen[name] = {"wrong": refusal(error)}
    return seen


@scenario
async def a_flood_of_questions_is_stopped_by_the_counter(there: Sandbox) -> Any:
    user = User(key=LIMITED_KEY, secret=SECRET, url=there.url)
    for number in range(40):
        try:
            user.get_account_balance()
        except KrakenApiLimitExceededError as error:
            return {"answered": number, **refusal(error)}
    return {"answered": 40}


@scenario
async def an_unknown_key_is_answered_literally(there: Sandbox) -> Any:
    client = SpotClient(key="fake", secret="fake", url=there.url, use_custom_exceptions=False)
    return client.request(method="POST", uri="/0/private/AddOrder", auth=True).json()


@scenario
async def the_asynchronous_client_works_too(there: Sandbox) -> Any:
    async with SpotAsyncClient(key=KEY, secret=SECRET, url=there.url) as client:
        return {
            "time": await client.request("GET", "/0/public/Time", auth=False),
            "balance": await client.request("POST", "/0/private/Balance"),
            "token": await client.request("POST", "/0/private/GetWebSocketsToken"),
        }


if __name__ == "__main__":
    # Some of its classes make a Market of their own that knows the class's URL only.
    SpotClient.URL = sys.argv[1]
    scenario.main()
