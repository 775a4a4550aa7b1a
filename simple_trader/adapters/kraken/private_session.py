"""The private session: executions, balances, and orders with their replies.

The session keeps a table of requests that wait, without futures: replies come out with the request
they belong to. The token stands in no log and no event.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import assert_never

import msgspec

from simple_trader.adapters.kraken import parse, requests
from simple_trader.adapters.kraken.errors import ErrorKind, kind_of, trouble_of
from simple_trader.adapters.kraken.frame_counts import Bad, FrameCounts, Odd
from simple_trader.adapters.kraken.lateness import Skew
from simple_trader.adapters.kraken.session import ChannelFrame, Session, Timing
from simple_trader.adapters.kraken.symbols import Symbols
from simple_trader.adapters.kraken.trading_counter import told_count
from simple_trader.adapters.kraken.wire import (
    BalancesFrame,
    BookFrame,
    ExecutionsFrame,
    InstrumentFrame,
    OhlcFrame,
    Reply,
    TickerFrame,
    TradeFrame,
    Unreadable,
)
from simple_trader.domain.events import (
    BalancesSeen,
    ExecutionReport,
    FeedDown,
    FeedUp,
    LedgerSeen,
)
from simple_trader.domain.orders import AmendRequest

CHANNELS = ("executions", "balances")
CHECK = "add_order, validate"
_MAX_GAPS = 3
_COMMANDS_KEPT = 1000


class Command(msgspec.Struct, frozen=True):
    """A request of ours that waits for its reply."""

    method: str
    cl_ord_id: str = ""


class PrivateSession(Session):
    """Feeds `ExecutionReport`, `BalancesSeen`, `LedgerSeen`, FeedUp and FeedDown of `private`."""

    name = "private"

    def __init__(
        self,
        timing: Timing,
        now: float,
        *,
        token: str,
        known: parse.KnownOrders,
        symbols: Symbols,
        counts: FrameCounts | None = None,
        clock: Callable[[], datetime] | None = None,
        stepped: bool = False,
        skew: Skew | None = None,
    ) -> None:
        """Ask for both channels at once."""
        super().__init__(timing, now, counts=counts, clock=clock, stepped=stepped, skew=skew)
        self.up = False
        self.fatal = False  # a permission error: another connection would not help (X20)
        self.max_rate_count: int | None = None
        self._token = token
        self._known = known
        self._symbols = symbols
        self._expected: dict[str, int | None] = dict.fromkeys(CHANNELS)
        self._whole: set[str] = set()
        self._gaps = 0
        self._wanting_since: float | None = now  # a snapshot is due, None when all are in
        self._commands: dict[int, Command] = {}
        self._replies: list[tuple[int, Command, Reply]] = []
        self._rate_counts: list[tuple[str, float]] = []
        for channel in CHANNELS:
            self._ask(channel)

    # -- orders --------------------------------------------------------------------------

    @property
    def takes_orders(self) -> bool:
        """Whether all snapshots are in and the connection has not been given up."""
        return self.up and self.ended is None

    def order(self, wire: bytes, cl_ord_id: str) -> tuple[int, str]:
        """Request id and the one frame of an order."""
        req_id = self._command("add_order", cl_ord_id)
        return req_id, requests.order_frame(wire, self._token, req_id)

    def cancel(self, cl_ord_id: str, order_id: str | None) -> tuple[int, str]:
        """Request id and frame of a cancel."""
        req_id = self._command("cancel_order", cl_ord_id)
        by_client_id = cl_ord_id if order_id is None else None
        return req_id, requests.cancel_order(
            self._token, req_id, order_id=order_id, cl_ord_id=by_client_id
        )

    def check(self, wire: bytes, cl_ord_id: str) -> tuple[int, str]:
        """Request id and frame that only lets the exchange check an order."""
        req_id = self._command(CHECK, cl_ord_id)
        return req_id, requests.check_frame(wire, self._token, req_id)

    def amend(self, change: AmendRequest) -> tuple[int, str]:
        """Request id and the one frame of an amend; raises ValueError for one that says nothing."""
        req_id = self._command("amend_order", change.cl_ord_id)
        return req_id, requests.amend_order(self._token, req_id, change)

    def arm_switch(self, timeout_s: int) -> tuple[int, str]:
        """Request id and frame of the dead man's switch; raises ValueError for a bad time-out."""
        req_id = self._command("cancel_all_orders_after", "")
        return req_id, requests.cancel_all_after(self._token, req_id, timeout_s)

    def cancel_all(self) -> tuple[int, str]:
        """Request id and frame of a cancel of everything."""
        req_id = self._command("cancel_all", "")
        return req_id, requests.cancel_all(self._token, req_id)

    def take_replies(self) -> list[tuple[int, Command, Reply]]:
        """Replies with the requests they answer, in order."""
        out, self._replies = self._replies, []
        return out

    def recycle(self, detail: str) -> None:
        """Give this connection up: a new one begins with snapshots of everything (N04)."""
        self._end(detail)

    def take_rate_counts(self) -> list[tuple[str, float]]:
        """(pair, value) of each trading counter the exchange told, in order."""
        out, self._rate_counts = self._rate_counts, []
        return out

    def _command(self, method: str, cl_ord_id: str) -> int:
        req_id = self.next_req_id()
        self._commands[req_id] = Command(method, cl_ord_id)
        if len(self._commands) > _COMMANDS_KEPT:
            del self._commands[next(iter(self._commands))]
        self._spoke = self._now
        self.pace.spend(self._now)
        self.lateness.asked(req_id)
        return req_id

    def _on_other_reply(self, reply: Reply) -> None:
        command = self._commands.pop(reply.req_id or 0, None)
        if command is not None:
            self._replies.append((reply.req_id or 0, command, reply))
            kind = None if reply.success is not False else kind_of(reply.error or "")
            if kind is ErrorKind.FATAL:
                self._events.append(trouble_of(command.method, reply.error or ""))
            if kind is ErrorKind.RENEW:
                # Every further request would be refused, too: a new connection brings a new token.
                self._end(f"{command.method} refused: {reply.error}")
        else:
            super()._on_other_reply(reply)

    # -- subscriptions -------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """As Session; a snapshot that does not come ends the connection: heartbeats hide it."""
        super().tick(now)
        since, timing = self._wanting_since, self.timing
        if since is not None and now - since > timing.snapshot_s + timing.ack_s:
            missing = [channel for channel in CHANNELS if channel not in self._whole]
            self._end(f"no snapshot of {' and '.join(missing)}")

    def _subscribe_frame(
        self, channel: str, req_id: int, symbols: Sequence[str], *, on: bool
    ) -> str:
        options: dict[str, str | int | bool] = {}
        if on and channel == "executions":
            options = {"snap_orders": True, "snap_trades": True, "order_status": True}
            options["ratecounter"] = True
        elif on:
            options = {"snapshot": True}
        return requests.subscribe(channel, req_id, token=self._token, on=on, options=options)

    def _on_reply(self, reply: Reply) -> None:
        if reply.result is not None and reply.result.maxratecount is not None:
            self.max_rate_count = reply.result.maxratecount
        super()._on_reply(reply)

    def _on_refused(self, channel: str, symbol: str, error: str) -> None:
        self.fatal = kind_of(error) is ErrorKind.FATAL
        if self.fatal:
            self._events.append(trouble_of(channel, error))
        self._end(f"{channel} refused: {error}")

    # -- channels ------------------------------------------------------------------------

    def _on_book(self, frame: BookFrame) -> None:
        self._unasked(frame)

    def _on_channel(self, frame: ChannelFrame) -> None:
        match frame:
            case ExecutionsFrame():
                self._on_executions(frame)
            case BalancesFrame():
                self._on_balances(frame)
            case TickerFrame() | TradeFrame() | OhlcFrame() | InstrumentFrame():
                self._unasked(frame)
            case _:
                assert_never(frame)

    def _on_executions(self, frame: ExecutionsFrame) -> None:
        """All elements or none: the channel is fetched anew, so that no fill is lost."""
        snapshot = frame.type == "snapshot"
        draft = parse.Draft(self._known)
        reports = [parse.execution(bytes(raw), draft, snapshot=snapshot) for raw in frame.data]
        draft.keep()
        self._follow("executions", frame.sequence, snapshot=snapshot)
        for report in reports:
            self._notice(report)
        self._events += reports
        if snapshot:
            self._complete("executions")
            return
        if reports:
            self._stamped(reports[-1].venue_at)
        counts = (told_count(bytes(raw), self._known) for raw in frame.data)
        self._rate_counts += [count for count in counts if count is not None]

    def _notice(self, report: ExecutionReport) -> None:
        """Words we do not know read as the safe default; they are counted."""
        if parse.UNKNOWN in {report.exec_type, report.order_status}:
            self._odd(Odd.WORD, "execution", report.raw)

    def _on_balances(self, frame: BalancesFrame) -> None:
        if frame.type == "snapshot":
            totals = parse.totals(frame.data, self._symbols)
            self._follow("balances", frame.sequence, snapshot=True)
            self._events.append(
                BalancesSeen(
                    balances=totals, source="ws", split=parse.split(frame.data, self._symbols)
                )
            )
            self._complete("balances")
            return
        entries = [parse.ledger_entry(data, self._symbols) for data in frame.data]
        self._follow("balances", frame.sequence, snapshot=False)
        self._events += [LedgerSeen(entry=entry) for entry in entries]
        if entries:
            self._stamped(entries[-1].at)

    def _broken(self, what: Unreadable) -> None:
        super()._broken(what)
        if what.channel in CHANNELS:
            self._gap(what.channel, "a message cannot be read")

    def _follow(self, channel: str, sequence: int, *, snapshot: bool) -> None:
        """A hole, a repeat or a step back in `sequence` is a gap (X07)."""
        expected = self._expected[channel]
        self._expected[channel] = sequence + 1
        if not snapshot and expected is not None and sequence != expected:
            detail = f"sequence {sequence} came where {expected} was due"
            self._bad(Bad.GAP, channel, detail)
            if channel in self._whole:  # else a snapshot is on its way, and covers this as well
                self._gap(channel, detail)

    def _complete(self, channel: str) -> None:
        self._whole.add(channel)
        if self._whole.issuperset(CHANNELS):
            self._wanting_since = None
        if not self.up and self._whole.issuperset(CHANNELS):
            self.up = True
            self._events.append(FeedUp(feed="private"))

    def _gap(self, channel: str, detail: str) -> None:
        """Something was missed: fetch the channel anew; FeedUp after it asks for reconciliation."""
        self._gaps += 1
        self._whole.discard(channel)
        self._expected[channel] = None
        if self._wanting_since is None:
            self._wanting_since = self._now
        if self.up:
            self.up = False
            self._events.append(FeedDown(feed="private", detail=f"{channel}: {detail}"))
        if self._gaps > _MAX_GAPS:
            self._end(f"too many gaps in {channel}")
            return
        self._ask(channel, on=False)
        self._ask(channel)
