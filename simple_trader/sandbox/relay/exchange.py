"""The paper account: our exchange on books relayed from Kraken, every input of it journaled.

The venue sees a pair's relayed book only when it matters: just before a command on that pair, and
at every move while own orders are open on it. What it saw is written to the journal first, so a
killed exchange comes back with the same orders, fills and ledger, to the last unit. What happened
upstream while nobody looked (a gap, a bad checksum, our own downtime) is not invented: own orders
wait, and are judged by the book that comes next.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import assert_never

import msgspec

from simple_trader.sandbox.exchange import Exchange, ExchangeState
from simple_trader.sandbox.front import Surface
from simple_trader.sandbox.journal import Journal, Record, Relayed
from simple_trader.sandbox.overlay import Overlay
from simple_trader.sandbox.relay.live_book import LiveBook, changed
from simple_trader.sandbox.relay.news import (
    BookLost,
    BookMoved,
    LastPrice,
    News,
    PairRow,
    PairsAre,
    Printed,
    PrintSeen,
    SystemIs,
)
from simple_trader.sandbox.relay.source import RelaySource
from simple_trader.sandbox.sources import Tick, to_us
from simple_trader.simulator.dice import stream_key
from simple_trader.simulator.fill_model import Print
from simple_trader.simulator.instruments import Instrument
from simple_trader.simulator.liquidity import ASK, BID
from simple_trader.simulator.orders import (
    Amend,
    Command,
    Edit,
    Place,
    PlaceBatch,
    SetPair,
    SetSystem,
)
from simple_trader.simulator.reports import Refused, Report

UNAVAILABLE = "EService:Unavailable"
DRAWS = 1000


class RelayExchange(Exchange):
    """An exchange whose other traders are Kraken's; `hear` takes what the upstream tells.

    `live` gives the verified book of a pair as it is this moment, None while there is none; `want`
    asks the upstream to follow a pair.
    """

    def __init__(
        self,
        source: RelaySource,
        state: ExchangeState,
        wall: Callable[[], datetime],
        *,
        latency_ms: tuple[int, int],
        journal: Journal | None = None,
        surface: Surface | None = None,
    ) -> None:
        super().__init__(source, state, wall, pairs=source.pairs, journal=journal, surface=surface)
        self.live: Callable[[str], LiveBook | None] = lambda symbol: None
        self._latency_ms = latency_ms
        self._drawn = 0
        self._missing: set[str] = set()
        self._met: set[str] = set()
        self._last: dict[str, int] = {}
        self._overlays: dict[str, Overlay] = {}
        for symbol, kept in state.overlays.items():
            self._overlays[symbol] = Overlay(kept)
            self.venue.use_book(symbol, self._overlays[symbol])
            self.venue.trust(symbol, trusted=not kept.lost)
        for symbol in dict.fromkeys(order.symbol for order in self.venue.open.values()):
            self._overlay(symbol)
        # The first book of each pair is taken whole.
        self._whole = set(source.pairs)

    def follow_wall(self) -> None:
        """Bring market time to now."""
        self.follow(self._wall())

    def save(self) -> bytes:
        """Give the whole state as bytes, overlays included, without the pairs nobody looked at."""
        state = msgspec.msgpack.decode(super().save(), type=ExchangeState)
        state.overlays = {name: overlay.state for name, overlay in self._overlays.items()}
        state.markets = {name: market for name, market in state.markets.items() if market.last}
        return msgspec.msgpack.encode(state)

    # --- what the upstream tells --------------------------------------------------------------

    def hear(self, item: News) -> None:
        """Take one piece of news; fills and changes of status are published at once."""
        match item:
            case SystemIs(status=status):
                if status != self.venue.system:
                    self.publish(self.execute(SetSystem(status)))
            case PairsAre():
                self._take_rules(item)
            case BookMoved(symbol=symbol):
                self._look(symbol, ())
            case Printed(symbol=symbol, prints=prints):
                self._last[symbol] = prints[-1].tick
                self._look(symbol, prints)
            case LastPrice(symbol=symbol, tick=tick):
                self._last[symbol] = tick
            case BookLost(symbol=symbol, why=why):
                self._lose(symbol)
                self.troubles.append(f"{symbol}: no book to fill own orders by: {why}")
            case _:
                assert_never(item)

    def _lose(self, symbol: str) -> None:
        """Begin a gap: until the next whole book nothing fills on this pair."""
        self._whole.add(symbol)
        if not self._has_orders(symbol):
            # The venue last looked some time ago: that book judges no order any more.
            self._met.discard(symbol)
        if symbol in self._overlays and symbol not in self.venue.untrusted:
            self._tell(Relayed(self._now_at(), symbol, [], [], lost=True))

    def _take_rules(self, told: PairsAre) -> None:
        for row in told.rows:
            pair = self.venue.pairs.get(row.symbol)
            if pair is None:
                continue
            change = _difference(row, pair, self.venue.status_of(row.symbol))
            if change is not None:
                self.publish(self.execute(change))
        if told.whole:
            listed = {row.symbol for row in told.rows}
            self._missing = {symbol for symbol in self.pairs if symbol not in listed}

    def _look(self, symbol: str, prints: tuple[PrintSeen, ...]) -> None:
        """Show the venue a pair if it has own orders there; keep its price in any case."""
        book = self.live(symbol)
        if book is None:
            return
        seen = [Print(one.tick, one.lots, one.buy, one.market) for one in prints]
        bids, asks = book.sides
        if bids and asks:
            # For the account's worth; it is public, so nothing of it is journaled.
            tick = Tick(self._at, symbol, max(bids), min(asks), seen)
            self._markets[symbol].take(tick, self._at)
        if self._has_orders(symbol):
            self._show(symbol, book, seen)

    def _has_orders(self, symbol: str) -> bool:
        return any(order.symbol == symbol for order in self.venue.open.values())

    def _show(self, symbol: str, book: LiveBook, prints: list[Print]) -> None:
        """Journal what changed since the venue last looked, then let it look."""
        is_whole = symbol in self._whole
        before = ({}, {}) if is_whole else self._overlay(symbol).state.shown
        bids, asks = [changed(before[side], book.sides[side]) for side in (BID, ASK)]
        last = None if prints else self._last.get(symbol)
        if last == self.venue.state.last.get(symbol):
            last = None
        if bids or asks or prints or is_whole or last is not None:
            self._whole.discard(symbol)
            self._met.add(symbol)
            at = self._now_at()
            self._tell(Relayed(at, symbol, bids, asks, prints, whole=is_whole, last=last))

    def _tell(self, record: Relayed) -> None:
        self._write(record)
        self.publish(self._seen(record))
        self._steps += 1
        self._checkpoint_if_due()

    def _seen(self, record: Relayed) -> list[Report]:
        """Carry out one look, the first time or again after a restart."""
        self._at = max(self._at, record.at)
        symbol, overlay = record.symbol, self._overlay(record.symbol)
        if record.lost or record.whole:
            overlay.state.lost = record.lost
            self.venue.trust(symbol, trusted=record.whole)
        if record.lost:
            return []
        if record.whole:
            overlay.replace(record.bids, record.asks)
        else:
            overlay.change(record.bids, record.asks)
        if record.last is not None:
            self.venue.state.last[symbol] = record.last
        return self._noted(self.venue.on_prints(symbol, self.now, record.prints))

    def _again(self, record: Record) -> None:
        if isinstance(record, Relayed):
            self._seen(record)
        else:
            super()._again(record)

    def begin(self) -> None:
        """Say that a gap lies behind a kept account: after `recover`, before the first news."""
        for symbol in self._overlays:
            self._lose(symbol)

    def _now_at(self) -> int:
        return max(self._at, to_us(self._wall()))

    def _overlay(self, symbol: str) -> Overlay:
        overlay = self._overlays.get(symbol)
        if overlay is None:
            overlay = self._overlays[symbol] = Overlay()
            self.venue.use_book(symbol, overlay)
        return overlay

    # --- commands -----------------------------------------------------------------------------

    def print_privately(self, symbol: str, prints: list[Print]) -> None:
        """Let prints that nobody made pass the own orders of a pair (a fault)."""
        if symbol in self._overlays:
            self._tell(Relayed(self._now_at(), symbol, [], [], prints))

    def bend(self, symbol: str, millionths: int, lasts_us: int) -> None:
        """Refuse: what is relayed is Kraken's."""
        self.troubles.append(f"{symbol}: a relay's prices are Kraken's own and cannot be bent")

    def execute(self, command: Command) -> list[Report]:
        """Carry out a command on the book of this moment; without one nothing new is opened."""
        symbol = self._symbol_of(command)
        if symbol is not None:
            if symbol in self._missing:
                return [Refused(f"Currency pair not supported {symbol}")]
            if symbol in self.venue.pairs:
                book = self.live(symbol)
                if book is not None:
                    self._show(symbol, book, [])
                elif symbol not in self._met:
                    return [Refused(UNAVAILABLE)]
        return super().execute(command)

    def _symbol_of(self, command: Command) -> str | None:
        """Give the pair that a command needs a book of; None for one that only takes away."""
        if isinstance(command, Place | PlaceBatch | Edit):
            return command.symbol
        order = self.venue.open.get(command.order_id) if isinstance(command, Amend) else None
        return None if order is None else order.symbol

    def latency_s(self) -> float:
        """Draw how long the next order request is on its way."""
        low, high = self._latency_ms
        self._drawn += 1
        draw = stream_key(self._connection_key, "latency", self._drawn) % (DRAWS + 1)
        return (low + (high - low) * draw / DRAWS) / 1000

    @property
    def busy_pairs(self) -> list[str]:
        """The pairs that must be followed: open orders, and what the accounts hold, in USD."""
        found = {order.symbol: None for order in self.venue.open.values()}
        for account in self.venue.state.accounts.values():
            for asset, amount in account.balances.items():
                symbol = f"{asset}/USD"
                if amount > 0 and symbol in self.pairs:
                    found[symbol] = None
        return list(found)


def _difference(row: PairRow, pair: Instrument, status: str) -> SetPair | None:
    """Give what the upstream changed of a pair's rules; None when nothing did."""
    now = (pair.qty_min, pair.cost_min, pair.price_increment)
    new = (row.qty_min, row.cost_min, row.price_increment)
    if row.status == status and new == now:
        return None
    return SetPair(
        symbol=row.symbol,
        status=row.status if row.status != status else None,
        qty_min=_if_new(row.qty_min, pair.qty_min),
        cost_min=_if_new(row.cost_min, pair.cost_min),
        price_increment=_if_new(row.price_increment, pair.price_increment),
    )


def _if_new(new: Decimal, old: Decimal) -> Decimal | None:
    return new if new != old else None
