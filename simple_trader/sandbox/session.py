"""One WS v2 connection without I/O: text in, frames out, in order.

`receive` takes a client frame, `outgoing` hands out what is to be written. Source: protocol
sections 1 to 8. Time comes from the floor; transport time is passed to `beat`.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from simple_trader.sandbox import executions, feeds, order_desk, wire
from simple_trader.sandbox.candles import INTERVALS
from simple_trader.sandbox.floor import Floor, Moment
from simple_trader.sandbox.requests import (
    CHANNEL_FIELDS,
    PRIVATE_CHANNELS,
    Request,
    check_fields,
    read_request,
)
from simple_trader.simulator.orders import MAIN
from simple_trader.simulator.reports import Report, Traded

HEARTBEAT_S = 1.0
IDLE_S = 60.0
NOT_FOUND = "Token(s) not found"
MAX_RATE_COUNT = 125  # Intermediate tier


class Session:
    """The state of one connection: what it subscribed, what it still has to be sent."""

    def __init__(self, floor: Floor, connection_id: int, *, private: bool) -> None:
        self.floor = floor
        self.connection_id = connection_id
        self.private = private
        self.tokens: set[str] = set()
        self.books: dict[str, int] = {}
        self.written = 0
        self._tickers: dict[str, str] = {}
        self._trades: dict[str, None] = {}
        self._candles: dict[tuple[str, int], None] = {}
        self._instrument = False
        self._sequence: dict[str, int] = {}
        self._all_transitions = True
        self._out: list[str] = []
        self._next_beat: float | None = None
        self._subscribed = False
        self._last_heard: float | None = None
        self._heard = False
        self._handlers: dict[str, Callable[[dict[str, Any], int | None], None]] = {
            "ping": self._ping,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            **order_desk.handlers(self),
        }
        self.tell_status()

    # --- the transport's side -----------------------------------------------------------------

    def outgoing(self) -> list[str]:
        """Hand out the frames to write, oldest first; they count as written."""
        out, self._out = self._out, []
        self.written += len(out)
        return out

    def beat(self, now: float) -> None:
        """Emit a heartbeat when one is due; `now` is transport time in seconds."""
        if self._heard or self._last_heard is None:
            self._last_heard, self._heard = now, False
        if not self._subscribed:
            return
        if self._next_beat is None:
            self._next_beat = now + HEARTBEAT_S
        elif now >= self._next_beat:
            self._out.append('{"channel":"heartbeat"}')
            self._next_beat = max(self._next_beat + HEARTBEAT_S, now)

    def idle(self, now: float) -> bool:
        """Say whether the server would close: a minute of silence and nothing subscribed."""
        live = self._tickers or self._trades or self._candles or self.books or self._sequence
        silent = self._last_heard is not None and now - self._last_heard > IDLE_S
        return silent and not live and not self._instrument

    def receive(self, text: str) -> None:
        """Take one client frame and queue the answers."""
        self._heard = True
        message = read_request(text)
        if message is None:
            self._fail("error", None, Request("Malformed request"))
            return
        method, req_id = message["method"], message.get("req_id")
        handler = self._handlers.get(method)
        if req_id is not None and (isinstance(req_id, bool) or not isinstance(req_id, int)):
            self._fail(method, None, Request("Req_id field must be a number_integer"))
            return
        try:
            if handler is None:
                raise Request("Unsupported event")
            for name in message:
                if name not in ("method", "params", "req_id") or (
                    method == "ping" and name == "params"
                ):
                    what = method.replace("_", " ")
                    raise Request(f"Unsupported field: '{name}' for the given msg type: {what}")
            params = message.get("params", {})
            if not isinstance(params, dict):
                raise Request("Params field must be a object")
            handler(params, req_id)
        except Request as error:
            self._fail(method, req_id, error)

    # --- answers ------------------------------------------------------------------------------

    def send(self, frame: str) -> None:
        """Queue one frame."""
        self._out.append(frame)

    def answer(
        self, method: str, req_id: int | None, result: dict[str, Any] | None, **more: Any
    ) -> None:
        """Queue a response; `result` None makes it bare (pong)."""
        at = wire.stamp(self.floor.now_us())
        message: dict[str, Any] = {"method": method, "time_in": at, "time_out": at, **more}
        if result is not None:
            message["result"] = result
            message["success"] = True
        if req_id is not None:
            message["req_id"] = req_id
        self.send(wire.response(message))

    def _fail(self, method: str, req_id: int | None, error: Request) -> None:
        more: dict[str, Any] = {"error": error.error, "success": False}
        if error.symbol is not None:
            more["symbol"] = error.symbol
        self.answer(method, req_id, None, **more)

    def fail(self, method: str, req_id: int | None, error: str) -> None:
        """Queue a refusal."""
        self._fail(method, req_id, Request(error))

    def need_token(self, params: dict[str, Any]) -> None:
        """Refuse a private request without a valid token; a used token lives on with us."""
        if not self.private:
            raise Request(
                "Private data and trading are unavailable on this endpoint. "
                "Try the authenticated one"
            )
        token = params.get("token")
        if not isinstance(token, str):
            raise Request(NOT_FOUND)
        if token not in self.tokens:
            if not self.floor.token_ok(token):
                raise Request(NOT_FOUND)
            self.tokens.add(token)

    def _ping(self, params: dict[str, Any], req_id: int | None) -> None:
        self.answer("pong", req_id, None)

    def tell_status(self) -> None:
        """Queue the status message, the first of every connection."""
        state = "maintenance" if self.floor.frozen else "online"
        # Sorted at every level, unlike the other pushes: as live test suites compare it.
        row = {
            "api_version": "v2",
            "connection_id": self.connection_id,
            "system": state,
            "version": "2.0.10",
        }
        self.send(wire.push({"channel": "status", "data": [row], "type": "update"}))

    # --- subscriptions --------------------------------------------------------------------------

    def _channel(self, params: dict[str, Any], method: str) -> str:
        channel = params.get("channel")
        fields = CHANNEL_FIELDS.get(channel) if isinstance(channel, str) else None
        if not isinstance(channel, str) or fields is None:
            raise Request("Subscription name invalid")
        known = fields if channel in PRIVATE_CHANNELS else {**fields, "token": "string"}
        check_fields(params, known, method)
        if channel in PRIVATE_CHANNELS:
            self.need_token(params)
        elif self.private:
            raise Request(
                "Public market data subscriptions are unavailable on this endpoint. "
                "Try the public one"
            )
        return channel

    def _subscribe(self, params: dict[str, Any], req_id: int | None) -> None:
        channel = self._channel(params, "subscribe")
        if channel == "executions":
            self._subscribe_executions(params, req_id)
        elif channel == "balances":
            self._subscribe_balances(params, req_id)
        elif channel == "instrument":
            snapshot = params.get("snapshot", True)
            result = {"channel": channel, "snapshot": snapshot, "warnings": [_TICK_WARNING]}
            self.answer("subscribe", req_id, result)
            self._instrument = self._subscribed = True
            if snapshot:
                self.send(feeds.instruments(self.floor.pairs))
        else:
            for symbol in self._symbols(params):
                try:
                    self._subscribe_symbol(channel, symbol, params, req_id)
                except Request as error:
                    self._fail("subscribe", req_id, Request(error.error, symbol))

    def _symbols(self, params: dict[str, Any]) -> list[str]:
        symbols: list[str] = params.get("symbol", [])
        if not symbols:
            raise Request("Symbol(s) not found")
        return symbols

    def _subscribe_symbol(
        self, channel: str, symbol: str, params: dict[str, Any], req_id: int | None
    ) -> None:
        if symbol not in self.floor.pairs:
            raise Request(f"Currency pair not supported {symbol}")
        snapshot: bool = params.get("snapshot", channel != "trade")
        result: dict[str, Any] = {"channel": channel, "snapshot": snapshot, "symbol": symbol}
        frame: str | None
        now, market = self.floor.now_us(), self.floor.market(symbol)
        match channel:
            case "ticker":
                trigger = params.get("event_trigger", "trades")
                if trigger not in ("trades", "bbo"):
                    raise Request("Event_trigger field must be one of: trades, bbo")
                _refuse_twice(symbol in self._tickers)
                result["event_trigger"] = trigger
                self._tickers[symbol] = trigger
                frame = feeds.ticker(market, self.floor.book(symbol), "snapshot")
            case "trade":
                _refuse_twice(symbol in self._trades)
                self._trades[symbol] = None
                recent = list(market.tape)[-feeds.SNAPSHOT_TRADES :]
                frame = feeds.trades(market.pair, recent, "snapshot")
            case "book":
                depth = params.get("depth", 10)
                if depth not in feeds.DEPTHS:
                    raise Request("Subscription depth not supported")
                _refuse_twice(symbol in self.books)
                result["depth"] = depth
                self.books[symbol] = depth
                frame = self.floor.feed(symbol, depth).snapshot()
            case _:
                interval = params.get("interval", 1)
                if interval not in INTERVALS:
                    raise Request("Subscription ohlc interval not supported")
                _refuse_twice((symbol, interval) in self._candles)
                result["interval"] = interval
                result["warnings"] = [_CANDLE_WARNING]
                self._candles[symbol, interval] = None
                frame = feeds.ohlc_snapshot(market, interval, now)
        self._subscribed = True
        self.answer("subscribe", req_id, result)
        if snapshot:
            self.send(frame)

    def _unsubscribe(self, params: dict[str, Any], req_id: int | None) -> None:
        channel = self._channel(params, "unsubscribe")
        if channel in PRIVATE_CHANNELS:
            if self._sequence.pop(channel, None) is None:
                self._fail("subscribe", req_id, Request("Subscription Not Found"))
            else:
                self.answer("unsubscribe", req_id, {"channel": channel})
            return
        if channel == "instrument":
            if not self._instrument:
                self._fail("subscribe", req_id, Request("Subscription Not Found"))
                return
            self._instrument = False
            self.answer("unsubscribe", req_id, {"channel": channel})
            return
        for symbol in self._symbols(params):
            result = self._forget(channel, symbol, params)
            if result is None:
                # Kraken really answers with `subscribe` here (protocol section 2.2).
                self._fail("subscribe", req_id, Request("Subscription Not Found", symbol))
            else:
                self.answer("unsubscribe", req_id, {"channel": channel, "symbol": symbol, **result})

    def _forget(self, channel: str, symbol: str, params: dict[str, Any]) -> dict[str, Any] | None:
        match channel:
            case "ticker":
                trigger = self._tickers.pop(symbol, None)
                return None if trigger is None else {"event_trigger": trigger}
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

    # --- public data ----------------------------------------------------------------------------

    def follows(self, symbol: str) -> bool:
        """Say whether anything public of a pair is subscribed here."""
        return (
            symbol in self._tickers
            or symbol in self.books
            or symbol in self._trades
            or any(pair == symbol for pair, _ in self._candles)
        )

    def on_moment(self, moment: Moment) -> None:
        """Queue what this session subscribed of one market moment."""
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

    def _maybe(self, frame: str | None) -> None:
        if frame is not None:
            self._out.append(frame)

    # --- private data ---------------------------------------------------------------------------

    def _subscribe_executions(self, params: dict[str, Any], req_id: int | None) -> None:
        _refuse_twice("executions" in self._sequence)
        snap_orders = params.get("snap_orders", params.get("snapshot", True))
        snap_trades = params.get("snap_trades", params.get("snapshot_trades", False))
        result = {
            "channel": "executions",
            "maxratecount": MAX_RATE_COUNT,
            "snap_orders": snap_orders,
            "snap_trades": snap_trades,
        }
        self.answer("subscribe", req_id, result)
        self._subscribed = True
        self._sequence["executions"] = 0
        self._all_transitions = params.get("order_status", True)
        venue, pairs = self.floor.venue, self.floor.pairs
        rows: list[dict[str, Any]] = []
        if snap_orders:
            rows += [
                executions.open_order(order, pairs[order.symbol]) for order in venue.open.values()
            ]
        if snap_trades:
            for trade in venue.state.trades[-50:]:
                status = venue.state.orders[trade.order_id].status
                rows.append(executions.past_trade(trade, status, pairs[trade.symbol]))
        self._private("executions", "snapshot", rows)

    def _subscribe_balances(self, params: dict[str, Any], req_id: int | None) -> None:
        _refuse_twice("balances" in self._sequence)
        snapshot = params.get("snapshot", True)
        self.answer("subscribe", req_id, {"channel": "balances", "snapshot": snapshot})
        self._subscribed = True
        self._sequence["balances"] = 0
        if snapshot:
            balances: dict[str, Decimal] = self.floor.venue.state.accounts[MAIN].balances
            self._private("balances", "snapshot", executions.balance_snapshot(balances))

    def _private(self, channel: str, kind: str, rows: list[dict[str, Any]]) -> None:
        self._sequence[channel] += 1
        message = {
            "channel": channel,
            "type": kind,
            "data": rows,
            "sequence": self._sequence[channel],
        }
        self.send(wire.push(message))

    def on_report(self, report: Report) -> None:
        """Queue the execution and balance events of one report."""
        if "executions" in self._sequence:
            for event in executions.events(report, self.floor.pairs):
                if self._all_transitions or event["exec_type"] not in ("pending_new", "amended"):
                    self._private("executions", "update", [event])
        if "balances" in self._sequence and isinstance(report, Traded):
            for row in executions.balance_updates(report.entries):
                self._private("balances", "update", [row])


_TICK_WARNING = "tick_size is deprecated, use price_increment"
_CANDLE_WARNING = "timestamp is deprecated, use interval_begin"


def _refuse_twice(already: bool) -> None:
    if already:
        raise Request("Already subscribed")
