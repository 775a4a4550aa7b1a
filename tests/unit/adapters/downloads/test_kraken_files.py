"""Kraken's download files: csv, gzip, zip, good rows and bad ones."""

import gzip
import os
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from simple_trader.adapters.downloads.kraken_files import (
    find_downloads,
    read_candles,
    read_trades,
)
from simple_trader.domain.errors import MarketDataError

CANDLES = "1640995200,46216.9,46220.0,46200.1,46210.0,1.25000000,12\n1640995320,1,2,1,2,0.5,3\n"
TRADES = "1640995200.1234,46216.9,0.01\n1640995200.1234,46217,0.02\n1640995201,46218,1\n"


class Told:
    """Adds up what progress is told."""

    def __init__(self) -> None:
        self.total = 0

    def __call__(self, units: int) -> None:
        self.total += units


def test_a_candle_file_is_known_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "XBTUSD_1.csv"
    path.write_text(CANDLES)
    (table,) = find_downloads(path)
    assert (table.altname, table.minutes) == ("XBTUSD", 1)
    told = Told()
    first, second = read_candles(table, "BTC/USD", told)
    assert first.begin == datetime(2022, 1, 1, tzinfo=UTC)
    assert (first.open, first.volume, first.trades) == (
        Decimal("46216.9"),
        Decimal("1.25000000"),
        12,
    )
    assert (second.begin - first.begin).total_seconds() == 120
    assert told.total == path.stat().st_size


def test_a_trade_file_keeps_fractions_and_equal_moments(tmp_path: Path) -> None:
    path = tmp_path / "XBTUSD.csv.gz"
    path.write_bytes(gzip.compress(TRADES.encode()))
    (table,) = find_downloads(path)
    assert table.minutes is None
    trades = list(read_trades(table, "BTC/USD", Told()))
    assert [trade.at.microsecond for trade in trades] == [123400, 123400, 0]
    assert trades[2].side is None


def test_a_zip_gives_all_its_tables_and_skips_what_is_none(tmp_path: Path) -> None:
    path = tmp_path / "Kraken_OHLCVT.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("master_q4/XBTUSD_1.csv", CANDLES)
        archive.writestr("master_q4/ETHUSD_60.csv", "1640995200,1,1,1,1,1,1\n")
        archive.writestr("readme.txt", "hello")
        archive.writestr("__MACOSX/._XBTUSD_1.csv", "junk")
    tables = find_downloads(path)
    assert [(table.altname, table.minutes) for table in tables] == [("ETHUSD", 60), ("XBTUSD", 1)]
    assert len(list(read_candles(tables[1], "BTC/USD", Told()))) == 2


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("1640995200,1,1,1,1,1", "seven columns"),
        ("time,open,high,low,close,volume,trades", "cannot be read"),
        ("1640995201,1,1,1,1,1,1", "cannot begin"),
        ("1640995200,0,1,0,1,1,1", "price is zero"),
        ("1640995200,1,1,NaN,1,1,1", "no amount"),
        ("1640995200,5,4,1,2,1,1", "between low and high"),
        ("1640995200,1,1,1,1,-1,1", "no amount"),
        ("1640995200,1,1,1,1,1,1.5", "number of trades"),
        ("1640995200000,1,1,1,1,1,1", "Unix time"),
        ("1640995200," + "1" * 60 + ",1,1,1,1,1", "too long"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, row: str, word: str) -> None:
    path = tmp_path / "XBTUSD_1.csv"
    path.write_text("1640995140,1,1,1,1,1,1\n" + row + "\n")
    (table,) = find_downloads(path)
    with pytest.raises(MarketDataError, match="line 2") as found:
        list(read_candles(table, "BTC/USD", Told()))
    assert word in str(found.value)


def test_rows_that_go_back_in_time_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "XBTUSD_1.csv"
    path.write_text("1640995200,1,1,1,1,1,1\n1640995200,1,1,1,1,1,1\n")
    with pytest.raises(MarketDataError, match="not later"):
        list(read_candles(find_downloads(path)[0], "BTC/USD", Told()))
    path = tmp_path / "XBTUSD.csv"
    path.write_text("1640995200,1,1\n1640995199,1,1\n")
    with pytest.raises(MarketDataError, match="older"):
        list(read_trades(find_downloads(path)[0], "BTC/USD", Told()))


@pytest.mark.parametrize("name", ["prices.json", "XBTUSD_0.csv", "XBTUSD_1.txt"])
def test_a_file_that_is_no_download_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(CANDLES)
    with pytest.raises(MarketDataError, match="none of Kraken's downloads"):
        find_downloads(path)


def test_a_missing_or_broken_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MarketDataError, match="No such file"):
        find_downloads(tmp_path / "XBTUSD_1.csv")
    broken = tmp_path / "all.zip"
    broken.write_bytes(b"PK\x03\x04nothing")
    with pytest.raises(MarketDataError, match="cannot be read"):
        find_downloads(broken)
    cut = tmp_path / "XBTUSD_1.csv.gz"
    cut.write_bytes(gzip.compress(CANDLES.encode() * 1000)[:-20])
    with pytest.raises(MarketDataError):
        list(read_candles(find_downloads(cut)[0], "BTC/USD", Told()))
    noise = tmp_path / "ETHUSD_1.csv"
    noise.write_bytes(os.urandom(2000))
    with pytest.raises(MarketDataError):
        list(read_candles(find_downloads(noise)[0], "ETH/USD", Told()))
