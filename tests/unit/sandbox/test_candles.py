"""Candles in every interval."""

from hypothesis import given
from hypothesis import strategies as st

from simple_trader.sandbox.candles import INTERVALS, Candle, Candles, Day, filled_rows
from simple_trader.sandbox.sources import MINUTE, SECOND
from simple_trader.simulator.fill_model import Print

BASE = 1_772_409_600 * SECOND

TRADES = st.lists(
    st.tuples(st.integers(1, 400), st.integers(1, 10**12), st.integers(1, 10**19)), max_size=120
)


def fed(trades: list[tuple[int, int, int]]) -> tuple[Candles, list[tuple[int, Print]]]:
    candles, at, taken = Candles(), BASE, []
    for wait_s, tick, lots in trades:
        at += wait_s * SECOND
        trade = Print(tick, lots, buy=True, market=False)
        candles.take(at, trade)
        taken.append((at, trade))
    return candles, taken


@given(TRADES)
def test_candles_of_every_interval_are_those_of_the_trades(
    trades: list[tuple[int, int, int]],
) -> None:
    candles, taken = fed(trades)
    for interval in INTERVALS:
        wanted: dict[int, Candle] = {}
        for at, trade in taken:
            begin = at // (interval * MINUTE) * interval * MINUTE
            first = Candle(begin, trade.tick, trade.tick, trade.tick, trade.tick)
            wanted.setdefault(begin, first).take(trade)
        assert candles.rows(interval) == list(wanted.values())
        assert candles.running(interval) == (list(wanted.values())[-1] if wanted else None)


@given(TRADES, TRADES)
def test_saved_candles_go_on_the_same(
    before: list[tuple[int, int, int]], after: list[tuple[int, int, int]]
) -> None:
    straight, taken = fed([*before, *after])
    again = Candles(fed(before)[0].save())
    for at, trade in taken[len(before) :]:
        again.take(at, trade)
    for interval in INTERVALS:
        assert again.rows(interval) == straight.rows(interval)
    assert again.day(BASE) == straight.day(BASE)


def test_the_day_forgets_what_is_older_than_24_hours() -> None:
    candles = Candles()
    candles.take(BASE, Print(900, 5, buy=True, market=False))
    candles.take(BASE + 60 * MINUTE, Print(100, 7, buy=True, market=False))
    candles.take(BASE + 1439 * MINUTE, Print(500, 1, buy=True, market=False))
    day = candles.day(BASE + 1439 * MINUTE)
    assert day is not None
    assert (day.open, day.high, day.low, day.volume, day.count) == (900, 900, 100, 13, 3)
    candles.take(BASE + 1440 * MINUTE, Print(500, 1, buy=True, market=False))
    day = candles.day(BASE + 1440 * MINUTE)
    assert day is not None
    assert (day.open, day.high, day.low, day.volume) == (100, 500, 100, 9)


def test_empty_intervals_become_flat_rows() -> None:
    candles, _ = fed([(60, 10, 1), (240, 20, 2)])
    rows = filled_rows(candles.rows(1), 1, 0)
    assert [row.close for row in rows] == [10, 10, 10, 10, 20]
    assert [row.count for row in rows] == [1, 0, 0, 0, 1]
    assert [row.volume for row in rows] == [1, 0, 0, 0, 2]


def test_the_day_ends_now_even_when_nothing_trades_any_more() -> None:
    candles, _ = fed([(60, 10, 1), (240, 20, 2)])
    last = BASE + 5 * MINUTE
    assert candles.day(last + 1435 * MINUTE) == Day(10, 20, 10, 3, 50, 2)
    assert candles.day(last + 1436 * MINUTE) == Day(20, 20, 20, 2, 40, 1)
    assert candles.day(last + 1440 * MINUTE) is None
    assert candles.day(last) == Day(10, 20, 10, 3, 50, 2)


def test_today_is_the_running_utc_day_and_nothing_when_it_has_no_trade() -> None:
    candles, _ = fed([(60, 10, 1), (240, 20, 2)])
    today = candles.today(BASE + 6 * MINUTE)
    assert today is not None
    assert (today.open, today.close, today.volume) == (10, 20, 3)
    assert candles.today(BASE + 1440 * MINUTE) is None


def test_the_longest_interval_is_fifteen_days_counted_from_1970() -> None:
    candles, _ = fed([(60, 10, 1)] + [(86_400, 20, 1)] * 20)
    begins = [row.begin for row in candles.rows(21_600)]
    assert len(begins) == 2
    assert all(begin % (21_600 * MINUTE) == 0 for begin in begins)
    assert sum(row.count for row in candles.rows(21_600)) == 21
