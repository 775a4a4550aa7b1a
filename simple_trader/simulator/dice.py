"""Counter-based dice: the same key and counter always give the same number."""

import math
from typing import Protocol

import msgspec

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_TWO_53 = 1 << 53


class Dice(Protocol):
    """What the generated market draws from; a state that can be saved is its whole point."""

    def random(self) -> float:
        """Give a number in [0, 1)."""

    def uniform(self, low: float, high: float) -> float:
        """Give a number in [low, high)."""

    def gauss(self, mean: float, deviation: float) -> float:
        """Give a normally distributed number."""


def mix(value: int) -> int:
    """Scramble a 64-bit number without losing any (the finaliser of splitmix64, a bijection)."""
    value = (value + _GOLDEN) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def stream_key(seed: int, *names: str | int) -> int:
    """Derive the key of an independent stream from the seed and the names of its purpose."""
    key = mix(seed & _MASK)
    for name in names:
        if isinstance(name, str):
            for letter in name.encode():
                key = mix(key ^ letter)
        else:
            key = mix(key ^ (name & _MASK))
        key = mix(key)
    return key


class CounterDice(msgspec.Struct):
    """Dice whose whole state is one counter, so that a checkpoint restores them exactly."""

    key: int
    counter: int = 0

    def bits(self) -> int:
        """Give 64 fresh bits."""
        self.counter += 1
        return mix(self.key ^ ((self.counter * 0xD1342543DE82EF95) & _MASK))

    def random(self) -> float:
        """Give a number in [0, 1)."""
        return (self.bits() >> 11) / _TWO_53

    def uniform(self, low: float, high: float) -> float:
        """Give a number in [low, high)."""
        return low + (high - low) * self.random()

    def below(self, limit: int) -> int:
        """Give a whole number in [0, limit)."""
        return (self.bits() * limit) >> 64

    def gauss(self, mean: float, deviation: float) -> float:
        """Give a normally distributed number (Box-Muller, one of the two values)."""
        radius = math.sqrt(-2.0 * math.log(1.0 - self.random()))
        return mean + deviation * radius * math.cos(2.0 * math.pi * self.random())
