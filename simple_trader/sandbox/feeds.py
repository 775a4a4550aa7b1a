"""The public channels' messages: ticker, trade, ohlc, instrument, and the book with its diffs."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from simple_trader.sandbox import wire
from simple_trader.sandbox.candles import KEPT, Candle
from simple_trader.sandbox.market import PairMarket, TapeTrade
from simple_trader.sandbox.sources import MINUTE
from simple_trader.simulator.instruments import Asset, Instrument, assets_of
from simple_trader.simulator.liquidity import ASK, BID
from simple_trader.simulator.matching import PairBook

SNAPSHOT_TRADES = 50
DEPTHS = (10, 25, 100, 500, 1000)


class BookFeed:
    """What all subscribers of one pair and depth last saw; diffs are made once for all."""

    def __init__(self, pair: Instrument, depth: int, book: PairBook, at: int) -> None:
        self._pair = pair
        self._depth = depth
        self._book = book
        self._at = at
        self._bids = book.top(BID, depth)
        self._asks = book.top(ASK, depth)

    @property
    def levels(self) -> tuple[list[wire.Level], list[wire.Level]]:
        """The (bids, asks) that were last published, best first."""
        return self._bids, self._asks

    def snapshot(self) -> str:
        """Give the book as last published; its stamp is that of the last change."""
        return self._message("snapshot", self._bids, self._asks)

    def update(self, at: int) -> str | None:
        """Give the change since the last message, or None when nothing changed."""
        bids = self._book.top(BID, self._depth)
        asks = self._book.top(ASK, self._depth)
        if bids == self._bids and asks == self._asks:
            return None
        bid_changes = _diff(self._bids, bids, self._depth, BID)
        ask_changes = _diff(self._asks, asks, self._depth, ASK)
        self._bids, self._asks, self._at = bids, asks, at
        return self._message("update", bid_changes, ask_changes)

    def _message(self, kind: str, bids: list[wire.Level], asks: list[wire.Level]) -> str:
        pair = self._pair
        return (
            f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{pair.symbol}",'
            f'"bids":[{wire.levels_text(pair, bids)}],"asks":[{wire.levels_text(pair, asks)}],'
            f'"checksum":{wire.checksum(self._asks, self._bids)},'
            f'"timestamp":"{wire.stamp(self._at)}"}}]}}'
        )


def _diff(
    before: list[wire.Level], after: list[wire.Level], depth: int, side: int
) -> list[wire.Level]:
    """List deletions of prices that ceased, then new or changed ones; evictions are not told.

    A price that is gone from a full window while a worse one remains was removed; one that lies
    beyond the new window's last price was merely pushed out (protocol section 4.4).
    """
    new = dict(after)
    old = dict(before)
    pushed_out: int | None = after[-1][0] if len(after) >= depth else None
    changes: list[wire.Level] = []
    for tick, _ in before:
        if tick in new:
            continue
        if pushed_out is not None:
            beyond = tick < pushed_out if side == BID else tick > pushed_out
            if beyond:
                continue
        changes.append((tick, 0))
    changes.extend(level for level in after if old.get(level[0]) != level[1])
    return changes


def ticker(market: PairMarket, book: PairBook, kind: str) -> str:
    """Give the ticker message of a pair; the statistics are rolling 24 hours of the tape.

    The stamp is that of the last tick, whenever the message is sent: `last` is its price.
    """
    pair, at = market.pair, market.at
    bid, ask = book.best(BID), book.best(ASK)
    last = market.last.tick if market.last else market.bid
    day = market.candles.day(at)
    opened = day.open if day else last
    volume = day.volume if day else 0
    vwap = day.turnover // day.volume if day and day.volume else last
    # Change is last minus the price a day ago; percent in hundredths, rounded towards zero.
    hundredths = (abs(last - opened) * 10_000 // opened) * (1 if last >= opened else -1)
    row: dict[str, Any] = {
        "symbol": pair.symbol,
        "bid": wire.ticks(pair, bid[0] if bid else 0),
        "bid_qty": wire.lots(pair, bid[1] if bid else 0),
        "ask": wire.ticks(pair, ask[0] if ask else 0),
        "ask_qty": wire.lots(pair, ask[1] if ask else 0),
        "last": wire.ticks(pair, last),
        "volume": wire.lots(pair, volume),
        "vwap": wire.ticks(pair, vwap),
        "low": wire.ticks(pair, day.low if day else last),
        "high": wire.ticks(pair, day.high if day else last),
        "change": wire.ticks(pair, last - opened),
        "change_pct": wire.number(wire.fixed(hundredths, 2)),
        "timestamp": wire.stamp(at),
    }
    return wire.push({"channel": "ticker", "type": kind, "data": [row]})


def trades(pair: Instrument, entries: list[TapeTrade], kind: str) -> str:
    """Give the trade message for some entries of the tape."""
    rows = [
        {
            "symbol": pair.symbol,
            "side": "buy" if entry.buy else "sell",
            "price": wire.ticks(pair, entry.tick),
            "qty": wire.lots(pair, entry.lots),
            "ord_type": "market" if entry.market else "limit",
            "trade_id": entry.trade_id,
            "timestamp": wire.stamp(entry.at),
        }
        for entry in entries
    ]
    return wire.push({"channel": "trade", "type": kind, "data": rows})


def ohlc_snapshot(market: PairMarket, interval: int, at: int, most: int = KEPT) -> str:
    """Give the last candles of an interval, oldest first, the running one last."""
    rows = [_candle(market.pair, row, interval) for row in market.candles.rows(interval, most)]
    return _ohlc("snapshot", rows, at)


def ohlc_update(market: PairMarket, interval: int, at: int) -> str | None:
    """Give the running candle of an interval."""
    candle = market.candles.running(interval)
    if candle is None:
        return None
    return _ohlc("update", [_candle(market.pair, candle, interval)], at)


def _ohlc(kind: str, rows: list[dict[str, Any]], at: int) -> str:
    return wire.push(
        {"channel": "ohlc", "type": kind, "timestamp": wire.stamp_ns(at), "data": rows}
    )


def _candle(pair: Instrument, candle: Candle, interval: int) -> dict[str, Any]:
    vwap = candle.turnover // candle.volume if candle.volume else candle.close
    return {
        "symbol": pair.symbol,
        "open": wire.ticks(pair, candle.open),
        "high": wire.ticks(pair, candle.high),
        "low": wire.ticks(pair, candle.low),
        "close": wire.ticks(pair, candle.close),
        "trades": candle.count,
        "volume": wire.lots(pair, candle.volume),
        "vwap": wire.ticks(pair, vwap),
        "interval_begin": wire.stamp_ns(candle.begin),
        "interval": interval,
        "timestamp": wire.stamp(candle.begin + interval * MINUTE),
    }


def instruments(
    pairs: Mapping[str, Instrument],
    status_of: Callable[[str], str] | None = None,
    kind: str = "snapshot",
) -> str:
    """Give the reference data message (protocol section 3.6).

    `status_of` gives a pair's status of this moment, else that of the table stands. An `update`
    carries the pairs given and no asset.
    """
    assets = [] if kind == "update" else list(assets_of(dict(pairs)).values())
    rows = [
        _pair_row(pair, pair.status if status_of is None else status_of(pair.symbol))
        for pair in pairs.values()
    ]
    data = {"assets": [_asset_row(asset) for asset in assets], "pairs": rows}
    return wire.push({"channel": "instrument", "type": kind, "data": data})


def _asset_row(asset: Asset) -> dict[str, Any]:
    return {
        "id": asset.name,
        "status": asset.status,
        "precision": asset.precision,
        "precision_display": asset.precision_display,
        "borrowable": False,
        "collateral_value": wire.number("1.00"),
    }


def _pair_row(pair: Instrument, status: str) -> dict[str, Any]:
    increment = wire.decimal(pair.price_increment, pair.price_precision)
    return {
        "symbol": pair.symbol,
        "base": pair.base,
        "quote": pair.quote,
        "status": status,
        "qty_precision": pair.qty_precision,
        "qty_increment": wire.number(wire.fixed(1, pair.qty_precision)),
        "price_precision": pair.price_precision,
        "cost_precision": pair.cost_precision,
        "marginable": pair.marginable,
        "has_index": pair.has_index,
        "cost_min": wire.decimal(pair.cost_min, _decimals(pair.cost_min)),
        "tick_size": increment,
        "price_increment": increment,
        "qty_min": wire.decimal(pair.qty_min, pair.qty_precision),
    }


def _decimals(value: Decimal) -> int:
    # Two at least, as Kraken prints the minimum of a dollar pair (0.50).
    exponent = value.as_tuple().exponent
    return max(2, -exponent) if isinstance(exponent, int) else 2
