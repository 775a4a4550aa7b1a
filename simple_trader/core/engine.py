"""The engine: one event in, the actions it causes out, the same for the same state and event."""

from datetime import datetime
from typing import Self, assert_never

import msgspec

from simple_trader.core.reactions import (
    on_account,
    on_advice,
    on_execution,
    on_health,
    on_life,
    on_market,
    on_model,
    on_operator,
    on_reconciled,
    on_reply,
    on_timer,
)
from simple_trader.core.reactions.showing import status_view
from simple_trader.core.reactions.standing import halt_on
from simple_trader.core.risk.case import HALT, RUN
from simple_trader.core.risk.dead_man import wants_switch
from simple_trader.core.risk.venue_states import refusal
from simple_trader.core.state import EngineState
from simple_trader.domain import events as e
from simple_trader.domain.actions import Action
from simple_trader.domain.errors import InvariantBroken
from simple_trader.domain.orders import Intent
from simple_trader.domain.reasons import Reason
from simple_trader.domain.views import StatusView

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(EngineState)

MarketEvent = (
    e.QuoteSeen
    | e.BookSeen
    | e.CandleSeen
    | e.BookLost
    | e.InstrumentSeen
    | e.VenueStatusSeen
    | e.VenueAnnounced
)
OrderEvent = (
    e.ExecutionReport
    | e.OrderSent
    | e.NotSent
    | e.OrderAcked
    | e.OrderRejected
    | e.SendUnknown
    | e.CancelRejected
    | e.OrderLooked
)
AccountEvent = e.BalancesSeen | e.LedgerSeen | e.FeesSeen | e.Reconciled | e.OperatorExplained
AnswerEvent = (
    e.AdviceArrived
    | e.AdviceFailed
    | e.PredictionsArrived
    | e.PredictionsFailed
    | e.ModelTrained
    | e.OperatorTrain
    | e.TrainingSkipped
)
LifeEvent = (
    e.VenueWarned
    | e.FeedUp
    | e.FeedDown
    | e.StoreHealth
    | e.Stopping
    | e.SettingsChanged
    | e.SettingsRejected
    | e.OperatorHalt
    | e.OperatorResume
)
HealthEvent = e.ClockSkewSeen | e.LoopLagSeen | e.LoopGapSeen | e.AuthTrouble


class Engine:
    """The only writer of EngineState. Its first event is Started."""

    def __init__(self) -> None:
        """An engine that knows nothing yet."""
        self._state: EngineState | None = None

    @property
    def state(self) -> EngineState:
        """The state, to be read; raises InvariantBroken before Started."""
        if self._state is None:
            raise InvariantBroken("the engine was used before it was started")
        return self._state

    def process(self, stamped: e.Stamped) -> list[Action]:
        """Take one event at its market moment; returns what the body shall do, in order."""
        at, event = stamped.at, stamped.event
        if isinstance(event, e.Started):
            self._state, actions = on_life.on_started(event, at)
            return actions
        state = self.state
        actions = _react(state, event, at)
        if state.orders.broken:
            actions.extend(_halt_on_broken(state, at))
        if not state.ready and _get_ready(state, at):
            # The day begins with what is there before the first order, not with what it left.
            actions.extend(on_timer.check_day(state, at))
        return actions

    @property
    def trading_state(self) -> str:
        """RUN, REDUCE or HALT; HALT before Started, as nothing may be sent then."""
        return HALT if self._state is None else self._state.trading_state

    def venue_refuses(self, intent: Intent) -> tuple[Reason, str] | None:
        """Why exchange or pair do not take this intent now, by the rule of the risk manager."""
        state = self.state
        return refusal(intent, state.rules.get(intent.pair), state.health.takes)

    @property
    def wants_switch(self) -> bool:
        """Whether the dead man's switch shall be armed, by the orders that may rest (I-29).

        Before an announced maintenance it is not: it would fire when the exchange returns.
        """
        if self._state is None or self._state.health.announced not in {"", "reduce"}:
            return False
        return wants_switch(self._state.orders.live())

    @property
    def venue_ahead_s(self) -> float:
        """The exchange's clock minus ours, as last told."""
        return 0.0 if self._state is None else self._state.health.skew_s

    @property
    def reconciled(self) -> bool:
        """Whether the account was compared with the exchange since its stream came up."""
        return self._state is not None and self._state.health.reconciled

    @property
    def pairs_wanted(self) -> tuple[str, ...]:
        """Pairs whose market must be seen: the traded ones, and those with orders or lots (C04)."""
        return () if self._state is None else self._state.watched_pairs()

    def next_due(self) -> tuple[datetime, str] | None:
        """The next moment the brain wants to be woken at, and the timer's name."""
        return None if self._state is None else self._state.timers.soonest()

    def view(self, at: datetime) -> StatusView:
        """What people are shown of the state."""
        return status_view(self.state, at)

    def snapshot(self) -> bytes:
        """The whole state as bytes; `restore` goes on from it as if nothing had happened."""
        return _ENCODER.encode(self.state)

    @classmethod
    def restore(cls, data: bytes) -> Self:
        """An engine in the state of a snapshot; raises InvariantBroken for bytes that are none."""
        engine = cls()
        try:
            engine._state = _DECODER.decode(data)
        except msgspec.MsgspecError as error:
            raise InvariantBroken(f"this is no state of this version's engine: {error}") from None
        return engine


