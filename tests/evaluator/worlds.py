"""Planted worlds: markets and decisions whose skill is known, marked by the product's own marks."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from simple_trader.core.scoring.judging import SKILL
from simple_trader.core.scoring.outcomes import OpenMarks, outcome_of
from simple_trader.core.scoring.scorecard import Card, Marked, card
from simple_trader.domain.marks import MarkSource, OpenMark
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason

T0 = datetime(2026, 3, 2, tzinfo=UTC)
CYCLE_S = 900
COST_PCT = Decimal("0.85")
SOURCE = MarkSource(provider="planted", model="planted", template_hash="0" * 64)
_STEP = Decimal("0.0001")


class World(msgspec.Struct, frozen=True, kw_only=True):
    """A market and a decider: moves in percent per cycle, horizon in cycles, share of skill.

    `edge` is the chance that a call goes with the move that comes; None: it knows nothing.
    `sticky` is the chance that a call is the same as the one before.
    """

    name: str
    cycles: int = 800
    horizon: int = 1
    pairs: int = 1
    drift: float = 0.0
    together: float = 0.0  # share of each move that all pairs have in common
    sticky: float = 0.0
    hold: float = 0.0
    ups: float = 0.5
    same_calls: bool = False
    edge: float | None = None


RANDOM = (
    World(name="coin"),
    World(name="coin that holds half the time", hold=0.5, cycles=1600),
    World(name="coin over four cycles", horizon=4, cycles=1600),
    World(name="sticky", sticky=0.95, cycles=1000),
    World(name="sticky over four cycles", sticky=0.9, horizon=4, cycles=1600),
    World(name="always up, rising market", ups=1.0, drift=0.06),
    World(name="mostly up, rising market", ups=0.8, drift=0.06),
    World(name="coin, falling market", drift=-0.06),
    World(name="one call for two pairs alike", pairs=2, together=0.9, same_calls=True, cycles=500),
    World(name="two pairs, each its own", pairs=2, cycles=500),
)
EDGE = World(name="an edge of 55 %", edge=0.55)


def moves(world: World, dice: random.Random) -> list[list[float]]:
    """Moves of each pair by cycle, in percent."""
    own = (1 - world.together**2) ** 0.5
    series: list[list[float]] = [[] for _ in range(world.pairs)]
    for _ in range(world.cycles + world.horizon):
        common = dice.gauss(0, 0.3)
        for pair in series:
            pair.append(world.drift + world.together * common + own * dice.gauss(0, 0.3))
    return series


def prices(changes: list[float]) -> list[Decimal]:
    """Mids by cycle."""
    price, found = 100.0, [Decimal("100.0000")]
    for change in changes:
        price *= 1 + change / 100
        found.append(Decimal(price).quantize(_STEP))
    return found


def calls(world: World, dice: random.Random, ahead: list[float]) -> Iterator[str]:
    """What is called at each cycle; `ahead` is the move to the horizon (used by an edge alone)."""
    last = "buy" if dice.random() < world.ups else "sell"
    for move in ahead:
        if dice.random() < world.hold:
            yield "hold"
            continue
        if world.edge is not None:
            right = dice.random() < world.edge
            last = "buy" if (move > 0) == right else "sell"
        elif dice.random() >= world.sticky:
            last = "buy" if dice.random() < world.ups else "sell"
        yield last


def live(world: World, seed: int) -> list[Marked]:
    """Let a decider live in a world; its marks are made by the marking of the product."""
    dice = random.Random(f"{world.name} {seed}")
    found: list[Marked] = []
    first: list[str] | None = None
    for number, changes in enumerate(moves(world, dice)):
        mids = prices(changes)
        reach = range(world.cycles)
        ahead = [float(mids[at + world.horizon] - mids[at]) for at in reach]
        said = first if first is not None and world.same_calls else list(calls(world, dice, ahead))
        first = said
        found += _marked(world, f"P{number}/USD", mids, said, dice)
    return sorted(found, key=lambda mark: (mark.decided_at, mark.pair))


def _marked(
    world: World, pair: str, mids: list[Decimal], said: list[str], dice: random.Random
) -> Iterator[Marked]:
    waiting = OpenMarks()
    for at, mid in enumerate(mids):
        now = T0 + timedelta(seconds=at * CYCLE_S)
        for mark in waiting.take_due(pair, now):
            yield settled(mark, mid, now)
        if at < len(said):
            mark = opened(
                f"d{at}/{pair}", pair, said[at], mid, now, world.horizon * CYCLE_S, dice.random()
            )
            waiting.add((mark,))


def opened(
    name: str, pair: str, action: str, mid: Decimal, at: datetime, horizon_s: int, dice: float
) -> OpenMark:
    """A mark as a decision opens it; its confidence says nothing."""
    return OpenMark(
        mark_id=name,
        decision_id=name,
        source=SOURCE,
        pair=pair,
        decided_at=at,
        due_at=at + timedelta(seconds=horizon_s),
        horizon_s=horizon_s,
        is_own=True,
        is_repeat=False,
        action=action,
        verdict="hold" if action == "hold" else "approved",
        reason=Reason.ADVISED_HOLD if action == "hold" else Reason.TRADED,
        confidence=0.5 + dice / 2,
        expected_move_pct=None,
        mid=mid,
        cost_pct=COST_PCT,
        past_roi_pct=None,
        wanted_side=None if action == "hold" else Side(action),
        wanted_value=Decimal(1000),
        done_value=Decimal(0),
    )


def settled(mark: OpenMark, mid: Decimal, at: datetime) -> Marked:
    """The mark as the scorecard reads it back."""
    outcome = outcome_of(mark, mid, at, at)
    assert outcome.roi_pct is not None
    assert outcome.is_right is not None
    return Marked(
        pair=mark.pair,
        decided_at=mark.decided_at,
        due_at=mark.due_at,
        scored_at=outcome.scored_at,
        horizon_s=mark.horizon_s,
        is_own=mark.is_own,
        is_repeat=mark.is_repeat,
        action=mark.action,
        confidence=mark.confidence,
        expected_move_pct=None,
        cost_pct=float(mark.cost_pct),
        past_roi_pct=None,
        roi_pct=outcome.roi_pct,
        is_right=outcome.is_right,
    )


def judged(world: World, seed: int) -> Card:
    """The card of one life."""
    return card("", None, live(world, seed), draws=5, seed=seed)


def claims_skill(found: Card) -> bool:
    """Whether any verdict of the card says skill."""
    verdicts = (found.direction, found.confidence)
    return any(verdict is not None and verdict.verdict == SKILL for verdict in verdicts)


def share(
    worlds: tuple[World, ...], runs: int, tell: Callable[[str, int, int], None] | None = None
) -> float:
    """Share of `runs` lives, in turn in each world, whose card claims skill."""
    counts = {world.name: [0, 0] for world in worlds}
    for seed in range(runs):
        world = worlds[seed % len(worlds)]
        counts[world.name][0] += 1
        counts[world.name][1] += claims_skill(judged(world, seed))
    if tell is not None:
        for name, (lives, claimed) in counts.items():
            tell(name, lives, claimed)
    return sum(claimed for _, claimed in counts.values()) / runs
