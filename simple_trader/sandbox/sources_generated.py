"""The generated market: seeded, correlated pairs with regimes, a tick per pair each second.

One factor drives all pairs, each adds its own noise. The market is always in one regime (calm,
range, trend up or down, volatile), which sets volatility, drift and the pull back to an anchor, and
lasts for a seeded time before it switches. Floats live only here; what leaves is whole ticks.
"""

import math
from collections.abc import Iterator

import msgspec

from simple_trader.sandbox.sources import MINUTE, SECOND, SourceError, Tick
from simple_trader.simulator.dice import CounterDice, stream_key
from simple_trader.simulator.fill_model import Print
from simple_trader.simulator.instruments import DEFAULT_PAIRS, INSTRUMENTS, Instrument

HISTORY_STEP = 10  # seconds between ticks before the start
HISTORY_MINUTES = 720


class Character(msgspec.Struct, frozen=True):
    """How one pair behaves: first price, share of the factor, own noise per root second."""

    price: float
    beta: float
    noise: float
    spread_bps: float
    prints_per_second: float


CHARACTERS: dict[str, Character] = {
    "BTC/USD": Character(64_250.0, 1.00, 0.000030, 0.6, 1.2),
    "ETH/USD": Character(3_180.0, 1.15, 0.000045, 0.9, 0.9),
    "SOL/USD": Character(148.0, 1.45, 0.000070, 2.0, 0.7),
    "XRP/USD": Character(0.5872, 1.10, 0.000070, 2.5, 0.5),
    "ADA/USD": Character(0.4431, 1.20, 0.000075, 3.0, 0.4),
    "DOGE/USD": Character(0.12345, 1.35, 0.000085, 3.0, 0.4),
    "LTC/USD": Character(82.4, 1.00, 0.000060, 2.5, 0.3),
    "DOT/USD": Character(6.871, 1.20, 0.000075, 3.5, 0.3),
}


class Regime(msgspec.Struct, frozen=True):
    """A state of the market: volatility multiple, drift per second, pull to the anchor, life."""

    name: str
    volatility: float
    drift: float
    pull: float
    minutes: float


REGIMES: tuple[Regime, ...] = (
    Regime("calm", 0.55, 0.0, 0.0004, 55.0),
    Regime("range", 1.00, 0.0, 0.0015, 70.0),
    Regime("trend_up", 1.00, 0.0000042, 0.0, 45.0),
    Regime("trend_down", 1.05, -0.0000042, 0.0, 40.0),
    Regime("volatile", 2.40, 0.0, 0.0006, 25.0),
)

FACTOR_NOISE = 0.000070  # per root second: about 40 % a year
MAX_STRAY = 1.6  # the log price is pulled back beyond e^1.6 of the first price


class PairState(msgspec.Struct):
    """One pair's position: log of the mid price, the last regime's anchor, its own dice."""

    dice: CounterDice
    log_mid: float
    anchor: float


class State(msgspec.Struct):
    """The whole position of the generated market."""

    at: int
    dice: CounterDice
    regime: int
    regime_until: int
    pairs: dict[str, PairState]


