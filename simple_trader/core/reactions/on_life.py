"""The life of the daemon: start, stop, feeds, store, reconciliation."""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.core.market.price_board import PriceBoard
from simple_trader.core.portfolio.balances import REST_LAG_S, Balances
from simple_trader.core.portfolio.lots import LotBook
from simple_trader.core.reactions.asking import ask_unresolved, look_anew
from simple_trader.core.reactions.decide import cut_off
from simple_trader.core.reactions.evidence import books_end
from simple_trader.core.reactions.fee_corrections import recall
from simple_trader.core.reactions.on_advice import give_up
from simple_trader.core.reactions.predicting import take_up_model
from simple_trader.core.reactions.standing import audit, causes_of, restate, risk_row
from simple_trader.core.risk.case import HALT, REDUCE, RUN
from simple_trader.core.risk.ceilings import in_force
from simple_trader.core.state import EngineState, Health, Tally
from simple_trader.domain.actions import Action, Note, Remember
from simple_trader.domain.events import (
    FeedDown,
    FeedUp,
    Started,
    Stopping,
    StoreHealth,
    VenueWarned,
)
from simple_trader.domain.moments import seconds, utc_day
from simple_trader.domain.money import ZERO
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Order
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import ConfigRow, OrderStateRow

RECOVERED = "recovered after a restart: may or may not have been sent"


def on_started(event: Started, at: datetime) -> tuple[EngineState, list[Action]]:
    """Build the state from what was recovered; nothing trades before it is reconciled."""
    state = EngineState(
        epoch=event.epoch,
        mode=event.mode,
        world=event.world,
        settings=in_force(event.settings),
        config_hash=event.config_hash,
        started_at=at,
        assets={rules.asset: rules for rules in event.assets},
        rules={rules.pair: rules for rules in event.pairs},
        fees={rates.pair: rates for rates in event.fees},
        board=PriceBoard(window=event.settings.quantity_of_price_history),
        balances=Balances(totals=dict(event.balances), snapshot_at=at),
        lots=LotBook(),
        memory=event.risk,
        health=Health(venue=event.venue),
        last_cycle_at=event.last_cycle_at,
        last_training_at=event.last_training_at,
        tally=Tally(
            realised=event.realised_pnl,
            realised_today=_realised_today(event, at),
            today=utc_day(at),
            fills=event.fills_booked,
            cycles=event.cycles_run,
        ),
    )
    state.turnover.begin(event.turned)
    state.marks.add(event.marks.open)
    state.calibration.begin(event.marks.tallies)
    state.board.warm(event.candles)
    state.lots.begin(event.lots, event.fills)
    for exec_id in (*(fill.exec_id for fill in event.fills), *event.seen_exec_ids):
        state.see_exec(exec_id)
    state.watermark = verified_until(event)
    state.recovered_until = books_end(event.last_trade_at, event.orders)
    state.recon.begin(event.ledger, at)
    recall(state, event.ledger.unmet)
    state.balances.seen_ledgers = dict.fromkeys(event.ledger.seen, True)
    state.health.unexplained = state.recon.told
    recovered = [
        *_take_orders(state, event.orders, at),
        *(cut_off(state, snapshot, at) for snapshot in event.undecided),
    ]
    state.timers.begin(event.settings, at, last_training_at=event.last_training_at)
    take_up_model(state, event, at)
    state.causes = causes_of(state)
    state.trading_state = HALT if state.memory.halted else REDUCE if state.causes else RUN
    return state, [
        Remember(
            record=ConfigRow(
                config_hash=event.config_hash, at=at, source=event.source, texts=event.texts
            )
        ),
        audit(at, "engine", "engine", "start", event.world, "", f"{event.mode}, {event.epoch}"),
        risk_row(state, at),
        *recovered,
        Note(
            level="info",
            text=(
                f"Started in {event.mode}: {len(state.orders.live())} orders, "
                f"{len(event.lots)} lots, {len(event.candles)} candles; "
                "reconciling before trading."
            ),
            reason=Reason.STARTING,
        ),
    ]


def verified_until(event: Started) -> datetime | None:
    """From when on trades and ledger must be read again: all before the newest clean full look are
    in, less the lag of REST; without one, all before the newest fill.
    """
    looked = event.ledger.looked_from
    return event.last_trade_at if looked is None else looked - seconds(REST_LAG_S)


def _realised_today(event: Started, at: datetime) -> Decimal:
    """What this UTC day has realised: nothing, if its last fill was on another day."""
    last = event.last_trade_at
    return ZERO if last is None or utc_day(last) != utc_day(at) else event.realised_today


def _take_orders(state: EngineState, orders: tuple[Order, ...], at: datetime) -> list[Action]:
    """Take recovered orders over; one that may have been on its way has an unknown outcome."""
    actions: list[Action] = []
    for order in orders:
        known = order
        if order.state in (OrderState.DISPATCHING, OrderState.SENT):
            known = msgspec.structs.replace(
                order,
                state=OrderState.UNKNOWN,
                state_reason=Reason.SENT_UNKNOWN,
                detail=RECOVERED,
                changed_at=at,
            )
        state.orders.put(known)
        if known.state is OrderState.UNKNOWN:
            actions.append(Remember(record=OrderStateRow(order=known)))
    return actions


def on_stopping(state: EngineState, event: Stopping, at: datetime) -> list[Action]:
    """No new intents from here on."""
    state.stopping = True
    cycle, detail = state.cycle, "stopped before the advice came"
    ended = [] if cycle is None else give_up(state, cycle, Reason.INTERRUPTED, detail, at)
    return [
        *ended,
        audit(at, "engine", "engine", "stop", state.world, state.trading_state, event.reason),
        risk_row(state, at),  # `status` tells this equity while no daemon runs
        Note(level="info", text=f"Stopping: {event.reason}"),
    ]


def on_store_health(state: EngineState, event: StoreHealth, at: datetime) -> list[Action]:
    """A slow or absent store takes no new risk; it heals by itself."""
    state.health.store = None if event.ok else event.reason or Reason.STORE_DOWN
    return restate(state, at)


def on_feed_up(state: EngineState, event: FeedUp, at: datetime) -> list[Action]:
    """A feed delivers; after the private one came (back), the account is looked at as a whole."""
    if event.feed == "public":
        state.health.public_up = True
    if event.feed != "private":
        return restate(state, at)
    state.health.private_up = True
    looked = look_anew(state, at)
    return [*restate(state, at), *looked, *ask_unresolved(state, at)]


def on_venue_warned(event: VenueWarned) -> list[Action]:
    """Tell people; what is late or refused is guarded where it is used (age of a quote, books)."""
    what = event.kind.replace("_", " ")
    state = "is over" if event.over else event.detail
    level = "info" if event.over else "warning"
    return [Note(level=level, text=f"Kraken, {event.feed} connection, {what}: {state}")]


def on_feed_down(state: EngineState, event: FeedDown, at: datetime) -> list[Action]:
    """A feed is gone: the private one shows fills, the public one prices."""
    actions: list[Action] = []
    if event.feed == "public":
        state.health.public_up = False
    elif event.feed == "private":
        state.health.private_up = False
        state.health.reconciled = False
    elif event.feed == "book":
        for pair in list(state.board.boards):
            state.board.on_book_lost(pair)
    if not event.disabled:
        actions.append(Note(level="warning", text=f"Feed {event.feed} down: {event.detail}"))
    return [*actions, *restate(state, at)]
