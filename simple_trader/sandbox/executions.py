"""The executions channel: order events with exactly the fields Kraken sends (section 6.1)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, assert_never

from simple_trader.sandbox import wire
from simple_trader.sandbox.names import precision_of
from simple_trader.sandbox.rules import SurfaceRules
from simple_trader.simulator.instruments import Instrument
from simple_trader.simulator.orders import ZERO, Conditional, Order, PriceType, Trade, TriggerState
from simple_trader.simulator.reports import (
    Amended,
    BatchReports,
    Checked,
    Closed,
    Opened,
    PairChanged,
    Posted,
    Refilled,
    Refused,
    Replaced,
    Report,
    Restated,
    Started,
    SystemChanged,
    Traded,
    Triggered,
)

Event = dict[str, Any]
Pairs = Mapping[str, Instrument]

# What `order_status: false` still tells, besides the fills themselves.
LEAN_TYPES = ("new", "trade", "filled", "canceled", "expired")
WARNINGS = (
    "cancel_reason is deprecated, use reason",
    "stop_price is deprecated, use triggers.price",
    "trigger is deprecated use triggers.reference",
    "triggered_price is deprecated use triggers.last_price",
)


class Words:
    """Turns reports into events.

    `usd` gives the worth of one unit of an asset in USD, `now` market time.
    """

    def __init__(
        self,
        pairs: Pairs,
        usd: Callable[[str], Decimal],
        now: Callable[[], datetime],
        rules: SurfaceRules,
    ) -> None:
        self._pairs, self._usd, self._now, self._rules = pairs, usd, now, rules

    def events(self, report: Report) -> list[tuple[Order, Event]]:
        """Give the events of a report in wire order, each with the order it is about."""
        match report:
            case Opened(order=order):
                pending = {**self._placed(order), "exec_type": "pending_new"}
                pending["order_status"] = "pending_new"
                rows = [pending]
                if order.status != "pending_new":
                    rows.append(_new(order, order.opened_at))
            case Started(order=order):
                rows = [_new(order, self._now())]
            case Traded(order=order, trade=trade):
                rows = [self._trade(order, trade)]
            case Closed(order=order):
                rows = [self._closed(order)]
            case Amended(order=order):
                rows = [self._amended(order, "amended", "User requested")]
            case Restated(order=order, reason=reason):
                rows = [self._amended(order, "restated", reason)]
            case Triggered(order=order):
                rows = [self._status(order)]
            case Refilled(order=order):
                rows = [self._refilled(order)]
            case (
                Refused() | Checked() | Replaced() | Posted() | SystemChanged() | PairChanged()
                | BatchReports()
            ):  # fmt: skip
                return []
            case _:
                assert_never(report)
        return [(order, row) for row in rows]

    def open_order(self, order: Order) -> Event:
        """Give an open order for the snapshot: full fields plus what has filled."""
        event = {**self._placed(order), "exec_type": self._rules.snapshot_exec_type}
        if order.status == "pending_new":
            event["exec_type"] = "pending_new"
        event["order_status"] = order.status
        event.update(self._filled_part(order))
        if order.amended:
            event["amended"] = True
        return event

    def past_trade(self, trade: Trade, status: str) -> Event:
        """Give a fill for the snapshot: no cumulative fields (protocol section 6)."""
        return {**self._fill(trade), "order_status": status}

    # --- parts ----------------------------------------------------------------------------------

    def _placed(self, order: Order) -> Event:
        pair = self._pairs[order.symbol]
        event: Event = {
            "order_id": order.order_id,
            "symbol": order.symbol,
            "order_qty": wire.decimal(order.qty, pair.qty_precision),
            "cum_cost": wire.decimal(ZERO, pair.cost_precision),
            "time_in_force": order.time_in_force.upper(),
            "exec_type": "new",
            "side": order.side,
            "order_type": order.order_type,
            **_client_id(order),
            **_limit(order, pair),
        }
        event["stop_price"] = wire.decimal(ZERO, pair.price_precision)
        if order.trigger is not None:
            event.update(_triggers(order.trigger, pair))
        event["order_status"] = order.status
        event["fee_usd_equiv"] = wire.decimal(ZERO, 5)
        event["fee_ccy_pref"] = "fcib" if order.fee_in_base else "fciq"
        if order.cash_qty is not None:
            event["cash_order_qty"] = wire.decimal(order.cash_qty, pair.cost_precision)
        if order.display_qty is not None:
            event.update(_display(order, pair))
        if order.post_only:
            event["post_only"] = True
        if order.close is not None:
            event["contingent"] = _contingent(order.close, pair)
        if order.parent_id is not None:
            event["ord_ref_id"] = order.parent_id
        if order.sender_sub_id is not None:
            event["sender_sub_id"] = order.sender_sub_id
        if order.effective_at is not None:
            event["effective_time"] = wire.moment_text(order.effective_at)
        if order.expire_at is not None:
            event["expire_time"] = wire.moment_text(order.expire_at)
        event["timestamp"] = wire.moment_text(order.opened_at)
        return event

    def _filled_part(self, order: Order) -> Event:
        pair = self._pairs[order.symbol]
        average = order.cum_cost / order.cum_qty if order.cum_qty else ZERO
        average = average.quantize(pair.tick, ROUND_HALF_EVEN)
        # The total of the trades: a fee in base is worth what its own fills paid for it.
        worth = self._usd(pair.quote) if order.fee else ZERO
        if order.fee_in_base and order.cum_qty:
            worth *= order.cum_cost / order.cum_qty
        return {
            "cum_qty": wire.decimal(order.cum_qty, pair.qty_precision),
            "cum_cost": wire.decimal(order.cum_cost, pair.cost_precision),
            "avg_price": wire.decimal(average, pair.price_precision),
            "fee_usd_equiv": _usd_text(order.fee * worth),
        }

    def _fill(self, trade: Trade) -> Event:
        pair = self._pairs[trade.symbol]
        fee = trade.fee * (trade.price if trade.fee_asset == pair.base else 1) * trade.usd_rate
        digits = pair.cost_precision if trade.fee_asset == pair.quote else None
        digits = precision_of(trade.fee_asset) if digits is None else digits
        return {
            "order_id": trade.order_id,
            **_client_id(trade),
            "exec_id": trade.exec_id,
            "exec_type": "trade",
            "trade_id": trade.trade_id,
            "symbol": trade.symbol,
            "side": trade.side,
            "last_qty": wire.decimal(trade.qty, pair.qty_precision),
            "last_price": wire.decimal(trade.price, pair.price_precision),
            "liquidity_ind": trade.liquidity,
            "cost": wire.decimal(trade.cost, pair.cost_precision),
            "order_type": trade.order_type,
            "timestamp": wire.moment_text(trade.at),
            "fee_usd_equiv": _usd_text(fee),
            "fees": [{"asset": trade.fee_asset, "qty": wire.decimal(trade.fee, digits)}],
        }

    def _trade(self, order: Order, trade: Trade) -> Event:
        # The last trade still says partially_filled; a separate `filled` event closes the order.
        event = {**self._fill(trade), "order_status": "partially_filled"}
        filled = self._filled_part(order)
        event.update({name: filled[name] for name in ("cum_qty", "cum_cost", "avg_price")})
        return event

    def _closed(self, order: Order) -> Event:
        closed_at: datetime = order.closed_at or order.opened_at
        event: Event = {
            "timestamp": wire.moment_text(closed_at),
            "order_status": order.status,
            "exec_type": order.status,
            **self._filled_part(order),
            **_client_id(order),
            "order_id": order.order_id,
        }
        if self._rules.final_fields == "full":
            event |= {
                "symbol": order.symbol, "side": order.side, "order_type": order.order_type,
                "order_qty": wire.decimal(order.qty, self._pairs[order.symbol].qty_precision),
            }  # fmt: skip
        if order.reason is not None:
            event["cancel_reason"] = order.reason
            event["reason"] = order.reason
        return event

    def _amended(self, order: Order, kind: str, reason: str) -> Event:
        pair = self._pairs[order.symbol]
        event: Event = {
            "timestamp": wire.moment_text(order.amended_at or order.opened_at),
            "exec_type": kind,
            "order_status": order.status,
            "cum_qty": wire.decimal(order.cum_qty, pair.qty_precision),
            "reason": reason,
            "order_qty": wire.decimal(order.qty, pair.qty_precision),
            **_client_id(order),
            **_limit(order, pair),
            "order_id": order.order_id,
        }
        if kind == "amended":
            event["amended"] = True
        if order.trigger is not None:
            event["trigger_price"] = wire.decimal(order.trigger.actual_price, pair.price_precision)
            event.update(_triggers(order.trigger, pair))
        if order.display_qty is not None:
            event.update(_display(order, pair))
        return event

    def _status(self, order: Order) -> Event:
        event: Event = {
            "exec_type": "status",
            "order_status": order.status,
            **_client_id(order),
            "order_id": order.order_id,
        }
        if order.trigger is not None:
            event["timestamp"] = wire.moment_text(order.trigger.at)
            event.update(_triggers(order.trigger, self._pairs[order.symbol]))
        return event

    def _refilled(self, order: Order) -> Event:
        pair = self._pairs[order.symbol]
        return {
            "timestamp": wire.moment_text(self._now()),
            "exec_type": "iceberg_refill",
            "order_status": order.status,
            **_client_id(order),
            **_display(order, pair),
            "order_id": order.order_id,
        }


def _client_id(order: Order | Trade) -> Event:
    if order.cl_ord_id is not None:
        return {"cl_ord_id": order.cl_ord_id}
    return {"order_userref": order.userref}


def _usd_text(value: Decimal) -> Any:
    return wire.decimal(value.quantize(Decimal("0.00001"), ROUND_HALF_EVEN), 5)


def _new(order: Order, at: datetime) -> Event:
    event: Event = {
        "timestamp": wire.moment_text(at),
        "order_status": "new",
        "exec_type": "new",
        **_client_id(order),
        "order_id": order.order_id,
    }
    if order.post_only:
        event["post_only"] = True
    return event


def _limit(order: Order, pair: Instrument) -> Event:
    if order.limit_price is None:
        return {}
    return {
        "limit_price_type": order.limit_price_type,
        "limit_price": _price(order.limit_price, order.limit_price_type, pair),
    }


def _price(price: Decimal, kind: PriceType, pair: Instrument) -> Any:
    # A percentage has no tick: it goes out as it came in.
    return wire.number(f"{price:f}") if kind == "pct" else wire.decimal(price, pair.price_precision)


def _display(order: Order, pair: Instrument) -> Event:
    shown = order.display_qty or ZERO
    left = order.display_left if order.display_left is not None else shown
    return {
        "display_qty": wire.decimal(shown, pair.qty_precision),
        "display_qty_remain": wire.decimal(left, pair.qty_precision),
    }


def _triggers(trigger: TriggerState, pair: Instrument) -> Event:
    def price(value: Decimal) -> Any:
        return wire.decimal(value, pair.price_precision)

    inner: Event = {
        "reference": trigger.reference,
        "price": _price(trigger.price, trigger.price_type, pair),
        "price_type": trigger.price_type,
        "actual_price": price(trigger.actual_price),
        "last_price": price(trigger.last_price),
        "status": "triggered" if trigger.triggered else "untriggered",
        "timestamp": wire.moment_text(trigger.at),
    }
    if trigger.peak_price is not None:
        inner["peak_price"] = price(trigger.peak_price)
    event: Event = {"triggers": inner, "stop_price": price(trigger.actual_price)}
    event["trigger"] = trigger.reference
    if trigger.triggered:
        event["triggered_price"] = price(trigger.last_price)
    return event


def _contingent(close: Conditional, pair: Instrument) -> Event:
    event: Event = {"order_type": close.order_type}
    if close.trigger_price is not None:
        event["trigger_price"] = _price(close.trigger_price, close.trigger_price_type, pair)
        event["trigger_price_type"] = close.trigger_price_type
    if close.limit_price is not None:
        event["limit_price"] = _price(close.limit_price, close.limit_price_type, pair)
        event["limit_price_type"] = close.limit_price_type
    return event
