"""The other traders' resting orders."""

from itertools import islice, pairwise

from hypothesis import given
from hypothesis import strategies as st

from simple_trader.simulator.instruments import INSTRUMENT_BY_SYMBOL, INSTRUMENTS
from simple_trader.simulator.liquidity import ASK, BID, Liquidity, liquidity_of


def make() -> Liquidity:
    return Liquidity(12345, 10, 10**8, 9_000)


@given(st.integers(1, 10**10), st.integers(0, 10**6))
def test_levels_run_outwards_and_none_is_empty(best: int, step: int) -> None:
    book = make()
    bids = list(islice(book.levels(BID, best, step), 40))
    asks = list(islice(book.levels(ASK, best, step), 40))
    assert all(lots > 0 for _, lots in bids + asks)
    assert [tick for tick, _ in bids] == sorted({tick for tick, _ in bids}, reverse=True)
    assert [tick for tick, _ in asks] == sorted({tick for tick, _ in asks})
    assert bids[0][0] == asks[0][0] == best
    assert bids[-1][0] > 0


def test_a_level_is_the_same_whoever_asks_and_when() -> None:
    seen = make()
    for step in range(300):
        list(islice(seen.levels(BID, 650_000, step), 20))
    fresh = make()
    for step in (299, 150, 7, 298):
        wanted = list(islice(fresh.levels(BID, 650_000, step), 20))
        assert list(islice(seen.levels(BID, 650_000, step), 20)) == wanted


def test_few_levels_change_from_one_step_to_the_next() -> None:
    book = make()
    changed = 0
    before = dict(islice(book.levels(ASK, 650_000, 0), 100))
    for step in range(1, 200):
        after = dict(islice(book.levels(ASK, 650_000, step), 100))
        changed += sum(1 for tick, lots in after.items() if before.get(tick) != lots)
        before = after
    assert 200 < changed < 199 * 8


def test_a_usual_level_is_worth_thousands_at_any_price() -> None:
    for best in (1_000, 650_000, 10**9):
        worth = sorted(
            tick * lots / 10 / 10**8 for tick, lots in islice(make().levels(BID, best, 3), 200)
        )
        assert 1_000 < worth[len(worth) // 2] < 20_000


def thin() -> Liquidity:
    return Liquidity(12345, 10, 10**8, 9_000, thin=True)


@given(st.integers(1, 10**10), st.integers(0, 10**6))
def test_a_thin_side_ends_and_runs_outwards(best: int, step: int) -> None:
    book = thin()
    for side in (BID, ASK):
        levels = list(islice(book.levels(side, best, step), 1000))
        ticks = [tick for tick, _ in levels]
        assert ticks == sorted(set(ticks), reverse=side == BID)
        assert 1 <= len(levels) <= 40
        assert ticks[0] == best
        assert all(tick > 0 and lots > 0 for tick, lots in levels)


def test_thin_sides_are_shorter_and_longer_than_ten_levels_and_have_holes() -> None:
    book, lengths, gaps = thin(), set(), set()
    for step in range(0, 24_000, 240):
        ticks = [tick for tick, _ in book.levels(ASK, 650_000, step)]
        lengths.add(len(ticks))
        gaps.update(after - before for before, after in pairwise(ticks[1:]))
    assert min(lengths) < 10
    assert max(lengths) > 25
    assert len(gaps) > 2


def test_levels_stand_on_the_pair_s_price_increment() -> None:
    gold = INSTRUMENT_BY_SYMBOL["PAXG/USD"]
    book = liquidity_of(gold, 7)
    for side, best in ((BID, 264_800), (ASK, 264_805)):
        assert all(tick % 5 == 0 for tick, _ in islice(book.levels(side, best, 9), 200))


def test_a_usual_level_is_worth_the_same_in_every_quote() -> None:
    for pair in INSTRUMENTS:
        if pair.thin:
            continue
        book = liquidity_of(pair, 3)
        levels = list(islice(book.levels(BID, 50_000 // pair.increment_ticks * 5, 3), 200))
        worth = sorted(pair.price_of(tick) * pair.qty_of(lots) for tick, lots in levels)
        assert 0.1 < worth[len(worth) // 2] / pair.level_quote < 2.5, pair.symbol
