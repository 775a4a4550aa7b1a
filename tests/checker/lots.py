"""The checker's own first-in-first-out fold: rows of trades to lots and realised PnL.

By the specification alone: lots by owner and pair, oldest purchase first; a fee in the base asset
changes the quantity, one in the quote asset the money; shares are cut at ten decimals so that they
add up to the whole.
"""

import json
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Context, Decimal
from typing import Any

from checker.record import ZERO
from checker.rows import Row

_TEN = Decimal(1).scaleb(-10)
_WIDE = Context(prec=60)


@dataclass
class Folded:
    """Lots by id as columns of holding_lots, and the PnL of each sale by its exec_id."""

    lots: dict[str, dict[str, Any]] = field(default_factory=dict)
    realised: dict[str, Decimal] = field(default_factory=dict)


@dataclass
class _Lot:
    qty: Decimal
    cost: Decimal
    taken: Decimal = ZERO
    gained: Decimal = ZERO

    def cost_of_taken(self) -> Decimal:
        return _part(self.cost, self.taken, self.qty)


def _part(whole: Decimal, part: Decimal, of: Decimal) -> Decimal:
    """`whole * part / of`, cut at ten decimals towards minus infinity; all of it for all."""
    if part >= of:
        return whole
    exact = _WIDE.divide(_WIDE.multiply(whole, part), of)
    cut = exact.quantize(_TEN, ROUND_DOWN, context=_WIDE)
    return cut - _TEN if cut > exact else cut


def fold(trades: list[Row]) -> Folded:
    """Fold trades, in any order."""
    folded = Folded()
    books: dict[tuple[str, str], dict[str, _Lot]] = {}
    for row in sorted(trades, key=lambda row: (row["trade_id"], row["venue_at"], row["exec_id"])):
        book = books.setdefault((row["owner"], row["pair"]), {})
        base_fee, quote_fee = _fees(row)
        if row["side"] == "buy":
            qty = row["qty"] - base_fee
            if qty > 0:
                book[f"lot-{row['exec_id']}"] = _Lot(qty, row["cost"] + quote_fee)
        else:
            pnl = _sell(book, row["qty"] + base_fee, row["cost"] - quote_fee)
            folded.realised[row["exec_id"]] = pnl
    for book in books.values():
        for lot_id, lot in book.items():
            folded.lots[lot_id] = {
                "qty": lot.qty,
                "left_qty": lot.qty - lot.taken,
                "cost": lot.cost,
                "realised_pnl": lot.gained,
            }
    return folded


def _fees(row: Row) -> tuple[Decimal, Decimal]:
    base, quote = row["pair"].split("/")
    found = {base: ZERO, quote: ZERO}
    for fee in json.loads(row["fees"]):
        if fee["asset"] in found:
            found[fee["asset"]] += Decimal(fee["qty"])
    return found[base], found[quote]


def _sell(book: dict[str, _Lot], whole: Decimal, proceeds: Decimal) -> Decimal:
    done = gain = ZERO
    for lot in book.values():
        take = min(lot.qty - lot.taken, whole - done)
        if take <= 0:
            continue
        income = _part(proceeds, done + take, whole) - _part(proceeds, done, whole)
        before = lot.cost_of_taken()
        lot.taken += take
        profit = income - (lot.cost_of_taken() - before)
        lot.gained += profit
        done += take
        gain += profit
    return gain
