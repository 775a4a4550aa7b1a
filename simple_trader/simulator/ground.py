"""What the whole venue stands on: pairs and their statuses, books, open orders, accounts."""

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.simulator.accounts import (
    Account,
    AccountSpec,
    hold_of,
    holds,
    open_account,
)
from simple_trader.simulator.dice import stream_key
from simple_trader.simulator.fees import rate
from simple_trader.simulator.fill_model import Walk
from simple_trader.simulator.instruments import Instrument
from simple_trader.simulator.limits import RATE_LIMIT, TIER_LIMITS, RateCount, decayed
from simple_trader.simulator.liquidity import ASK, BID, liquidity_of
from simple_trader.simulator.matching import (
    BookState,
    Depth,
    GeneratedDepth,
    OwnLevel,
    PairBook,
)
from simple_trader.simulator.orders import (
    LIVE,
    ZERO,
    Order,
    PairStatus,
    Reference,
    SetPair,
    SystemStatus,
    Trade,
)
from simple_trader.simulator.rules import VenueRules
from simple_trader.simulator.statuses import matches
from simple_trader.simulator.triggers import LIMITS, limit_now


class VenueState(msgspec.Struct):
    """Everything that a checkpoint keeps of the venue; `last` holds the tape's prices in ticks."""

    seed: int
    accounts: dict[str, Account]
    books: dict[str, BookState]
    orders: dict[str, Order] = msgspec.field(default_factory=dict)
    trades: list[Trade] = msgspec.field(default_factory=list)
    amends: int = 0
    matches: int = 0
    system: SystemStatus = "online"
    overrides: dict[str, SetPair] = msgspec.field(default_factory=dict)
    last: dict[str, int] = msgspec.field(default_factory=dict)


def new_state(seed: int, accounts: Iterable[AccountSpec]) -> VenueState:
    """Open a venue with its accounts and no market yet."""
    opened = {spec.name: open_account(seed, spec) for spec in accounts}
    return VenueState(seed=seed, accounts=opened, books={})