def _halt_on_broken(state: EngineState, at: datetime) -> list[Action]:
    """A move of an order outside the table of states was asked for and not done (I-06)."""
    broken, state.orders.broken = state.orders.broken, []
    return [action for detail in broken for action in halt_on(state, at, Reason.INVARIANT, detail)]


def _get_ready(state: EngineState, at: datetime) -> bool:
    """Ready for the first cycle: trading allowed, and of every pair a price, its slow reference and
    (where books run) a verified book.
    """
    if state.trading_state != RUN:
        return False
    books = state.settings.enable_order_book_feed
    for pair in state.settings.traded_pairs:
        board = state.board.boards.get(pair)
        if board is None or board.quote is None or (books and not board.book_trusted):
            return False
        if board.reference(at) is None:
            return False
    state.ready = True
    state.timers.first_cycle(state.settings, at, state.last_cycle_at)
    return True


def _react(state: EngineState, event: e.Event, at: datetime) -> list[Action]:
    """Every event and where it is answered; the most frequent first."""
    match event:
        case (
            e.QuoteSeen()
            | e.BookSeen()
            | e.CandleSeen()
            | e.BookLost()
            | e.InstrumentSeen()
            | e.VenueStatusSeen()
            | e.VenueAnnounced()
        ):
            return _of_market(state, event, at)
        case e.TimerFired():
            return on_timer.on_timer(state, event, at)
        case (
            e.ExecutionReport()
            | e.OrderSent()
            | e.NotSent()
            | e.OrderAcked()
            | e.OrderRejected()
            | e.SendUnknown()
            | e.CancelRejected()
            | e.OrderLooked()
        ):
            return _of_orders(state, event, at)
        case (
            e.BalancesSeen()
            | e.LedgerSeen()
            | e.FeesSeen()
            | e.Reconciled()
            | e.OperatorExplained()
        ):
            return _of_account(state, event, at)
        case (
            e.AdviceArrived()
            | e.AdviceFailed()
            | e.PredictionsArrived()
            | e.PredictionsFailed()
            | e.ModelTrained()
            | e.OperatorTrain()
            | e.TrainingSkipped()
        ):
            return _of_answers(state, event, at)
        case (
            e.VenueWarned()
            | e.FeedUp()
            | e.FeedDown()
            | e.StoreHealth()
            | e.Stopping()
            | e.SettingsChanged()
            | e.SettingsRejected()
            | e.OperatorHalt()
            | e.OperatorResume()
        ):
            return _of_life(state, event, at)
        case e.ClockSkewSeen() | e.LoopLagSeen() | e.LoopGapSeen() | e.AuthTrouble():
            return _of_health(state, event, at)
        case e.Started():
            raise InvariantBroken("the engine was started twice")
        case _:
            assert_never(event)


