"""The gate: the last look before an order's one send (architecture section 7, item 5).

Between the checks and the send there is no await. Any "no" becomes NotSent with its reason; a lost
socket or a missing ack becomes SendUnknown. There is never a second send.
"""

from collections.abc import Callable

from simple_trader.domain.events import NotSent, OrderSent
from simple_trader.domain.moments import seconds
from simple_trader.domain.orders import Intent
from simple_trader.domain.reasons import Reason
from simple_trader.domain.verdicts import Approved
from simple_trader.ports import Clock, Emit, Lane, Venue
from simple_trader.runtime.lease import GAP_MAX_S

APPROVAL_LIFE_S = 2.0
LOOP_GAP_MAX_S = GAP_MAX_S
SENDS_KEPT = 10_000
REDUCE, HALT = "REDUCE", "HALT"  # the brain's words


class LoopGap:
    """How long the event loop stood still lately, judged by a heartbeat task."""

    def __init__(self, clock: Clock) -> None:
        """Start with a fresh beat."""
        self._clock = clock
        self._last = clock.monotonic()

    def beat(self) -> float:
        """Note that the loop runs; returns the seconds since the last beat."""
        now = self._clock.monotonic()
        gap, self._last = now - self._last, now
        return gap

    @property
    def seconds(self) -> float:
        """Seconds since the last beat."""
        return self._clock.monotonic() - self._last


class Gate:
    """Sends approved orders, each at most once, each only if every check passes at that instant."""

    def __init__(
        self,
        *,
        venue: Venue,
        lane: Lane,
        clock: Clock,
        emit: Emit,
        halted: Callable[[], bool],
        standing: Callable[[], str],
        venue_refuses: Callable[[Intent], tuple[Reason, str] | None],
        may_place: Callable[[], bool],
        loop_gap: LoopGap,
        lease_lost: Callable[[], str] = lambda: "",
        venue_ahead_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`halted` is true from the moment a kill switch is seen, before the brain has read of
        it; `standing` is the brain's trading state: it may have changed while an approved order
        waited for its commit. `venue_refuses` is the brain's word on what exchange and pair take,
        `lease_lost` why the health lease is not held, `venue_ahead_s` the exchange's clock minus
        ours.
        """
        self._venue, self._lane, self._clock, self._emit = venue, lane, clock, emit
        self._halted, self._may_place, self._loop_gap = halted, may_place, loop_gap
        self._standing, self._venue_refuses = standing, venue_refuses
        self._lease_lost, self._venue_ahead_s = lease_lost, venue_ahead_s
        self.paused = False
        self._sent: dict[str, None] = {}  # the newest sends; older approvals died of age long ago

    def pause(self) -> None:
        """The process stood still: everything queued falls, until the account is reconciled."""
        self.paused = True

    def go_on(self) -> None:
        """The account was reconciled since the pause."""
        self.paused = False

    def _objection(
        self, approved: Approved, received_at: float, wire: bytes
    ) -> tuple[Reason, str] | None:
        """The reason not to send and what more is known of it, or None; pure looks, no await."""
        reason = self._reason(approved, received_at, wire)
        if reason is not None:
            return reason, ""
        why = "" if approved.intent.lowers_exposure else self._lease_lost()
        if why:
            return Reason.LEASE_LOST, why
        refused = self._venue_refuses(approved.intent)
        if refused is not None:
            return refused
        crowded = self._venue.no_room(
            approved.request, new_risk=not approved.intent.lowers_exposure
        )
        return None if crowded is None else (Reason.RATE_LIMITED, crowded)

    def _reason(self, approved: Approved, received_at: float, wire: bytes) -> Reason | None:
        request = approved.request
        if not self._may_place():
            return Reason.PLACING_OFF
        standing = self._standing()
        if self._halted() or standing == HALT:
            return Reason.TRADING_HALTED  # cancels only: a sale too would be an order after a kill
        if standing == REDUCE and not approved.intent.lowers_exposure:
            return Reason.REDUCE_ONLY
        if not self._lane.alive:
            return Reason.LOCK_LOST
        if self.paused or self._loop_gap.seconds > LOOP_GAP_MAX_S:
            return Reason.LOOP_STALLED
        if self._clock.monotonic() - received_at > APPROVAL_LIFE_S:
            return Reason.APPROVAL_EXPIRED
        if self._clock.now() + seconds(self._venue_ahead_s()) >= request.deadline:
            return Reason.APPROVAL_EXPIRED
        if request.cl_ord_id in self._sent or self._venue.decode_order(wire) != request:
            return Reason.WIRE_DIFFERS
        # Asked here, not left to `place`: OrderSent must be true, VOID after it could not be told
        # from an order that is there.
        return None if self._venue.can_place else Reason.PRIVATE_FEED_DOWN

    async def send(self, approved: Approved, received_at: float) -> None:
        """Check and send once; every outcome is an event."""
        request = approved.request
        wire = self._venue.encode_order(request)
        objection = self._objection(approved, received_at, wire)
        if objection is not None:
            reason, detail = objection
            self._emit(NotSent(cl_ord_id=request.cl_ord_id, reason=reason, detail=detail))
            return
        self._note_sent(request.cl_ord_id)
        self._emit(OrderSent(cl_ord_id=request.cl_ord_id))
        self._emit(await self._venue.place(request, wire))

    def _note_sent(self, cl_ord_id: str) -> None:
        self._sent[cl_ord_id] = None
        if len(self._sent) > SENDS_KEPT:
            del self._sent[next(iter(self._sent))]
