"""The paper account: our exchange on books relayed from Kraken, every input of it journaled.

The venue sees a pair's relayed book only when it matters: just before a command on that pair, and
at every move while own orders are open on it. What it saw is written to the journal first, so a
killed exchange comes back with the same orders, fills and ledger, to the last unit. What happened
upstream while nobody looked (a gap, a bad checksum, our own downtime) is not invented: own orders
wait, and are judged by the book that comes next.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from simple_trader.sandbox.exchange import Exchange, ExchangeState
from simple_trader.sandbox.journal import Journal, Record, Relayed
from simple_trader.sandbox.market import PairMarket
from simple_trader.sandbox.relay.live_book import LiveBook, changed
from simple_trader.sandbox.relay.news import (
    BookLost,
    BookMoved,
    News,
    PairRow,
    PairsAre,
    Printed,
    PrintSeen,
    SystemIs,
)
from simple_trader.sandbox.overlay import Overlay
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
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            source, state, wall, pairs=source.pairs, journal=journal, secrets=secrets
        )
        self.live: Callable[[str], LiveBook | None] = lambda symbol: None
        self._latency_ms = latency_ms
        self._drawn = 0
        self._missing: set[str] = set()
        # A start is a gap: the first book of each pair is taken whole.
        self._whole = set(source.pairs)

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
                self._look(symbol, prints)
            case BookLost(symbol=symbol, why=why):
                self._whole.add(symbol)
                self.troubles.append(f"{symbol}: no book to fill own orders by: {why}")

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
        """Show the venue a pair if it has own orders there; keep the last price in any case."""
        book = self.live(symbol)
        if book is None:
            return
        self._remember(symbol, book, prints)
        if any(order.symbol == symbol for order in self.venue.open.values()):
            seen = [Print(one.tick, one.lots, one.buy, one.market) for one in prints]
            self._show(symbol, book, seen)

    def _remember(self, symbol: str, book: LiveBook, prints: tuple[PrintSeen, ...]) -> None:
        """Keep the pair's last price, for the account's worth; nothing of it is journaled."""
        bids, asks = book.sides
        if bids and asks:
            shown = [Print(one.tick, one.lots, one.buy, one.market) for one in prints]
            tick = Tick(self._at, symbol, max(bids), min(asks), shown)
            self._markets[symbol].take(tick, self._at)

    def _show(self, symbol: str, book: LiveBook, prints: list[Print]) -> None:
        """Journal what changed since the venue last looked, then let it look."""
        overlay = self._overlay(symbol)
        before = ({}, {}) if symbol in self._whole else overlay.state.shown
        sides = [changed(before[side], book.sides[side]) for side in (BID, ASK)]
        if not sides[BID] and not sides[ASK] and not prints and symbol not in self._whole:
            return
        at = max(self._at, to_us(self._wall()))
        record = Relayed(at, symbol, sides[BID], sides[ASK], prints, symbol in self._whole)
        self._write(record)
        self._whole.discard(symbol)
        self.publish(self._seen(record))
        self._steps += 1
        self._checkpoint_if_due()

    def _seen(self, record: Relayed) -> list[Report]:
        """Carry out one look, the first time or again after a restart."""
        self._at = max(self._at, record.at)
        overlay = self._overlay(record.symbol)
        take = overlay.replace if record.whole else overlay.change
        take(record.bids, record.asks)
        return self.venue.on_prints(record.symbol, self.now, record.prints)

    def _again(self, record: Record) -> None:
        if isinstance(record, Relayed):
            self._seen(record)
        else:
            super()._again(record)

    def _overlay(self, symbol: str) -> Overlay:
        overlay = self._overlays.get(symbol)
        if overlay is None:
            overlay = self._overlays[symbol] = Overlay()
            self.venue.use_book(symbol, overlay)
        return overlay

    # --- commands -----------------------------------------------------------------------------

    def execute(self, command: Command) -> list[Report]:
        """Carry out a command on the book of this moment; without one nothing new is opened."""
        symbol = self._symbol_of(command)
        if symbol is not None:
            if symbol in self._missing:
                return [Refused(f"Currency pair not supported {symbol}")]
            if symbol in self.venue.pairs:
                book = self.live(symbol)
                if book is None:
                    return [Refused(UNAVAILABLE)]
                self._show(symbol, book, [])
        return super().execute(command)

    def _symbol_of(self, command: Command) -> str | None:
        """Give the pair that a command needs a book of; None for one that only takes away."""
        match command:
            case Place() | PlaceBatch() | Edit():
                return command.symbol
            case Amend():
                order = self.venue.open.get(command.order_id)
                return None if order is None else order.symbol
            case _:
                return None

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