def _of_market(state: EngineState, event: MarketEvent, at: datetime) -> list[Action]:
    """What the market looks like."""
    match event:
        case e.QuoteSeen():
            return on_market.on_quote(state, event, at)
        case e.BookSeen():
            return on_market.on_book(state, event, at)
        case e.CandleSeen():
            return on_market.on_candle(state, event)
        case e.BookLost():
            return on_market.on_book_lost(state, event, at)
        case e.InstrumentSeen():
            return on_market.on_instrument(state, event)
        case e.VenueStatusSeen():
            return on_market.on_venue_status(state, event, at)
        case e.VenueAnnounced():
            return on_health.on_announced(state, event, at)
        case _:
            assert_never(event)


def _of_orders(state: EngineState, event: OrderEvent, at: datetime) -> list[Action]:
    """What became of our orders."""
    match event:
        case e.ExecutionReport():
            return [
                *on_execution.on_report(state, event, at),
                *on_health.on_switch_fired(state, event, at),
            ]
        case e.OrderSent():
            return on_reply.on_sent(state, event, at)
        case e.NotSent():
            return on_reply.on_not_sent(state, event, at)
        case e.OrderAcked():
            return on_reply.on_acked(state, event, at)
        case e.OrderRejected():
            return on_reply.on_rejected(state, event, at)
        case e.SendUnknown():
            return on_reply.on_send_unknown(state, event, at)
        case e.CancelRejected():
            return on_reply.on_cancel_rejected(state, event, at)
        case e.OrderLooked():
            return on_reply.on_looked(state, event, at)
        case _:
            assert_never(event)


def _of_account(state: EngineState, event: AccountEvent, at: datetime) -> list[Action]:
    """What is in the account."""
    match event:
        case e.BalancesSeen():
            return on_account.on_balances(state, event, at)
        case e.LedgerSeen():
            return on_account.on_ledger(state, event, at)
        case e.FeesSeen():
            return on_account.on_fees(state, event)
        case e.Reconciled():
            return on_reconciled.on_reconciled(state, event, at)
        case e.OperatorExplained():
            return on_reconciled.on_explained(state, event, at)
        case _:
            assert_never(event)


def _of_answers(state: EngineState, event: AnswerEvent, at: datetime) -> list[Action]:
    """What was answered to our questions."""
    match event:
        case e.AdviceArrived():
            return on_advice.on_advice(state, event, at)
        case e.AdviceFailed():
            return on_advice.on_advice_failed(state, event, at)
        case e.PredictionsArrived():
            return on_model.on_predictions(state, event, at)
        case e.PredictionsFailed():
            return on_model.on_predictions_failed(state, event, at)
        case e.ModelTrained():
            return on_model.on_trained(state, event, at)
        case e.TrainingSkipped():
            return on_model.on_training_skipped(state, event, at)
        case e.OperatorTrain():
            return on_model.on_operator_train(state, event, at)
        case _:
            assert_never(event)


def _of_health(state: EngineState, event: HealthEvent, at: datetime) -> list[Action]:
    """Whether the machine, its clock and our key are well."""
    match event:
        case e.ClockSkewSeen():
            return on_health.on_clock_skew(state, event, at)
        case e.LoopLagSeen():
            return on_health.on_loop_lag(state, event, at)
        case e.LoopGapSeen():
            return on_health.on_loop_gap(state, event, at)
        case e.AuthTrouble():
            return on_health.on_auth_trouble(state, event, at)
        case _:
            assert_never(event)


def _of_life(state: EngineState, event: LifeEvent, at: datetime) -> list[Action]:
    """The daemon, its feeds and the people around it."""
    match event:
        case e.VenueWarned():
            return on_life.on_venue_warned(event)
        case e.FeedUp():
            return on_life.on_feed_up(state, event, at)
        case e.FeedDown():
            return on_life.on_feed_down(state, event, at)
        case e.StoreHealth():
            return on_life.on_store_health(state, event, at)
        case e.Stopping():
            return on_life.on_stopping(state, event, at)
        case e.SettingsChanged():
            return on_operator.on_settings(state, event, at)
        case e.SettingsRejected():
            return on_operator.on_settings_rejected(event, at)
        case e.OperatorHalt():
            return on_operator.on_halt(state, event, at)
        case e.OperatorResume():
            return on_operator.on_resume(state, event, at)
        case _:
            assert_never(event)
