"""What both kinds of session share: sans-I/O subscriptions, request ids, acks and liveness.

A session is one connection's life: made when the socket opens, thrown away when it ends, so that
nothing of an old connection can leak into the next (N16). It reads frames, and hands out the frames
to send and the events to emit; it knows no socket and no clock of its own.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import assert_never

import msgspec

from simple_trader.adapters.kraken import parse, requests
from simple_trader.adapters.kraken.announcements import ANNOUNCED, advice
from simple_trader.adapters.kraken.frame_counts import Bad, FrameCounts, Odd
from simple_trader.adapters.kraken.lateness import Lateness, Skew
from simple_trader.adapters.kraken.pace import Pace
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
    read_status,
)
from simple_trader.domain.events import (
    ClockSkewSeen,
    Event,
    VenueAnnounced,
    VenueStatusSeen,
    VenueWarned,
)
from simple_trader.domain.instruments import VenueStatus

log = logging.getLogger(__name__)

ALL = ""  # the symbol of channels that have none
_SYMBOLS_PER_REQUEST = 50
_KEEPALIVE_S = 25.0  # the server closes after about a minute without a word from us (section 1)
_DETAIL = 300

ChannelFrame = (
    TickerFrame | TradeFrame | OhlcFrame | InstrumentFrame | ExecutionsFrame | BalancesFrame
)


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of a connection in transport seconds."""

    # A tick later than these a half-open socket is found: within 5 s (N02, N03).
    silence_s: float = 4.4  # no frame at all
    heartbeat_s: float = 4.4  # subscribed, but nothing except pongs
    ping_after_s: float = 2.0
    ack_s: float = 5.0
    ack_tries: int = 3
    snapshot_s: float = 10.0
    tick_s: float = 0.5
    order_margin_s: float = 3.0  # beyond the order's own deadline
    reply_s: float = 5.0  # of cancels
    late_s: float = 2.0  # data that is later than this is told
    status_again_s: float = 20.0  # until REST is asked for a state that is not known
    away_s: float = 600.0  # an announced maintenance that has not begun by then does not come
    skew_s: float = 1.0  # a clock that is further from the exchange's is told (X34)


class _Asked(msgspec.Struct):
    """A subscribe or unsubscribe that waits for one answer for each symbol."""

    channel: str
    on: bool
    open: set[str]
    sent_at: float | None  # None while it waits for its turn to be sent
    tries: int


