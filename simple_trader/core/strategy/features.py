"""Features: what one pair looks like in numbers at one moment, from the past of that moment only.

Every name is always there; a value is None where there is not enough data or it has no meaning,
never 0 or NaN (M01). Spans of returns are counted in candles. `_pct` values are percent of the
price.
"""

from datetime import datetime, timedelta
from math import isfinite

import msgspec

from simple_trader.core.market.indicators import KEYS
from simple_trader.core.market.price_board import PairBoard, breaks_series, end_of
from simple_trader.domain.moments import EPOCH
from simple_trader.domain.quotes import BookSummary, Candle, Quote

RETURN_SPANS = (1, 5, 15)
_VOLUME_SPAN = 20
_ASSET_NEUTRAL = (
    *(f"return_{span}_pct" for span in RETURN_SPANS),
    "range_pct",
    "atr_pct",
    "distance_sma_20_pct",
    "distance_sma_50_pct",
    "ema_gap_pct",
    "macd_hist_pct",
    "bb_width_pct",
    "volume_ratio_20",
)
_OF_THE_DAY = ("change_24h_pct", "volume_24h", "distance_vwap_pct", "day_range_position")
_OF_THE_BOOK = ("spread_bps", "imbalance")
NAMES = (*KEYS, *_ASSET_NEUTRAL, *_OF_THE_DAY, *_OF_THE_BOOK)


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """Values by name (all of NAMES) and the moment of the newest event behind any of them."""

    values: dict[str, float | None]
    newest_event_at: datetime


def features_of(board: PairBoard, at: datetime) -> Features:
    """Describe a pair at `at`; what happened later, or is too long ago, is left out as None.

    `newest_event_at` is the Unix epoch where nothing at all could be used.
    """
    values: dict[str, float | None] = dict.fromkeys(NAMES)
    moments = [EPOCH]
    candles = board.candles
    if candles and _is_usable(candles[-1], at):
        values.update(board.indicators.values())
        _add_candles(values, candles)
        moments.append(end_of(candles[-1]))
    quote = board.quote
    if quote is not None and quote.seen_at <= at:
        _add_quote(values, quote)
        moments.append(quote.seen_at)
    book = board.book
    if book is not None and board.book_trusted and (book.venue_at is None or book.venue_at <= at):
        _add_book(values, book)
        moments.append(book.venue_at or EPOCH)
    finite = {
        name: value if value is not None and isfinite(value) else None
        for name, value in values.items()
    }
    return Features(values=finite, newest_event_at=max(moments))


def _is_usable(newest: Candle, at: datetime) -> bool:
    """Whether the series reaches up to `at`: not beyond it, and without a long silence before."""
    silence = at - end_of(newest)
    return silence >= timedelta(0) and not breaks_series(
        newest.interval_s,
        silence.total_seconds() - newest.interval_s,  # one is running
    )


def _percent(part: float | None, whole: float | None) -> float | None:
    """`part` in percent of `whole`; None where either is unknown or the whole is not positive."""
    if part is None or whole is None or whole <= 0.0:
        return None
    return part / whole * 100.0


def _less(one: float | None, other: float | None) -> float | None:
    """The difference of two values that may be unknown."""
    return None if one is None or other is None else one - other


def _add_candles(values: dict[str, float | None], candles: list[Candle]) -> None:
    """Returns and the indicators relative to the price, which compare between pairs."""
    last = candles[-1]
    close = float(last.close)
    for span in RETURN_SPANS:
        if len(candles) > span:
            then = float(candles[-1 - span].close)
            values[f"return_{span}_pct"] = _percent(close - then, then)
    values["range_pct"] = _percent(float(last.high - last.low), close)
    values["atr_pct"] = _percent(values["atr_14"], close)
    values["distance_sma_20_pct"] = _percent(_less(close, values["sma_20"]), close)
    values["distance_sma_50_pct"] = _percent(_less(close, values["sma_50"]), close)
    values["ema_gap_pct"] = _percent(_less(values["ema_12"], values["ema_26"]), close)
    values["macd_hist_pct"] = _percent(values["macd_hist"], close)
    values["bb_width_pct"] = _percent(_less(values["bb_upper"], values["bb_lower"]), close)
    if len(candles) >= _VOLUME_SPAN:
        usual = float(sum(candle.volume for candle in candles[-_VOLUME_SPAN:])) / _VOLUME_SPAN
        values["volume_ratio_20"] = float(last.volume) / usual if usual > 0.0 else None


def _add_quote(values: dict[str, float | None], quote: Quote) -> None:
    """The day's statistics, which mean something only if something was traded, and the spread."""
    if quote.bid > 0 and quote.ask >= quote.bid:
        values["spread_bps"] = float((quote.ask - quote.bid) / quote.mid) * 10_000.0
    if quote.volume <= 0:
        return
    last = float(quote.last)
    values["change_24h_pct"] = float(quote.change_pct)
    values["volume_24h"] = float(quote.volume)
    vwap = float(quote.vwap)
    values["distance_vwap_pct"] = _percent(last - vwap, vwap)
    span = float(quote.high - quote.low)
    values["day_range_position"] = (last - float(quote.low)) / span if span > 0.0 else None


def _add_book(values: dict[str, float | None], book: BookSummary) -> None:
    """Spread and imbalance of a verified book; its spread is fresher than the ticker's."""
    values["spread_bps"] = book.spread_bps
    values["imbalance"] = book.imbalance
