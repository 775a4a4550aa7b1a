"""Fills, lots and ledger entries: what happened to our money at the exchange."""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.domain.money import ZERO
from simple_trader.domain.orders import Origin, Side


class Fee(msgspec.Struct, frozen=True):
    """A fee as the exchange booked it: never computed by us (protocol section 13)."""

    asset: str
    qty: Decimal


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of one order; `exec_id` is unique forever, `trade_id` orders the
    fills of a pair.
    """

    exec_id: str
    trade_id: int
    order_id: str
    cl_ord_id: str | None
    pair: str
    side: Side
    price: Decimal
    qty: Decimal
    cost: Decimal
    fees: tuple[Fee, ...]
    liquidity: str
    venue_at: datetime
    owner: str = "external"
    origin: Origin | None = None
    decision_id: str | None = None

    def fee_in(self, asset: str) -> Decimal:
        """Sum of the fees that were taken in `asset`."""
        return sum((fee.qty for fee in self.fees if fee.asset == asset), ZERO)

    def fee_value(self) -> Decimal:
        """What base and quote fees are worth in quote units, base at the price of this fill."""
        base, _, quote = self.pair.partition("/")
        return self.fee_in(quote) + self.fee_in(base) * self.price


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """One purchase that is (partly) still held: quantities in base units, cost and PnL in quote
    units.

    `cost` is the price paid for `qty` including the buy fee in quote; `realised_pnl` is net of
    both fees.
    """

    lot_id: str
    owner: str
    pair: str
    base: str
    quote: str
    opened_exec_id: str
    opened_at: datetime
    qty: Decimal
    left_qty: Decimal
    price: Decimal
    cost: Decimal
    realised_pnl: Decimal = ZERO
    closed_at: datetime | None = None


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the exchange's ledger: new balance = old + amount - fee (protocol section 7)."""

    ledger_id: str
    ref_id: str
    at: datetime
    kind: str
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
    wallet: str = ""  # empty: the account's main one; else `balance` is of that wallet alone

    @property
    def change(self) -> Decimal:
        """What it does to the balance."""
        return self.amount - self.fee
