"""The exchange as a pure state machine: `apply(command, at)` and market steps give reports."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Literal, assert_never

import msgspec

from simple_trader.simulator import checks
from simple_trader.simulator.accounts import (
    Account,
    AccountSpec,
    hold_of,
    holds,
    open_account,
    to_unit,
)
from simple_trader.simulator.dice import stream_key
from simple_trader.simulator.fees import rate
from simple_trader.simulator.fill_model import Print, Walk, maker_fills, walk, walk_cash
from simple_trader.simulator.ids import kraken_id
from simple_trader.simulator.instruments import Instrument
from simple_trader.simulator.limits import TIER_LIMITS, decayed
from simple_trader.simulator.liquidity import ASK, BID, liquidity_of
from simple_trader.simulator.matching import BookState, PairBook
from simple_trader.simulator.orders import (
    LIVE,
    MAIN,
    REASON_EXPIRED,
    REASON_IOC,
    REASON_POST_ONLY,
    REASON_PROTECTION,
    REASON_SELF_TRADE,
    REASON_USER,
    ZERO,
    Amend,
    Cancel,
    CancelAll,
    CancelBatch,
    Command,
    Edit,
    Order,
    OrderStatus,
    PairStatus,
    Place,
    PlaceBatch,
    SetPair,
    SetSystem,
    SetVolume,
    SystemStatus,
    Trade,
    Transfer,
)
from simple_trader.simulator.reports import (
    Amended,
    Checked,
    Closed,
    Opened,
    Posted,
    Refused,
    Report,
    Traded,
)
from simple_trader.simulator.rules import VenueRules

PROTECTION_PCT = 2  # a market order trades at most this far from the best price
OWN_TRADE_IDS = 9_000_000_000  # own fills are not on the tape: their numbers stand apart

UNKNOWN_ORDER = "EOrder:Unknown order"
NO_FUNDS = "EOrder:Insufficient funds"


class VenueState(msgspec.Struct):
    """Everything that a checkpoint keeps of the venue."""

    seed: int
    accounts: dict[str, Account]
    books: dict[str, BookState]
    orders: dict[str, Order] = msgspec.field(default_factory=dict)
    trades: list[Trade] = msgspec.field(default_factory=list)
    amends: int = 0
    matches: int = 0
    system: SystemStatus = "online"
    statuses: dict[str, PairStatus] = msgspec.field(default_factory=dict)


def new_state(seed: int, accounts: Iterable[AccountSpec]) -> VenueState:
    """Open a venue with its accounts and no market yet."""
    opened = {spec.name: open_account(seed, spec) for spec in accounts}
    return VenueState(seed=seed, accounts=opened, books={})


class Venue:
    """One account on one exchange; every method is synchronous and deterministic."""

    def __init__(
        self, state: VenueState, pairs: dict[str, Instrument], rules: VenueRules | None = None
    ) -> None:
        self.state = state
        self.pairs = pairs
        self.rules = rules or VenueRules()
        self.books: dict[str, PairBook] = {}
        self.open: dict[str, Order] = {}
        for symbol, book in state.books.items():
            self._add_book(symbol, book)
        for order in state.orders.values():
            if order.status in LIVE:
                self.open[order.order_id] = order
                self._rest(order)

    def _add_book(self, symbol: str, book: BookState) -> PairBook:
        pair = self.pairs[symbol]
        key = stream_key(self.state.seed, "book", symbol)
        self.books[symbol] = PairBook(liquidity_of(pair, key), book)
        return self.books[symbol]

    # --- questions --------------------------------------------------------------------------

    @property
    def system(self) -> SystemStatus:
        """The status of the whole exchange."""
        return self.state.system

    def status_of(self, symbol: str) -> PairStatus:
        """Give the status of a pair."""
        return self.state.statuses.get(symbol, "online")

    def open_of(self, account: str = MAIN) -> list[Order]:
        """Give the open orders of an account, oldest first."""
        return [order for order in self.open.values() if order.account == account]

    def orders_of(self, account: str = MAIN) -> list[Order]:
        """Give all orders of an account, open and closed, oldest first."""
        return [order for order in self.state.orders.values() if order.account == account]

    def trades_of(self, account: str = MAIN) -> list[Trade]:
        """Give the fills of an account, oldest first."""
        return [trade for trade in self.state.trades if trade.account == account]

    def find_open(self, account: str, cl_ord_id: str) -> Order | None:
        """Find the open order of an account that carries a client id."""
        for order in self.open.values():
            if order.cl_ord_id == cl_ord_id and order.account == account:
                return order
        return None

    def held(self, account: str = MAIN) -> dict[str, Decimal]:
        """Give what the open orders of an account reserve, by asset."""
        return holds(self.open_of(account), self.pairs)

    def available(self, account: str, asset: str) -> Decimal:
        """Give what an account may still spend of an asset."""
        balance = self.state.accounts[account].balances.get(asset, ZERO)
        return balance - self.held(account).get(asset, ZERO)

    def rate_count(self, account: str, symbol: str, at: datetime) -> Decimal:
        """Give the trading counter of an account on a pair (protocol section 10)."""
        owner = self.state.accounts[account]
        return decayed(owner.counters.get(symbol), owner.tier, at)

    def max_rate_count(self, account: str) -> int:
        """Give the trading counter's threshold for an account."""
        return TIER_LIMITS[self.state.accounts[account].tier].threshold

    def next_due(self) -> datetime | None:
        """Give the moment at which the next order starts or ends by itself."""
        moments = [order.expire_at for order in self.open.values() if order.expire_at]
        return min(moments, default=None)

    # --- the market -------------------------------------------------------------------------

    def on_market(
        self, symbol: str, at: datetime, bid: int, ask: int, prints: Iterable[Print]
    ) -> list[Report]:
        """Take one market step of a pair (quotes in ticks) and fill what it reaches."""
        book = self.books.get(symbol)
        if book is None:
            state = BookState(bid=bid, ask=ask)
            self.state.books[symbol] = state
            book = self._add_book(symbol, state)
        book.move(bid, ask)
        reports: list[Report] = []
        for level, lots in maker_fills(book, prints):
            self._fill(level.order, level.tick, lots, "m", at, reports)
        return reports

    def run_due(self, at: datetime) -> list[Report]:
        """Start and end the orders whose time has come."""
        reports: list[Report] = []
        for order in list(self.open.values()):
            if order.expire_at is not None and order.expire_at <= at:
                self._close(order, "expired", REASON_EXPIRED, at, reports)
        return reports

    # --- commands ---------------------------------------------------------------------------

    def apply(self, command: Command, at: datetime) -> list[Report]:
        """Carry out one command at one market moment and report what came of it."""
        match command:
            case Place():
                return self._place(command, at)
            case Amend():
                return self._amend(command, at)
            case Cancel():
                order = self.open.get(command.order_id)
                if order is None or order.account != command.account:
                    return [Refused(UNKNOWN_ORDER)]
                reports: list[Report] = []
                self._close(order, "canceled", REASON_USER, at, reports)
                return reports
            case CancelAll():
                reports = []
                for order in self.open_of(command.account):
                    self._close(order, "canceled", command.reason, at, reports)
                return reports
            case Transfer():
                owner = self.state.accounts[command.account]
                entry = owner.post(
                    at, "", command.kind, command.asset, to_unit(command.amount, command.asset),
                    ZERO,
                )  # fmt: skip
                return [Posted(command.account, (entry,))]
            case PlaceBatch() | Edit() | CancelBatch() | SetSystem() | SetPair() | SetVolume():
                return [Refused("EGeneral:Internal error")]
            case _:
                assert_never(command)

    def _place(self, place: Place, at: datetime) -> list[Report]:
        error = checks.check_form(place, at)
        if error:
            return [Refused(error)]
        pair = self.pairs.get(place.symbol)
        book = self.books.get(place.symbol)
        if pair is None or book is None:
            return [Refused(f"Currency pair not supported {place.symbol}")]
        price = place.limit_price
        best = book.best(ASK if place.side == "buy" else BID)
        reference = price if price is not None else pair.price_of(best[0]) if best else None
        error = (
            checks.check_deadline(place.deadline, at)
            or checks.check_precision(pair, place.qty, price)
            or checks.check_minimums(pair, place.qty, reference)
        )
        if not error and place.cash_qty is not None and place.cash_qty < pair.cost_min:
            error = "EOrder:Cost minimum not met"
        if not error and place.cl_ord_id and self.find_open(place.account, place.cl_ord_id):
            error = f"{checks.BAD}:cl_ord_id already in use by an open order"
        if not error:
            mine = self.open_of(place.account)
            same = sum(1 for order in mine if order.symbol == place.symbol)
            if same >= TIER_LIMITS[self.state.accounts[place.account].tier].open_orders:
                error = "EOrder:Orders limit exceeded"
        if error:
            return [Refused(error)]
        return self._place_checked(place, pair, book, at)

    def _place_checked(
        self, place: Place, pair: Instrument, book: PairBook, at: datetime
    ) -> list[Report]:
        order = self._new_order(place, at)
        taken = self._walk(order, pair, book)
        if order.cash_qty is not None:
            order.qty = pair.qty_of(sum(fill.lots for fill in taken.fills))
            if order.qty < pair.qty_min:
                return [Refused(f"{checks.BAD}:volume minimum not met")]
        if not self._can_pay(order, pair, taken):
            return [Refused(NO_FUNDS)]
        takes = bool(taken.fills) or taken.met_own
        if place.post_only and takes and self.rules.post_only != "cancel":
            return [Refused(f"EOrder:{REASON_POST_ONLY}")]
        if place.validate:
            return [Checked(order)]
        self.state.orders[order.order_id] = order
        self.open[order.order_id] = order
        reports: list[Report] = [Opened(msgspec.structs.replace(order))]
        if place.post_only and takes:
            self._close(order, "canceled", REASON_POST_ONLY, at, reports)
            return reports
        self._take(order, book, taken, at, reports)
        return reports

    def _new_order(self, place: Place, at: datetime) -> Order:
        return Order(
            order_id=kraken_id("O", self.state.seed, len(self.state.orders)),
            symbol=place.symbol,
            side=place.side,
            order_type=place.order_type,
            qty=place.qty if place.qty is not None else ZERO,
            cash_qty=place.cash_qty,
            limit_price=place.limit_price,
            time_in_force="ioc" if place.order_type == "market" else place.time_in_force,
            opened_at=at,
            hold_rate=rate(self.state.accounts[place.account].volume.at(at), maker=False),
            expire_at=place.expire_at,
            post_only=place.post_only,
            account=place.account,
            fee_in_base=bool(place.fee_in_base),
            cl_ord_id=place.cl_ord_id,
            userref=place.userref,
        )

    def _walk(self, order: Order, pair: Instrument, book: PairBook) -> Walk:
        side = ASK if order.side == "buy" else BID
        if order.limit_price is not None:
            limit = pair.ticks_of(order.limit_price)
        else:
            best = book.best(side)
            if best is None:
                return Walk([], met_own=False)
            band = best[0] * PROTECTION_PCT // 100
            limit = best[0] + band if side == ASK else best[0] - band
        if order.cash_qty is not None:
            units = order.cash_qty.scaleb(pair.price_precision + pair.qty_precision)
            return walk_cash(book, int(units), limit)
        return walk(book, side, pair.lots_of(order.open_qty) or 0, limit)

    def _can_pay(self, order: Order, pair: Instrument, taken: Walk) -> bool:
        asset, needed = hold_of(order, pair)
        if order.side == "buy" and order.limit_price is None:
            for fill in taken.fills:
                needed += pair.price_of(fill.tick) * pair.qty_of(fill.lots)
            if not order.fee_in_base:
                needed *= 1 + order.hold_rate
        return needed <= self.available(order.account, asset)

    def _take(
        self, order: Order, book: PairBook, taken: Walk, at: datetime, reports: list[Report]
    ) -> None:
        side = ASK if order.side == "buy" else BID
        for fill in taken.fills:
            book.eat(side, fill.tick, fill.lots)
            self._fill(order, fill.tick, fill.lots, "t", at, reports)
        if order.status == "filled":
            return
        if taken.met_own:
            self._close(order, "canceled", REASON_SELF_TRADE, at, reports)
        elif order.order_type == "market":
            self._close(order, "canceled", REASON_PROTECTION, at, reports)
        elif order.time_in_force == "ioc":
            self._close(order, "canceled", REASON_IOC, at, reports)
        else:
            pair = self.pairs[order.symbol]
            tick = pair.ticks_of(order.limit_price or ZERO) or 0
            order.queue_lots = book.lots_before(BID if order.side == "buy" else ASK, tick)
            self._rest(order)

    def _rest(self, order: Order) -> None:
        pair = self.pairs[order.symbol]
        tick = pair.ticks_of(order.limit_price or ZERO) or 0
        self.books[order.symbol].rest(order, tick, pair.lots_of(order.open_qty) or 0)

    def _fill(
        self,
        order: Order,
        tick: int,
        lots: int,
        liquidity: Literal["m", "t"],
        at: datetime,
        reports: list[Report],
    ) -> None:
        pair, account = self.pairs[order.symbol], self.state.accounts[order.account]
        price, qty = pair.price_of(tick), pair.qty_of(lots)
        cost = to_unit(price * qty, pair.quote)
        # An order never pays more than the rate that was reserved for it.
        share = min(rate(account.volume.at(at), maker=liquidity == "m"), order.hold_rate)
        fee_asset = pair.base if order.fee_in_base else pair.quote
        fee = to_unit((qty if order.fee_in_base else cost) * share, fee_asset)
        number = len(self.state.trades)
        exec_id = kraken_id("T", self.state.seed, number)
        sign = 1 if order.side == "buy" else -1
        base = account.post(
            at, exec_id, "trade", pair.base, to_unit(qty, pair.base) * sign,
            fee if order.fee_in_base else ZERO,
        )  # fmt: skip
        quote = account.post(
            at, exec_id, "trade", pair.quote, -cost * sign, ZERO if order.fee_in_base else fee
        )
        trade = Trade(
            exec_id=exec_id, trade_id=OWN_TRADE_IDS + number, order_id=order.order_id,
            cl_ord_id=order.cl_ord_id, userref=order.userref, symbol=order.symbol,
            side=order.side, order_type=order.order_type, price=price, qty=qty, cost=cost,
            fee=fee, fee_asset=fee_asset, liquidity=liquidity, at=at,
            ledgers=(base.ledger_id, quote.ledger_id), account=order.account,
        )  # fmt: skip
        self.state.trades.append(trade)
        account.volume.add(at, cost)
        order.trades.append(exec_id)
        order.cum_qty += qty
        order.cum_cost += cost
        order.fee += fee
        order.status = "partially_filled"
        reports.append(Traded(msgspec.structs.replace(order), trade, (base, quote)))
        if order.cum_qty == order.qty:
            self._close(order, "filled", None, at, reports)

    def _close(
        self,
        order: Order,
        status: OrderStatus,
        reason: str | None,
        at: datetime,
        reports: list[Report],
    ) -> None:
        order.status, order.reason, order.closed_at = status, reason, at
        self.open.pop(order.order_id, None)
        self.books[order.symbol].remove(order)
        reports.append(Closed(msgspec.structs.replace(order)))

    def _amend(self, amend: Amend, at: datetime) -> list[Report]:
        order = self.open.get(amend.order_id)
        if order is None or order.account != amend.account:
            return [Refused(UNKNOWN_ORDER)]
        pair, book = self.pairs[order.symbol], self.books[order.symbol]
        qty = order.qty if amend.qty is None else amend.qty
        price = order.limit_price if amend.limit_price is None else amend.limit_price
        if not qty.is_finite() or qty <= 0 or price is None or not price.is_finite() or price <= 0:
            return [Refused(f"{checks.BAD}:amend")]
        error = (
            checks.check_deadline(amend.deadline, at)
            or checks.check_precision(pair, qty, price)
            or checks.check_minimums(pair, qty, price)
        )
        if error:
            return [Refused(error)]
        changed = msgspec.structs.replace(order, qty=qty, limit_price=price, amended=True)
        if qty > order.cum_qty:
            asset, held_now = hold_of(order, pair)
            if hold_of(changed, pair)[1] - held_now > self.available(order.account, asset):
                return [Refused(NO_FUNDS)]
        taken = Walk([], met_own=False)
        if qty > order.cum_qty and price != order.limit_price:
            taken = self._walk(changed, pair, book)
            if (taken.fills or taken.met_own) and (amend.post_only or order.post_only):
                return [Refused(f"EOrder:{REASON_POST_ONLY}")]
        keeps_place = price == order.limit_price and qty <= order.qty
        self.state.amends += 1
        amend_id = kraken_id("T", self.state.seed ^ 0x5A5A, self.state.amends)
        order.qty, order.limit_price, order.amended = qty, price, True
        reports: list[Report] = [Amended(msgspec.structs.replace(order), amend_id)]
        if qty <= order.cum_qty:
            self._close(order, "canceled", REASON_USER, at, reports)
            return reports
        if keeps_place:
            book.resize(order, pair.lots_of(order.open_qty) or 0)
            return reports
        # Behind all others: the order of the tables is the order of age, also after a restart.
        for table in (self.open, self.state.orders):
            table[order.order_id] = table.pop(order.order_id)
        book.remove(order)
        self._take(order, book, taken, at, reports)
        return reports
