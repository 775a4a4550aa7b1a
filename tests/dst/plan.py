"""What a seed means: pairs, cycle, candle, market, and every fault with its moment."""

import random
from dataclasses import dataclass
from decimal import Decimal

PAIRS = ("BTC/USD", "ETH/USD", "SOL/USD", "XRP/USD", "ADA/USD", "DOGE/USD")
REGIMES = ("mixed", "trend", "chop", "crash", "thin", "calm")
FIRST_FAULT_S = 20.0
MEAN_GAP_S = 50.0  # between two moments of faults; two of three moments bring a pair of faults
PAIR_WITHIN_S = 10.0

# Family N on the virtual wire. N08 and N12 with their full figures belong to real sockets.
NETWORK = (
    "N01 count=1",
    "N01 count=1 how=fragment",
    "N01 count=1 how=close",
    "N02 for_s=20",
    "N02 for_s=20 on=private",
    "N03 for_s=12",
    "N04 for_s=15",
    "N04 for_s=70 on=private",
    "N04 for_s=15 channel=balances",
    "N05 count=1",
    "N05 count=2 sequence=closed",
    "N06 count=6",
    "N06 count=3 on=private",
    "N07 for_s=5",
    "N07 for_s=45",
    "N08 for_s=8",
    "N09 for_s=15",
    "N10 for_s=15",
    "N11 for_s=20 delay_s=0.5 jitter_s=0.4",
    "N11 for_s=30 delay_s=5 jitter_s=2",
    "N12 lasts_s=1 rate=500 count=1",
    "N13 how=channel",
    "N13 how=fields",
    "N13 how=utf8",
    "N13 how=enum",
    "N13 how=event",
    "N13 how=types",
    "N15 count=1",
    "N16 frames=3 for_s=60",
    "N17 for_s=8",
    "S01 count=1",
    "S02 count=1 hold_s=6",
    "S05 count=1",
)
# Family X. What a daemon without resting orders, batches or amends cannot meet is left to its own
# tests (X24, X25, X31, X32).
EXCHANGE = (
    "X01 count=1",
    "X01 count=2",
    "X02 count=1 delay_s=1",
    "X02 count=1 delay_s=4.5",
    "X03 count=1",
    "X04 count=2 delay_s=0.3",
    "X04 count=1 delay_s=2",
    "X05 count=3",
    "X05 count=2 sequence=next",
    "X06 count=1",
    "X06 count=1 how=held",
    "X07 count=1",
    "X07 count=1 how=backwards",
    "X07 count=1 how=restart",
    "X08 for_s=60",
    "X08 for_s=60 lag_s=20",
    "X09 count=3 for_s=120",
    "X10 count=1",
    "X13 count=1",
    "X13 count=2 how=quantity",
    "X14 count=2",
    "X15 lasts_s=5 percent=-20 pair={pair}",
    "X15 lasts_s=20 percent=-60 pair={pair}",
    "X16 count=4",
    "X16 count=7",
    "X17 count=1",
    "X18 count=3",
    "X18 count=2 how=rest",
    "X18 count=1 how=http",
    "X19 count=1",
    "X20 for_s=5 how=permission on=private",
    "X21 count=1 for_s=30",
    "X22 step_s=4",
    "X22 step_s=4 states=post_only,online",
    "X23 for_s=10",
    "X26 count=2",
    "X26 count=2 how=base",
    "X26 how=tier",
    "X27 pair={pair} status=cancel_only",
    "X28 how=deposit asset=USD amount=25",
    "X28 how=withdrawal asset=USD amount=10",
    "X28 how=reward asset={base} amount=0.001",
    "X28 how=trade pair={pair} side=buy",
    "X29 how=place pair={pair} price=1",
    "X29 how=cancel",
    "X30",
    "X33 count=1",
    "X34 skew_s=3 for_s=20",
    "X34 skew_s=-3 for_s=20",
    "S06 count=1",
)
DATABASE = (
    "lost any",
    "lost intent",
    "lost execution",
    "unknown_landed any",
    "unknown_landed intent",
    "unknown_landed execution",
    "unknown_not_landed any",
    "unknown_not_landed intent",
    "unknown_not_landed execution",
    "busy intent",
    "busy execution",
    "slow intent 0.4",
    "slow intent 3",
    "slow execution 1.5",
    "slow any 7",
    "slow any 35",
    "down 3",
    "down 12",
    "down 30",
    "session",
)
PROCESS = (
    "kill now",
    "kill before_commit intent",
    "kill in_commit intent",
    "kill after_commit intent",
    "kill before_commit execution",
    "kill in_commit execution",
    "kill after_commit execution",
    "kill sent",
    "kill sent",
    "kill sent",
    "kill before_delivery",
    "kill after_delivery",
    "kill after_delivery",
    "kill rest",
    "twice rest",
    "twice in_commit",
    "twice after_commit",
    "term",
    "stop 6",
    "stop 20",
    "stop 90",
    "step 3600",
    "step -3600",
    "step 2",
    "second",
    "halt",
)
MINDS = ("L01", "L02", "L03", "L15")
FAMILIES = {"N": NETWORK, "X": EXCHANGE, "D": DATABASE, "P": PROCESS}


