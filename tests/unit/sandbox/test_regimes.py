"""The scripts of the generated market."""

from collections import Counter

import pytest

from simple_trader.sandbox.regimes import SCRIPTS, life_us, next_regime, script_of
from simple_trader.sandbox.sources import MINUTE, SourceError
from simple_trader.simulator.dice import CounterDice


def test_the_scripts_are_those_that_are_promised() -> None:
    assert list(SCRIPTS) == ["mixed", "calm", "trend", "chop", "crash", "thin"]
    assert len({regime.name for regime in SCRIPTS["mixed"].regimes}) == 5


def test_an_unknown_script_is_one_sentence_that_names_the_known_ones() -> None:
    with pytest.raises(SourceError, match="--regime storm is unknown; choose one of mixed, calm"):
        script_of("storm")


def test_a_drawn_script_never_stays_and_reaches_every_state() -> None:
    script, dice, current = SCRIPTS["mixed"], CounterDice(1), 0
    seen: Counter[int] = Counter()
    for _ in range(400):
        after = next_regime(script, current, dice)
        assert after != current
        seen[after] += 1
        current = after
    assert set(seen) == set(range(5))


def test_a_crash_is_played_in_order_and_begins_again() -> None:
    script, dice = SCRIPTS["crash"], CounterDice(1)
    order = [0]
    for _ in range(6):
        order.append(next_regime(script, order[-1], dice))
    assert order == [0, 1, 2, 3, 4, 0, 1]
    fall, recovery = script.regimes[1], script.regimes[3]
    assert fall.drift < 0 < recovery.drift


def test_no_state_is_shorter_than_four_minutes() -> None:
    for script in SCRIPTS.values():
        dice = CounterDice(9)
        for current in range(len(script.regimes)):
            lives = [life_us(script, current, dice) for _ in range(200)]
            assert min(lives) >= 4 * MINUTE
