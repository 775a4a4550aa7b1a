"""The weather of the generated market: its states, and the scripts that bring them on.

A script either draws the next state from its list, never the same twice in a row (`mixed`, as a
market lives; `trend`), holds one state for ever (`calm`, `chop`, `thin`), or plays its list in
order and begins again (`crash`: quiet, a fall of a fifth in minutes, panic, recovery, quiet).
"""

import math

import msgspec

from simple_trader.sandbox.sources import MINUTE, SourceError
from simple_trader.simulator.dice import CounterDice


class Regime(msgspec.Struct, frozen=True):
    """A state of the market.

    `volatility`, `spread` and `prints` are multiples of a pair's usual; `drift` of the log price
    and `pull` to the anchor are per second; `minutes` is the usual life.
    """

    name: str
    volatility: float
    drift: float
    pull: float
    minutes: float
    spread: float = 1.0
    prints: float = 1.0


class Script(msgspec.Struct, frozen=True):
    """Which states come, and how: the state numbered `first` lasts through history if `waits`."""

    regimes: tuple[Regime, ...]
    drawn: bool = False
    first: int = 0
    waits: bool = False
    thin: bool = False


MIXED: tuple[Regime, ...] = (
    Regime("calm", 0.55, 0.0, 0.0004, 55.0),
    Regime("range", 1.00, 0.0, 0.0015, 70.0),
    Regime("trend_up", 1.00, 0.0000042, 0.0, 45.0),
    Regime("trend_down", 1.05, -0.0000042, 0.0, 40.0),
    Regime("volatile", 2.40, 0.0, 0.0006, 25.0),
)

SCRIPTS: dict[str, Script] = {
    "mixed": Script(MIXED, drawn=True, first=1),
    "calm": Script((Regime("calm", 0.55, 0.0, 0.0004, 600.0),)),
    "trend": Script(
        (
            Regime("trend_up", 0.90, 0.0000090, 0.0, 150.0),
            Regime("trend_down", 0.95, -0.0000085, 0.0, 110.0),
        ),
        drawn=True,
    ),
    "chop": Script((Regime("chop", 1.70, 0.0, 0.0060, 600.0),)),
    "crash": Script(
        (
            Regime("before", 0.60, 0.0, 0.0004, 18.0),
            Regime("fall", 4.00, -0.00030, 0.0, 12.0, 3.0, 4.0),
            Regime("panic", 5.00, 0.0, 0.0020, 6.0, 4.0, 3.0),
            Regime("recovery", 1.80, 0.00006, 0.0, 50.0, 1.5, 1.5),
            Regime("after", 0.90, 0.0, 0.0010, 60.0),
        ),
        waits=True,
    ),
    "thin": Script((Regime("thin", 0.80, 0.0, 0.0010, 600.0, 9.0, 0.10),), thin=True),
}
DEFAULT_SCRIPT = "mixed"


def script_of(name: str) -> Script:
    """Find a script by its name; raises SourceError with one sentence for an unknown one."""
    script = SCRIPTS.get(name)
    if script is None:
        raise SourceError(f"--regime {name} is unknown; choose one of {', '.join(SCRIPTS)}.")
    return script


def next_regime(script: Script, current: int, dice: CounterDice) -> int:
    """Give the state that follows `current`."""
    count = len(script.regimes)
    if not script.drawn:
        return (current + 1) % count
    others = [index for index in range(count) if index != current]
    return others[dice.below(len(others))]


def life_us(script: Script, current: int, dice: CounterDice) -> int:
    """Draw how long a state lasts, in microseconds: at least four minutes.

    In a drawn script lives have a long tail; a played one keeps near its times.
    """
    usual = script.regimes[current].minutes
    if script.drawn:
        life = usual * (0.4 - math.log(1.0 - dice.random()) * 0.8)
    else:
        life = usual * dice.uniform(0.75, 1.25)
    return int(max(4.0, life) * MINUTE)
