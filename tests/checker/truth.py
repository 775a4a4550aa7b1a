"""Reads E, the exchange's truth document (`/sandbox/truth`), with exact numbers and moments."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from checker.record import ZERO, moment

RESTING = ("new", "partially_filled", "pending_new")


@dataclass(frozen=True, slots=True)
class TrueOrder:
    """An order as the exchange keeps it."""

    order_id: str
    cl_ord_id: str | None
    pair: str
    side: str
    type: str
    time_in_force: str
    qty: Decimal
    limit_price: Decimal | None
    status: str
    reason: str
    cum_qty: Decimal
    amended: bool
    opened_at: datetime
    closed_at: datetime | None

    @property
    def rests(self) -> bool:
        """Whether it may still fill."""
        return self.status in RESTING


@dataclass(frozen=True, slots=True)
class TrueTrade:
    """A fill as the exchange booked it."""

    exec_id: str
    trade_id: int
    order_id: str
    cl_ord_id: str | None
    pair: str
    side: str
    price: Decimal
    qty: Decimal
    cost: Decimal
    fee: Decimal
    fee_asset: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TrueEntry:
    """A line of the exchange's ledger: balance = balance before + amount - fee."""

    ledger_id: str
    ref_id: str
    kind: str
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Truth:
    """E of one account."""

    orders: tuple[TrueOrder, ...]
    trades: tuple[TrueTrade, ...]
    ledger: tuple[TrueEntry, ...]
    balances: dict[str, Decimal]
    opening: dict[str, Decimal]

    def of_ours(self, prefix: str) -> dict[str, list[TrueOrder]]:
        """Orders whose client order id we made, by that id."""
        found: dict[str, list[TrueOrder]] = {}
        for order in self.orders:
            if is_ours(order.cl_ord_id, prefix):
                found.setdefault(str(order.cl_ord_id), []).append(order)
        return found

    def balance_at(self, at: datetime) -> dict[str, Decimal]:
        """Balances right after everything the ledger dates up to `at`."""
        found = dict(self.opening)
        for entry in self.ledger:
            if entry.at <= at:
                found[entry.asset] = found.get(entry.asset, ZERO) + entry.amount - entry.fee
        return found


def is_ours(cl_ord_id: str | None, prefix: str) -> bool:
    """Whether a client order id has our form: prefix, epoch, dash, count."""
    if not cl_ord_id or not cl_ord_id.startswith(prefix):
        return False
    epoch, dash, count = cl_ord_id[len(prefix) :].partition("-")
    return bool(dash) and epoch.isalnum() and count.isalnum()


def epoch_of(cl_ord_id: str, prefix: str) -> int:
    """The epoch in one of our ids."""
    return int(cl_ord_id[len(prefix) :].partition("-")[0], 36)


def read_truth(document: dict[str, Any]) -> Truth:
    """Parse the document; numbers are strings in it."""
    return Truth(
        orders=tuple(map(_order, document["orders"])),
        trades=tuple(map(_trade, document["trades"])),
        ledger=tuple(map(_entry, document["ledger"])),
        balances={asset: Decimal(value) for asset, value in document["balances"].items()},
        opening={asset: Decimal(value) for asset, value in document["opening"].items()},
    )


def _order(row: dict[str, Any]) -> TrueOrder:
    price, closed = row["limit_price"], row["closed_at"]
    return TrueOrder(
        order_id=row["order_id"],
        cl_ord_id=row["cl_ord_id"] or None,
        pair=row["pair"],
        side=row["side"],
        type=row["type"],
        time_in_force=row["time_in_force"],
        qty=Decimal(row["qty"]),
        limit_price=None if price is None else Decimal(price),
        status=row["status"],
        reason=row["reason"] or "",
        cum_qty=Decimal(row["cum_qty"]),
        amended=bool(row["amended"]),
        opened_at=moment(row["opened_at"]),
        closed_at=None if closed is None else moment(closed),
    )


def _trade(row: dict[str, Any]) -> TrueTrade:
    return TrueTrade(
        exec_id=row["exec_id"],
        trade_id=int(row["trade_id"]),
        order_id=row["order_id"],
        cl_ord_id=row["cl_ord_id"] or None,
        pair=row["pair"],
        side=row["side"],
        price=Decimal(row["price"]),
        qty=Decimal(row["qty"]),
        cost=Decimal(row["cost"]),
        fee=Decimal(row["fee"]),
        fee_asset=row["fee_asset"],
        at=moment(row["at"]),
    )


def _entry(row: dict[str, Any]) -> TrueEntry:
    return TrueEntry(
        ledger_id=row["ledger_id"],
        ref_id=row["ref_id"],
        kind=row["type"],
        asset=row["asset"],
        amount=Decimal(row["amount"]),
        fee=Decimal(row["fee"]),
        balance=Decimal(row["balance"]),
        at=moment(row["at"]),
    )
