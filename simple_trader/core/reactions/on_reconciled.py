"""Reconciliation: a full look came in, or the stream's balances are due for a comparison.

When each difference is told: one the stream shows is noticed by the check every 60 s, looked into
at once by one look, and decided by a look `REST_LAG_S` later; one that only REST shows is noticed
by the full look every 15 min and decided the same way. Until then nothing takes new risk.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.core.portfolio.balances import REST_LAG_S
from simple_trader.core.portfolio.reconcile import Doubt
from simple_trader.core.reactions import asking
from simple_trader.core.reactions.asking import ask_orders, ask_reconcile, ask_unresolved
from simple_trader.core.reactions.evidence import settle_evidence
from simple_trader.core.reactions.standing import audit, halt_on, restate
from simple_trader.core.schedule.timers import RECONCILE
from simple_trader.core.state import EngineState, Flow
from simple_trader.domain.actions import Action, Note, RecycleStream, Remember
from simple_trader.domain.events import OperatorExplained, Reconciled
from simple_trader.domain.moments import seconds
from simple_trader.domain.money import ZERO
from simple_trader.domain.order_states import RESTING
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import ReconciliationRow

CLEAN, EXPLAINED, UNEXPLAINED = "clean", "explained", "UNEXPLAINED"


def on_reconciled(state: EngineState, event: Reconciled, at: datetime) -> list[Action]:
    """A full look came in: orders of ours that are open nowhere are asked about, all differences
    are compared, and what is behind this look by the lag of REST need not be read again.

    A clean look lifts RECONCILING; balances of trades that it must have shown are believed.
    """
    asked, after = state.questions.get(event.question_id), state.health.look_after
    if asked is not None:
        # It began when it was asked for, wherever the clock was set to since.
        began = max(event.looked_from, asked.asked_at)
        event = msgspec.structs.replace(event, looked_from=began)
    elif event.question_id or (after is not None and event.looked_from < after):
        return []  # begun before what made it worthless: the look asked for since then will answer
    state.close_about(asking.ACCOUNT, "all")
    if not event.clean:
        state.health.reconciled = False
        text = f"Not reconciled: {event.detail}"
        note = Note(level="warning", text=text, reason=Reason.NOT_RECONCILED)
        return [note, *restate(state, at)]
    recon = state.recon
    cause = "start" if recon.looks == 0 else "rest" if state.health.reconciled else "reconnect"
    recon.looks += 1
    seen = dict.fromkeys(event.open_cl_ord_ids)
    # One that changed since the look began too: nobody else would ask about it for 15 minutes.
    gone = [
        order
        for order in state.orders.live()
        if order.state in RESTING and order.cl_ord_id not in seen
    ]
    actions: list[Action] = ask_orders(state, gone, at)
    if cause != "rest" and any(name in state.orders.orders for name in seen):
        # REST may still list what ended while nobody listened: look again when its lag is over.
        again = at + seconds(REST_LAG_S + 5)
        state.timers.wake(RECONCILE, min(state.timers.due.get(RECONCILE, again), again))
    recon.lost_orders = tuple(name for name in seen if state.orders.find(name, None) is None)
    recon.looked_from = event.looked_from
    verified = event.looked_from - seconds(REST_LAG_S)
    state.watermark = max(state.watermark or verified, verified)
    state.balances.settle(at, older_than_s=10.0)
    state.health.reconciled = True
    settle_evidence(state, event)
    actions.extend(_foreign_rows(state, event, at))
    if event.foreign_open_orders and cause != "rest":
        text = f"{event.foreign_open_orders} open orders on this account are not ours: left alone."
        actions.append(Note(level="info", text=text))
    if recon.recycle:
        recon.recycle = False
        text = "the executions channel is silent: the ledger tells of trades that it did not"
        actions.append(RecycleStream(detail=text))
    actions.extend(compare(state, at, cause))
    actions.extend(_round_rows(state, event, cause, at))
    late_since = state.health.late_since
    if late_since is not None and event.looked_from < late_since:
        actions.extend(ask_reconcile(state, at))  # this one was under way when the evidence came
    return [*actions, *restate(state, at), *ask_unresolved(state, at)]


def check_stream(state: EngineState, at: datetime) -> list[Action]:
    """The balances of the stream against the books, every 60 s of market time (PT16)."""
    if not state.health.reconciled:
        return []
    return [*compare(state, at, "stream"), *restate(state, at)]


def decide_doubts(state: EngineState, at: datetime) -> list[Action]:
    """Doubts that are over or due: asked of often, as they hold back new risk."""
    if not (state.recon.doubts and state.health.reconciled):
        return []
    actions = [*compare(state, at, "stream"), *restate(state, at)]
    if state.recon.look_due(at):
        actions.extend(ask_reconcile(state, at))
    return actions


def compare(state: EngineState, at: datetime, cause: str) -> list[Action]:
    """Compare everything, follow the doubts, tell what is new and what is over."""
    recon, balances = state.recon, state.balances
    negative = next((lot for lot in state.lots.lots() if lot.left_qty < ZERO), None)
    if negative is not None:
        return halt_on(state, at, Reason.INVARIANT, f"Lot {negative.lot_id} is below zero (I-15).")
    lots = lots_by_asset(state)
    at_most = {asset: balances.at_most(asset) for asset in lots}
    digits = {asset: rules.precision for asset, rules in state.assets.items()}
    found = recon.findings(balances.totals, at_most, lots, digits, at)
    due, over = recon.doubt(found, at)
    actions: list[Action] = [
        asset_row(state, asset, cause, CLEAN, at)
        for asset in sorted(recon.assets)
        if asset not in recon.written and asset not in found and recon.since is not None
    ]
    for doubt in due:
        actions.append(_row(state, doubt, cause, UNEXPLAINED, at))
        text = f"UNEXPLAINED: {_what(doubt)}. No new risk until it is explained."
        actions.append(Note(level="error", text=text, reason=Reason.BALANCE_UNEXPLAINED))
    for doubt in over:
        actions.append(_row(state, doubt, cause, CLEAN, at))
        text = f"Explained by what came since: {_what(doubt)}."
        actions.append(Note(level="info", text=text, reason=Reason.RECONCILED))
    fresh = [doubt for doubt in recon.doubts.values() if not doubt.looked]
    for doubt in fresh:
        doubt.looked = True
        text = f"Looking into a difference: {_what(doubt)}."
        actions.append(Note(level="info", text=text, reason=Reason.RECONCILING))
    if fresh and cause == "stream":
        recon.recycle = any(doubt.finding.silent for doubt in fresh)
        actions.extend(ask_reconcile(state, at))
    waiting = [doubt for doubt in recon.doubts.values() if not doubt.told]
    state.health.doubtful = _what(waiting[0]) if waiting else ""
    state.health.unexplained = recon.told
    return actions


def on_explained(state: EngineState, event: OperatorExplained, at: datetime) -> list[Action]:
    """A person answers for an asset: what differs now is booked as explained, and audited."""
    asset, recon = event.asset, state.recon
    if recon.since is None or not state.health.reconciled:
        text = f"{asset} was not explained: the account is not reconciled yet, try again then."
        return [Note(level="warning", text=text, reason=Reason.NOT_RECONCILED)]
    held = lots_by_asset(state).get(asset, ZERO)
    missing = max(ZERO, held - state.balances.at_most(asset))
    stood = [doubt for doubt in recon.doubts.values() if doubt.finding.asset == asset]
    left = recon.accept(asset, state.balances.total(asset), missing)
    recon.doubts = {
        name: doubt for name, doubt in recon.doubts.items() if doubt.finding.asset != asset
    }
    detail = f"{event.actor}: {event.detail}"
    subjects = [doubt.subject for doubt in stood] or [asset]
    rows = [asset_row(state, asset, "operator", EXPLAINED, at, s, detail) for s in subjects]
    text = f"{asset} explained by {event.actor}: {left:f} accepted ({event.detail})."
    if left != ZERO:
        flow = Flow(asset=asset, amount=left, at=at, what="explained difference")
        state.unpriced_flows.append(flow)
    return [
        audit(at, event.actor, "cli", "reconcile", asset, f"{left:f}", event.detail),
        *rows,
        Note(level="warning", text=text, reason=Reason.OPERATOR),
        *compare(state, at, "operator"),
        *restate(state, at),
    ]


def opening_rows(state: EngineState, at: datetime) -> list[Action]:
    """The rows that keep a new opening: from now on every change must be explained."""
    return [asset_row(state, asset, "start", CLEAN, at) for asset in state.recon.assets]


def lots_by_asset(state: EngineState) -> dict[str, Decimal]:
    """Units of each base asset that our lots hold."""
    sums: dict[str, Decimal] = {}
    for lot in state.lots.lots():
        sums[lot.base] = sums.get(lot.base, ZERO) + lot.left_qty
    return sums


def asset_row(
    state: EngineState,
    asset: str,
    cause: str,
    verdict: str,
    at: datetime,
    subject: str = "",
    detail: str = "",
) -> Remember:
    """The comparison of one asset as it stands now."""
    book, balance = state.recon.book_of(asset), state.balances.total(asset)
    state.recon.written[asset] = balance
    return Remember(
        record=ReconciliationRow(
            at=at,
            cause=cause,
            state=verdict,
            subject=subject or asset,
            detail=detail,
            asset=asset,
            since=state.recon.since,
            opening=book.opening,
            ledger_sum=book.ledger_sum,
            explained=book.explained,
            short=book.short,
            balance=balance,
            residual=balance - book.expected,
        )
    )


def _row(state: EngineState, doubt: Doubt, cause: str, verdict: str, at: datetime) -> Remember:
    """A doubt that was decided; one of no asset stands alone."""
    asset, detail = doubt.finding.asset, doubt.finding.detail
    if asset:
        return asset_row(state, asset, cause, verdict, at, doubt.subject, detail)
    return Remember(
        record=ReconciliationRow(
            at=at, cause=cause, state=verdict, subject=doubt.subject, detail=detail
        )
    )


def _round_rows(state: EngineState, event: Reconciled, cause: str, at: datetime) -> list[Remember]:
    """A row of the whole look, and one of each asset whose balance moved since its last row."""
    recon = state.recon
    told = {doubt.finding.asset for doubt in recon.doubts.values()}
    rows = [
        asset_row(state, asset, cause, CLEAN, at)
        for asset in sorted(recon.assets)
        if asset not in told and recon.written.get(asset) != state.balances.total(asset)
    ]
    whole = ReconciliationRow(
        at=at,
        cause=cause,
        state=UNEXPLAINED if recon.told else CLEAN,
        detail=event.detail,
        looked_from=event.looked_from,
    )
    return [*rows, Remember(record=whole)]


def _foreign_rows(state: EngineState, event: Reconciled, at: datetime) -> list[Remember]:
    """Orders of others as the look shows them: kept for people, never touched (I-09)."""
    before = state.recon.foreign
    state.recon.foreign = {row.order_id: row for row in event.foreign}
    rows = [row for row in event.foreign if before.get(row.order_id) != row]
    rows += [
        msgspec.structs.replace(row, status="closed", closed_at=at, reason="no longer open")
        for name, row in before.items()
        if name not in state.recon.foreign
    ]
    return [Remember(record=row) for row in rows]


def _what(doubt: Doubt) -> str:
    """A doubt in words, its asset first."""
    asset = doubt.finding.asset
    return f"{asset}: {doubt.finding.detail}" if asset else doubt.finding.detail
