"""The account: balances, ledger, fees."""

from datetime import datetime

from simple_trader.core.portfolio.account import rate_of
from simple_trader.core.portfolio.balances import FLOW_KINDS
from simple_trader.core.reactions.standing import risk_row
from simple_trader.core.risk import breaker
from simple_trader.core.state import EngineState
from simple_trader.domain.actions import Action, Note, Remember
from simple_trader.domain.events import BalancesSeen, FeesSeen, LedgerSeen
from simple_trader.domain.records import BalanceRow, LedgerRow


def on_balances(state: EngineState, event: BalancesSeen, at: datetime) -> list[Action]:
    """A snapshot of all totals; a row for each that changed."""
    changed = state.balances.on_snapshot(event.balances, at, live=event.source == "ws")
    return [
        Remember(record=BalanceRow(asset=asset, balance=total, at=at, cause=event.source))
        for asset, total in changed.items()
    ]


def on_ledger(state: EngineState, event: LedgerSeen, at: datetime) -> list[Action]:
    """One ledger entry: its row, the new total, and flows that are neither gain nor loss."""
    entry = event.entry
    before = state.balances.totals.get(entry.asset)
    booked = entry.ref_id in state.seen_execs
    if not state.balances.on_ledger(entry, booked=booked):
        return []
    actions: list[Action] = [Remember(record=LedgerRow(entry=entry))]
    total = state.balances.total(entry.asset)
    if total != before:
        row = BalanceRow(asset=entry.asset, balance=total, at=entry.at, cause=entry.kind)
        actions.append(Remember(record=row))
    if entry.kind in FLOW_KINDS:
        actions.extend(_count_flow(state, event, at))
    return actions


def _count_flow(state: EngineState, event: LedgerSeen, at: datetime) -> list[Action]:
    """Deposits and withdrawals move equity and are no result of trading."""
    entry = event.entry
    rate = rate_of(entry.asset, state.mids())
    if rate is None or entry.asset not in state.watched_assets():
        return []
    before = state.memory
    state.memory = breaker.add_flow(
        before, (entry.amount - entry.fee) * rate, entry.at, state.started_at
    )
    if state.memory is before:
        return []
    text = f"{entry.kind} of {entry.amount:f} {entry.asset}: not counted as gain or loss."
    return [risk_row(state, at), Note(level="info", text=text)]


def on_fees(state: EngineState, event: FeesSeen) -> list[Action]:
    """The account's fee tier on a pair; a change is told and holds from now on (X26)."""
    fees = event.fees
    if state.fees.get(fees.pair) == fees:
        return []
    state.fees[fees.pair] = fees
    maker, taker = fees.maker * 100, fees.taker * 100
    text = f"Fees of {fees.pair} are now {maker:f} percent maker, {taker:f} percent taker."
    return [Note(level="info", text=text, pair=fees.pair)]
