"""One row of a replay file: what its text must be, and the one sentence when it is not."""

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Literal, NamedTuple

import msgspec

from simple_trader.sandbox.sources import SECOND, SourceError, to_us

LAST_SECOND = 32_503_680_000  # the year 3000
PRICES = ("open", "high", "low", "close")
STAMPS = ("timestamp", "time", "date", "datetime")
COUNTS = ("trades", "count")

_NUMBER = r"(\d{1,14}(?:\.\d{1,30})?)"
# What nearly all rows look like is read at once; anything else takes the careful way.
_PLAIN_BAR = re.compile(
    rf"(\d{{1,11}}),{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER},(\d{{1,9}})"
)
_PLAIN_TRADE = re.compile(rf"(\d{{1,11}})(?:\.(\d{{1,12}}))?,{_NUMBER},{_NUMBER}")


class Bar(NamedTuple):
    """One row of a bar file; `at` is the start in microseconds, `trades` their number or None."""

    at: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades: int | None


class TapeTrade(NamedTuple):
    """One row of a trades file; `at` in microseconds."""

    at: int
    price: Decimal
    volume: Decimal


class Format(msgspec.Struct, frozen=True):
    """What the first row told: the columns, and for a header the places of the wanted ones."""

    columns: Literal["ohlcvt", "trades", "headed"]
    header: bool = False
    width: int = 0
    places: tuple[int, ...] = ()
    count_place: int | None = None


class Reader:
    """Reads the rows of one file; `line` is the one at hand."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.line = 0

    def garbage(self, what: str) -> SourceError:
        """Make the sentence that refuses the line at hand."""
        return SourceError(
            f"replay file {self.name}, line {self.line}: {what}; fix or remove this row."
        )

    def row(self, form: Format, line: str) -> Bar | TapeTrade:
        """Read one row; raises SourceError when it is garbage."""
        if form.columns == "trades":
            return self._trade(line)
        if form.columns == "ohlcvt":
            return self._ohlcvt(line)
        return self._headed(form, line)

    def _ohlcvt(self, line: str) -> Bar:
        plain = _PLAIN_BAR.fullmatch(line)
        if plain is not None:
            stamp, opened, high, low, close, volume, count = plain.groups()
            bar = Bar(
                int(stamp) * SECOND, Decimal(opened), Decimal(high), Decimal(low), Decimal(close),
                Decimal(volume), int(count),
            )  # fmt: skip
            sound = bar.low <= bar.open <= bar.high and bar.low <= bar.close <= bar.high
            if sound and bar.low > 0 and 0 < bar.at <= LAST_SECOND * SECOND:
                return bar
        cells = line.split(",")
        self._width(cells, 7)
        count_of = int(self.number(cells[6], "trades", positive=False))
        return self._bar(cells[:6], count_of)

    def _headed(self, form: Format, line: str) -> Bar:
        cells = line.split(",")
        self._width(cells, form.width)
        count = None
        if form.count_place is not None:
            count = int(self.number(cells[form.count_place], "trades", positive=False))
        return self._bar([cells[place] for place in form.places], count)

    def _bar(self, cells: list[str], count: int | None) -> Bar:
        at = self.moment(cells[0])
        opened, high, low, close = (
            self.number(cell, name, positive=True)
            for cell, name in zip(cells[1:5], PRICES, strict=True)
        )
        volume = self.number(cells[5], "volume", positive=False)
        if not low <= opened <= high or not low <= close <= high:
            raise self.garbage("open and close must lie between low and high")
        return Bar(at, opened, high, low, close, volume, count)

    def _trade(self, line: str) -> TapeTrade:
        plain = _PLAIN_TRADE.fullmatch(line)
        if plain is not None:
            stamp, fraction, price, volume = plain.groups()
            at = int(stamp) * SECOND
            if fraction:
                at += int(fraction[:6].ljust(6, "0"))
            trade = TapeTrade(at, Decimal(price), Decimal(volume))
            if trade.price > 0 and 0 < at <= LAST_SECOND * SECOND:
                return trade
        cells = line.split(",")
        self._width(cells, 3)
        return TapeTrade(
            self.moment(cells[0]),
            self.number(cells[1], "price", positive=True),
            self.number(cells[2], "volume", positive=False),
        )

    def _width(self, cells: list[str], wanted: int) -> None:
        if len(cells) != wanted:
            raise self.garbage(f"expected {wanted} columns, found {len(cells)}")

    def number(self, text: str, name: str, *, positive: bool) -> Decimal:
        """Read a finite number that is not negative (not zero either when `positive`)."""
        try:
            value = Decimal(text.strip())
        except InvalidOperation:
            raise self.garbage(f"{name} {text.strip()[:40]!r} is not a number") from None
        if not value.is_finite() or value.adjusted() > 14 or value.adjusted() < -40:
            raise self.garbage(f"{name} {text.strip()[:40]!r} is not a usable number")
        if value < 0 or (positive and value == 0):
            raise self.garbage(f"{name} must be positive, not {text.strip()[:40]}")
        return value

    def moment(self, text: str) -> int:
        """Read unix seconds or a date (UTC unless it says otherwise) as microseconds."""
        text = text.strip()
        if text[:1].isdigit() and "-" not in text:
            seconds = self.number(text, "time", positive=True)
            if seconds > LAST_SECOND:
                raise self.garbage(f"time {text[:40]!r} is not in unix seconds")
            return int(seconds * SECOND)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise self.garbage(f"time {text[:40]!r} is neither unix seconds nor a date") from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return to_us(moment)


def format_of(reader: Reader, line: str) -> Format:
    """Tell the format by the first row; raises SourceError when it is none of the known ones."""
    cells = line.split(",")
    names = [cell.strip().strip('"').lower() for cell in cells]
    if any(name in names for name in ("open", "close")):
        stamp = next((name for name in STAMPS if name in names), "")
        missing = [name for name in (*PRICES, "volume") if name not in names]
        if not stamp or missing:
            raise reader.garbage(f"the header lacks {', '.join(missing) or 'timestamp'}")
        places = tuple(names.index(name) for name in (stamp, *PRICES, "volume"))
        count = next((names.index(name) for name in COUNTS if name in names), None)
        return Format("headed", True, len(names), places, count)
    if len(cells) == 7:
        return Format("ohlcvt")
    if len(cells) == 3:
        return Format("trades")
    raise reader.garbage(
        "expected Kraken OHLCVT (7 columns), Kraken trades (3 columns) or a header with "
        "timestamp, open, high, low, close, volume"
    )
