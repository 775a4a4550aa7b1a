"""Health: clocks, the event loop's lag and gaps, the key, and what the exchange announces."""

from datetime import datetime, timedelta

from simple_trader.core.reactions.asking import ask_unresolved, look_anew
from simple_trader.core.reactions.standing import cancel_entries, halt_on, restate
from simple_trader.core.risk.dead_man import fired
from simple_trader.core.state import EngineState
from simple_trader.domain.actions import Action, LeaveVenue, Note
from simple_trader.domain.events import (
    AuthTrouble,
    ClockSkewSeen,
    ExecutionReport,
    LoopGapSeen,
    LoopLagSeen,
    VenueAnnounced,
)
from simple_trader.domain.reasons import TEXT, Reason

SKEW_TOLD_S = 1.0  # the client warns of it (VenueWarned); order deadlines follow the offset (X34)
SKEW_HALT_S = 5.0
_ONE_FIRING = timedelta(seconds=10)  # its cancels come one by one: they are told once


def on_clock_skew(state: EngineState, event: ClockSkewSeen, at: datetime) -> list[Action]:
    """A clock that is far from the exchange's spoils every deadline and age: HALT (X34)."""
    state.health.skew_s = event.skew_s
    if abs(event.skew_s) <= SKEW_HALT_S or state.memory.halted:
        return restate(state, at)
    detail = (
        f"The exchange's clock is {event.skew_s:+.1f} s from ours: set this machine's clock right, "
        "start again, then resume."
    )
    return halt_on(state, at, Reason.CLOCK_SKEW, detail)


def on_loop_lag(state: EngineState, event: LoopLagSeen, at: datetime) -> list[Action]:
    """An event loop that comes late to everything takes no new risk (P05, P09)."""
    state.health.loop_slow = not event.over
    text = f"The event loop is {event.p99_ms:.0f} ms late at the 99th percentile."
    level = "info" if event.over else "warning"
    return [Note(level=level, text=text, reason=Reason.LOOP_LAG), *restate(state, at)]


def on_loop_gap(state: EngineState, event: LoopGapSeen, at: datetime) -> list[Action]:
    """After a pause of the process nothing old is trusted: reconcile first of all (I-27)."""
    text = f"The process stood still for {event.gap_s:.1f} s: reconciling before new orders."
    state.health.trouble_over_at = at
    looked = look_anew(state, at)
    return [
        Note(level="warning", text=text, reason=Reason.LOOP_STALLED),
        *restate(state, at),
        *looked,
        *ask_unresolved(state, at),
    ]


def on_auth_trouble(state: EngineState, event: AuthTrouble, at: datetime) -> list[Action]:
    """A key that the exchange refuses stops us: no retry loop, HALT until a person looked (X20).

    One invalid nonce is mended by the next one; it halts only where it persists (X19).
    """
    if event.kind == "nonce" and not event.persistent:
        return [Note(level="warning", text=event.detail, reason=Reason.NONCE_REFUSED)]
    reason = Reason.NONCE_REFUSED if event.kind == "nonce" else Reason.KEY_REFUSED
    return halt_on(state, at, reason, event.detail)


def on_announced(state: EngineState, event: VenueAnnounced, at: datetime) -> list[Action]:
    """Follow what the exchange advises: reduce, cancel what raises exposure, stop, leave (X23)."""
    health = state.health
    first = health.announced != event.action
    health.announced, health.announced_at = event.action, at
    actions: list[Action] = []
    if first:
        text = f"The exchange announced trouble and advises to {event.action}: {event.detail}"
        actions.append(Note(level="warning", text=text, reason=Reason.MAINTENANCE_AHEAD))
    actions.extend(restate(state, at))
    if event.action != "reduce":
        actions.extend(cancel_entries(state, at, Reason.MAINTENANCE_AHEAD))
    if event.action == "disconnect" and first:
        actions.append(LeaveVenue(detail=event.detail))
    return actions


def on_switch_fired(state: EngineState, event: ExecutionReport, at: datetime) -> list[Action]:
    """The dead man's switch fired while we live: reconcile, then plan anew (X30)."""
    if not fired(event):
        return []
    before = state.health.switch_fired_at
    if before is not None and at - before < _ONE_FIRING:
        return []
    state.health.switch_fired_at = state.health.trouble_over_at = at
    looked = look_anew(state, at)
    return [
        Note(level="error", text=TEXT[Reason.SWITCH_FIRED], reason=Reason.SWITCH_FIRED),
        *restate(state, at),
        *looked,
        *ask_unresolved(state, at),
    ]
