"""The replayed market: files, paths inside bars, gaps, garbage."""

import gzip
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from simple_trader.sandbox.sources import MINUTE, SECOND, SourceError, Tick
from simple_trader.sandbox.sources_replay import ReplaySource

BASE = 1_600_000_020


def ohlcvt(path: Path, rows: list[str], pack: bool = False) -> Path:
    text = ("\n".join(rows) + "\n").encode()
    path.write_bytes(gzip.compress(text) if pack else text)
    return path


def minutes(count: int, skip: set[int] | None = None) -> list[str]:
    return [
        f"{BASE + 60 * n},100.{n % 10},105.5,95.25,101.{n % 10},3.5,{n % 7}"
        for n in range(count)
        if n not in (skip or set())
    ]


def replay(path: Path, pair: str, history_bars: int, seed: int) -> ReplaySource:
    return ReplaySource([(pair, path)], history_bars, seed)


def everything(source: ReplaySource) -> list[Tick]:
    ticks: list[Tick] = []
    while source.next_at() is not None:
        due = source.next_at()
        moved = source.step()
        assert {tick.at for tick in moved} == {due}
        ticks += moved
    return ticks


def test_the_path_inside_a_bar_hits_open_high_low_and_close_and_stays_inside(
    tmp_path: Path,
) -> None:
    source = replay(ohlcvt(tmp_path / "a.csv", minutes(40)), "BTC/USD", 5, 1)
    pair = source.pairs["BTC/USD"]
    assert source.start == (BASE + 300) * SECOND
    ticks = everything(source)
    for n in range(5, 40):
        begin = (BASE + 60 * n) * SECOND
        inside = [tick for tick in ticks if begin <= tick.at < begin + MINUTE]
        assert [tick.at for tick in inside] == [begin + s * SECOND for s in range(60)]
        prices = [pair.price_of(trade.tick) for tick in inside for trade in tick.prints]
        assert prices[0] == Decimal(f"100.{n % 10}")
        assert prices[-1] == Decimal(f"101.{n % 10}")
        assert (min(prices), max(prices)) == (Decimal("95.25"), Decimal("105.5"))
        assert inside[0].prints
        assert sum(trade.lots for tick in inside for trade in tick.prints) == 350_000_000
    assert all(tick.bid < tick.ask for tick in ticks)


