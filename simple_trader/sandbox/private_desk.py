"""The private channels of one connection: executions and balances, each with its sequence."""

from typing import Any

import msgspec

from simple_trader.sandbox import wire
from simple_trader.sandbox.accounts_file import KeySpec
from simple_trader.sandbox.balances import balance_snapshot, balance_updates
from simple_trader.sandbox.executions import LEAN_TYPES, WARNINGS, Event
from simple_trader.sandbox.floor import Counter
from simple_trader.sandbox.public_desk import NOT_FOUND, TWICE
from simple_trader.sandbox.requests import Request
from simple_trader.simulator.orders import Order
from simple_trader.simulator.reports import Posted, Report, Traded

SNAPSHOT_TRADES = 50
_OLD_NAMES = {"snapshot": "snap_orders", "snapshot_trades": "snap_trades"}


class Subscription(msgspec.Struct):
    """One private subscription: whose it is, its last sequence, and what it wants to hear."""

    account: str
    sequence: int = 0
    every_transition: bool = True
    rate_count: bool = False


class PrivateDesk:
    """Subscriptions to executions and balances (protocol sections 6 and 7)."""

    def __init__(self, session: Counter) -> None:
        self._session = session
        self._floor = session.floor
        self._open: dict[str, Subscription] = {}

    @property
    def live(self) -> bool:
        """Whether anything is subscribed."""
        return bool(self._open)

    def subscribe(
        self, channel: str, owner: KeySpec, params: dict[str, Any], req_id: int | None
    ) -> None:
        """Answer a subscribe request of a key's account."""
        if channel in self._open and self._floor.rules.duplicate == "refuse":
            raise Request(TWICE)
        if channel == "executions":
            self._subscribe_executions(owner, params, req_id)
        else:
            self._subscribe_balances(owner, params, req_id)

    def unsubscribe(self, channel: str, req_id: int | None) -> None:
        """Answer an unsubscribe request."""
        if self._open.pop(channel, None) is None:
            self._session.fail("subscribe", req_id, NOT_FOUND)
        else:
            self._session.answer("unsubscribe", req_id, {"channel": channel})

    def _subscribe_executions(
        self, owner: KeySpec, params: dict[str, Any], req_id: int | None
    ) -> None:
        # Data of all users of a master account come without a snapshot (section 6).
        several = params.get("users") == "all"
        if "users" in params and not several:
            raise Request("Users field must be one of: all")
        snap_orders = params.get("snap_orders", params.get("snapshot", True)) and not several
        snap_trades = params.get("snap_trades", params.get("snapshot_trades", False))
        snap_trades = snap_trades and not several
        venue, words = self._floor.venue, self._floor.words
        old = [
            f"{name} is deprecated, use {new}" for name, new in _OLD_NAMES.items() if name in params
        ]
        result = {
            "channel": "executions",
            "maxratecount": venue.max_rate_count(owner.account),
            "snap_orders": snap_orders,
            "snap_trades": snap_trades,
            "warnings": [*WARNINGS, *old],
        }
        self._session.answer("subscribe", req_id, result)
        self._open["executions"] = Subscription(
            owner.account,
            every_transition=params.get("order_status", True),
            rate_count=params.get("ratecounter", False),
        )
        if several:
            return
        orders: list[Event] = []
        trades: list[Event] = []
        if snap_orders:
            mine = venue.open_of(owner.account)
            orders += [self._counted(words.open_order(order), order) for order in mine]
        if snap_trades:
            for trade in venue.trades_of(owner.account)[-SNAPSHOT_TRADES:]:
                status = venue.state.orders[trade.order_id].status
                trades.append(words.past_trade(trade, status))
        if self._floor.rules.snapshot_messages == "two" and trades:
            self._push("executions", "snapshot", trades)
            self._push("executions", "snapshot", orders)
        else:
            self._push("executions", "snapshot", orders + trades)

    def _subscribe_balances(
        self, owner: KeySpec, params: dict[str, Any], req_id: int | None
    ) -> None:
        if params.get("users", "all") != "all":
            raise Request("Users field must be one of: all")
        snapshot = params.get("snapshot", True)
        self._session.answer("subscribe", req_id, {"channel": "balances", "snapshot": snapshot})
        self._open["balances"] = Subscription(owner.account)
        if snapshot:
            balances = self._floor.venue.state.accounts[owner.account].balances
            self._push("balances", "snapshot", balance_snapshot(balances))

    def _push(self, channel: str, kind: str, rows: list[Event]) -> None:
        mine = self._open[channel]
        mine.sequence += 1
        message = {"channel": channel, "type": kind, "data": rows, "sequence": mine.sequence}
        self._session.send(wire.push(message))

    def _counted(self, event: Event, order: Order) -> Event:
        if self._open["executions"].rate_count:
            floor = self._floor
            count = floor.venue.rate_count(order.account, order.symbol, floor.now)
            event[floor.rules.rate_field] = wire.number(f"{count:.2f}")
        return event

    def on_report(self, report: Report) -> None:
        """Queue the execution and balance events of one report."""
        mine = self._open.get("executions")
        if mine is not None:
            for order, event in self._floor.words.events(report):
                if order.account == mine.account and (
                    mine.every_transition or event["exec_type"] in LEAN_TYPES
                ):
                    self._push("executions", "update", [self._counted(event, order)])
        money = self._open.get("balances")
        if money is not None and isinstance(report, Traded | Posted):
            owner = report.account if isinstance(report, Posted) else report.order.account
            if owner == money.account:
                for row in balance_updates(report.entries):
                    self._push("balances", "update", [row])
