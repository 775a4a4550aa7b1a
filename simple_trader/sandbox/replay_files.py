"""Reading replay files in bounded memory: Kraken OHLCVT and trades, headed OHLCV; .gz and .zip.

A file is read twice, a piece at a time: `scan` judges every row and tells what the file is, then
`stream` gives its rows from any place on. Nothing but the piece at hand is ever held.

The rule for garbage is to refuse: the first row that is not what the format says ends the scan with
one sentence that names file and line, because a market with a silently dropped row is a different
market. Blank lines are skipped. What counts as garbage: wrong number of columns, text where a
number is due, NaN or infinity, a price that is not positive, a negative volume, open or close
outside low and high, a stamp that does not ascend (trades may share a stamp).

The format is told by the first row: a header with `timestamp` (or `time`, `date`), open, high, low,
close and volume; else seven columns are OHLCVT and three are trades. Volume is in base units,
except that a headed file whose usual bar would turn over more than 1e9 quote units is taken to
state it in quote units (FTX exports do); it is then divided by the bar's close.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import msgspec

from simple_trader.sandbox.replay_bytes import digest_of, lines, member_for
from simple_trader.sandbox.replay_rows import Bar, Format, Reader, TapeTrade, format_of
from simple_trader.sandbox.sources import MINUTE, SECOND, SourceError

KNOWN_INTERVALS = (60, 300, 900, 1800, 3600, 14400, 43200, 86400)
QUOTE_VOLUME_TURNOVER = Decimal(10) ** 9
MAX_DECIMALS = 8


class ReplayFile(msgspec.Struct, frozen=True):
    """What a scan found: either bars with their `interval` in seconds, or trades.

    A block is a bar, or a minute with trades. `blocks` counts them; `lead_row` and `lead_at` (in
    microseconds) are the first row and the stamp of the block asked for, -1 where there is none.
    `decimals` is the most that a price has; `in_quote` tells of volumes in the quote currency.
    """

    path: Path
    member: str | None
    digest: str
    form: Format
    interval: int
    rows: int
    blocks: int
    lead_row: int
    lead_at: int
    decimals: int
    in_quote: bool

    @property
    def bars(self) -> bool:
        """Whether the rows are bars."""
        return self.form.columns != "trades"


class _Tally:
    """What a scan gathers over all rows."""

    def __init__(self, lead: int) -> None:
        self.lead = lead
        self.rows = self.blocks = self.decimals = self.large = 0
        self.lead_row = self.lead_at = -1
        self.last_at = self.last_block = -1
        self.shortest = 0

    def block(self, at: int) -> None:
        if at == self.last_block:
            return
        if self.blocks == self.lead:
            self.lead_row, self.lead_at = self.rows, at
        if self.last_block >= 0 and (self.shortest == 0 or at - self.last_block < self.shortest):
            self.shortest = at - self.last_block
        self.blocks += 1
        self.last_block = at

    def price(self, price: Decimal) -> None:
        exponent = price.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > self.decimals:
            exact = price.normalize().as_tuple().exponent
            if isinstance(exact, int):
                self.decimals = max(self.decimals, -exact)


def scan(path: Path, lead: int = 0, altname: str = "") -> ReplayFile:
    """Judge a whole replay file; raises SourceError with one sentence on anything unusable.

    `lead` is the number of the block whose place is wanted; `altname` (`XBTUSD`) picks the file
    inside a zip that holds several.
    """
    try:
        digest = digest_of(path)
        member = member_for(path, altname)
    except OSError as error:
        raise SourceError(f"replay file {path} cannot be read: {error.strerror}.") from error
    reader = Reader(path.name)
    form: Format | None = None
    tally = _Tally(lead)
    for number, line in lines(path, member):
        reader.line = number
        if form is None:
            form = format_of(reader, line)
            if form.header:
                continue
        row = reader.row(form, line)
        if isinstance(row, TapeTrade):
            _take_trade(reader, tally, row)
        else:
            _take_bar(reader, tally, row)
        tally.rows += 1
    if form is None:
        raise SourceError(f"replay file {path} holds no rows.")
    bars = form.columns != "trades"
    if bars and tally.rows < 2:
        raise SourceError(f"replay file {path} holds fewer than two bars.")
    return ReplayFile(
        path=path,
        member=member,
        digest=digest if member is None else f"{digest}:{member}",
        form=form,
        interval=_interval(path, tally.shortest) if bars else 60,
        rows=tally.rows,
        blocks=tally.blocks,
        lead_row=tally.lead_row,
        lead_at=tally.lead_at,
        decimals=min(tally.decimals, MAX_DECIMALS),
        # The usual bar is the one in the middle of all, ordered by turnover.
        in_quote=form.header and tally.rows - tally.large <= tally.rows // 2,
    )


def _take_bar(reader: Reader, tally: _Tally, bar: Bar) -> None:
    if bar.at <= tally.last_at:
        raise reader.garbage("the time does not come after the row before")
    tally.last_at = bar.at
    for price in bar[1:5]:
        tally.price(price)
    if bar.volume * bar.close > QUOTE_VOLUME_TURNOVER:
        tally.large += 1
    tally.block(bar.at)


def _take_trade(reader: Reader, tally: _Tally, trade: TapeTrade) -> None:
    if trade.at < tally.last_at:
        raise reader.garbage("the time lies before that of the row before")
    tally.last_at = trade.at
    tally.price(trade.price)
    tally.block(trade.at // MINUTE * MINUTE)


class Placed(NamedTuple):
    """A row with its number in the file (blank lines and the header do not count)."""

    number: int
    row: Bar | TapeTrade


def stream(file: ReplayFile, start: int = 0) -> Iterator[Placed]:
    """Give the rows of a scanned file from row number `start` on."""
    reader = Reader(file.path.name)
    ahead = -1 if file.form.header else 0
    for number, line in lines(file.path, file.member):
        if ahead >= start:
            reader.line = number
            row = reader.row(file.form, line)
            if file.in_quote and isinstance(row, Bar):
                row = row._replace(volume=row.volume / row.close)
            yield Placed(ahead, row)
        ahead += 1


def bars_of(file: ReplayFile) -> Iterator[Bar]:
    """Give the bars of a scanned bar file."""
    for placed in stream(file):
        if isinstance(placed.row, Bar):
            yield placed.row


def _interval(path: Path, shortest_us: int) -> int:
    shortest = shortest_us // SECOND
    if shortest not in KNOWN_INTERVALS:
        raise SourceError(
            f"replay file {path.name}: its shortest step of {shortest} s is not a bar interval "
            "of Kraken's (1, 5, 15, 30, 60, 240, 720, 1440 minutes)."
        )
    return shortest
