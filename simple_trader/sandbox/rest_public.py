"""The public REST endpoints (protocol section 11.4)."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from simple_trader.sandbox import candles, wire
from simple_trader.sandbox.candles import INTERVALS, filled_rows
from simple_trader.sandbox.floor import Floor
from simple_trader.sandbox.market import PairMarket, TapeTrade
from simple_trader.sandbox.rest_shared import (
    ApiError,
    Fields,
    RestFloor,
    invalid,
    is_modern,
    named_pairs,
    one_pair,
    whole,
)
from simple_trader.sandbox.sources import MINUTE, SECOND
from simple_trader.simulator.fees import FEE_TABLES
from simple_trader.simulator.instruments import (
    ASSET_BY_NAME,
    Asset,
    Instrument,
    assets_of,
    find_asset,
)
from simple_trader.simulator.liquidity import ASK, BID

DAY_US = 86_400 * SECOND
MAX_DEPTH = 500
MAX_TRADES = 1000
# The fields of AssetPairs that each `info` narrows it to.
_INFO = {
    "leverage": ("leverage_buy", "leverage_sell"),
    "fees": ("fees", "fee_volume_currency"),
    "margin": ("margin_call",),
}


def time(floor: RestFloor, fields: Fields) -> Any:
    """Give the exchange's clock."""
    now = floor.now
    return {
        "unixtime": int(now.timestamp()),
        "rfc1123": now.strftime("%a, %d %b %y %H:%M:%S +0000"),
    }


def system_status(floor: RestFloor, fields: Fields) -> Any:
    """Say whether the exchange trades."""
    return {"status": floor.system, "timestamp": wire.seconds_text(floor.now)}


def assets(floor: RestFloor, fields: Fields) -> Any:
    """Give the assets of the listed pairs, or those asked for."""
    listed = assets_of(floor.pairs, staked=True)
    wanted: list[Asset] = list(listed.values())
    if fields.get("asset"):
        wanted = []
        for name in fields["asset"].split(","):
            asset = find_asset(name, listed)
            if asset is None:
                raise ApiError("EQuery:Unknown asset")
            wanted.append(asset)
    modern = is_modern(fields)
    return {
        asset.name if modern else asset.rest_id: {
            "aclass": "currency",
            "altname": asset.altname,
            "decimals": asset.precision,
            "display_decimals": asset.precision_display,
            "collateral_value": 1.0,
            "status": asset.status,
        }
        for asset in wanted
    }


def asset_pairs(floor: RestFloor, fields: Fields) -> Any:
    """Give the rules of the pairs, or the part of them that `info` names."""
    info, modern = fields.get("info") or "info", is_modern(fields)
    if info not in ("info", *_INFO):
        raise invalid("info")
    rows = {
        key: _pair_row(pair, floor.venue.status_of(pair.symbol), modern=modern)
        for key, pair in named_pairs(floor, fields.get("pair"), modern=modern)
    }
    if info == "info":
        return rows
    return {key: {name: row[name] for name in _INFO[info]} for key, row in rows.items()}


def _pair_row(pair: Instrument, status: str, *, modern: bool) -> dict[str, Any]:
    tiers = FEE_TABLES[pair.fee_table]
    base, quote = ASSET_BY_NAME[pair.base], ASSET_BY_NAME[pair.quote]
    return {
        "altname": pair.altname,
        "wsname": pair.wsname,
        "aclass_base": "currency",
        "base": base.name if modern else base.rest_id,
        "aclass_quote": "currency",
        "quote": quote.name if modern else quote.rest_id,
        "lot": "unit",
        "cost_decimals": pair.cost_precision,
        "pair_decimals": pair.price_precision,
        "lot_decimals": pair.qty_precision,
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[int(tier.volume), wire.decimal(tier.taker_pct, 2)] for tier in tiers],
        "fees_maker": [[int(tier.volume), wire.decimal(tier.maker_pct, 2)] for tier in tiers],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": f"{pair.qty_min:f}",
        "costmin": f"{pair.cost_min:f}",
        "tick_size": f"{pair.price_increment:f}",
        "status": status,
    }


def ticker(floor: RestFloor, fields: Fields) -> Any:
    """Give best prices, last trade and the statistics of today and of 24 hours."""
    return {
        key: _ticker_row(floor, floor.market(pair.symbol))
        for key, pair in named_pairs(floor, fields.get("pair"), modern=is_modern(fields))
    }


