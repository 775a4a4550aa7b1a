"""What both kinds of session share: sans-I/O subscriptions, request ids, acks and liveness.

A session is one connection's life: made when the socket opens, thrown away when it ends, so that
nothing of an old connection can leak into the next (N16). It reads frames, and hands out the frames
to send and the events to emit; it knows no socket and no clock.
"""

import logging
from collections.abc import Sequence
from typing import assert_never

import msgspec

from simple_trader.adapters.kraken import parse, requests
from simple_trader.adapters.kraken.wire import (
    BalancesFrame,
    BookFrame,
    ExecutionsFrame,
    HeartbeatFrame,
    InstrumentFrame,
    Message,
    OhlcFrame,
    Reply,
    StatusFrame,
    TickerFrame,
    TradeFrame,
    Unreadable,
    read,
)
from simple_trader.domain.events import Event, VenueStatusSeen

log = logging.getLogger(__name__)

ALL = ""  # the symbol of channels that have none
_SYMBOLS_PER_REQUEST = 50
_KEEPALIVE_S = 25.0  # the server closes after about a minute without a word from us (section 1)


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of a connection in transport seconds."""

    silence_s: float = 5.0  # no frame at all
    heartbeat_s: float = 5.0  # subscribed, but nothing except pongs (N03)
    ping_after_s: float = 2.0
    ack_s: float = 5.0
    ack_tries: int = 3
    snapshot_s: float = 10.0
    tick_s: float = 0.5
    order_margin_s: float = 3.0  # beyond the order's own deadline
    reply_s: float = 5.0  # of cancels


class _Asked(msgspec.Struct):
    """A subscribe or unsubscribe that waits for one answer for each symbol."""

    channel: str
    on: bool
    open: set[str]
    sent_at: float
    tries: int


class Session:
    """The part that public and private sessions share; `now` is always monotonic seconds."""

    def __init__(self, timing: Timing, now: float) -> None:
        """A session of a connection that opened at `now`."""
        self.timing = timing
        self.connection_id: int | None = None
        self.ended: str | None = None  # why this connection is of no more use
        self.unreadable = 0
        self._outgoing: list[str] = []
        self._events: list[Event] = []
        self._asked: dict[int, _Asked] = {}
        self._active: set[tuple[str, str]] = set()
        self._refused: dict[tuple[str, str], str] = {}
        self._last_req_id = 0
        self._now = self._heard = self._beat = self._ticked = self._spoke = now

    # -- in and out ----------------------------------------------------------------------

    def receive(self, frame: str | bytes, now: float) -> None:
        """Take one frame; never raises. What follows from it waits in the take_ methods."""
        self._now = self._heard = now
        message = read(frame)
        try:
            if type(message) is BookFrame:  # nine of ten frames: the short way
                self._beat = now
                self._on_book(message)
                return
            if not (isinstance(message, Reply) and message.method == "pong"):
                self._beat = now
            self._dispatch(message)
        except ValueError as error:
            self.unreadable += 1
            self._broken(Unreadable(str(error), _channel(message)))

    @property
    def has_outgoing(self) -> bool:
        """Whether there is anything to send."""
        return bool(self._outgoing)

    @property
    def has_events(self) -> bool:
        """Whether there is anything to emit."""
        return bool(self._events)

    def take_outgoing(self) -> list[str]:
        """Frames to send, in order."""
        out, self._outgoing = self._outgoing, []
        return out

    def take_events(self) -> list[Event]:
        """Events to emit, in order."""
        out, self._events = self._events, []
        return out

    def tick(self, now: float) -> None:
        """Judge liveness, ping, repeat what was not answered; call about every `tick_s`."""
        late = now - self._ticked - self.timing.tick_s
        if late > self.timing.tick_s:
            # It was us who stood still: what the exchange sent meanwhile is not read yet.
            self._heard += late
            self._beat += late
        self._now = self._ticked = now
        timing = self.timing
        if now - self._heard > timing.silence_s:
            self._end(f"no frame for {timing.silence_s:g} s")
        elif self._active and now - self._beat > timing.heartbeat_s:
            self._end(f"no heartbeat for {timing.heartbeat_s:g} s")
        quiet = now - self._heard > timing.ping_after_s and now - self._spoke > timing.ping_after_s
        if quiet or now - self._spoke > _KEEPALIVE_S:
            self._send(requests.ping(self.next_req_id()))
        self._repeat(now)

    def waited(self, now: float) -> None:
        """We chose not to read until `now`: that silence was ours."""
        self._now = self._heard = self._beat = now

    def next_req_id(self) -> int:
        """A new request id, small enough for everyone."""
        self._last_req_id = self._last_req_id % requests.MAX_REQ_ID + 1
        return self._last_req_id

    @property
    def refused(self) -> dict[tuple[str, str], str]:
        """(channel, symbol) -> why the exchange refused it."""
        return dict(self._refused)

    # -- subscriptions -------------------------------------------------------------------

    def _ask(
        self, channel: str, symbols: Sequence[str] = (ALL,), *, on: bool = True, tries: int = 1
    ) -> None:
        """Subscribe or unsubscribe; every symbol gets its own answer."""
        for start in range(0, len(symbols), _SYMBOLS_PER_REQUEST):
            part = symbols[start : start + _SYMBOLS_PER_REQUEST]
            req_id = self.next_req_id()
            self._asked[req_id] = _Asked(channel, on, set(part), self._now, tries)
            for symbol in part:
                self._refused.pop((channel, symbol), None)
            self._send(self._subscribe_frame(channel, req_id, part, on=on))

    def _subscribe_frame(
        self, channel: str, req_id: int, symbols: Sequence[str], *, on: bool
    ) -> str:
        raise NotImplementedError

    def _repeat(self, now: float) -> None:
        overdue = [
            (req_id, asked)
            for req_id, asked in self._asked.items()
            if now - asked.sent_at > self.timing.ack_s
        ]
        for req_id, asked in overdue:
            del self._asked[req_id]
            if asked.tries >= self.timing.ack_tries:
                self._end(f"no answer to a subscription of {asked.channel}")
            elif asked.on:
                self._ask(asked.channel, sorted(asked.open), tries=asked.tries + 1)

    def _on_reply(self, reply: Reply) -> None:
        asked = self._asked.get(reply.req_id or 0)
        if asked is None:
            self._on_other_reply(reply)
            return
        named = reply.symbol if reply.symbol is not None else reply.result and reply.result.symbol
        symbols = {named} & asked.open if named else set(asked.open)
        asked.open -= symbols
        if not asked.open:
            del self._asked[reply.req_id or 0]
        for symbol in sorted(symbols):
            key = (asked.channel, symbol)
            done = reply.success is True or (reply.error or "").startswith("Already subscribed")
            if not asked.on:
                self._active.discard(key)
            elif done:
                self._active.add(key)
            else:
                self._refused[key] = reply.error or "refused without a word"
                log.warning("Kraken refused %s %s: %s", *key, self._refused[key])
                self._on_refused(asked.channel, symbol, self._refused[key])

    def _on_refused(self, channel: str, symbol: str, error: str) -> None:
        """A subscription was refused; the connection lives on."""

    def _on_other_reply(self, reply: Reply) -> None:
        if reply.method != "pong" and reply.error is not None:
            log.warning("Kraken answered %s: %s", reply.method, reply.error)

    # -- frames --------------------------------------------------------------------------

    def _dispatch(self, message: Message) -> None:
        match message:
            case BookFrame():
                self._on_book(message)
            case TickerFrame():
                self._on_ticker(message)
            case OhlcFrame():
                self._on_ohlc(message)
            case InstrumentFrame():
                self._on_instrument(message)
            case ExecutionsFrame():
                self._on_executions(message)
            case BalancesFrame():
                self._on_balances(message)
            case StatusFrame():
                self._on_status(message)
            case Reply():
                self._on_reply(message)
            case Unreadable():
                self.unreadable += 1
                self._broken(message)
            case HeartbeatFrame() | TradeFrame():
                pass
            case _:
                assert_never(message)

    def _on_status(self, frame: StatusFrame) -> None:
        for data in frame.data:
            if data.connection_id is not None:
                self.connection_id = data.connection_id
            self._events.append(VenueStatusSeen(status=parse.venue_status(data.system)))

    def _on_book(self, frame: BookFrame) -> None:
        """A kind of frame this session did not ask for is ignored."""

    def _on_ticker(self, frame: TickerFrame) -> None:
        """As `_on_book`."""

    def _on_ohlc(self, frame: OhlcFrame) -> None:
        """As `_on_book`."""

    def _on_instrument(self, frame: InstrumentFrame) -> None:
        """As `_on_book`."""

    def _on_executions(self, frame: ExecutionsFrame) -> None:
        """As `_on_book`."""

    def _on_balances(self, frame: BalancesFrame) -> None:
        """As `_on_book`."""

    def _broken(self, what: Unreadable) -> None:
        log.warning("A frame of Kraken cannot be used: %s", what.detail)

    # -- small parts ---------------------------------------------------------------------

    def _send(self, text: str) -> None:
        self._outgoing.append(text)
        self._spoke = self._now

    def _end(self, why: str) -> None:
        if self.ended is None:
            self.ended = why


def _channel(message: object) -> str | None:
    config = getattr(message, "__struct_config__", None)
    tag = getattr(config, "tag", None)
    return tag if isinstance(tag, str) else None
