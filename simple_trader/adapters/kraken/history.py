"""Public history by REST: the last 720 candles, and trades back to the first one (section 11.4)."""

from decimal import Decimal

import msgspec

from simple_trader.adapters.kraken import rest_rows
from simple_trader.adapters.kraken.parse import number
from simple_trader.adapters.kraken.rest_client import Params, RestClient
from simple_trader.adapters.kraken.rest_rows import decode, part
from simple_trader.adapters.kraken.symbols import Symbols
from simple_trader.domain.errors import VenueUnreachable
from simple_trader.domain.history import PublicTrade
from simple_trader.domain.orders import Side
from simple_trader.domain.quotes import Candle

MAX_CANDLES = 720
_PAGE = 1000
_SIDES = {"b": Side.BUY, "s": Side.SELL}
_KINDS = {"m": True, "l": False}
_TradeRow = tuple[Decimal, Decimal, Decimal, str, str, str, int]


class TradePage(msgspec.Struct, frozen=True, kw_only=True):
    """Some trades in order, and from where to ask on; `more` false: this was the last page."""

    trades: tuple[PublicTrade, ...]
    next_ns: int
    more: bool


class HistoryReader:
    """Reads public history; `symbols` must be loaded. Raises VenueError."""

    def __init__(self, client: RestClient, symbols: Symbols) -> None:
        """Ask through `client`, which spaces and repeats public calls."""
        self._client = client
        self._symbols = symbols

    async def candles(self, pair: str, interval_s: int) -> tuple[Candle, ...]:
        """All finished candles that the exchange still tells (at most 720), oldest first.

        Flat candles of intervals without a trade are among them (count 0).
        """
        query: Params = {"pair": self._symbols.altname(pair), "interval": interval_s // 60}
        result = decode(await self._client.public("OHLC", query), dict[str, msgspec.Raw], "OHLC")
        committed = part(result, "last", Decimal, "OHLC")
        rows = decode(_only(result, "OHLC"), list[rest_rows.OhlcRow], "OHLC")
        try:
            last = number(committed)
            done = (row for row in rows if number(row[0]) <= last)
            return tuple(rest_rows.candle(pair, interval_s, row) for row in done)
        except ValueError as error:
            raise VenueUnreachable(f"Kraken's OHLC holds an unusable value: {error}") from None

    async def trades(self, pair: str, since_ns: int) -> TradePage:
        """Trades after `since_ns` (nanoseconds since the epoch), at most 1000."""
        query: Params = {
            "pair": self._symbols.altname(pair), "since": since_ns, "count": _PAGE,
        }  # fmt: skip
        result = decode(
            await self._client.public("Trades", query), dict[str, msgspec.Raw], "Trades"
        )
        rows = decode(_only(result, "Trades"), list[_TradeRow], "Trades")
        try:
            trades = tuple(_trade(pair, row) for row in rows)
            next_ns = _nanoseconds(result)
        except ValueError as error:
            raise VenueUnreachable(f"Kraken's Trades hold an unusable value: {error}") from None
        more = len(rows) >= _PAGE and next_ns > since_ns
        return TradePage(trades=trades, next_ns=max(next_ns, since_ns), more=more)


def _only(result: dict[str, msgspec.Raw], what: str) -> msgspec.Raw:
    """The one entry besides `last`: its key is not always the id that was asked for."""
    rows = [value for name, value in result.items() if name != "last"]
    if len(rows) != 1:
        raise VenueUnreachable(f"Kraken's {what} holds {len(rows)} pairs instead of one.")
    return rows[0]


def _nanoseconds(result: dict[str, msgspec.Raw]) -> int:
    """`last`: nanoseconds as a string (a number in older answers)."""
    text = bytes(result.get("last", b"")).strip(b'"')
    if not text.isdigit() or len(text) > 20:
        raise ValueError("`last` is no moment in nanoseconds")
    return int(text)


def _trade(pair: str, row: _TradeRow) -> PublicTrade:
    price, qty, at, side, kind, _, trade_id = row
    if number(price) <= 0 or number(qty) <= 0:
        raise ValueError("a trade needs a price and a quantity")
    return PublicTrade(
        pair=pair,
        at=rest_rows.moment(at),
        price=number(price),
        qty=number(qty),
        side=_SIDES.get(side),
        market=_KINDS.get(kind),
        trade_id=trade_id,
    )
