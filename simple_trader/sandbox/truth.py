"""What really happened on the exchange, told outside Kraken's protocol for reconciliation."""

from typing import Any

from simple_trader.sandbox import wire
from simple_trader.simulator.orders import MAIN, Entry, Order, Trade
from simple_trader.simulator.venue import Venue


def truth_of(venue: Venue) -> dict[str, Any]:
    """Give orders, trades, balances, opening balances and ledger; numbers are strings."""
    account = venue.state.accounts[MAIN]
    return {
        "orders": [_order(order) for order in venue.state.orders.values()],
        "trades": [_trade(trade) for trade in venue.state.trades],
        "balances": {asset: f"{amount:f}" for asset, amount in account.balances.items()},
        "opening": {asset: f"{amount:f}" for asset, amount in account.opening.items()},
        "held": {asset: f"{amount:f}" for asset, amount in venue.held().items()},
        "ledger": [_entry(entry) for entry in account.ledger],
    }


def _order(order: Order) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "cl_ord_id": order.cl_ord_id,
        "userref": order.userref,
        "pair": order.symbol,
        "side": order.side,
        "type": order.order_type,
        "time_in_force": order.time_in_force,
        "qty": f"{order.qty:f}",
        "limit_price": None if order.limit_price is None else f"{order.limit_price:f}",
        "status": order.status,
        "reason": order.reason,
        "cum_qty": f"{order.cum_qty:f}",
        "cum_cost": f"{order.cum_cost:f}",
        "fee": f"{order.fee:f}",
        "opened_at": wire.moment_text(order.opened_at),
        "closed_at": None if order.closed_at is None else wire.moment_text(order.closed_at),
    }


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
