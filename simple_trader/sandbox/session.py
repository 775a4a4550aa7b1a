"""One WS v2 connection without I/O: text in, frames out, in order.

`receive` takes a client frame, `outgoing` hands out what is to be written. Source: protocol
sections 1, 2 and 5; channels and orders have desks of their own. Time comes from the floor;
transport time is passed to `beat`.
"""

from typing import Any

from simple_trader.sandbox import batch_desk, order_desk, wire
from simple_trader.sandbox.accounts_file import KeySpec
from simple_trader.sandbox.floor import Floor, Handler, Moment
from simple_trader.sandbox.private_desk import PrivateDesk
from simple_trader.sandbox.public_desk import PublicDesk
from simple_trader.sandbox.requests import (
    CHANNEL_FIELDS,
    PRIVATE_CHANNELS,
    Request,
    check_fields,
    read_request,
)
from simple_trader.simulator.reports import Report

HEARTBEAT_S = 1.0
IDLE_S = 60.0
TOKEN_ERRORS = {"not_found": "Token(s) not found", "session": "ESession:Invalid session"}
DENIED = "EGeneral:Permission denied"
TOO_FAST = '{"Error":"Exceeded msg rate"}'
WRONG_SOCKET = (
    "Private data and trading are unavailable on this endpoint. Try the authenticated one"
)
WRONG_SOCKET_PUBLIC = (
    "Public market data subscriptions are unavailable on this endpoint. Try the public one"
)


