"""Level 2 books kept as Kraken keeps them, every message verified by its CRC-32 (section 4).

Per side two parallel lists, best first: ticks (integers of the price digits, bids negated, for
bisection) and fragments (the digits of price and quantity, which are the checksum text). No number
is ever converted: the digits of the wire are exact ticks and lots at once.
"""

from bisect import bisect_left
from datetime import datetime, timedelta
from decimal import Decimal
from zlib import crc32

from simple_trader.adapters.kraken.frame_counts import Bad
from simple_trader.adapters.kraken.parse import DECIMALS_MAX
from simple_trader.adapters.kraken.wire import BookData, RawLevel
from simple_trader.domain.moments import parse_rfc3339
from simple_trader.domain.money import BPS, quantum
from simple_trader.domain.quotes import BookSummary

CHECKED = 10  # levels per side under the checksum, whatever the depth
DEPTHS = (10, 25, 100, 500, 1000)
_EXTRA_DIGITS = 4  # of vwap_mid beyond the price's own
_TICKS_MAX = 10**18  # with these the 28 digits of exact arithmetic are never used up
_SECONDS = 19  # characters of a timestamp up to its whole second


class BookBroken(ValueError):
    """A message does not fit the book: it must not be trusted until the next snapshot."""

    def __init__(self, reason: Bad, detail: str) -> None:
        """CHECKSUM, WRONG_LEVEL or CROSSED, and the words for people."""
        super().__init__(detail)
        self.reason = reason


class OrderBook:
    """One pair at one depth; it holds nothing until a snapshot came."""

    __slots__ = (
        "_ask_crc",
        "_ask_ticks",
        "_asks",
        "_bid_text",
        "_bid_ticks",
        "_bids",
        "_price_decimals",
        "_qty_decimals",
        "depth",
        "pair",
        "trusted",
    )

    def __init__(self, pair: str, depth: int) -> None:
        """An empty, untrusted book of at most `depth` levels a side."""
        self.pair = pair
        self.depth = depth
        self.trusted = False
        self._clear()

    def _clear(self) -> None:
        self._bid_ticks: list[int] = []
        self._ask_ticks: list[int] = []
        self._bids: list[bytes] = []
        self._asks: list[bytes] = []
        self._bid_text = b""
        self._ask_crc = 0
        self._price_decimals = -1
        self._qty_decimals = -1

    def lose(self) -> None:
        """Forget everything: the next snapshot starts anew."""
        self.trusted = False
        self._clear()

    def snapshot(self, data: BookData) -> None:
        """Replace everything; raises BookBroken."""
        self.trusted = False
        self._clear()
        for level in (*data.bids[:1], *data.asks[:1]):
            self._price_decimals = _decimals(bytes(level.price))
            self._qty_decimals = _decimals(bytes(level.qty))
        if max(self._price_decimals, self._qty_decimals) > DECIMALS_MAX:
            self.lose()
            raise BookBroken(Bad.WRONG_LEVEL, f"a level of {data.symbol} has too many decimals")
        self._apply(data)
        self.trusted = True

    def update(self, data: BookData) -> bool:
        """Apply a message; False before a snapshot (it is dropped); raises BookBroken."""
        if not self.trusted:
            return False
        self._apply(data)
        return True

    def _apply(self, data: BookData) -> None:
        """Entries in order, truncate, verify (4.2); the side not touched in its top is cached."""
        try:
            if data.asks and _merge(self._ask_ticks, self._asks, data.asks, 1, self.depth):
                self._ask_crc = crc32(b"".join(self._asks[:CHECKED]))
            if data.bids and _merge(self._bid_ticks, self._bids, data.bids, -1, self.depth):
                self._bid_text = b"".join(self._bids[:CHECKED])
        except ValueError as error:
            self.lose()
            raise BookBroken(Bad.WRONG_LEVEL, f"a level is no number: {error}") from None
        if crc32(self._bid_text, self._ask_crc) != data.checksum:
            self.lose()
            detail = f"checksum of {data.symbol} at {data.timestamp} does not fit"
            raise BookBroken(Bad.CHECKSUM, detail)
        bids, asks = self._bid_ticks, self._ask_ticks
        if (asks and asks[-1] >= _TICKS_MAX) or (bids and -bids[0] >= _TICKS_MAX):
            self.lose()
            raise BookBroken(Bad.WRONG_LEVEL, f"a price of {data.symbol} has too many digits")
        # Bids are negated: the sum of the best two is the spread, which is above zero (4.2).
        if bids and asks and (asks[0] + bids[0] <= 0 or bids[-1] >= 0):
            self.lose()
            raise BookBroken(Bad.CROSSED, f"the book of {data.symbol} is crossed or below zero")

    def summary(self, venue_at: datetime | None, levels: int = CHECKED) -> BookSummary | None:
        """What the brain sees; None where a side is empty or the book is crossed.

        Imbalance is (B - A) / (B + A) of the quantities over the top `levels`; `vwap_mid` is the
        middle of the two sides' quantity-weighted prices over the same levels.
        """
        if not self.trusted or not self._bid_ticks or not self._ask_ticks:
            return None
        bid_tick, ask_tick = -self._bid_ticks[0], self._ask_ticks[0]
        if bid_tick >= ask_tick:
            return None
        bid_lots, bid_value = _weigh(self._bid_ticks, self._bids, levels)
        ask_lots, ask_value = _weigh(self._ask_ticks, self._asks, levels)
        step = quantum(self._price_decimals)
        bid, ask = bid_tick * step, ask_tick * step
        mid = (bid + ask) / 2
        vwap_mid = (-Decimal(bid_value) / bid_lots + Decimal(ask_value) / ask_lots) / 2 * step
        return BookSummary(
            pair=self.pair,
            bid=bid,
            ask=ask,
            mid=mid,
            vwap_mid=vwap_mid.quantize(quantum(self._price_decimals + _EXTRA_DIGITS)),
            spread_bps=float((ask - bid) / mid * BPS),
            imbalance=(bid_lots - ask_lots) / (bid_lots + ask_lots),
            depth=self.depth,
            venue_at=venue_at,
        )

    def levels(self, side: str) -> list[tuple[Decimal, Decimal]]:
        """(price, quantity) of `bids` or `asks`, best first."""
        ticks, texts = (
            (self._bid_ticks, self._bids) if side == "bids" else (self._ask_ticks, self._asks)
        )
        price_step, qty_step = quantum(self._price_decimals), quantum(self._qty_decimals)
        return [
            (abs(tick) * price_step, _lots(tick, text) * qty_step)
            for tick, text in zip(ticks, texts, strict=True)
        ]


