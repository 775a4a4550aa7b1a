"""Faults drawn by a seed: which, when and for how long, the same for the same seed."""

from simple_trader.sandbox.faults.spec import FaultError, Spec, read_line
from simple_trader.sandbox.faults.trigger import Now
from simple_trader.simulator.dice import stream_key

_MILLION = 1_000_000

# What a real week can bring, each limited so that the next one finds a working exchange. What keeps
# feeds down ends in real seconds: a stepped market stands still meanwhile, and would for ever.
LINES = (
    "N01 count=1",
    "N01 count=1 how=fragment",
    "N02 real_for_s=1",
    "N03 real_for_s=8",
    "N04 real_for_s=8",
    "N05 count=1",
    "N06 count=3",
    "N07 real_for_s=5",
    "N09 real_for_s=10",
    "N10 real_for_s=10",
    "N11 real_for_s=15 delay_s=0.5 jitter_s=0.4",
    "N12 lasts_s=1 rate=2000 count=1",
    "N13 how=channel",
    "N13 how=fields",
    "N13 how=utf8",
    "N13 how=enum",
    "N15 count=1",
    "N17 real_for_s=5",
    "X01 count=1",
    "X02 count=1 delay_s=1",
    "X03 count=1",
    "X04 count=2",
    "X05 count=3",
    "X06 count=1",
    "X07 count=1",
    "X07 count=1 how=backwards",
    "X08 for_s=60",
    "X09 count=2",
    "X10 count=1",
    "X13 count=1",
    "X14 count=2",
    "X15 lasts_s=5 percent=-20",
    "X16 count=4",
    "X17 count=1",
    "X18 count=3",
    "X18 count=2 how=rest",
    "X19 count=1",
    "X22 step_s=3",
    "X24 count=2",
    "X25 count=1",
    "X25 count=1 how=partial",
    "X26 count=2",
    "X29",
    "X30",
    "X31 count=1",
    "S01 count=1",
    "S05 count=1",
    "S06 count=1",
)


class Chaos:
    """Draws faults with uneven pauses; `per_minute` of market time on average."""

    def __init__(self, seed: int, per_minute: float, since: Now) -> None:
        self._key = stream_key(seed, "chaos")
        self._mean_us = 60 * _MILLION / per_minute
        self._drawn = 0
        self._next_us = since.market_us + self._pause()

    def _draw(self, below: int) -> int:
        self._drawn += 1
        return stream_key(self._key, self._drawn) % below

    def _pause(self) -> int:
        # Two uniform draws: never regular, and the same on every machine.
        part = sum(self._draw(1000) for _ in range(2)) + 2
        return int(self._mean_us * part / 1000)

    def due(self, now: Now) -> list[Spec]:
        """Give the faults whose moment has come."""
        specs = []
        while self._next_us <= now.market_us:
            specs.append(read_line(LINES[self._draw(len(LINES))]))
            self._next_us += self._pause()
        return specs


def read_chaos(text: str) -> tuple[int, float]:
    """Read `SEED,RATE`; raises FaultError."""
    seed, comma, rate = text.partition(",")
    try:
        numbers = int(seed), float(rate)
    except ValueError as error:
        raise FaultError(f"--chaos {text}: write SEED,RATE such as 7,2.5.") from error
    if not comma or numbers[0] < 0 or not 0 < numbers[1] <= 600:
        raise FaultError(f"--chaos {text}: the seed is a whole number, the rate 0 to 600 a minute.")
    return numbers
