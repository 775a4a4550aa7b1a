"""A reconciled desk and what a full look at the account brings it."""

from datetime import timedelta
from typing import Any

from brain_desk import BTC, D, Desk, records
from brain_reports import ledger

from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.fills import Fee, Fill
from simple_trader.domain.orders import Side


def streaming(**changes: Any) -> Desk:
    """A desk that has just begun to trade, its opening taken from the stream."""
    desk = Desk()
    desk.start(**changes)
    desk.do(e.FeedUp(feed="public"))
    desk.do(e.BalancesSeen(balances={"USD": D(1000)}, source="ws"))
    desk.do(e.FeedUp(feed="private"))
    desk.reconciled()
    desk.quotes(seen_s_ago=60)
    desk.quotes()
    return desk


def opened(**changes: Any) -> Desk:
    """A desk that trades, its opening taken from the stream ten minutes ago."""
    desk = streaming(**changes)
    desk.at += timedelta(minutes=10)
    desk.quotes()
    desk.reconciled()
    desk.timer("risk_check")
    assert desk.engine.state.trading_state == "RUN"
    return desk


def entry(
    name: str, asset: str, amount: str, balance: str, desk: Desk, **more: str
) -> e.LedgerSeen:
    """An entry of the exchange's ledger, told now."""
    return e.LedgerSeen(entry=ledger(name, asset, amount, balance, desk.at, **more))


def rows(actions: list[a.Action], state: str) -> list[r.ReconciliationRow]:
    """The rows of reconciliation in a state that name their subject."""
    found = [row for row in records(actions, r.ReconciliationRow) if row.state == state]
    return [row for row in found if row.subject]


def look(desk: Desk, *events: e.Event, **changes: Any) -> list[a.Action]:
    """A clean full look that began now and brings these events."""
    actions = [action for event in events for action in desk.do(event)]
    values: dict[str, Any] = {
        "open_cl_ord_ids": (),
        "foreign_open_orders": 0,
        "looked_from": desk.at,
        "clean": True,
        "detail": "",
    }
    return [*actions, *desk.do(e.Reconciled(**{**values, **changes}))]


def asked(actions: list[a.Action]) -> list[a.AskReconcile]:
    """The looks that are asked for."""
    return [action for action in actions if isinstance(action, a.AskReconcile)]


def manual(desk: Desk, name: str = "T7", cl_ord_id: str | None = None) -> Fill:
    """A trade of someone else: 0.001 BTC bought for 50 USD, fee 0.2."""
    return Fill(
        exec_id=name,
        trade_id=7,
        order_id="OMANUAL",
        cl_ord_id=cl_ord_id,
        pair=BTC,
        side=Side.BUY,
        price=D(50000),
        qty=D("0.001"),
        cost=D(50),
        fees=(Fee("USD", D("0.2")),),
        liquidity="taker",
        venue_at=desk.at,
    )


def trade_entries(fill: Fill, desk: Desk, usd: str, btc: str) -> list[e.LedgerSeen]:
    shared = {"kind": "trade", "ref_id": fill.exec_id}
    fee = fill.fee_in("USD")
    return [
        entry(f"{fill.exec_id}b", "BTC", f"{fill.qty:f}", btc, desk, **shared),
        entry(f"{fill.exec_id}q", "USD", f"{-fill.cost:f}", usd, desk, **shared, fee=f"{fee:f}"),
    ]
