"""The account: balances, ledger, fees."""

from datetime import datetime
from decimal import Decimal

from simple_trader.core.portfolio.account import rate_of
from simple_trader.core.portfolio.balances import is_flow, legs_of
from simple_trader.core.reactions.fee_corrections import on_ledger_fee
from simple_trader.core.reactions.on_reconciled import opening_rows
from simple_trader.core.reactions.standing import risk_row
from simple_trader.core.risk import breaker
from simple_trader.core.state import EngineState, Flow
from simple_trader.domain.actions import Action, Note, Remember
from simple_trader.domain.events import BalancesSeen, FeesSeen, LedgerSeen
from simple_trader.domain.fills import Fill
from simple_trader.domain.money import ZERO
from simple_trader.domain.records import BalanceRow, LedgerRow


def on_balances(state: EngineState, event: BalancesSeen, at: datetime) -> list[Action]:
    """A snapshot of all totals; a row for each that changed. The first one of the stream in the
    life of a world is the opening of its books.
    """
    live = event.source == "ws"
    if live:
        state.balances.split = dict.fromkeys(event.split, True)
    changed = state.balances.on_snapshot(event.balances, at, live=live)
    actions: list[Action] = [
        Remember(record=BalanceRow(asset=asset, balance=total, at=at, cause=event.source))
        for asset, total in changed.items()
    ]
    if live and state.recon.since is None:
        state.recon.open(event.balances, at)
        actions.extend(opening_rows(state, at))
    return actions


def on_ledger(state: EngineState, event: LedgerSeen, at: datetime) -> list[Action]:
    """One ledger entry: its row, the new total, and flows that are neither gain nor loss."""
    entry = event.entry
    before = state.balances.totals.get(entry.asset)
    booked = entry.ref_id in state.seen_execs
    if not state.balances.on_ledger(entry, booked=booked):
        return []
    state.recon.on_entry(entry)
    actions: list[Action] = [Remember(record=LedgerRow(entry=entry))]
    total = state.balances.total(entry.asset)
    if total != before:
        row = BalanceRow(asset=entry.asset, balance=total, at=entry.at, cause=entry.kind)
        actions.append(Remember(record=row))
    actions.extend(on_ledger_fee(state, entry, at))
    if is_flow(entry.kind):
        add_flow(state, entry.asset, entry.change, entry.at, entry.kind)
        actions.extend(count_flows(state, at))
    return actions


def add_flow(state: EngineState, asset: str, amount: Decimal, moment: datetime, what: str) -> None:
    """Money that moves equity and is no result of our trading, to be valued and counted."""
    state.unpriced_flows.append(Flow(asset=asset, amount=amount, at=moment, what=what))


def add_trade_flow(state: EngineState, fill: Fill) -> None:
    """A trade of someone else on this account: what it gained or cost is not ours either."""
    for asset, change in legs_of(fill).items():
        add_flow(state, asset, change, fill.venue_at, "trade of someone else")


def count_flows(state: EngineState, at: datetime) -> list[Action]:
    """Keep flows out of the loss of the day, as soon as there is a price to value them at."""
    waiting, mids, watched = state.unpriced_flows, state.mids(), state.watched_assets()
    since = state.recon.since
    state.unpriced_flows = []
    actions: list[Action] = []
    before = state.memory
    for flow in waiting:
        if flow.asset not in watched or (since is not None and flow.at < since):
            continue  # not in our equity, or in it since before our books began
        rate = rate_of(flow.asset, mids)
        if rate is None:
            state.unpriced_flows.append(flow)
            continue
        counted = breaker.add_flow(state.memory, flow.amount * rate)
        if counted is not state.memory:
            state.memory = counted
            text = f"{flow.what} of {flow.amount:f} {flow.asset}: not counted as gain or loss."
            actions.append(Note(level="info", text=text))
    return actions if state.memory is before else [risk_row(state, at), *actions]


def follow_assets(state: EngineState, at: datetime) -> None:
    """What is held of an asset comes into our equity, or leaves it, when its pair is taken in or
    out: no gain and no loss. Those of the first judgement are what the run began with.
    """
    before, now = state.judged_assets, state.watched_assets()
    state.judged_assets = now
    if not before or before == now:
        return
    mids, expected = state.mids(), state.balances.all_expected()
    for asset in before:
        held, rate = expected.get(asset, ZERO), rate_of(asset, mids)
        if asset not in now and held != ZERO and rate is not None:
            state.memory = breaker.add_flow(state.memory, -held * rate)
    for asset in now:
        if asset not in before and expected.get(asset, ZERO) != ZERO:
            add_flow(state, asset, expected[asset], at, "newly watched holding")


def judged_equity(state: EngineState) -> Decimal | None:
    """Equity for the loss of the day; None while a balance is not explained or a flow not valued.

    Money that came or went while nobody looked would be judged as gain or loss; new risk waits for
    the same reasons. A difference of this moment counts too, before the next comparison finds it.
    """
    health = state.health
    known = health.reconciled and not (health.doubtful or health.unexplained)
    if not known or state.unpriced_flows or not state.recon.agrees(state.balances.totals):
        return None
    return state.equity()


def on_fees(state: EngineState, event: FeesSeen) -> list[Action]:
    """The account's fee tier on a pair; a change is told and holds from now on (X26)."""
    fees = event.fees
    if state.fees.get(fees.pair) == fees:
        return []
    state.fees[fees.pair] = fees
    maker, taker = fees.maker * 100, fees.taker * 100
    text = f"Fees of {fees.pair} are now {maker:f} percent maker, {taker:f} percent taker."
    return [Note(level="info", text=text, pair=fees.pair)]
