"""What the exchange tells the brain in its tests: fills, execution reports, ledger entries."""

from datetime import datetime
from decimal import Decimal

from simple_trader.domain import events as e
from simple_trader.domain.fills import Fee, Fill, LedgerEntry
from simple_trader.domain.orders import OrderRequest

D = Decimal


def fill_of(
    order: OrderRequest,
    exec_id: str,
    at: datetime,
    *,
    qty: Decimal | None = None,
    price: Decimal | None = None,
    order_id: str = "O1",
    trade_id: int = 1,
    named: bool = True,
) -> Fill:
    """A fill of (a part of) an order with its taker fee of 0.4 percent in quote."""
    size = order.qty if qty is None else qty
    paid = (order.limit_price or D(0)) if price is None else price
    cost = size * paid
    return Fill(
        exec_id=exec_id,
        trade_id=trade_id,
        order_id=order_id,
        cl_ord_id=order.cl_ord_id if named else None,
        pair=order.pair,
        side=order.side,
        price=paid,
        qty=size,
        cost=cost,
        fees=(Fee(order.pair.split("/")[1], cost * D("0.004")),),
        liquidity="taker",
        venue_at=at,
    )


def report(
    exec_type: str,
    *,
    cl_ord_id: str | None,
    at: datetime,
    order_id: str = "O1",
    fill: Fill | None = None,
    cum_qty: Decimal | None = None,
    order_status: str = "",
    snapshot: bool = False,
    source: str = "ws",
    reason: str = "",
) -> e.ExecutionReport:
    """An execution report."""
    return e.ExecutionReport(
        exec_type=exec_type,
        order_status=order_status or exec_type,
        order_id=order_id,
        cl_ord_id=cl_ord_id,
        pair=None if fill is None else fill.pair,
        side=None if fill is None else fill.side,
        order_qty=None,
        limit_price=None,
        cum_qty=cum_qty,
        fill=fill,
        reason=reason,
        venue_at=at,
        snapshot=snapshot,
        source=source,
        raw="{}",
    )


def traded(fill: Fill, at: datetime, *, source: str = "ws") -> e.ExecutionReport:
    """The report of a fill."""
    return report(
        "trade",
        cl_ord_id=fill.cl_ord_id,
        at=at,
        order_id=fill.order_id,
        fill=fill,
        order_status="partially_filled",
        source=source,
    )


def ledger(
    ledger_id: str,
    asset: str,
    amount: str,
    balance: str,
    at: datetime,
    *,
    ref_id: str = "",
    kind: str = "deposit",
    fee: str = "0",
) -> LedgerEntry:
    """A ledger entry."""
    return LedgerEntry(
        ledger_id=ledger_id,
        ref_id=ref_id,
        at=at,
        kind=kind,
        asset=asset,
        amount=D(amount),
        fee=D(fee),
        balance=D(balance),
    )
