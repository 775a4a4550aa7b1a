"""A reconciliation with its opening, and the entries and fills that it is told."""

from datetime import datetime, timedelta
from decimal import Decimal

from brain_desk import T0, D

from simple_trader.core.portfolio.reconcile import Finding, Reconciliation
from simple_trader.domain.fills import Fee, Fill, LedgerEntry
from simple_trader.domain.orders import Side

DIGITS = {"USD": 4, "BTC": 10, "ETH": 10}
LATER = T0 + timedelta(minutes=10)
OPENING = {"USD": D(1000), "BTC": D(1)}


def at(seconds: float) -> datetime:
    """A moment of the story."""
    return T0 + timedelta(seconds=seconds)


def entry(
    name: str, asset: str, amount: Decimal, *, kind: str = "deposit", seconds: float = 60, **more
) -> LedgerEntry:
    """An entry of the exchange's ledger."""
    values = {"ref_id": name, "fee": D(0), "balance": D(0), **more}
    return LedgerEntry(
        ledger_id=name, at=at(seconds), kind=kind, asset=asset, amount=amount, **values
    )


def fill(name: str, side: Side, qty: str, cost: str, fee: str, seconds: float = 60) -> Fill:
    """A fill of BTC for USD, as its execution report told it."""
    return Fill(
        exec_id=name,
        trade_id=1,
        order_id="O1",
        cl_ord_id=None,
        pair="BTC/USD",
        side=side,
        price=D(cost) / D(qty),
        qty=D(qty),
        cost=D(cost),
        fees=(Fee("USD", D(fee)),) if fee else (),
        liquidity="taker",
        venue_at=at(seconds),
    )


def entries_of(one: Fill, seconds: float | None = None) -> list[LedgerEntry]:
    """The exchange's two entries of a trade whose fee is in quote."""
    sign = 1 if one.side is Side.BUY else -1
    when = (one.venue_at - T0).total_seconds() if seconds is None else seconds
    fee = one.fee_in("USD")
    shared = {"kind": "trade", "seconds": when, "ref_id": one.exec_id}
    return [
        entry(f"{one.exec_id}-b", "BTC", sign * one.qty, **shared),
        entry(f"{one.exec_id}-q", "USD", -sign * one.cost, **{**shared, "fee": fee}),
    ]


def opened() -> Reconciliation:
    """A reconciliation that began with `OPENING`."""
    recon = Reconciliation()
    recon.open(OPENING, T0)
    return recon


def feed(recon: Reconciliation, *reports: LedgerEntry | Fill, foreign: bool = False) -> None:
    """Tell it fills and entries."""
    for report in reports:
        if isinstance(report, Fill):
            recon.on_fill(report, foreign=foreign)
        else:
            recon.on_entry(report)


def balances_after(entries: list[LedgerEntry]) -> dict[str, Decimal]:
    """What the account holds after these entries."""
    totals = dict(OPENING)
    for one in entries:
        totals[one.asset] = totals.get(one.asset, D(0)) + one.change
    return totals


def found(
    recon: Reconciliation, balances: dict[str, Decimal], when: datetime = LATER
) -> dict[str, Finding]:
    """The findings of a look, the streams told the same balances."""
    return recon.findings(balances, balances, {}, DIGITS, when)


BUY = fill("T1", Side.BUY, "0.5", "100", "0.4")