@dataclass(frozen=True)
class Planned:
    """One fault: its moment in seconds from the start, its family and its words."""

    at_s: float
    family: str
    words: str


@dataclass(frozen=True)
class Scenario:
    """Everything a seed decides before the first event."""

    seed: int
    minutes: float
    pairs: tuple[str, ...]
    interval_s: int
    candle_minutes: int
    regime: str
    capital: Decimal
    base_order: Decimal
    slippage_bps: int
    stop_loss: Decimal
    counters: bool
    mixed_replies: bool
    faults: tuple[Planned, ...]

    @property
    def span_s(self) -> float:
        """How long faults may come."""
        return self.minutes * 60


def draw(seed: int, minutes: float) -> Scenario:
    """The scenario of a seed; the same for ever."""
    dice = random.Random(f"scenario {seed}")
    pairs = tuple(dice.sample(PAIRS, dice.choice((1, 2, 3, 3))))
    # Most cycles are short: an hour of seeds must hold a hundred orders. 120 s comes too.
    interval_s = round(5 * 24 ** (dice.random() ** 2.2))
    return Scenario(
        seed=seed,
        minutes=minutes,
        pairs=pairs,
        interval_s=interval_s,
        candle_minutes=dice.choice((1, 1, 1, 5)),
        regime=dice.choice(REGIMES),
        capital=Decimal(100_000),
        base_order=Decimal(dice.choice((500, 3000, 15_000))),
        slippage_bps=dice.choice((1, 5, 20)),
        stop_loss=Decimal(dice.choice(("0.3", "1", "3"))),
        counters=dice.random() < 0.5,
        mixed_replies=dice.random() < 0.3,
        faults=_faults(dice, minutes, pairs),
    )


def _faults(dice: random.Random, minutes: float, pairs: tuple[str, ...]) -> tuple[Planned, ...]:
    found: list[Planned] = []
    at_s, end_s = FIRST_FAULT_S, minutes * 60 - PAIR_WITHIN_S
    while at_s < end_s:
        families = dice.sample(tuple(FAMILIES), 2 if dice.random() < 0.66 else 1)
        for number, family in enumerate(families):
            moment = at_s + (dice.uniform(0.0, PAIR_WITHIN_S) if number else 0.0)
            found.append(Planned(moment, family, _words(dice, family, pairs)))
        if dice.random() < 0.25:
            found.append(Planned(at_s, "L", dice.choice(MINDS)))
        at_s += dice.uniform(0.3, 1.7) * MEAN_GAP_S
    return tuple(sorted(found, key=lambda planned: planned.at_s))


def _words(dice: random.Random, family: str, pairs: tuple[str, ...]) -> str:
    pair = dice.choice(pairs)
    return dice.choice(FAMILIES[family]).format(pair=pair, base=pair.partition("/")[0])
