"""The matching engine: it walks, fills, rests and closes orders, and books every fill exactly."""

from datetime import datetime
from typing import Literal

import msgspec

from simple_trader.simulator.accounts import (
    to_unit,
)
from simple_trader.simulator.fill_model import MakerFill, Taker, Walk, walk
from simple_trader.simulator.ground import Ground
from simple_trader.simulator.ids import kraken_id
from simple_trader.simulator.liquidity import ASK, BID
from simple_trader.simulator.matching import (
    side_of,
)
from simple_trader.simulator.orders import (
    REASON_FOK,
    REASON_IOC,
    REASON_PROTECTION,
    REASON_SELF_TRADE,
    ZERO,
    Order,
    OrderStatus,
    Trade,
)
from simple_trader.simulator.reports import Closed, Refilled, Report, Traded
from simple_trader.simulator.triggers import LIMITS, limit_now

PROTECTION_PCT = 2  # a market order trades at most this far from the best price
OWN_TRADE_IDS = 9_000_000_000  # own fills are not on the tape: their numbers stand apart


class Engine(Ground):
    """What all commands share, over the state of the venue."""

    def walk(self, order: Order) -> Walk:
        """Match an order against the book as it stands; nothing is changed."""
        pair, book = self.pairs[order.symbol], self.books[order.symbol]
        side = ASK if order.side == "buy" else BID
        if order.order_type in LIMITS:
            limit = pair.ticks_of(limit_now(order, pair) or ZERO)
        else:
            best = book.best(side)
            if best is None:
                return Walk([], stopped=False)
            band = best[0] * PROTECTION_PCT // 100
            limit = best[0] + band if side == ASK else best[0] - band
        cash, lots = None, pair.lots_of(order.open_qty) or 0
        if order.cash_qty is not None:
            cash = int(order.cash_qty.scaleb(pair.price_precision + pair.qty_precision))
            lots = cash
        return walk(book, Taker(order.account, side, lots, limit, order.stp, cash))

    def take(self, order: Order, taken: Walk, at: datetime, reports: list[Report]) -> None:
        """Carry out what `walk` found, then let the rest of the order rest or end."""
        if order.time_in_force == "fok" and taken.lots < self.lots(order):
            self.close(order, self.rules.ioc_remainder, REASON_FOK, at, reports)
            return
        book = self.books[order.symbol]
        for fill in taken.fills:
            if fill.maker is None:
                book.eat(ASK if order.side == "buy" else BID, fill.tick, fill.lots)
            elif fill.lots == 0:
                victim = fill.maker.order
                self.close(victim, self.rules.stp_victim, REASON_SELF_TRADE, at, reports)
                continue
            number = self.state.matches
            self.state.matches += 1
            self.book_fill(order, fill.tick, fill.lots, "t", number, at, reports)
            if fill.maker is not None:
                refilled = book.take_own(fill.maker, fill.lots)
                self._fill_maker(MakerFill(fill.maker, fill.lots, refilled), number, at, reports)
        if order.status != "filled":
            self._settle(order, taken, at, reports)

    def _settle(self, order: Order, taken: Walk, at: datetime, reports: list[Report]) -> None:
        if taken.stopped:
            self.close(order, self.rules.stp_victim, REASON_SELF_TRADE, at, reports)
        elif order.order_type not in LIMITS:
            self.close(order, "canceled", REASON_PROTECTION, at, reports)
        elif order.time_in_force == "ioc":
            self.close(order, self.rules.ioc_remainder, REASON_IOC, at, reports)
        else:
            book = self.books[order.symbol]
            order.queue_lots = book.lots_before(side_of(order), self.tick(order))
            self.rest(order)

    def fill_makers(self, fills: list[MakerFill], at: datetime, reports: list[Report]) -> None:
        """Book what the market filled of resting orders."""
        for fill in fills:
            number = self.state.matches
            self.state.matches += 1
            self._fill_maker(fill, number, at, reports)

    def _fill_maker(
        self, fill: MakerFill, number: int, at: datetime, reports: list[Report]
    ) -> None:
        level, order = fill.level, fill.level.order
        pair = self.pairs[order.symbol]
        if order.display_left is not None:
            order.display_left -= pair.qty_of(fill.lots)
        self.book_fill(order, level.tick, fill.lots, "m", number, at, reports)
        if fill.refilled and order.status != "filled":
            shown = min(order.display_qty or ZERO, order.open_qty)
            order.display_left = shown
            self.to_the_end(order)
            reports.append(Refilled(msgspec.structs.replace(order)))

    def to_the_end(self, order: Order) -> None:
        """Put an order behind all others: the tables keep the order of age, also on disk."""
        for table in (self.open, self.state.orders):
            table[order.order_id] = table.pop(order.order_id)

    def book_fill(
        self,
        order: Order,
        tick: int,
        lots: int,
        liquidity: Literal["m", "t"],
        number: int,
        at: datetime,
        reports: list[Report],
    ) -> None:
        """Book one fill of one order: two ledger entries, the trade, the volume, the order."""
        pair, account = self.pairs[order.symbol], self.state.accounts[order.account]
        price, qty = pair.price_of(tick), pair.qty_of(lots)
        cost = to_unit(price * qty, pair.quote)
        # An order never pays more than the rate that was reserved for it.
        share = self.rate_of(order.account, order.symbol, at, maker=liquidity == "m")
        share = min(share, order.hold_rate)
        fee_asset = pair.base if order.fee_in_base else pair.quote
        fee = to_unit((qty if order.fee_in_base else cost) * share, fee_asset)
        exec_id = kraken_id("T", self.state.seed, len(self.state.trades))
        sign = 1 if order.side == "buy" else -1
        base = account.post(
            at, exec_id, "trade", pair.base, to_unit(qty, pair.base) * sign,
            fee if order.fee_in_base else ZERO,
        )  # fmt: skip
        quote = account.post(
            at, exec_id, "trade", pair.quote, -cost * sign, ZERO if order.fee_in_base else fee
        )
        usd_rate = self.usd_rate(pair.quote)
        trade = Trade(
            exec_id=exec_id, trade_id=OWN_TRADE_IDS + number, order_id=order.order_id,
            cl_ord_id=order.cl_ord_id, userref=order.userref, symbol=order.symbol,
            side=order.side, order_type=order.order_type, price=price, qty=qty, cost=cost,
            fee=fee, fee_asset=fee_asset, liquidity=liquidity, at=at, account=order.account,
            ledgers=(base.ledger_id, quote.ledger_id), usd_rate=usd_rate,
        )  # fmt: skip
        self.state.trades.append(trade)
        account.volume.add(at, cost * usd_rate)
        order.trades.append(exec_id)
        order.cum_qty += qty
        order.cum_cost += cost
        order.fee += fee
        order.status = "partially_filled"
        if order.close is not None:
            self.spawning.append((order, trade))
        reports.append(Traded(msgspec.structs.replace(order), trade, (base, quote)))
        if order.cum_qty == order.qty:
            self.close(order, "filled", None, at, reports)

    def close(
        self,
        order: Order,
        status: OrderStatus,
        reason: str | None,
        at: datetime,
        reports: list[Report],
    ) -> None:
        """End an order, whatever it waits for."""
        order.status, order.reason, order.closed_at = status, reason, at
        self.open.pop(order.order_id, None)
        self.waiting.get(order.symbol, {}).pop(order.order_id, None)
        book = self.books.get(order.symbol)
        if book is not None:
            book.remove(order)
        reports.append(Closed(msgspec.structs.replace(order)))
