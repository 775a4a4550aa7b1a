"""The other traders' resting orders."""

from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from simple_trader.simulator.liquidity import ASK, BID, Liquidity


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
