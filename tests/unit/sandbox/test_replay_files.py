"""Replay files: packed, headed, long, and read again from any row."""

import gzip
import tempfile
import tracemalloc
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.sandbox import replay_bytes
from simple_trader.sandbox.replay_bytes import MAX_LINE, lines
from simple_trader.sandbox.replay_files import bars_of, scan, stream
from simple_trader.sandbox.replay_rows import Bar, Format, Reader, TapeTrade
from simple_trader.sandbox.sources import MINUTE, SECOND, SourceError

BASE = 1_600_000_020


def bar_rows(count: int, step: int = 60) -> list[str]:
    return [f"{BASE + step * n},100.{n % 10},105.5,95.25,101,3.5,7" for n in range(count)]


def plain(path: Path, rows: list[str], end: str = "\n") -> Path:
    path.write_text(end.join(rows) + end)
    return path


def packed(path: Path, members: dict[str, list[str]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in members.items():
            archive.writestr(name, "\n".join(rows) + "\n")
    return path


def test_plain_gzip_and_zip_hold_the_same_rows(tmp_path: Path) -> None:
    rows = bar_rows(50)
    first = plain(tmp_path / "a.csv", rows)
    second = tmp_path / "a.csv.gz"
    second.write_bytes(gzip.compress(first.read_bytes()))
    third = packed(tmp_path / "a.zip", {"XBTUSD_1.csv": rows})
    wanted = list(bars_of(scan(first)))
    assert len(wanted) == 50
    opened, high, low, close, volume = map(Decimal, "100.0 105.5 95.25 101 3.5".split())
    assert wanted[0] == Bar(BASE * SECOND, opened, high, low, close, volume, 7)
    assert list(bars_of(scan(second))) == list(bars_of(scan(third))) == wanted


def test_a_zip_of_all_pairs_gives_the_pair_asked_for_at_its_shortest_interval(
    tmp_path: Path,
) -> None:
    members = {
        "Kraken/XBTUSD_60.csv": bar_rows(9, 3600),
        "Kraken/XBTUSD_5.csv": bar_rows(9, 300),
        "Kraken/XBTUSDT_1.csv": bar_rows(9),
        "Kraken/XBTUSD.csv": [f"{BASE},100,1"],
        "Kraken/ETHUSD.csv": [f"{BASE},100,1", f"{BASE + 1}.25,101,1"],
        "__MACOSX/._XBTUSD_1.csv": ["junk"],
    }
    path = packed(tmp_path / "all.zip", members)
    bitcoin, ether = scan(path, altname="XBTUSD"), scan(path, altname="ETHUSD")
    assert (bitcoin.member, bitcoin.interval) == ("Kraken/XBTUSD_5.csv", 300)
    assert (ether.member, ether.bars, ether.rows) == ("Kraken/ETHUSD.csv", False, 2)
    assert bitcoin.digest != ether.digest
    with pytest.raises(SourceError, match="none is SOLUSD: it has Kraken/XBTUSD_60.csv"):
        scan(path, altname="SOLUSD")


def test_a_file_with_a_header_and_trade_counts_is_read_by_names(tmp_path: Path) -> None:
    rows = ["Time,Open,High,Low,Close,Volume,Trades", *bar_rows(5)]
    headed = list(bars_of(scan(plain(tmp_path / "h.csv", rows, "\r\n"))))
    assert headed == list(bars_of(scan(plain(tmp_path / "p.csv", bar_rows(5)))))


def test_a_file_can_be_read_from_any_row_and_blank_lines_do_not_count(tmp_path: Path) -> None:
    rows = bar_rows(30)
    file = scan(plain(tmp_path / "a.csv", [*rows[:7], "", "  ", *rows[7:]]), lead=12)
    everything = list(stream(file))
    assert (file.rows, file.blocks, file.lead_row) == (30, 30, 12)
    assert file.lead_at == everything[12].row.at
    for start in (0, 6, 7, 8, 29, 30):
        assert list(stream(file, start)) == everything[start:]


def test_minutes_with_trades_are_the_blocks_of_a_trades_file(tmp_path: Path) -> None:
    rows = [f"{BASE + 20 * n}.5,100,1" for n in range(10)]
    file = scan(plain(tmp_path / "t.csv", rows), lead=2)
    assert (file.blocks, file.lead_row) == (4, 6)
    assert file.lead_at == (BASE + 120) // 60 * MINUTE


def test_a_long_file_is_never_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_bytes, "PIECE", 1 << 15)
    path = tmp_path / "long.csv"
    with path.open("w") as handle:
        for n in range(40_000):
            handle.write(f"{BASE + n}.25,{30_000 + n % 977}.5,0.12345678\n")
    tracemalloc.start()
    try:
        file = scan(path, lead=100)
        assert sum(1 for _ in stream(file)) == 40_000
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 1_200_000
    # A piece, its text and its lines; the file as rows would take ten megabytes.
    assert most < 600_000


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"1" * (MAX_LINE * 200)))
    with pytest.raises(SourceError, match=f"longer than {MAX_LINE} characters"):
        scan(path)