class Session:
    """The state of one connection: what it subscribed, what it still has to be sent."""

    def __init__(self, floor: Floor, connection_id: int, *, private: bool) -> None:
        self.floor = floor
        self.connection_id = connection_id
        self.private = private
        self.tokens: dict[str, KeySpec] = {}
        self.written = 0
        self.public_desk = PublicDesk(self)
        self.private_desk = PrivateDesk(self)
        self._out: list[str] = []
        self._next_beat: float | None = None
        self._subscribed = False
        self._last_heard: float | None = None
        self._heard = False
        self._window_at: float | None = None
        self._in_window = 0
        self._handlers: dict[str, Handler] = {
            "ping": self._ping,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            **order_desk.handlers(self),
            **batch_desk.handlers(self),
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
        if self._window_at is None or now - self._window_at >= 1.0:
            self._window_at, self._in_window = now, 0
        if not self._subscribed:
            return
        if self._next_beat is None:
            self._next_beat = now + HEARTBEAT_S
        elif now >= self._next_beat:
            self._out.append('{"channel":"heartbeat"}')
            self._next_beat = max(self._next_beat + HEARTBEAT_S, now)

    def idle(self, now: float) -> bool:
        """Say whether the server would close: a minute of silence and nothing subscribed."""
        silent = self._last_heard is not None and now - self._last_heard > IDLE_S
        if self.floor.rules.idle_by == "client":
            return silent
        return silent and not self.public_desk.live and not self.private_desk.live

    def receive(self, text: str) -> None:
        """Take one client frame and queue the answers."""
        self._heard = True
        self._in_window += 1
        if 0 < self.floor.rules.message_limit < self._in_window:
            self.send(TOO_FAST)
            return
        message = read_request(text)
        if message is None:
            self.fail("error", None, "Malformed request")
            return
        method, req_id = message["method"], message.get("req_id")
        if req_id is not None and (isinstance(req_id, bool) or not isinstance(req_id, int)):
            self.fail(method, None, "Req_id field must be a number_integer")
            return
        try:
            handler = self._handlers.get(method)
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
            self.fail(method, req_id, error.error, error.symbol)

    # --- answers ------------------------------------------------------------------------------

    def send(self, frame: str) -> None:
        """Queue one frame."""
        self._out.append(frame)

    def answer(self, method: str, req_id: int | None, result: object | None, **more: Any) -> None:
        """Queue a response; `result` None makes it bare (pong)."""
        at = wire.stamp(self.floor.now_us())
        message: dict[str, Any] = {"method": method, "time_in": at, "time_out": at, **more}
        if result is not None:
            message["result"] = result
            message["success"] = True
        if req_id is not None:
            message["req_id"] = req_id
        self.send(wire.response(message))

    def fail(self, method: str, req_id: int | None, error: str, symbol: str | None = None) -> None:
        """Queue a refusal."""
        more: dict[str, Any] = {"error": error, "success": False}
        if symbol is not None:
            more["symbol"] = symbol
        self.answer(method, req_id, None, **more)

    def need_token(self, params: dict[str, Any], *permissions: str) -> KeySpec:
        """Give the key of a private request's token; a used token lives on with the connection.

        Raises Request on the public address, for an unknown or expired token, and for a key that
        has none of the permissions.
        """
        rules = self.floor.rules
        if not self.private:
            raise Request(DENIED if rules.wrong_socket == "permission" else WRONG_SOCKET)
        token = params.get("token")
        spec = self.tokens.get(token) if isinstance(token, str) else None
        if spec is None and isinstance(token, str):
            spec = self.floor.keys.token_spec(token)
        if spec is None or not isinstance(token, str):
            raise Request(TOKEN_ERRORS[rules.bad_token])
        self.tokens[token] = spec
        if not spec.may(*permissions):
            raise Request(DENIED)
        return spec

    def _ping(self, params: dict[str, Any], req_id: int | None) -> None:
        self.answer("pong", req_id, None)

    def tell_status(self, **notice: Any) -> None:
        """Queue the status message, the first of every connection; a notice adds its fields."""
        # Sorted at every level, unlike the other pushes: as live test suites compare it.
        row = {
            "api_version": "v2",
            "connection_id": self.connection_id,
            "system": self.floor.system,
            "version": "2.0.10",
            **notice,
        }
        self.send(wire.push({"channel": "status", "data": [row], "type": "update"}))

    # --- channels -------------------------------------------------------------------------------

    def _channel(self, params: dict[str, Any], method: str) -> tuple[str, KeySpec | None]:
        channel = params.get("channel")
        fields = CHANNEL_FIELDS.get(channel) if isinstance(channel, str) else None
        if not isinstance(channel, str) or fields is None:
            raise Request("Subscription name invalid")
        known = fields if channel in PRIVATE_CHANNELS else {**fields, "token": "string"}
        check_fields(params, known, method)
        if channel in PRIVATE_CHANNELS:
            return channel, self.need_token(params, *PRIVATE_CHANNELS[channel])
        if self.private:
            raise Request(WRONG_SOCKET_PUBLIC)
        return channel, None

    def _subscribe(self, params: dict[str, Any], req_id: int | None) -> None:
        channel, owner = self._channel(params, "subscribe")
        if owner is not None:
            self.private_desk.subscribe(channel, owner, params, req_id)
        else:
            self.public_desk.subscribe(channel, params, req_id)
        if self.public_desk.live or self.private_desk.live:
            self._subscribed = True

    def _unsubscribe(self, params: dict[str, Any], req_id: int | None) -> None:
        channel, owner = self._channel(params, "unsubscribe")
        if owner is not None:
            self.private_desk.unsubscribe(channel, req_id)
        else:
            self.public_desk.unsubscribe(channel, params, req_id)

    # --- what the exchange tells ------------------------------------------------------------------

    @property
    def books(self) -> dict[str, int]:
        """The depth of each subscribed book."""
        return self.public_desk.books

    def follows(self, symbol: str) -> bool:
        """Say whether anything of a pair's market is subscribed here."""
        return self.public_desk.follows(symbol)

    def on_moment(self, moment: Moment) -> None:
        """Queue what this session subscribed of one market moment."""
        self.public_desk.on_moment(moment)

    def on_pair(self, symbol: str) -> None:
        """Tell of a pair whose status or rules have changed."""
        self.public_desk.on_pair(symbol)

    def on_report(self, report: Report) -> None:
        """Queue the execution and balance events of one report."""
        self.private_desk.on_report(report)
