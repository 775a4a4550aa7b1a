"""The order desk: one send for each order, and the reply mapped to what is really known.

A definitive error is a rejection; silence, a lost connection or an error that says nothing certain
is SendUnknown. There is no second send (architecture section 7, item 5).
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

import msgspec

from simple_trader.adapters.kraken.errors import (
    ErrorKind,
    KrakenRefused,
    Outcome,
    kind_of,
    reject_kind,
)
from simple_trader.adapters.kraken.feed import Feed
from simple_trader.adapters.kraken.parse import moment
from simple_trader.adapters.kraken.private_session import PrivateSession
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.adapters.kraken.session import Timing
from simple_trader.adapters.kraken.trading_counter import TradingCounter
from simple_trader.adapters.kraken.wire import Reply
from simple_trader.domain.actions import CancelOrder
from simple_trader.domain.errors import VenueUnreachable
from simple_trader.domain.events import (
    CancelRejected,
    NotSent,
    OrderAcked,
    OrderRejected,
    SendUnknown,
)
from simple_trader.domain.orders import AmendRequest, OrderRequest
from simple_trader.domain.reasons import Reason
from simple_trader.domain.venue_replies import (
    AmendAcked,
    AmendOutcome,
    AmendRejected,
    AmendUnknown,
    CheckUnknown,
    OrderChecked,
    SwitchArmed,
    SwitchOutcome,
    SwitchRejected,
    SwitchUnknown,
)
from simple_trader.ports import Emit, Wire, WireClosed

log = logging.getLogger(__name__)

_SENDS_KEPT = 20_000
# A cancel refused so would be refused by REST as well: both ways lead to the same engine.
_TOLD = {ErrorKind.DEFINITIVE, ErrorKind.WAIT, ErrorKind.RATE}
Placed = OrderAcked | OrderRejected | NotSent | SendUnknown
Checked = OrderChecked | OrderRejected | CheckUnknown


class OrderDesk:
    """Places and cancels over the private connection; cancels fall back to REST (N09)."""

    def __init__(
        self,
        *,
        feed: Callable[[], Feed[PrivateSession]],
        rest: KrakenRest,
        market_now: Callable[[], datetime],
        timing: Timing,
        emit: Emit,
        venue_ahead_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`emit` takes the answers that came too late for the one who asked."""
        self._feed, self._rest, self._market_now = feed, rest, market_now
        self._timing, self._emit, self._venue_ahead_s = timing, emit, venue_ahead_s
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self.sent_at: dict[str, datetime] = {}  # market time of each send of this process
        self.counter = TradingCounter()

    # -- replies -------------------------------------------------------------------------

    def take_replies(self, session: PrivateSession) -> None:
        """Give replies to those who wait; a late one about an order is still evidence."""
        self._follow_counter(session)
        for req_id, command, reply in session.take_replies():
            future = self._waiting.get(req_id)
            if future is not None and not future.done():
                future.set_result(reply)
            elif command.method == "add_order":
                late = _placed(command.cl_ord_id, reply)
                log.warning("A late reply for order %s: %s", command.cl_ord_id, late)
                if not isinstance(late, SendUnknown):
                    self._emit(late)

    def _follow_counter(self, session: PrivateSession) -> None:
        """Believe the exchange where its trading counter is above our model (I-22)."""
        limit = session.max_rate_count
        if limit is not None and limit != self.counter.tier.limit:
            self.counter.learn_limit(limit)
            self._rest.monitor.learn_tier(limit)
        for pair, value in session.take_rate_counts():
            if self.counter.seen(pair, value, self._market_now()):
                log.warning("Kraken's counter of %s is at %g, above our model: taken", pair, value)

    def connection_lost(self, detail: str) -> None:
        """Everything that waits on the ended connection will never be answered."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(WireClosed(detail))
        self._waiting.clear()

    # -- orders --------------------------------------------------------------------------

    @property
    def can_place(self) -> bool:
        """Whether the private connection is up and complete."""
        feed = self._feed()
        session = feed.session
        return feed.wire is not None and session is not None and session.takes_orders

    async def place(self, request: OrderRequest, wire: bytes) -> Placed:
        """Send once, before the first suspension, and wait until deadline + margin."""
        feed = self._feed()
        session, socket = feed.session, feed.wire
        if session is None or socket is None or not session.takes_orders:
            return NotSent(
                cl_ord_id=request.cl_ord_id,
                reason=Reason.PRIVATE_FEED_DOWN,
                detail="the private connection is not up",
            )
        now = self._market_now()
        self._note_send(request.cl_ord_id, now)
        self.counter.placed(request.cl_ord_id, request.pair, now)
        limit_s = self._limit_s(request.deadline, now)
        req_id, text = session.order(wire, request.cl_ord_id)
        future = self._expect(req_id)
        try:
            async with asyncio.timeout(limit_s):
                await socket.send(text)
                return _placed(request.cl_ord_id, await future)
        except TimeoutError:
            detail = f"no reply within {limit_s:.1f} s"
        except WireClosed as error:
            detail = f"the connection was lost after the send: {error}"
        finally:
            self._forget(req_id, future)
        return SendUnknown(cl_ord_id=request.cl_ord_id, detail=detail)

    async def cancel(self, action: CancelOrder) -> CancelRejected | None:
        """Cancel by socket, else by REST (a cancel is safe to repeat); never raises.

        Where neither way gives an answer, the refusal says so: the order counts as there until the
        executions stream or a look shows that it is gone (I-08).
        """
        self.counter.cancelled(action.cl_ord_id, action.pair, self._market_now())
        reply = await self._by_socket(
            lambda session: session.cancel(action.cl_ord_id, action.order_id)
        )
        if reply is not None and reply.success is True:
            return None
        if reply is not None and kind_of(reply.error or "") in _TOLD:
            return CancelRejected(cl_ord_id=action.cl_ord_id, error=reply.error or "")
        try:
            await self._rest.cancel_order(order_id=action.order_id, cl_ord_id=action.cl_ord_id)
        except KrakenRefused as error:
            return CancelRejected(cl_ord_id=action.cl_ord_id, error=error.error)
        except VenueUnreachable as error:
            return CancelRejected(cl_ord_id=action.cl_ord_id, error=f"outcome unknown: {error}")
        return None

    async def check(self, request: OrderRequest, wire: bytes) -> Checked:
        """Let the exchange check an order without making it."""
        reply = await self._by_socket(lambda session: session.check(wire, request.cl_ord_id))
        if reply is not None and reply.success is True:
            return OrderChecked(cl_ord_id=request.cl_ord_id)
        if reply is not None and reply.success is False and reply.error:
            kind = reject_kind(reply.error)
            return OrderRejected(cl_ord_id=request.cl_ord_id, error=reply.error, kind=kind)
        return CheckUnknown(cl_ord_id=request.cl_ord_id, detail="no answer")

    async def amend(self, change: AmendRequest) -> AmendOutcome:
        """Change a resting order in place, by one send before the first suspension.

        There is no second try and no other way: what is not answered is unknown (X31). Raises
        ValueError for a change that says nothing.
        """
        feed = self._feed()
        session, socket = feed.session, feed.wire
        if session is None or socket is None or not session.takes_orders:
            detail = "the private connection is not up"
            return AmendRejected(cl_ord_id=change.cl_ord_id, error=detail, sent=False)
        req_id, text = session.amend(change)
        now = self._market_now()
        self.counter.amended(change.cl_ord_id, change.pair, now)
        limit_s = self._limit_s(change.deadline, now)
        reply = await self._ask(socket, req_id, text, limit_s)
        if reply is None:
            detail = f"no reply within {limit_s:.1f} s, or the connection was lost"
            return AmendUnknown(cl_ord_id=change.cl_ord_id, detail=detail)
        if reply.success is True:
            amend_id = (reply.result.amend_id if reply.result is not None else None) or ""
            return AmendAcked(cl_ord_id=change.cl_ord_id, amend_id=amend_id)
        error = reply.error or "a reply without success and without error"
        if reply.success is False and kind_of(error) is not ErrorKind.UNKNOWN:
            return AmendRejected(cl_ord_id=change.cl_ord_id, error=error)
        return AmendUnknown(cl_ord_id=change.cl_ord_id, detail=error)

    async def arm_switch(self, timeout_s: int) -> SwitchOutcome:
        """Set the dead man's switch of the account by socket, else by REST; 0 disarms it.

        It is safe to repeat. Raises ValueError for a time-out the exchange does not take.
        """
        reply = await self._by_socket(lambda session: session.arm_switch(timeout_s))
        if reply is not None and reply.success is True:
            result = reply.result
            current = None if result is None else _switch_moment(bytes(result.current_time))
            trigger = None if result is None else _switch_moment(bytes(result.trigger_time))
            return SwitchArmed(current_at=current, trigger_at=trigger if timeout_s else None)
        error = "" if reply is None else reply.error or ""
        if error and kind_of(error).outcome is Outcome.DEFINITIVE:
            return SwitchRejected(error=error)
        try:
            return await self._rest.cancel_all_after(timeout_s)
        except KrakenRefused as refused:
            if refused.kind is ErrorKind.UNKNOWN:
                return SwitchUnknown(detail=refused.error)
            return SwitchRejected(error=refused.error)
        except VenueUnreachable as failed:
            return SwitchUnknown(detail=str(failed))

    async def cancel_all(self) -> int:
        """Cancel everything by socket, else by REST; the count."""
        self.counter.cancelled_all(self._market_now())
        reply = await self._by_socket(lambda session: session.cancel_all())
        if reply is not None and reply.success is True:
            return (reply.result.count if reply.result is not None else None) or 0
        return await self._rest.cancel_all()

    def _limit_s(self, deadline: datetime, now: datetime) -> float:
        """How long to wait for a reply; a deadline stands in the exchange's time."""
        left_s = (deadline - now).total_seconds() - self._venue_ahead_s()
        return max(0.0, left_s) + self._timing.order_margin_s

    async def _by_socket(
        self, command: Callable[[PrivateSession], tuple[int, str]]
    ) -> Reply | None:
        """Ask over the private connection; None where there is none or it did not answer."""
        feed = self._feed()
        session, socket = feed.session, feed.wire
        if session is None or socket is None:
            return None
        req_id, text = command(session)
        return await self._ask(socket, req_id, text, self._timing.reply_s)

    async def _ask(self, socket: Wire, req_id: int, text: str, limit_s: float) -> Reply | None:
        """Send before the first suspension and wait; None where no reply came."""
        future = self._expect(req_id)
        try:
            async with asyncio.timeout(limit_s):
                await socket.send(text)
                return await future
        except (TimeoutError, WireClosed):
            return None
        finally:
            self._forget(req_id, future)

    def _expect(self, req_id: int) -> asyncio.Future[Reply]:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        # The one who waits may be gone by the time it fails.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._waiting[req_id] = future
        return future

    def _forget(self, req_id: int, future: asyncio.Future[Reply]) -> None:
        # Request ids start anew with each connection: only our own entry may go.
        if self._waiting.get(req_id) is future:
            del self._waiting[req_id]

    def _note_send(self, cl_ord_id: str, at: datetime) -> None:
        self.sent_at[cl_ord_id] = at
        if len(self.sent_at) > _SENDS_KEPT:
            del self.sent_at[next(iter(self.sent_at))]


def _switch_moment(raw: bytes) -> datetime | None:
    """A moment of the dead man's switch; "0" and whatever else is none read as None (8.6)."""
    try:
        return moment(msgspec.json.decode(raw, type=str))
    except (ValueError, msgspec.DecodeError):
        return None


def _placed(cl_ord_id: str, reply: Reply) -> OrderAcked | OrderRejected | SendUnknown:
    """What a reply to add_order proves."""
    result = reply.result
    if reply.success is True and result is not None and result.order_id is not None:
        return OrderAcked(cl_ord_id=cl_ord_id, order_id=result.order_id)
    error = reply.error or "a reply without order id and without error"
    if reply.success is False and kind_of(error) is not ErrorKind.UNKNOWN:
        return OrderRejected(cl_ord_id=cl_ord_id, error=error, kind=reject_kind(error))
    return SendUnknown(cl_ord_id=cl_ord_id, detail=error)
