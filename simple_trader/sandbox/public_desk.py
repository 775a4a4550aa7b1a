"""The public channels of one connection: what it subscribed, and its part of each moment."""

from typing import Any

from simple_trader.sandbox import feeds
from simple_trader.sandbox.candles import INTERVALS
from simple_trader.sandbox.floor import Counter, Moment
from simple_trader.sandbox.requests import Request

_TICK_WARNING = "tick_size is deprecated, use price_increment"
_CANDLE_WARNING = "timestamp is deprecated, use interval_begin"
_VENUES = ("international", "bitnomial-exchange")
NOT_FOUND = "Subscription Not Found"
TWICE = "Already subscribed"


class PublicDesk:
    """Subscriptions to ticker, trade, book, ohlc and instrument (protocol sections 2.2, 3, 4)."""

    def __init__(self, session: Counter) -> None:
        self._session = session
        self._floor = session.floor
        self.books: dict[str, int] = {}
        self.instrument = False
        self._tickers: dict[str, str] = {}
        self._trades: dict[str, None] = {}
        self._candles: dict[tuple[str, int], None] = {}

    @property
    def live(self) -> bool:
        """Whether anything is subscribed."""
        lists = self._tickers or self._trades or self._candles or self.books
        return bool(lists) or self.instrument

    # --- subscribe ------------------------------------------------------------------------------

    def subscribe(self, channel: str, params: dict[str, Any], req_id: int | None) -> None:
        """Answer a subscribe request, symbol by symbol."""
        if channel == "instrument":
            self._subscribe_instrument(params, req_id)
            return
        for symbol in _symbols(params):
            try:
                self._subscribe_symbol(channel, symbol, params, req_id)
            except Request as error:
                self._session.fail("subscribe", req_id, error.error, symbol)

    def _subscribe_instrument(self, params: dict[str, Any], req_id: int | None) -> None:
        if params.get("execution_venue", _VENUES[0]) not in _VENUES:
            raise Request(f"Execution_venue field must be one of: {', '.join(_VENUES)}")
        self._refuse_twice(self.instrument)
        snapshot = params.get("snapshot", True)
        result = {"channel": "instrument", "snapshot": snapshot, "warnings": [_TICK_WARNING]}
        self._session.answer("subscribe", req_id, result)
        self.instrument = True
        if snapshot:
            self._session.send(feeds.instruments(self._floor.pairs, self._floor.venue.status_of))

    def _refuse_twice(self, already: bool) -> None:
        if already and self._floor.rules.duplicate == "refuse":
            raise Request(TWICE)

    def _subscribe_symbol(
        self, channel: str, symbol: str, params: dict[str, Any], req_id: int | None
    ) -> None:
        floor = self._floor
        if symbol not in floor.pairs:
            raise Request(f"Currency pair not supported {symbol}")
        default = floor.rules.trade_snapshot if channel == "trade" else True
        snapshot: bool = params.get("snapshot", default)
        result: dict[str, Any] = {"channel": channel, "snapshot": snapshot, "symbol": symbol}
        frame: str | None
        now, market = floor.now_us(), floor.market(symbol)
        match channel:
            case "ticker":
                trigger = params.get("event_trigger", "trades")
                if trigger not in ("trades", "bbo"):
                    raise Request("Event_trigger field must be one of: trades, bbo")
                self._refuse_twice(symbol in self._tickers)
                result["event_trigger"] = trigger
                self._tickers[symbol] = trigger
                frame = feeds.ticker(market, floor.book(symbol), "snapshot")
            case "trade":
                self._refuse_twice(symbol in self._trades)
                self._trades[symbol] = None
                recent = list(market.tape)[-feeds.SNAPSHOT_TRADES :]
                frame = feeds.trades(market.pair, recent, "snapshot")
            case "book":
                depth = params.get("depth", 10)
                if depth not in feeds.DEPTHS:
                    raise Request("Subscription depth not supported")
                self._refuse_twice(symbol in self.books)
                result["depth"] = depth
                self.books[symbol] = depth
                frame = floor.feed(symbol, depth).snapshot()
            case _:
                interval = params.get("interval", 1)
                if interval not in INTERVALS:
                    raise Request("Subscription ohlc interval not supported")
                self._refuse_twice((symbol, interval) in self._candles)
                result["interval"] = interval
                result["warnings"] = [_CANDLE_WARNING]
                self._candles[symbol, interval] = None
                frame = feeds.ohlc_snapshot(market, interval, now, floor.rules.ohlc_rows)
        self._session.answer("subscribe", req_id, result)
        if snapshot:
            self._session.send(frame)

    # --- unsubscribe ----------------------------------------------------------------------------

    def unsubscribe(self, channel: str, params: dict[str, Any], req_id: int | None) -> None:
        """Answer an unsubscribe request, symbol by symbol."""
        if channel == "instrument":
            if not self.instrument:
                self._session.fail("subscribe", req_id, NOT_FOUND)
                return
            self.instrument = False
            self._session.answer("unsubscribe", req_id, {"channel": channel})
            return
        for symbol in _symbols(params):
            result = self._forget(channel, symbol, params)
            if result is None:
                # Kraken really answers with `subscribe` here (protocol section 2.2).
                self._session.fail("subscribe", req_id, NOT_FOUND, symbol)
            else:
                answer = {"channel": channel, "symbol": symbol, **result}
                self._session.answer("unsubscribe", req_id, answer)

    def _forget(self, channel: str, symbol: str, params: dict[str, Any]) -> dict[str, Any] | None:
        match channel:
            case "ticker":
                trigger = self._tickers.get(symbol)
                if trigger is None or params.get("event_trigger", trigger) != trigger:
                    return None
                del self._tickers[symbol]
                return {"event_trigger": trigger}
            case "trade":
                return {} if self._trades.pop(symbol, False) is None else None
            case "book":
                depth = self.books.get(symbol)
                if depth is None or params.get("depth", depth) != depth:
                    return None
                del self.books[symbol]
                return {"depth": depth}
            case _:
                interval = params.get("interval", 1)
                if (symbol, interval) not in self._candles:
                    return None
                del self._candles[symbol, interval]
                return {"interval": interval}

    # --- data -----------------------------------------------------------------------------------

    def follows(self, symbol: str) -> bool:
        """Say whether anything of a pair's market is subscribed here."""
        return (
            symbol in self._tickers
            or symbol in self.books
            or symbol in self._trades
            or any(pair == symbol for pair, _ in self._candles)
        )

    def on_moment(self, moment: Moment) -> None:
        """Queue what this connection subscribed of one market moment."""
        symbol = moment.symbol
        if symbol in self._trades:
            self._maybe(moment.trades())
        for pair, interval in self._candles:
            if pair == symbol:
                self._maybe(moment.ohlc(interval))
        trigger = self._tickers.get(symbol)
        if trigger is not None:
            self._maybe(moment.ticker(trigger))
        depth = self.books.get(symbol)
        if depth is not None:
            self._maybe(moment.book(depth))

    def on_pair(self, symbol: str) -> None:
        """Tell of a pair whose status or rules have changed."""
        pair = self._floor.pairs.get(symbol)
        if self.instrument and pair is not None:
            status_of = self._floor.venue.status_of
            self._session.send(feeds.instruments({symbol: pair}, status_of, kind="update"))

    def _maybe(self, frame: str | None) -> None:
        if frame is not None:
            self._session.send(frame)


def _symbols(params: dict[str, Any]) -> list[str]:
    symbols: list[str] = params.get("symbol", [])
    if not symbols:
        raise Request("Symbol(s) not found")
    return symbols
