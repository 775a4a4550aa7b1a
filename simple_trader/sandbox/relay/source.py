"""The market source of a relay: it names the world and its pairs, and never makes a price."""

from collections.abc import Iterable

from simple_trader.sandbox.sources import Tick
from simple_trader.simulator.instruments import Instrument


class RelaySource:
    """A market that happens elsewhere (protocol `MarketSource`)."""

    def __init__(self, world: str, pairs: dict[str, Instrument], start: int) -> None:
        self._world = world
        self._pairs = pairs
        self._start = start

    @property
    def world(self) -> str:
        """Name the paper account."""
        return self._world

    @property
    def pairs(self) -> dict[str, Instrument]:
        """Give the upstream's pairs, by WS v2 symbol."""
        return self._pairs

    @property
    def start(self) -> int:
        """Give the moment at which the account was opened, microseconds."""
        return self._start

    def history(self) -> Iterable[Tick]:
        """Give nothing: the past is asked of the upstream."""
        return ()

    def next_at(self) -> int | None:
        """Give nothing: the market moves by itself."""
        return None

    def step(self) -> list[Tick]:
        """Give nothing."""
        return []

    def save(self) -> bytes:
        """Give nothing: the position is the present."""
        return b""

    def restore(self, saved: bytes) -> None:
        """Go on: there is no position."""