def _ticker_row(floor: Floor, market: PairMarket) -> dict[str, Any]:
    pair, book = market.pair, floor.book(market.pair.symbol)
    last = market.last.tick if market.last else market.bid
    last_lots = market.last.lots if market.last else 0
    day = market.candles.day(floor.now_us())
    fold = market.candles.today(floor.now_us())

    def price(tick: int) -> str:
        return wire.fixed(tick, pair.price_precision)

    def lots(count: int) -> str:
        return wire.fixed(count, pair.qty_precision)

    def side(which: int) -> list[str]:
        best = book.best(which) or (0, 0)
        size = best[1]
        return [price(best[0]), str(max(1, size // 10**pair.qty_precision)), f"{lots(size)}"]

    volumes = [fold.volume if fold else 0, day.volume if day else 0]
    turnovers = [fold.turnover if fold else 0, day.turnover if day else 0]
    return {
        "a": side(ASK),
        "b": side(BID),
        "c": [price(last), lots(last_lots)],
        "v": [lots(volume) for volume in volumes],
        "p": [
            price(turnover // volume if volume else last)
            for turnover, volume in zip(turnovers, volumes, strict=True)
        ],
        "t": [fold.count if fold else 0, day.count if day else 0],
        "l": [price(fold.low if fold else last), price(day.low if day else last)],
        "h": [price(fold.high if fold else last), price(day.high if day else last)],
        "o": price(fold.open if fold else last),
    }


def ohlc(floor: RestFloor, fields: Fields) -> Any:
    """Give up to 720 candles, empty intervals as flat rows, the running one last."""
    key, pair = one_pair(floor, fields)
    interval = whole(fields, "interval", 1)
    if interval not in INTERVALS:
        raise invalid("interval")
    since = whole(fields, "since", 0) * SECOND
    rows = floor.market(pair.symbol).candles.rows(interval, candles.KEPT)
    if rows:
        # The running interval is shown even when nothing traded in it yet.
        begin = floor.now_us() // (interval * MINUTE) * interval * MINUTE
        if begin > rows[-1].begin:
            close = rows[-1].close
            rows.append(candles.Candle(begin, close, close, close, close))
    filled = filled_rows(rows, interval, since)
    answer = []
    for row in filled:
        vwap = wire.fixed(row.turnover // row.volume, pair.price_precision) if row.volume else "0.0"
        prices = [
            wire.fixed(tick, pair.price_precision)
            for tick in (row.open, row.high, row.low, row.close)
        ]
        volume = wire.fixed(row.volume, pair.qty_precision)
        answer.append([row.begin // SECOND, *prices, vwap, volume, row.count])
    # The interval before the running one is over, whether anything traded in it or not.
    committed = rows[-1].begin - interval * MINUTE if len(rows) > 1 else 0
    return {key: answer, "last": committed // SECOND}


def depth(floor: RestFloor, fields: Fields) -> Any:
    """Give the book."""
    key, pair = one_pair(floor, fields)
    count = whole(fields, "count", 100)
    if not 1 <= count <= MAX_DEPTH:
        raise invalid("count")
    book, market = floor.book(pair.symbol), floor.market(pair.symbol)

    def side(which: int) -> list[list[Any]]:
        return [
            [
                wire.fixed(tick, pair.price_precision),
                wire.fixed(lots, pair.qty_precision),
                market.at // SECOND,
            ]
            for tick, lots in book.top(which, count)
        ]

    return {key: {"asks": side(ASK), "bids": side(BID)}}


def trades(floor: RestFloor, fields: Fields) -> Any:
    """Give the tape since a moment (nanoseconds, or seconds when the number is small)."""
    key, pair = one_pair(floor, fields)
    count = whole(fields, "count", MAX_TRADES)
    if not 1 <= count <= MAX_TRADES:
        raise invalid("count")
    since = whole(fields, "since", 0)
    since_ns = since if since > 10**12 else since * SECOND * 1000
    tape = [entry for entry in _numbered(floor.market(pair.symbol).tape) if entry[0] > since_ns]
    chosen = tape[:count] if fields.get("since") else tape[-count:]
    rows = [_tape_row(pair, entry) for _, entry in chosen]
    newest = chosen[-1][0] if chosen else since_ns
    return {key: rows, "last": str(newest)}


def _numbered(tape: Iterable[TapeTrade]) -> Iterator[tuple[int, TapeTrade]]:
    # Trades of one microsecond are one nanosecond apart: a page may end between any two of them.
    ahead, before = 0, -1
    for entry in tape:
        ahead = ahead + 1 if entry.at == before else 0
        before = entry.at
        yield entry.at * 1000 + ahead, entry


def _tape_row(pair: Instrument, entry: TapeTrade) -> list[Any]:
    return [
        wire.fixed(entry.tick, pair.price_precision),
        wire.fixed(entry.lots, pair.qty_precision),
        wire.number(wire.fixed(entry.at, 6)),
        "b" if entry.buy else "s",
        "m" if entry.market else "l",
        "",
        entry.trade_id,
    ]


def spread(floor: RestFloor, fields: Fields) -> Any:
    """Give the latest best prices, since a moment in seconds."""
    key, pair = one_pair(floor, fields)
    since = whole(fields, "since", 0)
    rows = [row for row in floor.reader.best_prices(pair.symbol) if row.at // SECOND >= since]
    texts = [
        [
            row.at // SECOND,
            wire.fixed(row.bid, pair.price_precision),
            wire.fixed(row.ask, pair.price_precision),
        ]
        for row in rows
    ]
    return {key: texts, "last": rows[-1].at // SECOND if rows else since}


ENDPOINTS: dict[str, Callable[[RestFloor, Fields], Any]] = {
    "Time": time,
    "SystemStatus": system_status,
    "Assets": assets,
    "AssetPairs": asset_pairs,
    "Ticker": ticker,
    "OHLC": ohlc,
    "Depth": depth,
    "Trades": trades,
    "Spread": spread,
}
