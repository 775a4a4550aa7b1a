"""The path inside a bar, and the ticks of a minute of trades.

The path inside a bar (rule): the bar is cut into slots of one second (bars up to five minutes) or
five seconds (longer bars), and each slot gives one tick, stamped inside [start, end). The first
slot prints the open. Further prints stand in slots drawn by the seed; the last of them prints the
close, two others the high and the low in an order drawn by the seed, the rest wander between their
neighbours, never outside [low, high]. Their number is the bar's trade count, at least what open,
high, low and close need and at most 24 (120 in long bars); their volumes add up to the bar's. Slots
without a print repeat the last price with fresh quotes. The draw depends on the seed, the pair and
the bar's own stamp only. Where the file has no bar, nothing happens.

Trades files print each row at its own stamp (side by the tick rule); quotes are refreshed each
second for up to a minute after a trade; longer silences stay gaps.

Quotes stand around the last price: half a spread of 1 to 3 basis points, at least one tick.
"""

from bisect import bisect_right
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from simple_trader.sandbox.replay_rows import Bar, TapeTrade
from simple_trader.sandbox.sources import MINUTE, SECOND, Tick
from simple_trader.simulator.dice import CounterDice
from simple_trader.simulator.fill_model import Print
from simple_trader.simulator.instruments import Instrument

SHORT_BAR = 300
UNCOUNTED_PRINTS = 12


def _ticks_of(pair: Instrument, price: Decimal) -> int:
    exact = pair.ticks_of(price)
    if exact is not None:
        return exact
    return max(1, int(price.scaleb(pair.price_precision).to_integral_value(ROUND_HALF_EVEN)))


def past_prints(pair: Instrument, bar: Bar, interval: int, dice: CounterDice) -> list[Tick]:
    """Give only the ticks of a bar that print: enough where nobody sees the quotes between."""
    ticks = []
    for slot, trade in bar_prints(pair, bar, interval, dice).items():
        bid, ask = quotes_around(trade.tick, dice)
        at = bar.at + slot * _spacing(interval) * SECOND
        ticks.append(Tick(at, pair.symbol, bid, ask, (trade,)))
    return ticks


def bar_path(pair: Instrument, bar: Bar, interval: int, dice: CounterDice) -> list[Tick]:
    """Draw one bar's ticks by the rule of this module; `interval` in seconds."""
    prints = bar_prints(pair, bar, interval, dice)
    spacing = _spacing(interval)
    ticks: list[Tick] = []
    last = 0
    for slot in range(interval // spacing):
        trade = prints.get(slot)
        if trade is not None:
            last = trade.tick
        bid, ask = quotes_around(last, dice)
        at = bar.at + slot * spacing * SECOND
        ticks.append(Tick(at, pair.symbol, bid, ask, (trade,) if trade is not None else ()))
    return ticks


def _spacing(interval: int) -> int:
    return 1 if interval <= SHORT_BAR else 5


def bar_prints(pair: Instrument, bar: Bar, interval: int, dice: CounterDice) -> dict[int, Print]:
    """Draw one bar's prints by slot; slot 0 always has one."""
    slots = interval // _spacing(interval)
    prices = _price_points(pair, bar, slots, dice, cap=24 if interval <= SHORT_BAR else 120)
    volumes = _volumes(int(bar.volume.scaleb(pair.qty_precision)), len(prices), dice)
    prints: dict[int, Print] = {}
    before = prices[0][1]
    for (slot, tick), lots in zip(prices, volumes, strict=True):
        buy = tick > before or (tick == before and dice.random() < 0.5)
        prints[slot] = Print(tick, lots, buy, dice.random() < 0.35)
        before = tick
    return prints


def _price_points(
    pair: Instrument, bar: Bar, slots: int, dice: CounterDice, cap: int
) -> list[tuple[int, int]]:
    opened, high, low, close = (_ticks_of(pair, price) for price in bar[1:5])
    extremes = [tick for tick in (high, low) if tick not in (opened, close)]
    if len(extremes) == 2 and (extremes[0] == extremes[1] or dice.random() < 0.5):
        extremes.reverse()
    flat = high == low
    needed = len(extremes) + (1 if flat else 2)
    wanted = UNCOUNTED_PRINTS if bar.trades is None else bar.trades
    count = max(needed, min(wanted, cap, slots))
    chosen: set[int] = set()
    while len(chosen) < count - 1:
        chosen.add(1 + dice.below(slots - 1))
    places = [0, *sorted(chosen)]
    anchors = {0: opened}
    if count > 1:
        anchors[count - 1] = close
    inner: set[int] = set()
    while len(inner) < len(extremes):
        inner.add(1 + dice.below(count - 2))
    anchors.update(zip(sorted(inner), extremes, strict=True))
    return list(zip(places, _bridge(anchors, count, low, high, dice), strict=True))


def _bridge(
    anchors: dict[int, int], count: int, low: int, high: int, dice: CounterDice
) -> list[int]:
    fixed = sorted(anchors)
    path: list[int] = []
    for place in range(count):
        known = anchors.get(place)
        if known is not None:
            path.append(known)
            continue
        target = fixed[bisect_right(fixed, place)]
        before = path[-1]
        pull = (anchors[target] - before) // (target - place + 1)
        swing = (high - low) // 6
        noise = dice.below(2 * swing + 1) - swing
        path.append(min(high, max(low, before + pull + noise)))
    return path


def _volumes(lots: int, count: int, dice: CounterDice) -> list[int]:
    weights = [1 + dice.below(1000) for _ in range(count)]
    whole = sum(weights)
    parts = [max(1, lots * weight // whole) for weight in weights]
    parts[-1] = max(1, parts[-1] + lots - sum(parts))
    return parts


def quotes_around(last: int, dice: CounterDice) -> tuple[int, int]:
    """Draw bid and ask in ticks around the last price: 1 to 3 basis points, 1 tick at least."""
    half = max(1, last * (100 + dice.below(200)) // 1_000_000)
    bid = max(1, last - half)
    return bid, max(bid + 1, last + half)


def trade_path(
    pair: Instrument,
    trades: Sequence[TapeTrade],
    before: Decimal,
    next_at: int | None,
    dice: CounterDice,
) -> list[Tick]:
    """Give one minute of trades as ticks, with fresh quotes each second until the next trade.

    `before` is the price of the trade before them. The quotes go on until `next_at` (the trade
    after them, microseconds), for at most a minute after the last trade.
    """
    moments: dict[int, list[Print]] = {}
    for trade in trades:
        lots = max(1, int(trade.volume.scaleb(pair.qty_precision)))
        buy = trade.price > before or (trade.price == before and dice.random() < 0.5)
        before = trade.price
        moments.setdefault(trade.at, []).append(
            Print(_ticks_of(pair, trade.price), lots, buy, dice.random() < 0.35)
        )
    opening, silent = trades[0].at, trades[-1].at + MINUTE
    until = silent if next_at is None else min(next_at, silent)
    for second in range(opening // SECOND + 1, (until - 1) // SECOND + 1):
        moments.setdefault(second * SECOND, [])
    ticks: list[Tick] = []
    last = _ticks_of(pair, trades[0].price)
    for moment in sorted(moments):
        prints = moments[moment]
        last = prints[-1].tick if prints else last
        bid, ask = quotes_around(last, dice)
        ticks.append(Tick(moment, pair.symbol, bid, ask, prints))
    return ticks
