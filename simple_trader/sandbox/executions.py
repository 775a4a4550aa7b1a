"""The private channels' messages: order events with exactly the fields Kraken sends, balances."""

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from simple_trader.sandbox import wire
from simple_trader.simulator.instruments import ASSET_BY_NAME, Instrument
from simple_trader.simulator.orders import Entry, Order, Trade
from simple_trader.simulator.reports import Amended, Closed, Opened, Report, Traded

Event = dict[str, Any]
Pairs = dict[str, Instrument]

ZERO = Decimal(0)


def events(report: Report, pairs: Pairs) -> list[Event]:
    """Turn a report into execution events, in wire order (protocol section 6.1)."""
    match report:
        case Opened(order=order):
            pair = pairs[order.symbol]
            pending = {**_placed(order, pair), "exec_type": "pending_new"}
            pending["order_status"] = "pending_new"
            return [pending, _new(order)]
        case Traded(order=order, trade=trade):
            return [_trade(order, trade, pairs[order.symbol])]
        case Closed(order=order):
            return [_closed(order, pairs[order.symbol])]
        case Amended(order=order):
            return [_amended(order, pairs[order.symbol])]
        case _:
            return []  # what has no event yet


def open_order(order: Order, pair: Instrument) -> Event:
    """Give an open order for the snapshot: full fields plus what has filled."""
    event = {**_placed(order, pair), "exec_type": "new", "order_status": order.status}
    event.update(_filled_part(order, pair))
    if order.amended:
        event["amended"] = True
    return event


def past_trade(trade: Trade, status: str, pair: Instrument) -> Event:
    """Give a fill for the snapshot: no cumulative fields (protocol section 6)."""
    return {**_fill(trade, pair), "order_status": status}


def _client_id(order: Order | Trade) -> Event:
    if order.cl_ord_id is not None:
        return {"cl_ord_id": order.cl_ord_id}
    return {"order_userref": order.userref}


def _fee_text(value: Decimal) -> Any:
    return wire.decimal(value.quantize(Decimal("0.00001"), ROUND_HALF_EVEN), 5)


def _placed(order: Order, pair: Instrument) -> Event:
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
    }
    if order.limit_price is not None:
        event["limit_price_type"] = "static"
        event["limit_price"] = wire.decimal(order.limit_price, pair.price_precision)
    event["stop_price"] = wire.decimal(ZERO, pair.price_precision)
    event["order_status"] = order.status
    event["fee_usd_equiv"] = wire.decimal(ZERO, 5)
    event["fee_ccy_pref"] = "fcib" if order.fee_in_base else "fciq"
    if order.cash_qty is not None:
        event["cash_order_qty"] = wire.decimal(order.cash_qty, pair.cost_precision)
    if order.post_only:
        event["post_only"] = True
    if order.expire_at is not None:
        event["expire_time"] = wire.moment_text(order.expire_at)
    event["timestamp"] = wire.moment_text(order.opened_at)
    return event


def _new(order: Order) -> Event:
    event: Event = {
        "timestamp": wire.moment_text(order.opened_at),
        "order_status": "new",
        "exec_type": "new",
        **_client_id(order),
        "order_id": order.order_id,
    }
    if order.post_only:
        event["post_only"] = True
    return event


def _filled_part(order: Order, pair: Instrument) -> Event:
    average = order.cum_cost / order.cum_qty if order.cum_qty else ZERO
    average = average.quantize(pair.tick, ROUND_HALF_EVEN)
    return {
        "cum_qty": wire.decimal(order.cum_qty, pair.qty_precision),
        "cum_cost": wire.decimal(order.cum_cost, pair.cost_precision),
        "avg_price": wire.decimal(average, pair.price_precision),
        "fee_usd_equiv": _usd_fee(order.fee, pair, average, in_base=order.fee_in_base),
    }


def _usd_fee(fee: Decimal, pair: Instrument, price: Decimal, *, in_base: bool) -> Any:
    # All pairs of the sandbox are quoted in USD, so the quote fee is the USD value.
    return _fee_text(fee * price if in_base else fee)


def _fee_precision(asset: str, pair: Instrument) -> int:
    return pair.cost_precision if asset == pair.quote else ASSET_BY_NAME[asset].precision


def _fill(trade: Trade, pair: Instrument) -> Event:
    in_base = trade.fee_asset == pair.base
    fee_text = wire.decimal(trade.fee, _fee_precision(trade.fee_asset, pair))
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
        "fee_usd_equiv": _usd_fee(trade.fee, pair, trade.price, in_base=in_base),
        "fees": [{"asset": trade.fee_asset, "qty": fee_text}],
    }


def _trade(order: Order, trade: Trade, pair: Instrument) -> Event:
    # The last trade still says partially_filled; a separate `filled` event closes the order.
    event = {**_fill(trade, pair), "order_status": "partially_filled"}
    filled = _filled_part(order, pair)
    event.update({name: filled[name] for name in ("cum_qty", "cum_cost", "avg_price")})
    return event


def _closed(order: Order, pair: Instrument) -> Event:
    closed_at: datetime = order.closed_at or order.opened_at
    event: Event = {
        "timestamp": wire.moment_text(closed_at),
        "order_status": order.status,
        "exec_type": order.status,
        **_filled_part(order, pair),
        **_client_id(order),
        "order_id": order.order_id,
    }
    if order.reason is not None:
        event["cancel_reason"] = order.reason
        event["reason"] = order.reason
    return event


def _amended(order: Order, pair: Instrument) -> Event:
    event: Event = {
        "exec_type": "amended",
        "order_status": order.status,
        "cum_qty": wire.decimal(order.cum_qty, pair.qty_precision),
        "reason": "User requested",
        "amended": True,
        "order_qty": wire.decimal(order.qty, pair.qty_precision),
        **_client_id(order),
        "order_id": order.order_id,
    }
    if order.limit_price is not None:
        event["limit_price_type"] = "static"
        event["limit_price"] = wire.decimal(order.limit_price, pair.price_precision)
    return event


def balance_snapshot(balances: dict[str, Decimal]) -> list[Event]:
    """Give every balance with its one spot wallet (protocol section 7)."""
    rows = []
    for asset, balance in balances.items():
        text = wire.decimal(balance, ASSET_BY_NAME[asset].precision)
        wallet = {"type": "spot", "id": "main", "balance": text}
        rows.append(
            {"asset": asset, "asset_class": "currency", "wallets": [wallet], "balance": text}
        )
    return rows


def balance_updates(entries: Iterable[Entry]) -> list[Event]:
    """Give one event for each ledger entry."""
    rows = []
    for entry in entries:
        precision = ASSET_BY_NAME[entry.asset].precision
        rows.append(
            {
                "ledger_id": entry.ledger_id,
                "ref_id": entry.ref_id,
                "timestamp": wire.moment_text(entry.at),
                "type": entry.kind,
                "asset": entry.asset,
                "asset_class": "currency",
                "category": entry.kind,
                "wallet_type": "spot",
                "wallet_id": "main",
                "amount": wire.decimal(entry.amount, precision),
                "fee": wire.decimal(entry.fee, precision),
                "balance": wire.decimal(entry.balance, precision),
            }
        )
    return rows
