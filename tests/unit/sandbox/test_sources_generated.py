"""The generated market."""

import math
import statistics
from itertools import pairwise

import pytest

from simple_trader.sandbox.sources import MINUTE, SECOND, SourceError, Tick
from simple_trader.sandbox.sources_generated import GeneratedSource
from simple_trader.simulator.instruments import DEFAULT_SYMBOLS, INSTRUMENT_BY_SYMBOL

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
    assert len(ticks) == 200 * len(DEFAULT_SYMBOLS)
    for tick in ticks:
        assert 0 < tick.bid < tick.ask
        assert (tick.ask - tick.bid) / tick.bid < 0.005
        for trade in tick.prints:
            assert trade.tick == (tick.ask if trade.buy else tick.bid)
            assert trade.lots > 0


def test_history_covers_twelve_hours_up_to_the_start_for_every_pair() -> None:
    _, history = opened(5)
    for symbol in DEFAULT_SYMBOLS:
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


EVERY = tuple(INSTRUMENT_BY_SYMBOL)


def closes(source: GeneratedSource, symbol: str, seconds: int) -> list[float]:
    return [math.log(tick.bid) for tick in run(source, seconds) if tick.symbol == symbol]


def test_the_eight_have_the_same_tape_whatever_else_is_traded() -> None:
    few = GeneratedSource(5, START)
    many = GeneratedSource(5, START, symbols=EVERY)
    alone = GeneratedSource(5, START, symbols=("ETH/BTC", "SOL/USD"))
    for source in (few, many, alone):
        for _ in source.history():
            pass
    wanted, there = run(few, 200), run(many, 200)
    assert [tick for tick in there if tick.symbol in DEFAULT_SYMBOLS] == wanted
    both = run(alone, 200)
    assert [t for t in both if t.symbol == "SOL/USD"] == [
        t for t in wanted if t.symbol == "SOL/USD"
    ]
    assert [t for t in both if t.symbol == "ETH/BTC"] == [t for t in there if t.symbol == "ETH/BTC"]
    assert {tick.symbol for tick in both} == {"SOL/USD", "ETH/BTC"}


def test_all_pairs_tick_on_their_increments_with_quotes_that_do_not_cross() -> None:
    source = GeneratedSource(2, START, symbols=EVERY)
    ticks = run(source, 120)
    assert len(ticks) == 120 * len(EVERY)
    for tick in ticks:
        step = INSTRUMENT_BY_SYMBOL[tick.symbol].increment_ticks
        assert 0 < tick.bid < tick.ask
        assert tick.bid % step == tick.ask % step == 0


@pytest.mark.parametrize("regime", ["mixed", "crash", "thin"])
def test_no_round_trip_over_three_pairs_pays_even_before_fees(regime: str) -> None:
    source = GeneratedSource(3, START, symbols=EVERY, regime=regime)
    triangles = [
        (symbol, f"{symbol.split('/')[0]}/USD", f"{symbol.split('/')[1]}/USD")
        for symbol in EVERY
        if not symbol.endswith("/USD") and f"{symbol.split('/')[0]}/USD" in EVERY
    ]
    assert len(triangles) > 15
    closest = 0.0
    for _ in range(600):
        now = {tick.symbol: tick for tick in source.step()}
        for cross, base, quote in triangles:
            legs = [INSTRUMENT_BY_SYMBOL[name] for name in (cross, base, quote)]
            scales = [10.0**pair.price_precision for pair in legs]
            bid = [now[pair.symbol].bid / scale for pair, scale in zip(legs, scales, strict=True)]
            ask = [now[pair.symbol].ask / scale for pair, scale in zip(legs, scales, strict=True)]
            assert bid[0] * bid[2] / ask[1] <= 1.0000001, cross
            assert bid[1] / (ask[0] * ask[2]) <= 1.0000001, cross
            closest = max(closest, bid[0] * bid[2] / ask[1])
    assert closest > 0.999 or regime == "thin"


def test_nothing_prints_where_nothing_is_matched() -> None:
    source = GeneratedSource(4, START, symbols=("ACA/EUR", "MON/USD", "KTA/USD"))
    prints = {tick.symbol: 0 for tick in source.step()}
    for tick in run(source, 6000):
        prints[tick.symbol] += len(tick.prints)
    assert prints["ACA/EUR"] == prints["MON/USD"] == 0
    assert prints["KTA/USD"] > 50


def test_a_crash_comes_soon_after_the_start_and_most_of_it_is_recovered() -> None:
    source = GeneratedSource(1, START, regime="crash")
    history = [math.log(t.bid) for t in source.history() if t.symbol == "BTC/USD"]
    assert max(abs(later - earlier) for earlier, later in pairwise(history[::6])) < 0.01
    path = closes(source, "BTC/USD", 7200)
    bottom = path.index(min(path))
    assert path[0] - path[bottom] > 0.12
    assert bottom < 3600
    assert max(path[bottom:]) - path[bottom] > 0.08


def test_the_regimes_differ_as_their_names_say() -> None:
    def spread(regime: str) -> tuple[float, float, float, float]:
        source = GeneratedSource(6, START, regime=regime)
        ticks = [tick for tick in run(source, 5400) if tick.symbol == "BTC/USD"]
        mids = [math.log(tick.bid) for tick in ticks][::30]
        moves = [abs(later - earlier) for earlier, later in pairwise(mids)]
        way = abs(mids[-1] - mids[0]) / sum(moves)
        wide = statistics.mean((tick.ask - tick.bid) / tick.bid for tick in ticks)
        return statistics.mean(moves), way, wide, sum(len(tick.prints) for tick in ticks)

    calm, chop, thin = spread("calm"), spread("chop"), spread("thin")
    assert chop[0] > 2 * calm[0]
    assert thin[2] > 5 * calm[2]
    assert thin[3] < calm[3] / 5
    assert chop[1] < 0.3


def test_a_trend_goes_further_than_a_chop_in_the_same_time() -> None:
    def way(regime: str) -> float:
        lengths = []
        for seed in (1, 2, 3):
            source = GeneratedSource(seed, START, regime=regime)
            mids = [math.log(t.bid) for t in source.history() if t.symbol == "BTC/USD"][::6]
            lengths.append(max(mids) - min(mids))
        return statistics.mean(lengths)

    assert way("trend") > 2 * way("chop")


def test_a_thin_market_has_thin_books() -> None:
    assert all(pair.thin for pair in GeneratedSource(1, START, regime="thin").pairs.values())
    assert not any(pair.thin for pair in GeneratedSource(1, START).pairs.values())


def test_what_this_market_does_not_know_is_one_sentence() -> None:
    with pytest.raises(SourceError, match="pair NO/USD is unknown"):
        GeneratedSource(1, START, symbols=("NO/USD",))
    with pytest.raises(SourceError, match="--regime storm"):
        GeneratedSource(1, START, regime="storm")
    other = GeneratedSource(1, START, symbols=("BTC/USD",))
    with pytest.raises(SourceError, match="other pairs"):
        GeneratedSource(1, START).restore(other.save())


def test_another_regime_is_another_world() -> None:
    worlds = {GeneratedSource(1, START, regime=name).world for name in ("mixed", "calm", "crash")}
    assert worlds == {"seed 1", "seed 1, regime calm", "seed 1, regime crash"}