class Session(ABC):
    """The part that public and private sessions share; `now` is always monotonic seconds."""

    name = ""

    def __init__(
        self,
        timing: Timing,
        now: float,
        *,
        counts: FrameCounts | None = None,
        clock: Callable[[], datetime] | None = None,
        stepped: bool = False,
        skew: Skew | None = None,
    ) -> None:
        """A session of a connection that opened at `now`.

        `counts` and `skew` outlive it; `clock` is what stamps of the exchange are compared with;
        a `stepped` one stands still between the steps of the market. Changes of the exchange's
        clock against it are told where a `skew` is given.
        """
        self.timing = timing
        self.connection_id: int | None = None
        self.ended: str | None = None  # why this connection is of no more use
        self.unreadable = 0
        self.counts = counts if counts is not None else FrameCounts()
        self.lateness = Lateness(clock, stepped=stepped)
        self._skew = skew
        self.pace = Pace(now)
        self._outgoing: list[tuple[int, str]] = []
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
        except (ValueError, ArithmeticError) as error:
            why = str(error) or type(error).__name__
            self._broken(Unreadable(why, _channel(message), Bad.WRONG_VALUE))

    @property
    def has_outgoing(self) -> bool:
        """Whether there is anything to send, now or when its turn comes."""
        return bool(self._outgoing)

    @property
    def has_events(self) -> bool:
        """Whether there is anything to emit."""
        return bool(self._events)

    def take_outgoing(self, now: float | None = None) -> list[str]:
        """Frames to send now, in order; what would be too fast waits for the next call."""
        at = self._now if now is None else now
        out: list[str] = []
        while len(out) < len(self._outgoing) and self.pace.may_send(at):
            req_id, text = self._outgoing[len(out)]
            self.lateness.asked(req_id)
            if req_id in self._asked:
                self._asked[req_id].sent_at = at
            out.append(text)
        del self._outgoing[: len(out)]
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
            req_id = self.next_req_id()
            self._send(req_id, requests.ping(req_id))
        self._repeat(now)
        for kind, detail, value, over in self.lateness.judge(
            now, late_s=timing.late_s, skew_s=timing.skew_s
        ):
            self._warn(kind, detail, value, over=over)
        skewed = None if self._skew is None else self.lateness.skew_news(self._skew)
        if skewed is not None:
            self._events.append(ClockSkewSeen(skew_s=round(skewed, 3)))

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
            self._asked[req_id] = _Asked(channel, on, set(part), None, tries)
            for symbol in part:
                self._refused.pop((channel, symbol), None)
            self._send(req_id, self._subscribe_frame(channel, req_id, part, on=on))

    @abstractmethod
    def _subscribe_frame(
        self, channel: str, req_id: int, symbols: Sequence[str], *, on: bool
    ) -> str:
        """The frame that subscribes (or not `on`: unsubscribes) these symbols of a channel."""

    def _repeat(self, now: float) -> None:
        overdue = [
            (req_id, asked)
            for req_id, asked in self._asked.items()
            if asked.sent_at is not None and now - asked.sent_at > self.timing.ack_s
        ]
        for req_id, asked in overdue:
            del self._asked[req_id]
            if asked.tries >= self.timing.ack_tries:
                self._end(f"no answer to a subscription of {asked.channel}")
            elif asked.on:
                self._ask(asked.channel, sorted(asked.open), tries=asked.tries + 1)

    def _on_reply(self, reply: Reply) -> None:
        self._learn_clock(reply)
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
                what = f"{asked.channel} {symbol}".strip()
                self._odd(Odd.REFUSED, what, self._refused[key])
                self._warn("refused_subscription", f"{what}: {self._refused[key]}")
                self._on_refused(asked.channel, symbol, self._refused[key])

    @abstractmethod
    def _on_refused(self, channel: str, symbol: str, error: str) -> None:
        """A subscription was refused; the connection lives on."""

    def _on_other_reply(self, reply: Reply) -> None:
        if reply.method != "pong" and reply.error is not None:
            self._odd(Odd.UNASKED, reply.method, reply.error)

    # -- frames --------------------------------------------------------------------------

    def _dispatch(self, message: Message) -> None:
        match message:
            case Reply():
                self._on_reply(message)
            case HeartbeatFrame():
                pass
            case StatusFrame():
                self._on_status(message)
            case Unreadable():
                self._broken(message)
            case BookFrame():
                self._on_book(message)
            case (
                TickerFrame()
                | TradeFrame()
                | OhlcFrame()
                | InstrumentFrame()
                | ExecutionsFrame()
                | BalancesFrame()
            ):
                self._on_channel(message)
            case _:
                assert_never(message)

    @abstractmethod
    def _on_book(self, frame: BookFrame) -> None:
        """A frame of a book: nine of ten frames come here."""

    @abstractmethod
    def _on_channel(self, frame: ChannelFrame) -> None:
        """A frame of another channel; raises ValueError where it cannot be used."""

    def _unasked(self, frame: ChannelFrame | BookFrame) -> None:
        """A frame of a channel that this session did not ask for."""
        self._odd(Odd.UNASKED, _channel(frame) or "", "frames of it were not asked for")

    def _on_status(self, frame: StatusFrame) -> None:
        raw = bytes(frame.data)
        found = read_status(raw)
        said = f"{frame.type} {raw.decode()}"
        announced = [word for word in ANNOUNCED if word in said]
        if announced:  # before the state of the same frame: a state without one lifts it
            self._events.append(VenueAnnounced(action=advice(said), detail=said[:_DETAIL]))
        for data in found:
            if data.connection_id is not None:
                self.connection_id = data.connection_id
            if data.system is None or data.system == "upcoming_maintenance":
                continue  # an announcement: the state is what it was
            status = parse.venue_status(data.system)
            if status is VenueStatus.UNKNOWN:
                self._odd(Odd.WORD, "status", data.system)
            self._events.append(VenueStatusSeen(status=status))
        for word in announced:
            self._warn(word, said)

    def _broken(self, what: Unreadable) -> None:
        """A frame that cannot be used: counted; nothing in the state comes from it."""
        self.unreadable += 1
        if what.reason is Bad.MSG_RATE:
            self.pace.exceeded(self._now)
            self._warn("msg_rate", what.detail)
        self._bad(what.reason, what.channel or "", what.detail)

    # -- time ----------------------------------------------------------------------------

    def lateness_s(self) -> float | None:
        """How late the data of this connection is; None where it is not known."""
        return self.lateness.late_s(self._now)

    def _learn_clock(self, reply: Reply) -> None:
        if reply.req_id is None or reply.time_in is None or reply.time_out is None:
            return
        try:
            read_at, answered_at = parse.moment(reply.time_in), parse.moment(reply.time_out)
        except ValueError as error:
            self._odd(Odd.STAMP, "reply", str(error))
            return
        self.lateness.answered(reply.req_id, read_at, answered_at)

    def _stamped(self, stamp: datetime | None) -> None:
        """An update carried this moment of the exchange."""
        if stamp is not None:
            self.lateness.stamped(stamp, self._now)

    # -- small parts ---------------------------------------------------------------------

    def _bad(self, reason: Bad, kind: str, detail: str) -> None:
        self.counts.add(self.name, reason, kind, detail, self._now)

    def _odd(self, reason: Odd, kind: str, detail: str) -> None:
        self.counts.add(self.name, reason, kind, detail, self._now)

    def _warn(
        self, kind: str, detail: str, value: float | None = None, *, over: bool = False
    ) -> None:
        cut = detail[:_DETAIL]
        self._events.append(
            VenueWarned(feed=self.name, kind=kind, detail=cut, value=value, over=over)
        )

    def _send(self, req_id: int, text: str) -> None:
        self._outgoing.append((req_id, text))
        self._spoke = self._now

    def _end(self, why: str) -> None:
        if self.ended is None:
            self.ended = why


def _channel(message: object) -> str | None:
    config = getattr(message, "__struct_config__", None)
    tag = getattr(config, "tag", None)
    return tag if isinstance(tag, str) else None
