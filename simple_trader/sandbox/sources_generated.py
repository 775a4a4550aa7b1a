"""The generated market: seeded, correlated pairs with regimes, a tick per pair each second.

One factor drives all pairs, each adds its own noise from dice of its own, so that the tape of a
pair is the same whichever other pairs are traded. The market is always in one regime (`regimes`),
which sets volatility, drift and the pull back to an anchor. Crosses (ETH/BTC, BTC/EUR) follow from
the dollar pairs. Floats live only here; what leaves is whole ticks on the pair's price increment.
"""

import math
from collections.abc import Iterator, Sequence

import msgspec

from simple_trader.sandbox.characters import CROSS, FREE, Character, Cross, needed_for
from simple_trader.sandbox.regimes import (
    DEFAULT_SCRIPT,
    Regime,
    life_us,
    next_regime,
    script_of,
)
from simple_trader.sandbox.sources import MINUTE, SECOND, SourceError, Tick
from simple_trader.simulator.dice import CounterDice, stream_key
from simple_trader.simulator.fill_model import Print
from simple_trader.simulator.instruments import (
    DEFAULT_SYMBOLS,
    INSTRUMENT_BY_SYMBOL,
    LEVEL_QUOTE,
    Instrument,
)

HISTORY_STEP = 10  # seconds between ticks before the start
HISTORY_MINUTES = 720
FACTOR_NOISE = 0.000070  # per root second: about 40 % a year
MAX_STRAY = 1.6  # the log price is pulled back beyond e^1.6 of the first price
MAX_PRINTS = 12
# Nothing is matched in these states (protocol section 3.6), so nothing prints either.
SILENT = ("cancel_only", "post_only", "maintenance", "delisted", "work_in_progress")


class PairState(msgspec.Struct):
    """One pair's position: log of the mid price, the last regime's anchor, its own dice.

    Of a cross, `log_mid` is the basis on top of its legs.
    """

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


class Scale(msgspec.Struct, frozen=True):
    """What a pair's floats are multiplied with, made once."""

    ticks: int
    lots: int
    increment: int
    worth: float
    silent: bool
    first: float


class GeneratedSource:
    """A market that never ends; the same seed, start and regime give the same ticks for ever.

    `symbols` are the pairs to trade, by default the first eight of the table.
    """

    def __init__(
        self,
        seed: int,
        start: int,
        history_minutes: int = HISTORY_MINUTES,
        *,
        symbols: Sequence[str] = DEFAULT_SYMBOLS,
        regime: str = DEFAULT_SCRIPT,
    ) -> None:
        script = self._script = script_of(regime)
        self.world = f"seed {seed}" + ("" if regime == DEFAULT_SCRIPT else f", regime {regime}")
        self.pairs: dict[str, Instrument] = _traded(symbols, thin=script.thin)
        self.start = start // SECOND * SECOND
        minutes = max(HISTORY_MINUTES, history_minutes)
        first = self.start // MINUTE * MINUTE - minutes * MINUTE
        free = needed_for(list(self.pairs))
        self._free = [(symbol, FREE[symbol]) for symbol in free]
        self._cross = [(symbol, CROSS[symbol]) for symbol in self.pairs if symbol in CROSS]
        self._scales = {symbol: _scale(symbol) for symbol in (*free, *self.pairs)}
        self._state = State(
            at=first,
            dice=CounterDice(stream_key(seed, "factor")),
            regime=script.first,
            regime_until=self.start if script.waits else first,
            pairs={
                symbol: PairState(CounterDice(stream_key(seed, "pair", symbol)), at, at)
                for symbol, at in (
                    *((symbol, math.log(nature.price)) for symbol, nature in self._free),
                    *((symbol, 0.0) for symbol, _ in self._cross),
                )
            },
        )
        if script.waits:
            # The quiet goes on for a while behind the start, so that there is a before.
            self._state.regime_until += life_us(script, script.first, self._state.dice)

    @property
    def _regime(self) -> Regime:
        return self._script.regimes[self._state.regime]

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
        """Go to a saved position; raises SourceError when it is not one of this market."""
        try:
            state = msgspec.msgpack.decode(saved, type=State)
        except msgspec.MsgspecError as error:
            raise SourceError(f"the saved market position cannot be read: {error}") from error
        if state.pairs.keys() != self._state.pairs.keys():
            raise SourceError("the saved market position is that of other pairs")
        self._state = state

    def _move(self, seconds: int) -> list[Tick]:
        # History ticks carry the stamp of the interval's beginning, so that the minutes are full.
        ticks = self._draw(self._state.at, seconds)
        self._state.at += seconds * SECOND
        return ticks

    def _draw(self, at: int, seconds: int) -> list[Tick]:
        state = self._state
        if at >= state.regime_until:
            self._switch(at)
        regime = self._regime
        root = math.sqrt(seconds) * regime.volatility
        shock = state.dice.gauss(0.0, FACTOR_NOISE) * root + regime.drift * seconds
        ticks = []
        for symbol, nature in self._free:
            tick = self._free_tick(at, symbol, nature, regime, shock, root, seconds)
            if symbol in self.pairs:
                ticks.append(tick)
        for symbol, cross in self._cross:
            ticks.append(self._cross_tick(at, symbol, cross, regime, root, seconds))
        return ticks

    def _switch(self, at: int) -> None:
        state = self._state
        state.regime = next_regime(self._script, state.regime, state.dice)
        state.regime_until = at + life_us(self._script, state.regime, state.dice)
        for symbol, _ in self._free:
            pair = state.pairs[symbol]
            pair.anchor = pair.log_mid

    def _free_tick(
        self,
        at: int,
        symbol: str,
        nature: Character,
        regime: Regime,
        shock: float,
        root: float,
        seconds: int,
    ) -> Tick:
        pair, scale = self._state.pairs[symbol], self._scales[symbol]
        dice = pair.dice
        move = nature.beta * shock + dice.gauss(0.0, nature.noise) * root
        if nature.peg:
            move += (scale.first - pair.log_mid) * min(0.5, nature.peg * seconds)
        else:
            move += (pair.anchor - pair.log_mid) * min(0.5, regime.pull * seconds)
        stray = pair.log_mid - scale.first
        if abs(stray) > MAX_STRAY:
            move -= 0.00002 * seconds * stray
        pair.log_mid += move
        mid = math.exp(pair.log_mid) * scale.ticks
        half = mid * nature.spread_bps * (0.6 + 0.8 * dice.random()) * 0.00005
        busy = nature.prints_per_second
        return _tick(at, symbol, scale, dice, regime, mid, half, busy, seconds, rising=move > 0)

    def _cross_tick(
        self, at: int, symbol: str, cross: Cross, regime: Regime, root: float, seconds: int
    ) -> Tick:
        pairs, scale = self._state.pairs, self._scales[symbol]
        pair = pairs[symbol]
        dice = pair.dice
        # Half a spread is at least 0.26 of the whole: within that the basis pays nobody.
        most = cross.spread_bps * 0.000025
        basis = pair.log_mid * (1.0 - min(0.5, 0.05 * seconds)) + dice.gauss(0.0, most / 6) * root
        pair.log_mid = min(most, max(-most, basis))
        log_mid = pairs[cross.base].log_mid - pairs[cross.quote].log_mid + pair.log_mid
        rising, pair.anchor = log_mid > pair.anchor, log_mid
        mid = math.exp(log_mid) * scale.ticks
        half = mid * cross.spread_bps * (0.6 + 0.8 * dice.random()) * 0.00005
        busy = cross.prints_per_second
        return _tick(at, symbol, scale, dice, regime, mid, half, busy, seconds, rising=rising)


