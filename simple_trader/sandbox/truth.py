"""What really happened on the exchange, told outside Kraken's protocol for reconciliation."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from simple_trader.sandbox import wire
from simple_trader.simulator.orders import MAIN, Entry, Order, Trade
from simple_trader.simulator.venue import Venue


def truth_of(venue: Venue, account: str = MAIN, now: datetime | None = None) -> dict[str, Any]:
    """Give an account's orders, fills, balances, ledger and counters; numbers are strings.

    `now` dates the counters and the 30-day volume, which are left out without it. Raises KeyError
    for an unknown account.
    """
    owner = venue.state.accounts[account]
    answer: dict[str, Any] = {
        "account": account,
        "accounts": list(venue.state.accounts),
        "tier": owner.tier,
        "counted": owner.counted,
        "system": venue.system,
        "orders": [_order(order) for order in venue.orders_of(account)],
        "trades": [_trade(trade) for trade in venue.trades_of(account)],
        "balances": {asset: f"{amount:f}" for asset, amount in owner.balances.items()},
        "opening": {asset: f"{amount:f}" for asset, amount in owner.opening.items()},
        "held": {asset: f"{amount:f}" for asset, amount in venue.held(account).items()},
        "ledger": [_entry(entry) for entry in owner.ledger],
    }
    if now is not None:
        answer["volume_30d"] = f"{owner.volume.at(now):f}"
        answer["max_rate_count"] = venue.max_rate_count(account)
        answer["rate_counts"] = {
            symbol: f"{venue.rate_count(account, symbol, now):f}" for symbol in owner.counters
        }
    return answer


def _order(order: Order) -> dict[str, Any]:
    trigger = order.trigger
    return {
        "order_id": order.order_id,
        "cl_ord_id": order.cl_ord_id,
        "userref": order.userref,
        "pair": order.symbol,
        "side": order.side,
        "type": order.order_type,
        "time_in_force": order.time_in_force,
        "qty": f"{order.qty:f}",
        "limit_price": _text(order.limit_price),
        "trigger_price": None if trigger is None else f"{trigger.actual_price:f}",
        "triggered": trigger is not None and trigger.triggered,
        "display_qty": _text(order.display_qty),
        "post_only": order.post_only,
        "parent_id": order.parent_id,
        "replaces": order.replaces,
        "status": order.status,
        "reason": order.reason,
        "cum_qty": f"{order.cum_qty:f}",
        "cum_cost": f"{order.cum_cost:f}",
        "fee": f"{order.fee:f}",
        "amended": order.amended,
        "opened_at": wire.moment_text(order.opened_at),
        "closed_at": None if order.closed_at is None else wire.moment_text(order.closed_at),
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _trade(trade: Trade) -> dict[str, Any]:
    return {
        "exec_id": trade.exec_id,
        "trade_id": trade.trade_id,
        "order_id": trade.order_id,
        "cl_ord_id": trade.cl_ord_id,
        "pair": trade.symbol,
        "side": trade.side,
        "price": f"{trade.price:f}",
        "qty": f"{trade.qty:f}",
        "cost": f"{trade.cost:f}",
        "fee": f"{trade.fee:f}",
        "fee_asset": trade.fee_asset,
        "liquidity": trade.liquidity,
        "at": wire.moment_text(trade.at),
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "ledger_id": entry.ledger_id,
        "ref_id": entry.ref_id,
        "type": entry.kind,
        "asset": entry.asset,
        "amount": f"{entry.amount:f}",
        "fee": f"{entry.fee:f}",
        "balance": f"{entry.balance:f}",
        "at": wire.moment_text(entry.at),
    }
