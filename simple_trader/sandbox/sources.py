"""What a market source is: timed quotes and prints per pair, and the candles before the start."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from simple_trader.simulator.fill_model import Print
from simple_trader.simulator.instruments import Instrument

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
MINUTE = 60 * SECOND


class SourceError(Exception):
    """A market file or state that cannot be used; the text is one sentence for the user."""


class Tick(NamedTuple):
    """One market step of one pair, in ticks and lots; `at` in microseconds of source time."""

    at: int
    symbol: str
    bid: int
    ask: int
    prints: Sequence[Print]


def bent_tick(tick: Tick, millionths: int) -> Tick:
    """Give the tick with all prices at `millionths` of what they are, at least one tick."""

    def moved(price: int) -> int:
        return max(1, price * millionths // 1_000_000)

    bid = moved(tick.bid)
    prints = [trade._replace(tick=moved(trade.tick)) for trade in tick.prints]
    return tick._replace(bid=bid, ask=max(bid + 1, moved(tick.ask)), prints=prints)


class MarketSource(Protocol):
    """A market that is read forwards only; its whole position is a small saved state."""

    @property
    def world(self) -> str:
        """Name the world: the seed, or the hash of the replayed file."""

    @property
    def pairs(self) -> dict[str, Instrument]:
        """Give the instruments that this market trades, by WS v2 symbol."""

    @property
    def start(self) -> int:
        """Give the moment at which the market opens, microseconds; history lies before it."""

    def history(self) -> Iterable[Tick]:
        """Give the ticks before the start, in order; must be read before the first step."""

    def next_at(self) -> int | None:
        """Give the moment of the next step, or None when the market has ended."""

    def step(self) -> list[Tick]:
        """Give all ticks of the next moment and move past it."""

    def save(self) -> bytes:
        """Give the position as bytes."""

    def restore(self, saved: bytes) -> None:
        """Go to a saved position."""


def to_us(moment: datetime) -> int:
    """Turn an aware moment into microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def to_moment(at: int) -> datetime:
    """Turn microseconds since 1970 into an aware UTC moment."""
    return EPOCH + timedelta(microseconds=at)