def _merge(
    ticks: list[int], texts: list[bytes], levels: list[RawLevel], sign: int, depth: int
) -> bool:
    """Apply one side's entries in array order and truncate; whether the checked top changed.

    Raises ValueError for a price or quantity that is not a plain positive number.
    """
    top = False
    for level in levels:
        price = bytes(level.price).replace(b".", b"").lstrip(b"0")
        qty = bytes(level.qty).replace(b".", b"").lstrip(b"0")
        if qty and not qty.isdigit():
            raise ValueError(f"a quantity of {qty[:40]!r}")
        tick = sign * int(price)
        at = bisect_left(ticks, tick)
        if at < CHECKED:
            top = True
        if at < len(ticks) and ticks[at] == tick:
            if qty:
                texts[at] = price + qty
            else:
                del ticks[at], texts[at]
        elif qty:
            ticks.insert(at, tick)
            texts.insert(at, price + qty)
    if len(ticks) > depth:
        del ticks[depth:], texts[depth:]
    return top


def _lots(tick: int, text: bytes) -> int:
    return int(text[len(str(abs(tick))) :])


def _weigh(ticks: list[int], texts: list[bytes], levels: int) -> tuple[int, int]:
    lots = value = 0
    for tick, text in zip(ticks[:levels], texts[:levels], strict=True):
        count = _lots(tick, text)
        lots += count
        value += tick * count
    return lots, value


def _decimals(number: bytes) -> int:
    return len(number.partition(b".")[2])


class Throttle:
    """Lets one summary of a pair through per `interval_s` of venue time, else every `per` updates.

    Only the whole second of a stamp is compared first, so that the usual message costs nothing.
    """

    def __init__(self, interval_s: float, per: int = 50) -> None:
        """Throttle by `interval_s` where messages are stamped, by count where they are not."""
        self._interval = timedelta(seconds=interval_s)
        self._per = per
        self._second: dict[str, str] = {}
        self._last: dict[str, datetime] = {}
        self._count: dict[str, int] = {}

    def reset(self, pair: str) -> None:
        """Let the next summary of `pair` through, as after a snapshot."""
        for table in (self._second, self._last, self._count):
            table.pop(pair, None)

    def passes(self, pair: str, stamp: str | None) -> tuple[bool, datetime | None]:
        """Whether a summary is due, and the venue's moment of this message where it is."""
        if stamp is None:
            count = self._count.get(pair, 0)
            self._count[pair] = (count + 1) % self._per
            return count == 0, None
        second = stamp[:_SECONDS]
        if self._second.get(pair) == second:
            return False, None
        self._second[pair] = second
        try:
            at = parse_rfc3339(stamp)
        except (ValueError, OverflowError):
            # The checksum proved the levels: only the moment of them is not known.
            return True, None
        last = self._last.get(pair)
        if last is not None and at - last < self._interval and at >= last:
            return False, None
        self._last[pair] = at
        return True, at
