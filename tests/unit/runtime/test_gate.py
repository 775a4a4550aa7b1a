"""The gate sends an approved order once or not at all, and says why not."""

import pytest
from runtime_parts import HandClock, ListLane, RecordingVenue, approved

from simple_trader.domain.events import NotSent, OrderAcked, OrderSent
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason
from simple_trader.runtime.gate import Gate, LoopGap


class Desk:
    """Everything a gate needs, with switches."""

    def __init__(self) -> None:
        self.clock, self.lane, self.venue = HandClock(), ListLane(), RecordingVenue()
        self.events: list = []
        self.halted, self.placing, self.standing = False, True, "RUN"
        self.refusal: tuple[Reason, str] | None = None
        self.gap = LoopGap(self.clock)
        self.lease_lost, self.ahead_s = "", 0.0
        self.gate = Gate(
            venue=self.venue,
            lane=self.lane,
            clock=self.clock,
            emit=self.events.append,
            halted=lambda: self.halted,
            standing=lambda: self.standing,
            venue_refuses=lambda intent: self.refusal,
            may_place=lambda: self.placing,
            loop_gap=self.gap,
            lease_lost=lambda: self.lease_lost,
            venue_ahead_s=lambda: self.ahead_s,
        )


async def test_an_approved_order_is_sent_once_and_its_ack_is_an_event() -> None:
    desk = Desk()
    await desk.gate.send(approved(), received_at=desk.clock.real)
    assert desk.venue.sends == [b"st1-1"]
    assert desk.events == [
        OrderSent(cl_ord_id="st1-1"),
        OrderAcked(cl_ord_id="st1-1", order_id="O1"),
    ]


async def test_the_same_order_is_never_sent_twice() -> None:
    desk = Desk()
    await desk.gate.send(approved(), received_at=desk.clock.real)
    await desk.gate.send(approved(), received_at=desk.clock.real)
    assert desk.venue.sends == [b"st1-1"]
    assert desk.events[-1] == NotSent(cl_ord_id="st1-1", reason=Reason.WIRE_DIFFERS, detail="")


def stale(desk: Desk) -> None:
    desk.clock.real += 2.1
    desk.gap.beat()


def frozen(desk: Desk) -> None:
    desk.clock.real += 6.0


def late(desk: Desk) -> None:
    desk.clock.at = approved().request.deadline


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda d: setattr(d, "placing", False), Reason.PLACING_OFF),
        (lambda d: setattr(d, "halted", True), Reason.TRADING_HALTED),
        (lambda d: setattr(d.lane, "alive", False), Reason.LOCK_LOST),
        (frozen, Reason.LOOP_STALLED),
        (stale, Reason.APPROVAL_EXPIRED),
        (late, Reason.APPROVAL_EXPIRED),
        (lambda d: setattr(d.venue, "spoil", True), Reason.WIRE_DIFFERS),
        # Found by killing the sandbox: OrderSent followed by NotSent left the order SENT for ever.
        (lambda d: setattr(d.venue, "connected", False), Reason.PRIVATE_FEED_DOWN),
        (lambda d: setattr(d.venue, "crowded", True), Reason.RATE_LIMITED),
        (lambda d: setattr(d, "refusal", (Reason.PAIR_NOT_ONLINE, "")), Reason.PAIR_NOT_ONLINE),
    ],
)
async def test_every_objection_keeps_the_order_from_the_wire(spoil, reason) -> None:
    desk = Desk()
    received_at = desk.clock.real
    spoil(desk)
    await desk.gate.send(approved(), received_at=received_at)
    assert desk.venue.sends == []
    assert [event.reason for event in desk.events] == [reason]


@pytest.mark.parametrize("side", list(Side))
async def test_i23_a_pressed_kill_switch_lets_nothing_through_not_even_a_sale(side) -> None:
    desk = Desk()
    desk.halted = True
    await desk.gate.send(approved(side=side), received_at=desk.clock.real)
    assert desk.venue.sends == []


@pytest.mark.parametrize(
    ("standing", "side", "reason"),
    [
        ("HALT", Side.BUY, Reason.TRADING_HALTED),
        ("HALT", Side.SELL, Reason.TRADING_HALTED),
        ("REDUCE", Side.BUY, Reason.REDUCE_ONLY),
        ("REDUCE", Side.SELL, None),
    ],
)
async def test_i23_an_order_approved_before_the_trading_state_changed_obeys_the_new_one(
    standing, side, reason
) -> None:
    """It waited for its commit while an invariant broke or the daily stop fell."""
    desk = Desk()
    desk.standing = standing
    await desk.gate.send(approved(side=side), received_at=desk.clock.real)
    assert len(desk.venue.sends) == (reason is None)
    assert [e.reason for e in desk.events if isinstance(e, NotSent)] == ([reason] if reason else [])


async def test_pt6_a_crowded_counter_refuses_new_risk_and_lets_an_exit_through() -> None:
    desk = Desk()
    desk.venue.crowded = True
    await desk.gate.send(approved("st1-1", side=Side.BUY), received_at=desk.clock.real)
    await desk.gate.send(approved("st1-2", side=Side.SELL), received_at=desk.clock.real)
    assert desk.venue.sends == [b"st1-2"]
    assert desk.events[0] == NotSent(
        cl_ord_id="st1-1", reason=Reason.RATE_LIMITED, detail="the counter is full"
    )


@pytest.mark.parametrize("side", list(Side))
async def test_i_29_without_the_health_lease_new_risk_stays_and_a_sale_goes(side) -> None:
    desk = Desk()
    desk.lease_lost = "the private stream is down"
    await desk.gate.send(approved(side=side), received_at=desk.clock.real)
    assert bool(desk.venue.sends) is (side is Side.SELL)
    if side is Side.BUY:
        assert desk.events == [
            NotSent(cl_ord_id="st1-1", reason=Reason.LEASE_LOST, detail=desk.lease_lost)
        ]


@pytest.mark.parametrize("side", list(Side))
async def test_i_27_p03_after_a_pause_nothing_leaves_before_the_account_is_reconciled(side) -> None:
    desk = Desk()
    desk.gate.pause()
    await desk.gate.send(approved("st1-1", side), received_at=desk.clock.real)
    assert [event.reason for event in desk.events] == [Reason.LOOP_STALLED]
    desk.gate.go_on()
    await desk.gate.send(approved("st1-2", side), received_at=desk.clock.real)
    assert desk.venue.sends == [b"st1-2"]


@pytest.mark.parametrize(("ahead_s", "sent"), [(4.9, True), (5.0, False), (-3.0, True)])
async def test_x34_a_deadline_is_judged_by_the_exchanges_clock(ahead_s, sent) -> None:
    desk = Desk()
    desk.ahead_s = ahead_s
    await desk.gate.send(approved(), received_at=desk.clock.real)
    assert bool(desk.venue.sends) is sent
