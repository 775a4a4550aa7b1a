"""Draws: a small seeded generator for baselines, the same on every machine and in every version."""

_MASK = (1 << 64) - 1


class Draws:
    """SplitMix64 (Steele et al. 2014): pure arithmetic, so that a scorecard can be made again."""

    def __init__(self, seed: int) -> None:
        """Draws that follow from `seed` alone."""
        self._state = seed & _MASK

    def next64(self) -> int:
        """The next 64 bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def below(self, limit: int) -> int:
        """A whole number in [0, limit); the bias of the remainder is below 2^-40 for small ones."""
        return self.next64() % limit
