"""The past: as much as any window needs, oldest first, and no more."""

import math

import msgspec

from simple_trader.core.market.indicators.past import REACH, REACH_CLOSES, Past


def filled(count: int) -> Past:
    """Candles with closes 1, 2, 3 ..., a range of 2 and ten times the close as volume."""
    past = Past()
    for close in range(1, count + 1):
        past.take(close + 1.0, close - 1.0, float(close), 10.0 * close)
    return past


def test_the_newest_candles_are_kept_oldest_first() -> None:
    past = filled(3)
    assert past.count == 3
    assert past.closes == [1.0, 2.0, 3.0]
    assert (past.highs, past.lows) == ([2.0, 3.0, 4.0], [0.0, 1.0, 2.0])
    assert past.volumes == [10.0, 20.0, 30.0]
    assert past.turnovers == [10.0, 40.0, 90.0]
    assert past.logs == [0.0, math.log(2.0), math.log(3.0)]


def test_what_no_window_reaches_is_forgotten_and_still_counted() -> None:
    past = filled(1_000)
    assert past.count == 1_000
    assert past.closes == [float(close) for close in range(1_001 - REACH_CLOSES, 1_001)]
    for kept in (past.highs, past.lows, past.volumes, past.turnovers, past.logs):
        assert len(kept) == REACH
    assert (past.highs[-1], past.lows[0]) == (1_001.0, 1_000.0 - REACH)


def test_every_list_is_full_exactly_when_its_reach_is_reached() -> None:
    assert len(filled(REACH).highs) == len(filled(REACH + 1).highs) == REACH
    assert len(filled(REACH_CLOSES - 1).closes) == REACH_CLOSES - 1
    assert len(filled(REACH_CLOSES + 1).closes) == REACH_CLOSES


def test_a_price_that_cannot_be_breaks_nothing() -> None:
    past = Past()
    past.take(0.0, 0.0, 0.0, 0.0)
    assert past.logs == [0.0]
    assert msgspec.json.decode(msgspec.json.encode(past), type=Past) == past