class Ground:
    """State and the questions about it; nothing here trades.

    `usd_rate` gives USD per unit of a quote asset, for volumes; by default the venue's own books
    tell it. Every method is synchronous and deterministic.
    """

    def __init__(
        self,
        state: VenueState,
        pairs: dict[str, Instrument],
        rules: VenueRules | None = None,
        usd_rate: Callable[[str], Decimal | None] | None = None,
    ) -> None:
        self.state = state
        self.pairs = dict(pairs)
        self.rules = rules or VenueRules()
        self.books: dict[str, PairBook] = {}
        self.open: dict[str, Order] = {}
        self.waiting: dict[str, dict[str, Order]] = {}
        self.spawning: list[tuple[Order, Trade]] = []
        self.untrusted: set[str] = set()
        self._usd_rate = usd_rate
        self.depths: dict[str, GeneratedDepth] = {}
        self.still: set[str] = set()
        for change in state.overrides.values():
            self.override(change)
        self.look_at_statuses()
        self.open.update(
            {name: order for name, order in state.orders.items() if order.status in LIVE}
        )
        for symbol, book in state.books.items():
            self.depth_of(symbol, book)

    # --- pairs, books and statuses ------------------------------------------------------------

    def depth_of(self, symbol: str, opening: BookState) -> GeneratedDepth:
        """Give the generated book of a pair, made at the first call."""
        depth = self.depths.get(symbol)
        if depth is None:
            key = stream_key(self.state.seed, "book", symbol)
            depth = GeneratedDepth(liquidity_of(self.pairs[symbol], key), opening)
            self.depths[symbol] = depth
            self.use_depth(symbol, depth)
        return depth

    def use_depth(self, symbol: str, depth: Depth) -> None:
        """Put other traders' orders under a pair; own orders of before stay where they rest."""
        book = self.books.get(symbol)
        if book is None:
            self.books[symbol] = PairBook(depth)
            for order in self.open.values():
                if order.symbol == symbol:
                    self.rest(order)
        else:
            book.depth = depth

    def rest(self, order: Order) -> None:
        """Put an order where it waits: in the book, at its trigger, or for its start."""
        if order.untriggered:
            self.waiting.setdefault(order.symbol, {})[order.order_id] = order
        if order.untriggered or order.status == "pending_new":
            return
        pair, lots, tick = self.pairs[order.symbol], self.lots(order), self.tick(order)
        if order.display_qty is None:
            self.books[order.symbol].rest(order, tick, lots)
            return
        if order.display_left is None or order.display_left <= 0:
            order.display_left = order.display_qty
        order.display_left = min(order.display_left, order.open_qty)
        shown = pair.lots_of(order.display_left) or 0
        self.books[order.symbol].rest(
            order, tick, shown, hidden=lots - shown, slice_lots=pair.lots_of(order.display_qty) or 0
        )

    def level_of(self, order: Order) -> OwnLevel | None:
        """Find where an order rests; None when it waits for a trigger or its start."""
        book = self.books.get(order.symbol)
        return None if book is None else book.level_of(order)

    def resize(self, order: Order) -> None:
        """Show a resting order's new size without taking its place away."""
        level, lots = self.level_of(order), self.lots(order)
        if level is None:
            return
        if order.display_qty is None or order.display_left is None:
            level.lots = lots
            return
        order.display_left = min(order.display_left, order.open_qty)
        pair = self.pairs[order.symbol]
        level.lots = pair.lots_of(order.display_left) or 0
        level.hidden, level.slice_lots = lots - level.lots, pair.lots_of(order.display_qty) or 0

    def override(self, change: SetPair) -> None:
        """Take over an operator's rules of a pair."""
        known = {"qty_min": change.qty_min, "cost_min": change.cost_min}
        known["price_increment"] = change.price_increment
        fresh = {name: value for name, value in known.items() if value is not None}
        pair = self.pairs[change.symbol]
        self.pairs[change.symbol] = msgspec.structs.replace(pair, **fresh)

    def status_of(self, symbol: str) -> PairStatus:
        """Give the status of a pair."""
        change = self.state.overrides.get(symbol)
        if change is not None and change.status is not None:
            return change.status
        return self.pairs[symbol].status

    def look_at_statuses(self) -> None:
        """Note which pairs do not trade, so that a market step asks only once."""
        system = self.state.system
        self.still = {s for s in self.pairs if not matches(system, self.status_of(s))}

    def trades_now(self, symbol: str) -> bool:
        """Say whether orders of the pair may trade: its status and its feed allow it."""
        return symbol not in self.still and symbol not in self.untrusted

    def stands_still(self, symbol: str) -> bool:
        """Say whether a status keeps the pair's orders from trading."""
        return symbol in self.still

    def reference(self, symbol: str, kind: Reference) -> Decimal | None:
        """Give the price that a trigger looks at; None without a market, or without an index."""
        pair, book = self.pairs[symbol], self.books.get(symbol)
        last = self.state.last.get(symbol)
        bid = book.best_market(BID) if book else None
        ask = book.best_market(ASK) if book else None
        middle = None if bid is None or ask is None else pair.price_of(bid + ask) / 2
        if kind == "index":
            change = self.state.overrides.get(symbol)
            if pair.has_index and not (change and change.index is False):
                return middle
            if self.rules.index_down == "refuse":
                return None
        return pair.price_of(last) if last is not None else middle

    def usd_rate(self, asset: str) -> Decimal:
        """Give USD per unit of an asset; 1 where nobody knows."""
        if asset == "USD":
            return Decimal(1)
        told = self._usd_rate(asset) if self._usd_rate else None
        if told is not None:
            return told
        market = self.reference(f"{asset}/USD", "last") if f"{asset}/USD" in self.pairs else None
        return market if market is not None else Decimal(1)

    def lots(self, order: Order) -> int:
        """Give what is still to fill in lots."""
        return self.pairs[order.symbol].lots_of(order.open_qty) or 0

    def tick(self, order: Order) -> int:
        """Give an order's limit price in ticks."""
        pair = self.pairs[order.symbol]
        return pair.ticks_of(limit_now(order, pair) or ZERO) or 0

    # --- accounts -----------------------------------------------------------------------------

    def open_of(self, account: str) -> list[Order]:
        """Give the open orders of an account, oldest first."""
        return [order for order in self.open.values() if order.account == account]

    def find_open(self, account: str, cl_ord_id: str) -> Order | None:
        """Find the open order of an account that carries a client id."""
        for order in self.open.values():
            if order.cl_ord_id == cl_ord_id and order.account == account:
                return order
        return None

    def available(self, account: str, asset: str, without: Order | None = None) -> Decimal:
        """Give what an account may still spend; `without` leaves one order's hold out."""
        orders = [order for order in self.open_of(account) if order is not without]
        held = holds(orders, self.pairs).get(asset, ZERO)
        return self.state.accounts[account].balances.get(asset, ZERO) - held

    def rate_of(self, account: str, symbol: str, at: datetime, *, maker: bool) -> Decimal:
        """Give the fee of an account on a pair as a fraction."""
        volume = self.state.accounts[account].volume.at(at)
        return rate(volume, maker=maker, table=self.pairs[symbol].fee_table)

    def rate_count(self, account: str, symbol: str, at: datetime) -> Decimal:
        """Give the trading counter of an account on a pair (protocol section 10)."""
        owner = self.state.accounts[account]
        return decayed(owner.counters.get(symbol), owner.tier, at)

    def charge(self, account: str, symbol: str, cost: Decimal | int, at: datetime) -> None:
        """Count a transaction's cost."""
        owner = self.state.accounts[account]
        if owner.counted and cost:
            value = self.rate_count(account, symbol, at) + cost
            owner.counters[symbol] = RateCount(value, at)

    def over_rate(self, account: str, symbol: str, at: datetime, more: int = 0) -> str | None:
        """Refuse a transaction that lifts the counter above its threshold."""
        owner = self.state.accounts[account]
        if not owner.counted:
            return None
        count = self.rate_count(account, symbol, at) + more
        return RATE_LIMIT if count > TIER_LIMITS[owner.tier].threshold else None

    def can_pay(self, order: Order, taken: Walk, without: Order | None = None) -> bool:
        """Say whether the account can pay for all that an order may still cost."""
        pair = self.pairs[order.symbol]
        asset, needed = hold_of(order, pair)
        if order.side == "buy" and order.order_type not in LIMITS and not order.untriggered:
            cost = sum((pair.price_of(f.tick) * pair.qty_of(f.lots) for f in taken.fills), ZERO)
            needed = max(needed, cost * (1 if order.fee_in_base else 1 + order.hold_rate))
        return needed <= self.available(order.account, asset, without)