def test_a_broken_zip_is_one_sentence(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"XBTUSD_1.csv": bar_rows(500)})
    raw = path.read_bytes()
    path.write_bytes(raw[:200])
    with pytest.raises(SourceError, match="not a whole zip file"):
        scan(path)
    spoilt = bytearray(raw)
    spoilt[60:90] = bytes(30)
    path.write_bytes(bytes(spoilt))
    with pytest.raises(SourceError, match="not a whole zip file"):
        scan(path)
    with pytest.raises(SourceError, match="zip of 0 CSV files"):
        scan(packed(tmp_path / "b.zip", {"readme.txt": ["x"]}))


NUMBERS = st.decimals(min_value=Decimal("0.00000001"), max_value=10**9, places=8)


@given(st.integers(1, 4_000_000_000), NUMBERS, NUMBERS)
def test_a_trade_is_read_the_same_by_the_quick_and_the_careful_way(
    second: int, price: Decimal, volume: Decimal
) -> None:
    form, reader = Format("trades"), Reader("t.csv")
    quick = reader.row(form, f"{second},{price:f},{volume:f}")
    careful = reader.row(form, f" {second} , {price:f} ,{volume:e}")
    assert quick == careful == TapeTrade(second * SECOND, price, volume)


@given(st.integers(1, 4_000_000_000), st.lists(NUMBERS, min_size=4, max_size=4), NUMBERS)
def test_a_bar_is_read_the_same_by_the_quick_and_the_careful_way(
    second: int, prices: list[Decimal], volume: Decimal
) -> None:
    form, reader = Format("ohlcvt"), Reader("b.csv")
    low, opened, close, high = sorted(prices)
    cells = [opened, high, low, close, volume]
    quick = reader.row(form, f"{second}," + ",".join(f"{cell:f}" for cell in cells) + ",9")
    careful = reader.row(form, f"{second}," + ",".join(f" {cell:e}" for cell in cells) + ",9")
    assert quick == careful == Bar(second * SECOND, opened, high, low, close, volume, 9)


@given(st.binary(max_size=300))
def test_no_bytes_make_anything_but_rows_or_one_sentence(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.csv"
        path.write_bytes(raw)
        file, sentence = None, ""
        try:
            file = scan(path)
        except SourceError as error:
            sentence = str(error)
        if file is None:
            assert sentence.endswith(".")
        else:
            assert file.rows == sum(1 for _ in stream(file))


def test_lines_are_numbered_as_an_editor_numbers_them(tmp_path: Path) -> None:
    path = tmp_path / "n.csv"
    path.write_bytes(b"\xef\xbb\xbfone\r\n\r\n three\nfour")
    assert list(lines(path, None)) == [(1, "one"), (3, "three"), (4, "four")]
