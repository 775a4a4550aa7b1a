"""Features: what one pair looks like in numbers at one moment, from the past of that moment only.

Every name is always there; a value is None where there is not enough data or it has no meaning,
never 0 or NaN (M01). Each value that is known carries the moment of the newest event behind it
(M02). Spans are counted in candles. `_pct` values are percent.
"""

from datetime import datetime, timedelta
from math import isfinite

import msgspec

from simple_trader.core.market.book_means import LONG_S, SHORT_S
from simple_trader.core.market.indicators import panel
from simple_trader.core.market.indicators.spec import Spec, names, percent
from simple_trader.core.market.price_board import GAP_LIMIT_S, PairBoard, breaks_series, end_of
from simple_trader.domain.moments import EPOCH
from simple_trader.domain.quotes import BookSummary, Candle, Quote

_OF_THE_TICKER = (
    Spec("price", "price", "last trade"),
    Spec("change_24h_pct", "pct", "change of the last 24 h as the exchange tells it"),
    Spec("volume_24h", "base", "volume of the last 24 h"),
    Spec("distance_vwap_24h_pct", "pct", "last trade / VWAP of the last 24 h - 1"),
    Spec("range_position_24h", "share", "(last - low) / (high - low) of the last 24 h"),
)
_OF_THE_BOOK = (
    Spec("spread_bps", "bps", "(ask - bid) / mid; of the ticker where no book is trusted"),
    Spec("imbalance", "-1..1", "(bid qty - ask qty) / their sum, ten levels of the verified book"),
    Spec("imbalance_1m", "-1..1", "mean imbalance, fading by e in 60 s", seconds=SHORT_S),
    Spec("imbalance_5m", "-1..1", "mean imbalance, fading by e in 300 s", seconds=LONG_S),
    Spec("spread_5m_bps", "bps", "mean spread of the book, fading by e in 300 s", seconds=LONG_S),
    Spec("imbalance_touch", "-1..1", "(bid qty - ask qty) / their sum, best bid and ask only"),
    Spec(
        "depth_skew_bps", "bps", "(middle of both sides' mean prices over ten levels - mid) / mid"
    ),
)
GROUPS: dict[str, tuple[Spec, ...]] = {
    "Price and day": _OF_THE_TICKER,
    "Order book": _OF_THE_BOOK,
    **panel.THEMES,
}
SPECS = tuple(spec for specs in GROUPS.values() for spec in specs)
NAMES = names(SPECS)
NEUTRAL = names(tuple(spec for spec in SPECS if not spec.is_level))
"""Those that do not grow with price or volume, so that days and pairs can be compared."""


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """Values by name (all of NAMES), and of each known one the moment of its newest event."""

    values: dict[str, float | None]
    event_at: dict[str, datetime]

    @property
    def newest_event_at(self) -> datetime:
        """The newest event behind any value; the Unix epoch where nothing is known."""
        return max(self.event_at.values(), default=EPOCH)

    def later_than(self, at: datetime) -> tuple[str, ...]:
        """The names of values that know something from after `at`: there must be none (I-42)."""
        return tuple(name for name, moment in self.event_at.items() if moment > at)


def features_of(board: PairBoard, at: datetime) -> Features:
    """Describe a pair at `at`; what happened later, or is too long ago, is left out as None."""
    values: dict[str, float | None] = dict.fromkeys(NAMES)
    event_at: dict[str, datetime] = {}

    def know(found: dict[str, float | None], moment: datetime) -> None:
        for name, value in found.items():
            if value is not None and isfinite(value):
                values[name] = value
                event_at[name] = moment

    quote, book, candles = board.quote, board.book, board.candles
    if quote is not None and _is_of_today(quote.seen_at, at):
        know(_of_ticker(quote), quote.seen_at)
    seen = board.book_at
    if book is not None and board.book_trusted and seen is not None and _is_of_today(seen, at):
        know(_of_book(book) | board.book_means.values(), seen)
    if candles and _is_usable(candles[-1], at):
        know(board.indicators.values(), end_of(candles[-1]))
    return Features(values=values, event_at=event_at)


def _is_of_today(seen: datetime, at: datetime) -> bool:
    """Whether something was seen by `at`, and not before the silence that ends every series."""
    return timedelta(0) <= at - seen < timedelta(seconds=GAP_LIMIT_S)


def _is_usable(newest: Candle, at: datetime) -> bool:
    """Whether the series reaches up to `at`: not beyond it, and without a long silence before."""
    silence = at - end_of(newest)
    return silence >= timedelta(0) and not breaks_series(
        newest.interval_s,
        silence.total_seconds() - newest.interval_s,  # one is running
    )


def _of_ticker(quote: Quote) -> dict[str, float | None]:
    """Price and spread, and the day's statistics, which mean nothing if nothing was traded."""
    known: dict[str, float | None] = {"price": float(quote.last) if quote.last > 0 else None}
    if quote.bid > 0 and quote.ask >= quote.bid:
        known["spread_bps"] = float((quote.ask - quote.bid) / quote.mid) * 10_000.0
    at_touch = quote.bid_qty + quote.ask_qty
    if at_touch > 0:
        known["imbalance_touch"] = float((quote.bid_qty - quote.ask_qty) / at_touch)
    if quote.volume <= 0:
        return known
    last, low, high = float(quote.last), float(quote.low), float(quote.high)
    vwap = float(quote.vwap)
    return known | {
        "change_24h_pct": float(quote.change_pct),
        "volume_24h": float(quote.volume),
        "distance_vwap_24h_pct": percent(last - vwap, vwap),
        "range_position_24h": (last - low) / (high - low) if high > low else None,
    }


def _of_book(book: BookSummary) -> dict[str, float | None]:
    """What a verified book says; its spread is fresher than the ticker's."""
    skew = float((book.vwap_mid - book.mid) / book.mid) * 10_000.0 if book.mid > 0 else None
    return {
        "spread_bps": book.spread_bps,
        "imbalance": book.imbalance,
        "depth_skew_bps": skew,
    }
