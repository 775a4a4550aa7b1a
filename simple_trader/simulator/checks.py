"""The checks of a new order in Kraken's order: form, pair, precision, minimums, id, limits.

Source: protocol sections 8.1 (validation order) and 9 (texts). Funds and post-only come later,
in `venue`, because they need the book.
"""

import re
from datetime import datetime, timedelta
from decimal import Decimal

from simple_trader.simulator.instruments import Instrument
from simple_trader.simulator.orders import Place

MAX_DEADLINE = timedelta(seconds=60)
MAX_EXPIRY = timedelta(days=31)

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")
_FREE = re.compile(r"[\x21-\x7e]{1,18}")

BAD = "EGeneral:Invalid arguments"
DEADLINE = "EService:Deadline elapsed"


def check_deadline(deadline: datetime | None, at: datetime) -> str | None:
    """Judge an order's deadline against market time."""
    if deadline is None:
        return None
    if deadline < at:
        return DEADLINE
    if deadline > at + MAX_DEADLINE:
        return f"{BAD}:deadline"
    return None


def check_client_id(cl_ord_id: str | None) -> str | None:
    """Judge the form of a `cl_ord_id`: a UUID, 32 hex digits, or 18 ASCII characters at most."""
    if cl_ord_id is None or _FREE.fullmatch(cl_ord_id) or _UUID.fullmatch(cl_ord_id):
        return None
    return f"{BAD}:cl_ord_id"


def check_form(order: Place, at: datetime) -> str | None:
    """Judge the combination of fields, before anything is known about the pair."""
    wrong = check_client_id(order.cl_ord_id)
    if wrong:
        return wrong
    if order.cl_ord_id is not None and order.userref:
        return f"{BAD}:cl_ord_id and order_userref are exclusive"
    if order.cash_qty is not None:
        if order.qty is not None or order.order_type != "market" or order.side != "buy":
            return f"{BAD}:cash_order_qty"
        cash = order.cash_qty
        if not cash.is_finite() or cash <= 0 or cash.adjusted() > 9:
            return f"{BAD}:cash_order_qty"
    elif order.qty is None or not order.qty.is_finite() or order.qty <= 0:
        return f"{BAD}:order_qty"
    if order.order_type == "limit":
        price = order.limit_price
        if price is None or not price.is_finite() or price <= 0:
            return f"{BAD}:limit_price"
    elif order.limit_price is not None or order.post_only:
        return f"{BAD}:ordertype"
    return _check_force(order, at)


def _check_force(order: Place, at: datetime) -> str | None:
    if order.post_only and order.time_in_force == "ioc":
        return f"{BAD}:post_only"
    if (order.time_in_force == "gtd") != (order.expire_at is not None):
        return f"{BAD}:expire_time"
    if order.time_in_force == "gtd" and order.order_type == "market":
        return f"{BAD}:time_in_force"
    if order.expire_at is not None and not at < order.expire_at <= at + MAX_EXPIRY:
        return f"{BAD}:expire_time"
    return None


def check_precision(pair: Instrument, qty: Decimal | None, price: Decimal | None) -> str | None:
    """Judge price against the pair's increment and quantity against the lot."""
    if price is not None and not pair.allows_price(price):
        return "EOrder:Tick size check failed"
    if qty is not None and pair.lots_of(qty) is None:
        return f"{BAD}:volume precision"
    return None


def check_minimums(pair: Instrument, qty: Decimal | None, price: Decimal | None) -> str | None:
    """Judge quantity and cost against the pair's minimums; `price` is the limit or last price."""
    if qty is not None and qty < pair.qty_min:
        return f"{BAD}:volume minimum not met"
    if qty is not None and price is not None and qty * price < pair.cost_min:
        return "EOrder:Cost minimum not met"
    return None
