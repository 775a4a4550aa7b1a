"""Baselines: what doing nothing clever would have made at the same moments and the same costs."""

from collections.abc import Sequence
from datetime import datetime
from math import sqrt

import msgspec

from simple_trader.core.scoring.draws import Draws
from simple_trader.core.scoring.statistics import (
    Z95,
    deviation,
    independent_count,
    mean,
    quantile,
)

DRAWS = 1000
SEED = 20261121
_BPS = 100.0  # basis points of a percent
MOST_STEPS = 1_000_000  # calls dealt in all draws together: more calls get fewer draws
FEWEST_DRAWS = 200


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """One decision seen as a stake: side +1, -1 or 0 for hold; moves and cost in percent."""

    pair: str
    begin: datetime
    end: datetime
    side: int
    change: float
    cost: float
    past: float | None

    def made(self, side: int) -> float:
        """What `side` would have made here after fees, in percent of the stake."""
        return side * self.change - abs(side) * self.cost


class Profit(msgspec.Struct, frozen=True, kw_only=True):
    """Mean profit after fees in basis points of the stake per decision, beside the baselines.

    `low` to `high` is 95 % of `independent` outcomes. `hold` buys at the first moment and keeps;
    cash makes 0; `momentum` follows the sign of the last move; `random_*` are the same calls dealt
    to other moments (equal turnover), and `percentile` says where ours stand among them, of
    `draws`: from MOST_STEPS / draws trades on fewer than asked for.
    """

    count: int
    trades: int
    independent: int
    independent_trades: int
    mean_bps: float
    low_bps: float
    high_bps: float
    hold_bps: float
    cash_bps: float
    momentum_bps: float | None
    random_median_bps: float
    random_low_bps: float
    random_high_bps: float
    percentile: float
    draws: int


def profit(windows: Sequence[Window], *, draws: int = DRAWS, seed: int = SEED) -> Profit | None:
    """Judge decisions as stakes of equal size; None for none."""
    if not windows:
        return None
    made = [window.made(window.side) for window in windows]
    independent = _independent(windows)
    half = Z95 * deviation(made) / sqrt(independent)
    trades = sum(window.side != 0 for window in windows)
    affordable = max(FEWEST_DRAWS, MOST_STEPS // max(1, trades))
    chance = random_means(windows, draws=min(draws, affordable), seed=seed)
    ours = mean(made)
    below = sum(value < ours - 1e-12 for value in chance)
    equal = sum(abs(value - ours) <= 1e-12 for value in chance)
    return Profit(
        count=len(windows),
        trades=trades,
        independent=independent,
        independent_trades=_independent([item for item in windows if item.side]),
        mean_bps=ours * _BPS,
        low_bps=(ours - half) * _BPS,
        high_bps=(ours + half) * _BPS,
        hold_bps=hold_mean(windows) * _BPS,
        cash_bps=0.0,
        momentum_bps=_momentum(windows),
        random_median_bps=quantile(chance, 0.5) * _BPS,
        random_low_bps=quantile(chance, 0.025) * _BPS,
        random_high_bps=quantile(chance, 0.975) * _BPS,
        percentile=100 * (below + equal / 2) / len(chance),
        draws=len(chance),
    )


def _independent(windows: Sequence[Window]) -> int:
    return independent_count((item.pair, item.begin, item.end) for item in windows)


def hold_mean(windows: Sequence[Window]) -> float:
    """Being long at every moment, one round trip for each pair; percent per decision."""
    costs: dict[str, float] = {}
    for window in windows:
        costs.setdefault(window.pair, window.cost)
    return (sum(window.change for window in windows) - sum(costs.values())) / len(windows)


def _momentum(windows: Sequence[Window]) -> float | None:
    """Going with the last move; None where no past is known."""
    known = [(window, window.past) for window in windows if window.past is not None]
    if not known:
        return None
    return mean([window.made((past > 0) - (past < 0)) for window, past in known]) * _BPS


def random_means(windows: Sequence[Window], *, draws: int, seed: int) -> list[float]:
    """Mean profit of the same calls at other moments, `draws` times, in percent.

    The calls of each pair are turned round its moments by one random step: their number, mix and
    stickiness stay, and so does the overlap of the outcomes; only the timing is lost.
    """
    dice = Draws(seed)
    by_pair: dict[str, list[Window]] = {}
    for window in sorted(windows, key=lambda item: (item.pair, item.begin, item.end)):
        by_pair.setdefault(window.pair, []).append(window)
    totals = [0.0] * draws
    for group in by_pair.values():
        changes = [window.change for window in group]
        costs = [window.cost for window in group]
        calls = [(index, window.side) for index, window in enumerate(group) if window.side]
        turned: dict[int, float] = {}
        for draw in range(draws):
            step = dice.below(len(group))
            if step not in turned:
                turned[step] = _turned(calls, changes, costs, step)
            totals[draw] += turned[step]
    return [total / len(windows) for total in totals]


def _turned(
    calls: Sequence[tuple[int, int]], changes: list[float], costs: list[float], step: int
) -> float:
    count, total = len(changes), 0.0
    for index, side in calls:
        at = (index + step) % count
        total += side * changes[at] - costs[at]
    return total
