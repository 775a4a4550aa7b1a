"""The generated market."""

import math
import statistics
from itertools import pairwise

from simple_trader.sandbox.sources import MINUTE, SECOND, Tick
from simple_trader.sandbox.sources_generated import CHARACTERS, REGIMES, GeneratedSource

START = 1_772_445_600 * SECOND


def run(source: GeneratedSource, seconds: int) -> list[Tick]:
    return [tick for _ in range(seconds) for tick in source.step()]


def opened(seed: int) -> tuple[GeneratedSource, list[Tick]]:
    source = GeneratedSource(seed, START)
    return source, list(source.history())


def test_the_same_seed_gives_the_same_market_and_another_seed_another() -> None:
    first, again, other = opened(1), opened(1), opened(2)
    assert first[1] == again[1]
    assert run(first[0], 300) == run(again[0], 300)
    assert [tick.bid for tick in first[1][:50]] != [tick.bid for tick in other[1][:50]]


def test_a_saved_market_goes_on_exactly_where_it_stood() -> None:
    source, _ = opened(3)
    run(source, 500)
    saved = source.save()
    ahead = run(source, 500)
    fresh = GeneratedSource(3, START)
    fresh.restore(saved)
    assert run(fresh, 500) == ahead


def test_every_pair_ticks_each_second_with_sound_quotes() -> None:
    source, _ = opened(4)
    assert source.next_at() == START + SECOND
    ticks = run(source, 200)
    assert len(ticks) == 200 * len(CHARACTERS)
    for tick in ticks:
        assert 0 < tick.bid < tick.ask
        assert (tick.ask - tick.bid) / tick.bid < 0.005
        for trade in tick.prints:
            assert trade.tick == (tick.ask if trade.buy else tick.bid)
            assert trade.lots > 0


def test_history_covers_twelve_hours_up_to_the_start_for_every_pair() -> None:
    _, history = opened(5)
    for symbol in CHARACTERS:
        printed = {tick.at // MINUTE for tick in history if tick.symbol == symbol and tick.prints}
        assert len(printed) > 640
    assert {tick.at // MINUTE for tick in history} == {
        START // MINUTE - ago for ago in range(1, 721)
    }


def test_pairs_move_together_but_not_in_step() -> None:
    source, _ = opened(6)
    ticks = run(source, 4000)
    returns = {}
    for symbol in ("BTC/USD", "ETH/USD"):
        mids = [(t.bid + t.ask) / 2 for t in ticks if t.symbol == symbol][::20]
        returns[symbol] = [math.log(b / a) for a, b in pairwise(mids)]
    correlation = statistics.correlation(returns["BTC/USD"], returns["ETH/USD"])
    assert 0.5 < correlation < 0.99


def test_regimes_change_the_pace_of_the_market() -> None:
    source, history = opened(8)
    mids: dict[int, float] = {}
    for tick in [*history, *run(source, 4000)]:
        if tick.symbol == "BTC/USD":
            mids[tick.at // (10 * MINUTE)] = math.log(tick.bid)
    moves = [abs(mids[key + 1] - mids[key]) for key in sorted(mids) if key + 1 in mids]
    quiet, wild = sorted(moves)[len(moves) // 4], sorted(moves)[-len(moves) // 10]
    assert wild > 3 * quiet
    assert len({regime.name for regime in REGIMES}) == 5