class GeneratedSource:
    """A market that never ends; the same seed and start give the same ticks for ever."""

    def __init__(self, seed: int, start: int, history_minutes: int = HISTORY_MINUTES) -> None:
        self.world = f"seed {seed}"
        self.pairs: dict[str, Instrument] = {
            pair.symbol: pair for pair in INSTRUMENTS[:DEFAULT_PAIRS]
        }
        self.start = start // SECOND * SECOND
        minutes = max(HISTORY_MINUTES, history_minutes)
        first = self.start // MINUTE * MINUTE - minutes * MINUTE
        self._state = State(
            at=first,
            dice=CounterDice(stream_key(seed, "factor")),
            regime=1,
            regime_until=first,
            pairs={
                symbol: PairState(
                    CounterDice(stream_key(seed, "pair", symbol)),
                    math.log(nature.price),
                    math.log(nature.price),
                )
                for symbol, nature in CHARACTERS.items()
            },
        )

    def history(self) -> Iterator[Tick]:
        """Give the ticks before the start, one per pair and ten seconds."""
        while self._state.at < self.start:
            yield from self._move(min(HISTORY_STEP, (self.start - self._state.at) // SECOND))

    def next_at(self) -> int | None:
        """Give the next whole second; a generated market has no end."""
        return self._state.at + SECOND

    def step(self) -> list[Tick]:
        """Move one second and give a tick for each pair."""
        self._state.at += SECOND
        return self._draw(self._state.at, 1)

    def save(self) -> bytes:
        """Give the position as bytes."""
        return msgspec.msgpack.encode(self._state)

    def restore(self, saved: bytes) -> None:
        """Go to a saved position."""
        try:
            self._state = msgspec.msgpack.decode(saved, type=State)
        except msgspec.MsgspecError as error:
            raise SourceError(f"the saved market position cannot be read: {error}") from error

    def _move(self, seconds: int) -> list[Tick]:
        # History ticks carry the stamp of the interval's beginning, so that the minutes are full.
        ticks = self._draw(self._state.at, seconds)
        self._state.at += seconds * SECOND
        return ticks

    def _draw(self, at: int, seconds: int) -> list[Tick]:
        state = self._state
        if at >= state.regime_until:
            self._switch(at)
        regime = REGIMES[state.regime]
        root = math.sqrt(seconds) * regime.volatility
        shock = state.dice.gauss(0.0, FACTOR_NOISE) * root + regime.drift * seconds
        return [self._tick(at, symbol, regime, shock, root, seconds) for symbol in self.pairs]

    def _switch(self, at: int) -> None:
        state = self._state
        others = [index for index in range(len(REGIMES)) if index != state.regime]
        state.regime = others[state.dice.below(len(others))]
        life = REGIMES[state.regime].minutes * (0.4 - math.log(1.0 - state.dice.random()) * 0.8)
        state.regime_until = at + int(max(4.0, life) * MINUTE)
        for pair in state.pairs.values():
            pair.anchor = pair.log_mid

    def _tick(
        self, at: int, symbol: str, regime: Regime, shock: float, root: float, seconds: int
    ) -> Tick:
        pair, nature = self._state.pairs[symbol], CHARACTERS[symbol]
        dice = pair.dice
        move = nature.beta * shock + dice.gauss(0.0, nature.noise) * root
        move += (pair.anchor - pair.log_mid) * min(0.5, regime.pull * seconds)
        stray = pair.log_mid - math.log(nature.price)
        if abs(stray) > MAX_STRAY:
            move -= 0.00002 * seconds * stray
        pair.log_mid += move
        scale = 10 ** self.pairs[symbol].price_precision
        mid = math.exp(pair.log_mid) * scale
        half = mid * nature.spread_bps * (0.6 + 0.8 * dice.random()) * 0.00005
        half *= 0.7 + 0.3 * regime.volatility
        bid = max(1, math.floor(mid - half))
        ask = max(bid + 1, math.ceil(mid + half))
        busy = nature.prints_per_second * min(seconds, 4) * (0.5 + 0.5 * regime.volatility)
        prints = self._prints(symbol, dice, bid, ask, busy, move > 0)
        return Tick(at, symbol, bid, ask, prints)

    def _prints(
        self, symbol: str, dice: CounterDice, bid: int, ask: int, busy: float, rising: bool
    ) -> list[Print]:
        count = 0
        left = math.exp(-busy)
        draw = dice.random()
        chance = left
        while draw > chance and count < 12:
            count += 1
            left *= busy / count
            chance += left
        prints = []
        lot_scale = 10 ** self.pairs[symbol].qty_precision
        tick_scale = 10 ** self.pairs[symbol].price_precision
        for _ in range(count):
            buy = dice.random() < (0.62 if rising else 0.38)
            quote = math.exp(dice.gauss(5.6, 1.5))  # about 270 in quote currency, long tail
            lots = max(1, int(quote * tick_scale / bid * lot_scale))
            prints.append(Print(ask if buy else bid, lots, buy, dice.random() < 0.35))
        return prints
