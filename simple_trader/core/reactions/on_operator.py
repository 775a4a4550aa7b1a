"""People: halt, resume, changed settings."""

from datetime import datetime

import msgspec

from simple_trader.core.reactions.on_account import judged_equity
from simple_trader.core.reactions.on_health import SKEW_HALT_S
from simple_trader.core.reactions.standing import (
    audit,
    cancel_all,
    cancel_own,
    cover_all,
    restate,
    risk_row,
)
from simple_trader.core.risk import breaker
from simple_trader.core.risk.ceilings import in_force
from simple_trader.core.state import EngineState
from simple_trader.domain.actions import Action, Note, Remember
from simple_trader.domain.events import (
    OperatorHalt,
    OperatorResume,
    SettingsChanged,
    SettingsRejected,
)
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import AuditRow, ConfigRow


def on_halt(state: EngineState, event: OperatorHalt, at: datetime) -> list[Action]:
    """Latch HALT and cancel everything on the account: the kill switch."""
    before = state.trading_state
    state.memory = breaker.latch(state.memory, Reason.OPERATOR, event.detail)
    marked = cover_all(cancel_own(state, at, Reason.OPERATOR))
    cancels = cancel_all(state)
    return [
        audit(at, event.actor, "cli", "halt", "trading", before, event.detail),
        *(restate(state, at) or [risk_row(state, at)]),
        *marked,
        *cancels,
    ]


def on_resume(state: EngineState, event: OperatorResume, at: datetime) -> list[Action]:
    """Lift HALT and the daily stop, deliberately; other causes stay until they heal."""
    before = ", ".join(state.causes) or state.trading_state
    refused = _not_yet(state)
    if refused:
        return [
            _refused_resume(event, before, refused, at),
            Note(level="error", text=f"Not resumed: {refused}", reason=Reason.OPERATOR),
        ]
    state.memory = breaker.resume(state.memory, judged_equity(state), at)
    state.repeats.forget()
    state.memory = msgspec.structs.replace(state.memory, cancel_due=False)
    changed = restate(state, at) or [risk_row(state, at)]
    return [
        audit(at, event.actor, "cli", "resume", "trading", before, state.trading_state),
        *changed,
        Note(
            level="info", text=f"Resumed by {event.actor}: {event.detail}", reason=Reason.OPERATOR
        ),
    ]


def _not_yet(state: EngineState) -> str:
    """Why a halt cannot be lifted now (W08); a daily stop or a drawdown alone always can."""
    if not state.memory.halted:
        return ""
    unknown = [one.cl_ord_id for one in state.orders.live() if one.state is OrderState.UNKNOWN]
    if unknown:
        return f"the outcome of {', '.join(unknown)} is not known yet; ask again when it is."
    if not state.health.reconciled:
        return "the account is not reconciled with the exchange yet; ask again when it is."
    if abs(state.health.skew_s) > SKEW_HALT_S:
        skew = f"{state.health.skew_s:+.1f} s"
        return f"the exchange's clock is {skew} from ours; set this machine's clock and restart."
    return ""


def _refused_resume(event: OperatorResume, before: str, why: str, at: datetime) -> Remember:
    return Remember(
        record=AuditRow(
            at=at,
            actor=event.actor,
            origin="cli",
            action="resume",
            object="trading",
            before=before,
            after=before,
            result=f"refused: {why}",
        )
    )


def on_settings(state: EngineState, event: SettingsChanged, at: datetime) -> list[Action]:
    """Use a new version from now on; a cycle in flight ends with the one it began with.

    A removed pair takes no new entry; its orders, lots, exits and prices are still followed (C04).
    """
    before = state.settings
    removed = [pair for pair in before.traded_pairs if pair not in event.settings.traded_pairs]
    state.settings = in_force(event.settings)
    state.config_hash = event.config_hash
    state.board.window = event.settings.quantity_of_price_history
    state.timers.changed(before, state.settings, at)
    left = [pair for pair in removed if pair in state.watched_pairs()]
    note = "The configuration changed: valid from now, for decisions from the next cycle."
    if left:
        note += f" No new entries on {', '.join(left)}; what is held there is still followed."
    return [
        Remember(
            record=ConfigRow(
                config_hash=event.config_hash, at=at, source=event.source, texts=event.texts
            )
        ),
        audit(at, "file", "config", "config", "config.yaml", event.before, event.after),
        Note(level="info", text=note),
        *restate(state, at),
    ]


def on_settings_rejected(event: SettingsRejected, at: datetime) -> list[Action]:
    """The old version stays; say why."""
    return [
        Remember(
            record=AuditRow(
                at=at,
                actor="file",
                origin="config",
                action="config",
                object="config.yaml",
                before="",
                after="",
                result=f"refused: {event.detail}",
            )
        ),
        Note(level="error", text=f"The configuration was not changed: {event.detail}"),
    ]