def test_the_order_of_high_and_low_is_drawn_by_the_seed(tmp_path: Path) -> None:
    path = ohlcvt(tmp_path / "a.csv", minutes(60))

    def high_first(seed: int) -> list[bool]:
        source = replay(path, "BTC/USD", 5, seed)
        order: dict[int, list[int]] = {}
        for tick in everything(source):
            for trade in tick.prints:
                order.setdefault(tick.at // MINUTE, []).append(trade.tick)
        return [ticks.index(max(ticks)) < ticks.index(min(ticks)) for ticks in order.values()]

    assert high_first(1) == high_first(1) != high_first(2)
    assert 10 < sum(high_first(1)) < 50


def test_gaps_in_the_data_stay_gaps(tmp_path: Path) -> None:
    path = ohlcvt(tmp_path / "a.csv", minutes(30, skip={12, 13, 14}))
    ticks = everything(replay(path, "BTC/USD", 5, 1))
    silent = range((BASE + 12 * 60) * SECOND, (BASE + 15 * 60) * SECOND)
    assert not any(tick.at in silent for tick in ticks)


def test_a_bar_with_one_trade_is_one_print_and_quotes_that_stay_fresh(tmp_path: Path) -> None:
    rows = [f"{BASE // 3600 * 3600 + 3600 * n},12200,12200,12200,12200,0.1,1" for n in range(9)]
    source = replay(ohlcvt(tmp_path / "a.csv", rows), "XBTUSD", 2, 1)
    ticks = everything(source)
    assert len(ticks) == 7 * 720
    assert sum(len(tick.prints) for tick in ticks) == 7
    assert len({(tick.bid, tick.ask) for tick in ticks}) > 1


def test_a_saved_replay_goes_on_exactly_where_it_stood(tmp_path: Path) -> None:
    path = ohlcvt(tmp_path / "a.csv.gz", minutes(30), pack=True)
    source = replay(path, "BTC/USD", 5, 1)
    for _ in range(333):
        source.step()
    saved = source.save()
    fresh = replay(path, "BTC/USD", 5, 1)
    fresh.restore(saved)
    assert everything(fresh) == everything(source)


def test_a_trades_file_prints_each_row_at_its_stamp(tmp_path: Path) -> None:
    rows = [f"{BASE + 37 * n}.5,{100 + n % 3}.5,0.25" for n in range(40)]
    rows.append(f"{BASE + 37 * 40 + 9000},99.5,1.5")
    source = replay(ohlcvt(tmp_path / "t.csv", rows), "BTC/USD", 3, 1)
    history = [trade for tick in source.history() for trade in tick.prints]
    ticks = everything(source)
    printed = [tick.at for tick in ticks if tick.prints]
    assert len(history) + len(printed) == 41
    assert printed[-1] == (BASE + 37 * 40 + 9000) * SECOND
    steps = [later.at - earlier.at for earlier, later in pairwise(ticks)]
    assert min(steps) > 0
    assert sorted(steps)[-2] <= SECOND
    assert max(steps) > 8000 * SECOND


def test_a_headed_file_with_volume_in_dollars_is_divided_by_price(tmp_path: Path) -> None:
    rows = ["timestamp,open,high,low,close,volume"]
    rows += [f"2022-01-01 00:{n:02}:00.000000,46000,46010,45990,46000,2300000" for n in range(12)]
    source = replay(ohlcvt(tmp_path / "h.csv", rows), "BTC/USD", 2, 1)
    lots = [sum(trade.lots for trade in tick.prints) for tick in everything(source)]
    assert sum(lots) == 10 * 50 * 10**8


Spoil = Callable[[list[str]], list[str]]


@pytest.mark.parametrize(
    ("spoil", "line", "words"),
    [
        (lambda rows: [*rows[:7], "garbage", *rows[8:]], 8, "expected 7 columns"),
        (lambda rows: [*rows[:7], rows[7].replace("105.5", "NaN"), *rows[8:]], 8, "high 'NaN'"),
        (lambda rows: [*rows[:7], rows[7].replace("105.5", "abc"), *rows[8:]], 8, "not a number"),
        (lambda rows: [*rows[:7], rows[7].replace("95.25", "-95.25"), *rows[8:]], 8, "positive"),
        (lambda rows: [*rows[:7], rows[7].replace("105.5", "96"), *rows[8:]], 8, "between low"),
        (lambda rows: [*rows[:7], rows[3], *rows[8:]], 8, "does not come after"),
        (lambda rows: ["", *rows[:6], rows[6] + ",1", *rows[7:]], 8, "expected 7 columns"),
        (lambda rows: ["timestamp,open,high,low,close"], 1, "volume"),
        (lambda rows: ["a,b"], 1, "expected Kraken OHLCVT"),
        (lambda rows: [rows[0].replace(str(BASE), "soon")], 1, "neither unix seconds nor a date"),
    ],
)
def test_garbage_is_refused_with_file_and_line(
    tmp_path: Path, spoil: Spoil, line: int, words: str
) -> None:
    path = ohlcvt(tmp_path / "bad.csv", spoil(minutes(20)))
    with pytest.raises(SourceError) as caught:
        replay(path, "BTC/USD", 5, 1)
    sentence = str(caught.value)
    assert f"replay file bad.csv, line {line}: " in sentence
    assert words in sentence
    assert "\n" not in sentence


def test_files_that_are_no_market_are_one_sentence_each(tmp_path: Path) -> None:
    empty, cut, binary = tmp_path / "empty.csv", tmp_path / "cut.gz", tmp_path / "b.csv"
    empty.write_text("")
    cut.write_bytes(gzip.compress(b"x" * 5000)[:30])
    binary.write_bytes(b"\xff\xfe\x00\x81")
    short = ohlcvt(tmp_path / "short.csv", minutes(4))
    for path in (empty, cut, binary, tmp_path / "missing.csv", short, tmp_path):
        with pytest.raises(SourceError) as caught:
            replay(path, "BTC/USD", 5, 1)
        assert str(caught.value).count(".") >= 1
    with pytest.raises(SourceError, match="choose one of BTC/USD"):
        replay(short, "NOPE", 1, 1)
