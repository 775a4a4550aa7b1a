"""Market events: the price board and its rows."""

from datetime import datetime

from simple_trader.core.market.price_board import LOSSES_MAX
from simple_trader.core.reactions.asking import ask_unresolved, look_anew
from simple_trader.core.reactions.marking import mark_against
from simple_trader.core.reactions.standing import cancel_again, restate
from simple_trader.core.state import EngineState
from simple_trader.domain.actions import Action, Note, Remember
from simple_trader.domain.events import (
    BookLost,
    BookSeen,
    CandleSeen,
    InstrumentSeen,
    QuoteSeen,
    VenueStatusSeen,
)
from simple_trader.domain.instruments import VenueStatus
from simple_trader.domain.money import ZERO
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import BookMetricsRow, PairRow, PriceRow

CHECKSUM = "checksum"  # what the client's word for a book that does not fit begins with


def on_quote(state: EngineState, event: QuoteSeen, at: datetime) -> list[Action]:
    """Keep the quote and its row, stamped with the exchange's moment where it gives one, and mark
    the decisions whose horizon it ends.

    A crossed or empty one is kept, so that nothing is traded on it, but is no row.
    """
    quote = event.quote
    state.board.on_quote(quote)
    if not ZERO < quote.bid < quote.ask:
        return []
    return [
        Remember(
            record=PriceRow(
                pair=quote.pair,
                ts=quote.venue_at or at,
                last=quote.last,
                bid=quote.bid,
                ask=quote.ask,
                volume=quote.volume,
                vwap=quote.vwap,
            )
        ),
        *mark_against(state, quote, at),
    ]


def on_book(state: EngineState, event: BookSeen, at: datetime) -> list[Action]:
    """Keep the summary of a verified book and its row."""
    book = event.book
    state.board.on_book(book, at)
    return [
        Remember(
            record=BookMetricsRow(
                pair=book.pair,
                ts=book.venue_at or at,
                bid=book.bid,
                ask=book.ask,
                spread_bps=book.spread_bps,
                imbalance=book.imbalance,
                mid=book.mid,
                vwap_mid=book.vwap_mid,
                depth=book.depth,
            )
        )
    ]


def on_book_lost(state: EngineState, event: BookLost, at: datetime) -> list[Action]:
    """No more trust in the pair's book until its next summary; none in the pair for a while where
    checksums fail again and again (X13).
    """
    state.board.on_book_lost(event.pair)
    told: list[Action] = []
    board = state.board.board(event.pair)
    if event.detail.startswith(CHECKSUM) and board.on_checksum_failed(at):
        text = f"Checksums of {event.pair} failed {LOSSES_MAX} times: no new risk on it for now."
        told.append(Note(level="error", text=text, reason=Reason.PAIR_MISTRUSTED, pair=event.pair))
    watched = event.pair in state.watched_pairs()  # else it ended because its pair was taken out
    return [
        *told,
        Note(
            level="warning" if watched else "info",
            text=f"Order book of {event.pair} lost: {event.detail}",
            reason=Reason.BOOK_UNTRUSTED,
            pair=event.pair,
        ),
    ]


def on_candle(state: EngineState, event: CandleSeen) -> list[Action]:
    """Follow the candles; indicators move once for each finished one."""
    state.board.on_candle(event.candle)
    return []


def on_instrument(state: EngineState, event: InstrumentSeen) -> list[Action]:
    """Use the exchange's new rules of a pair from now on (fault X27)."""
    rules = event.rules
    if state.rules.get(rules.pair) == rules:
        return []
    state.rules[rules.pair] = rules
    return [
        Remember(record=PairRow(rules=rules)),
        Note(
            level="info",
            text=f"The exchange changed the rules of {rules.pair}: {rules.status.value}.",
            pair=rules.pair,
        ),
    ]


def on_venue_status(state: EngineState, event: VenueStatusSeen, at: datetime) -> list[Action]:
    """Honour the state of the exchange; after maintenance cancels that had to wait are sent."""
    before, health = state.health.venue, state.health
    health.venue = event.status
    if event.status is VenueStatus.ONLINE and at != health.announced_at:
        # It is over, or the exchange says so by a state without it.
        health.announced, health.announced_at = "", None
    if before is VenueStatus.MAINTENANCE and event.status is not VenueStatus.MAINTENANCE:
        # What rested may be gone, also by a switch that ran out (X22).
        looked = [*look_anew(state, at), *ask_unresolved(state, at)]
        return [*restate(state, at), *cancel_again(state, at), *looked]
    return [*restate(state, at), *cancel_again(state, at)]