def _traded(symbols: Sequence[str], *, thin: bool) -> dict[str, Instrument]:
    unknown = [symbol for symbol in symbols if symbol not in INSTRUMENT_BY_SYMBOL]
    if unknown or not symbols:
        raise SourceError(
            f"the pair {', '.join(unknown) or '(none)'} is unknown; this market knows "
            f"{', '.join(INSTRUMENT_BY_SYMBOL)}."
        )
    # In the table's order, whatever the order asked: free pairs first, then crosses.
    ordered = [symbol for symbol in (*FREE, *CROSS) if symbol in symbols]
    pairs = {symbol: INSTRUMENT_BY_SYMBOL[symbol] for symbol in ordered}
    if thin:
        pairs = {symbol: msgspec.structs.replace(pair, thin=True) for symbol, pair in pairs.items()}
    return pairs


def _scale(symbol: str) -> Scale:
    nature = FREE.get(symbol)
    first = 0.0 if nature is None else math.log(nature.price)
    pair = INSTRUMENT_BY_SYMBOL.get(symbol)
    if pair is None:
        # A leg that nobody can trade (ACA/USD): only its price path counts.
        return Scale(10**8, 10**8, 1, 1.0, True, first)
    return Scale(
        10**pair.price_precision,
        10**pair.qty_precision,
        pair.increment_ticks,
        float(pair.level_quote / LEVEL_QUOTE["USD"]),  # a share, not an amount
        pair.status in SILENT,
        first,
    )


def _tick(
    at: int,
    symbol: str,
    scale: Scale,
    dice: CounterDice,
    regime: Regime,
    mid: float,
    half: float,
    usual: float,
    seconds: int,
    *,
    rising: bool,
) -> Tick:
    half *= (0.7 + 0.3 * regime.volatility) * regime.spread
    step = scale.increment
    bid = max(step, math.floor((mid - half) / step) * step)
    ask = max(bid + step, math.ceil((mid + half) / step) * step)
    if scale.silent:
        return Tick(at, symbol, bid, ask, ())
    busy = usual * min(seconds, 4) * (0.5 + 0.5 * regime.volatility) * regime.prints
    return Tick(at, symbol, bid, ask, _prints(scale, dice, bid, ask, busy, rising))


def _prints(
    scale: Scale, dice: CounterDice, bid: int, ask: int, busy: float, rising: bool
) -> list[Print]:
    count = 0
    left = math.exp(-busy)
    draw = dice.random()
    chance = left
    while draw > chance and count < MAX_PRINTS:
        count += 1
        left *= busy / count
        chance += left
    prints = []
    for _ in range(count):
        buy = dice.random() < (0.62 if rising else 0.38)
        quote = math.exp(dice.gauss(5.6, 1.5)) * scale.worth  # about 270 dollars, long tail
        lots = max(1, int(quote * scale.ticks / bid * scale.lots))
        prints.append(Print(ask if buy else bid, lots, buy, dice.random() < 0.35))
    return prints
