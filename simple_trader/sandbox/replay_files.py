"""Reading replay files: Kraken OHLCVT, Kraken trades, headed OHLCV; plain or gzip.

The rule for garbage is to refuse: the first row that is not what the format says ends the reading
with one sentence that names file and line, because a market with a silently dropped row is a
different market. Blank lines are skipped. What counts as garbage: wrong number of columns, text
where a number is due, NaN or infinity, a price that is not positive, a negative volume, open or
close outside low and high, a stamp that does not ascend (trades may share a stamp).

The format is told by the first row: a header with `timestamp` (or `time`, `date`), open, high, low,
close and volume; else seven columns are OHLCVT and three are trades. Volume is in base units,
except that a headed file whose usual bar would turn over more than 1e9 quote units is taken to
state it in quote units (FTX exports do); it is then divided by the bar's close.
"""

import gzip
import hashlib
import io
import itertools
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from simple_trader.sandbox.sources import SECOND, SourceError, to_us

KNOWN_INTERVALS = (60, 300, 900, 1800, 3600, 14400, 43200, 86400)
QUOTE_VOLUME_TURNOVER = Decimal(10) ** 9
MAX_DECIMALS = 8


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


class ReplayFile(NamedTuple):
    """A whole file: either bars with their interval in seconds, or trades."""

    digest: str
    interval: int
    bars: list[Bar]
    trades: list[TapeTrade]
    decimals: int


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.line = 0

    def garbage(self, what: str) -> SourceError:
        return SourceError(
            f"replay file {self.path.name}, line {self.line}: {what}; fix or remove this row."
        )

    def number(self, text: str, name: str, *, positive: bool) -> Decimal:
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
        text = text.strip()
        if text[:1].isdigit() and "-" not in text:
            seconds = self.number(text, "time", positive=True)
            if seconds > 32_503_680_000:
                raise self.garbage(f"time {text[:40]!r} is not in unix seconds")
            return int(seconds * SECOND)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise self.garbage(f"time {text[:40]!r} is neither unix seconds nor a date") from None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return to_us(moment)


def read_replay(path: Path) -> ReplayFile:
    """Read a whole replay file; raises SourceError with one sentence on anything unusable."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SourceError(f"replay file {path} cannot be read: {error.strerror}.") from error
    digest = hashlib.sha256(raw).hexdigest()
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(f"replay file {path} is not a whole gzip file: {error}.") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SourceError(f"replay file {path} is not text in UTF-8.") from None
    reader = _Reader(path)
    rows = _rows(reader, text)
    first = next(rows, None)
    if first is None:
        raise SourceError(f"replay file {path} holds no rows.")
    names = [cell.strip().strip('"').lower() for cell in first]
    if any(name in names for name in ("open", "close")):
        bars = _headed(reader, names, rows)
    elif len(first) == 7:
        bars = _ohlcvt(reader, first, rows)
    elif len(first) == 3:
        trades = _trades(reader, first, rows)
        return ReplayFile(digest, 60, [], trades, _decimals(t.price for t in trades))
    else:
        raise reader.garbage(
            "expected Kraken OHLCVT (7 columns), Kraken trades (3 columns) or a header with "
            "timestamp, open, high, low, close, volume"
        )
    if len(bars) < 2:
        raise SourceError(f"replay file {path} holds fewer than two bars.")
    prices = (price for bar in bars for price in bar[1:5])
    return ReplayFile(digest, _interval(path, bars), bars, [], _decimals(prices))


def _rows(reader: _Reader, text: str) -> Iterator[list[str]]:
    for number, line in enumerate(io.StringIO(text), start=1):
        reader.line = number
        if line.strip():
            yield line.strip().split(",")


def _ohlcvt(reader: _Reader, first: list[str], rows: Iterator[list[str]]) -> list[Bar]:
    bars: list[Bar] = []
    cells: list[str] | None = first
    while cells is not None:
        if len(cells) != 7:
            raise reader.garbage(f"expected 7 columns, found {len(cells)}")
        count = reader.number(cells[6], "trades", positive=False)
        bars.append(_bar(reader, bars, cells[0], cells[1:6], int(count)))
        cells = next(rows, None)
    return bars


def _headed(reader: _Reader, names: list[str], rows: Iterator[list[str]]) -> list[Bar]:
    stamp = next((name for name in ("timestamp", "time", "date", "datetime") if name in names), "")
    wanted = [stamp, "open", "high", "low", "close", "volume"]
    missing = [name for name in wanted[1:] if name not in names]
    if not stamp or missing:
        raise reader.garbage(f"the header lacks {', '.join(missing) or 'timestamp'}")
    places = [names.index(name) for name in wanted]
    count_place = names.index("trades") if "trades" in names else None
    bars: list[Bar] = []
    for cells in rows:
        if len(cells) != len(names):
            raise reader.garbage(f"expected {len(names)} columns, found {len(cells)}")
        count = None
        if count_place is not None:
            count = int(reader.number(cells[count_place], "trades", positive=False))
        picked = [cells[place] for place in places]
        bars.append(_bar(reader, bars, picked[0], picked[1:], count))
    turnovers = sorted(bar.volume * bar.close for bar in bars)
    if turnovers and turnovers[len(turnovers) // 2] > QUOTE_VOLUME_TURNOVER:
        bars = [bar._replace(volume=bar.volume / bar.close) for bar in bars]
    return bars


def _bar(
    reader: _Reader, before: list[Bar], stamp: str, cells: list[str], count: int | None
) -> Bar:
    at = reader.moment(stamp)
    if before and at <= before[-1].at:
        raise reader.garbage("the time does not come after the row before")
    names = ("open", "high", "low", "close")
    opened, high, low, close = (
        reader.number(cell, name, positive=True)
        for cell, name in zip(cells[:4], names, strict=True)
    )
    volume = reader.number(cells[4], "volume", positive=False)
    if not low <= opened <= high or not low <= close <= high:
        raise reader.garbage("open and close must lie between low and high")
    return Bar(at, opened, high, low, close, volume, count)


def _trades(reader: _Reader, first: list[str], rows: Iterator[list[str]]) -> list[TapeTrade]:
    trades: list[TapeTrade] = []
    cells: list[str] | None = first
    while cells is not None:
        if len(cells) != 3:
            raise reader.garbage(f"expected 3 columns, found {len(cells)}")
        at = reader.moment(cells[0])
        if trades and at < trades[-1].at:
            raise reader.garbage("the time lies before that of the row before")
        price = reader.number(cells[1], "price", positive=True)
        trades.append(TapeTrade(at, price, reader.number(cells[2], "volume", positive=False)))
        cells = next(rows, None)
    return trades


def _interval(path: Path, bars: list[Bar]) -> int:
    steps = {later.at - earlier.at for earlier, later in itertools.pairwise(bars)}
    shortest = min(steps) // SECOND
    if shortest not in KNOWN_INTERVALS:
        raise SourceError(
            f"replay file {path.name}: its shortest step of {shortest} s is not a bar interval "
            "of Kraken's (1, 5, 15, 30, 60, 240, 720, 1440 minutes)."
        )
    return shortest


def _decimals(prices: Iterator[Decimal]) -> int:
    most = 0
    for price in prices:
        exponent = price.normalize().as_tuple().exponent
        if isinstance(exponent, int) and -exponent > most:
            most = -exponent
    return min(most, MAX_DECIMALS)
