"""Kraken's download files: OHLCVT and time and sales, as CSV, gzip or inside a zip (section 14).

`XBTUSD_1.csv` holds candles of one minute, `XBTUSD.csv` trades. No header, strictly ascending for
candles, never descending for trades. Rows are read one by one: a file may be larger than memory.
"""

import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path, PurePosixPath
from typing import IO, cast

import msgspec

from simple_trader.domain.errors import MarketDataError
from simple_trader.domain.history import PublicTrade
from simple_trader.domain.moments import EPOCH
from simple_trader.domain.quotes import Candle

_NAME = re.compile(r"([A-Za-z0-9.]+?)(?:_(\d{1,5}))?\.csv(?:\.gz)?")
_MAX_SECONDS = 4_102_444_800  # the year 2100: beyond it the column is not a time in seconds
_MAX_TEXT = 40
_REPORT_EACH = 4_096
_BAD_FILE = (OSError, UnicodeError, csv.Error, zipfile.BadZipFile, zlib.error, EOFError)

Progress = Callable[[int], None]


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """One table of a file: `altname` as REST names the pair, `minutes` None for trades."""

    path: Path
    member: str | None
    altname: str
    minutes: int | None
    size: int

    @property
    def name(self) -> str:
        """The table's name for people."""
        return self.path.name if self.member is None else f"{self.path.name}:{self.member}"


def find_downloads(path: Path) -> tuple[Download, ...]:
    """The tables of a file, by their names; raises MarketDataError for what is none."""
    try:
        if path.suffix.lower() == ".zip":
            with zipfile.ZipFile(path) as archive:
                found = [
                    _download(path, info.filename, info.file_size)
                    for info in archive.infolist()
                    if not info.is_dir()
                ]
            tables = tuple(sorted((d for d in found if d is not None), key=lambda d: d.name))
        else:
            table = _download(path, None, path.stat().st_size)
            tables = () if table is None else (table,)
    except _BAD_FILE as error:
        raise MarketDataError(f"{path} cannot be read: {_why(error)}.") from error
    if not tables:
        raise MarketDataError(
            f"{path} holds none of Kraken's downloads: they are named XBTUSD_1.csv (candles of one "
            "minute) or XBTUSD.csv (trades)."
        )
    return tables


def _download(path: Path, member: str | None, size: int) -> Download | None:
    name = PurePosixPath(member).name if member is not None else path.name
    found = _NAME.fullmatch(name)
    if found is None or name.startswith("."):
        return None
    minutes = None if found[2] is None else int(found[2])
    if minutes == 0:
        return None
    return Download(path=path, member=member, altname=found[1].upper(), minutes=minutes, size=size)


def read_candles(download: Download, pair: str, progress: Progress) -> Iterator[Candle]:
    """The candles, in order; raises MarketDataError naming the first line that is none.

    `progress` is told now and then how many bytes were read since it was told last.
    """
    interval_s = (download.minutes or 0) * 60
    before = -1
    for number, row in _rows(download, progress):
        try:
            if len(row) != 7:
                raise ValueError("seven columns are due")
            begin = _seconds(row[0])
            if begin != int(begin) or int(begin) % interval_s:
                raise ValueError(f"a candle of {interval_s} s cannot begin there")
            if begin <= before:
                raise ValueError("it is not later than the row before it")
            candle = Candle(
                pair=pair,
                interval_s=interval_s,
                begin=EPOCH + timedelta(seconds=int(begin)),
                open=_positive(row[1]),
                high=_positive(row[2]),
                low=_positive(row[3]),
                close=_positive(row[4]),
                volume=_amount(row[5]),
                trades=_count(row[6]),
            )
            if not candle.low <= min(candle.open, candle.close) or not candle.high >= max(
                candle.open, candle.close
            ):
                raise ValueError("open and close must lie between low and high")
        except (ValueError, InvalidOperation) as error:
            raise _bad_line(download, number, error) from None
        before = int(begin)
        yield candle


def read_trades(download: Download, pair: str, progress: Progress) -> Iterator[PublicTrade]:
    """The trades, in order; as `read_candles`."""
    before = Decimal(-1)
    for number, row in _rows(download, progress):
        try:
            if len(row) != 3:
                raise ValueError("three columns are due")
            at = _seconds(row[0])
            if at < before:
                raise ValueError("it is older than the row before it")
            trade = PublicTrade(
                pair=pair,
                at=EPOCH + timedelta(microseconds=int(at * 1_000_000)),
                price=_positive(row[1]),
                qty=_amount(row[2]),
            )
        except (ValueError, InvalidOperation) as error:
            raise _bad_line(download, number, error) from None
        before = at
        yield trade


def _rows(download: Download, progress: Progress) -> Iterator[tuple[int, list[str]]]:
    told = 0
    with _opened(download) as (binary, position):
        text = io.TextIOWrapper(binary, encoding="ascii", newline="")
        try:
            for number, row in enumerate(csv.reader(text), start=1):
                if number % _REPORT_EACH == 0:
                    at = position()
                    progress(at - told)
                    told = at
                yield number, row
        except _BAD_FILE as error:
            raise MarketDataError(f"{download.name} cannot be read: {_why(error)}.") from error
    progress(download.size - told)


@contextmanager
def _opened(download: Download) -> Iterator[tuple[IO[bytes], Callable[[], int]]]:
    """The bytes of the table, decompressed, and how far of `download.size` they are read."""
    try:
        if download.member is None:
            with download.path.open("rb") as file:
                yield _unzipped(file, download.path.name), file.tell
            return
        with zipfile.ZipFile(download.path) as archive, archive.open(download.member) as member:
            yield _unzipped(member, download.member), member.tell
    except _BAD_FILE as error:
        raise MarketDataError(f"{download.name} cannot be read: {_why(error)}.") from error


def _unzipped(file: IO[bytes], name: str) -> IO[bytes]:
    return cast(IO[bytes], gzip.GzipFile(fileobj=file)) if name.lower().endswith(".gz") else file


def _seconds(text: str) -> Decimal:
    value = _amount(text)
    if value > _MAX_SECONDS:
        raise ValueError("the first column is no Unix time in seconds")
    return value


def _amount(text: str) -> Decimal:
    if len(text) > _MAX_TEXT:
        raise ValueError("a number is too long")
    value = Decimal(text)
    if not value.is_finite() or value < 0 or value.adjusted() > 17:
        raise ValueError(f"{text} is no amount")
    return value


def _positive(text: str) -> Decimal:
    value = _amount(text)
    if not value:
        raise ValueError("a price is zero")
    return value


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise ValueError(f"{text[:_MAX_TEXT]} is no number of trades")
    return int(text)


def _bad_line(download: Download, number: int, error: Exception) -> MarketDataError:
    why = "a number cannot be read" if isinstance(error, InvalidOperation) else str(error)
    return MarketDataError(
        f"{download.name}, line {number}: {why}. Nothing of the file was imported."
    )


def _why(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
