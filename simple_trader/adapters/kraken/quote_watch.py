"""Pairs whose first quote is still due: their ticker is asked for again, ever more seldom.

A snapshot that never came, or could not be used (X14), is followed by nothing where the market
stands still: the pair would stay without a price for as long.
"""

from collections.abc import Container, Iterable

import msgspec

_CAP_S = 60.0


class _Due(msgspec.Struct):
    asked_at: float
    times: int = 0


class QuoteWatch:
    """What was asked for and has brought no usable quote yet; times are monotonic seconds."""

    def __init__(self, patience_s: float) -> None:
        """`patience_s` is how long the first snapshot may take."""
        self._patience_s = patience_s
        self._due: dict[str, _Due] = {}

    def asked(self, pairs: Iterable[str], now: float) -> None:
        """The ticker of these pairs was subscribed."""
        self._due.update({pair: _Due(now) for pair in pairs})

    def done(self, pairs: Iterable[str]) -> None:
        """These have a quote, or are wanted no more."""
        for pair in pairs:
            self._due.pop(pair, None)

    def overdue(self, now: float, taken: Container[tuple[str, str]]) -> list[str]:
        """The pairs to ask for again now, of those the exchange has `taken` (channel and pair); the
        next patience of each is twice as long.
        """
        late = []
        for pair, due in self._due.items():
            patience_s = min(self._patience_s * 2.0**due.times, _CAP_S)
            if ("ticker", pair) in taken and now - due.asked_at > patience_s:
                due.asked_at, due.times = now, due.times + 1
                late.append(pair)
        return late

    def hold(self, now: float) -> None:
        """What is asked for may not even be sent yet: patience begins anew."""
        for due in self._due.values():
            due.asked_at = now
