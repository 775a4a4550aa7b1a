"""Leaks: whether a recorded number knows the move that came after it, whatever its stamps say.

Stamps are checked in SQL (v_point_in_time). This looks at the numbers alone: an honest feature is
hardly correlated with the next move, and no less so with moves of other moments.
"""

from collections.abc import Sequence
from math import sqrt

import msgspec

from simple_trader.core.scoring.draws import Draws

FEWEST = 100  # moments below which nothing is said
TOO_GOOD = 0.3  # rank correlation with the next move that no honest feature of a market has
SHIFTS = 99
SEED = 42


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A number that is too good to be true: its rank correlation with the move after it, and the
    largest with moves of other moments.
    """

    name: str
    count: int
    correlation: float
    by_chance: float


def suspect(
    name: str, values: Sequence[float | None], moves: Sequence[float | None]
) -> Suspect | None:
    """Judge one number: `values` at moments in order, `moves` of the price after each.

    It is suspect when it ranks the moves better than 0.3 and better than after 99 shifts in time
    (a shift keeps how both series hang together with themselves; it is by a tenth of the moments at
    least, as a leak often knows some moves around the next one too). None: nothing is against it.
    """
    pairs = [(v, m) for v, m in zip(values, moves, strict=True) if v is not None and m is not None]
    if len(pairs) < FEWEST:
        return None
    known = _ranks([value for value, _ in pairs])
    after = _ranks([move for _, move in pairs])
    found = correlation(known, after)
    if found is None or abs(found) < TOO_GOOD:
        return None
    dice, near = Draws(SEED), len(pairs) // 10
    chance = 0.0
    for _ in range(SHIFTS):
        step = near + dice.below(len(pairs) - 2 * near)
        turned = correlation(known, after[step:] + after[:step])
        chance = max(chance, abs(turned or 0.0))
    if abs(found) <= chance:
        return None
    return Suspect(name=name, count=len(pairs), correlation=found, by_chance=chance)


def correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Pearson's; of ranks it is Spearman's. None where one does not vary."""
    count = len(first)
    middle_1, middle_2 = sum(first) / count, sum(second) / count
    both = own_1 = own_2 = 0.0
    for one, two in zip(first, second, strict=True):
        off_1, off_2 = one - middle_1, two - middle_2
        both += off_1 * off_2
        own_1 += off_1 * off_1
        own_2 += off_2 * off_2
    return None if own_1 <= 0 or own_2 <= 0 else both / sqrt(own_1 * own_2)


def _ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 0, equal values sharing their mean rank."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    begin = 0
    while begin < len(order):
        end = begin
        while end + 1 < len(order) and values[order[end + 1]] == values[order[begin]]:
            end += 1
        for position in range(begin, end + 1):
            ranks[order[position]] = (begin + end) / 2
        begin = end + 1
    return ranks
