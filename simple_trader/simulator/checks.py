"""The checks of an order in Kraken's order: form, then deadline, precision and minimums.

Source: protocol sections 8.1 (validation order) and 9 (texts). What needs the book or the account
(client id, limits, funds, post-only) comes later, in `placing`.
"""

import re
from datetime import datetime, timedelta
from decimal import Decimal

from simple_trader.simulator.instruments import Instrument
from simple_trader.simulator.orders import Conditional, Place, PriceType, Trigger
from simple_trader.simulator.rules import VenueRules
from simple_trader.simulator.triggers import LIMITS, TRAILING, TRIGGERED

MAX_DEADLINE = timedelta(seconds=60)
MAX_EXPIRY = timedelta(days=31)
MIN_SHOWN = 15  # an iceberg shows at least a fifteenth of itself
BATCH_SIZES = range(2, 16)
MAX_CANCELS = 50

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")
_FREE = re.compile(r"[\x21-\x7e]{1,18}")
_CLOSERS = (TRIGGERED - TRAILING) | {"limit"}

BAD = "EGeneral:Invalid arguments"
DEADLINE = "EService:Deadline elapsed"


def check_deadline(deadline: datetime | None, at: datetime, rules: VenueRules) -> str | None:
    """Judge an order's deadline at the moment it comes in: from half a second to a minute ahead.

    Without one it is 5 s ahead, which no order outlives here: what comes in is carried out at once.
    """
    if deadline is None:
        return None
    if deadline < at:
        return DEADLINE
    nearest = at + timedelta(milliseconds=rules.min_deadline_ms)
    return None if nearest <= deadline <= at + MAX_DEADLINE else f"{BAD}:deadline"


def check_client_id(cl_ord_id: str | None, field: str = "cl_ord_id") -> str | None:
    """Judge the form of a `cl_ord_id`: a UUID, 32 hex digits, or 18 ASCII characters at most."""
    if cl_ord_id is None or _FREE.fullmatch(cl_ord_id) or _UUID.fullmatch(cl_ord_id):
        return None
    return f"{BAD}:{field}"


def positive(value: Decimal | None) -> bool:
    """Say whether a number is there, above nothing and of a sane size."""
    return value is not None and _sane(value) and value > 0


def offset(value: Decimal, kind: PriceType) -> bool:
    """Say whether a price relative to another can be reckoned with; percents stay above -100."""
    return _sane(value) and (kind != "pct" or -100 < value < 10_000)


def _sane(value: Decimal) -> bool:
    # Beyond this a computed price overflows, or takes a million digits on the wire.
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and exponent > -40 and value.adjusted() < 13


def check_form(order: Place, at: datetime) -> str | None:
    """Judge the combination of fields, before anything is known about the pair."""
    return (
        check_client_id(order.cl_ord_id)
        or check_client_id(order.sender_sub_id, "sender_sub_id")
        or _check_size(order)
        or _check_prices(order)
        or _check_force(order, at)
        or _check_close(order.close)
    )


def _check_size(order: Place) -> str | None:
    if order.cl_ord_id is not None and order.userref:
        return f"{BAD}:cl_ord_id and order_userref are exclusive"
    if order.cash_qty is not None:
        market_buy = order.order_type == "market" and order.side == "buy"
        if order.qty is not None or not market_buy or not positive(order.cash_qty):
            return f"{BAD}:cash_order_qty"
        return None
    if not positive(order.qty):
        return f"{BAD}:order_qty"
    if (order.order_type == "iceberg") != (order.display_qty is not None):
        return f"{BAD}:display_qty"
    return check_display(order.qty, order.display_qty)


def check_display(qty: Decimal | None, shown: Decimal | None) -> str | None:
    """Judge an iceberg's visible slice: a fifteenth of the order at least, all of it at most."""
    if shown is None or qty is None:
        return None
    if not positive(shown) or shown > qty or shown * MIN_SHOWN < qty:
        return f"{BAD}:display_qty"
    return None


def _check_prices(order: Place) -> str | None:
    kind, relative = order.order_type, order.limit_price_type != "static"
    if kind not in LIMITS:
        if order.limit_price is not None or order.post_only:
            return f"{BAD}:ordertype"
    elif relative:
        if kind != "trailing-stop-limit":
            return f"{BAD}:limit_price_type"
        if order.limit_price is None or not offset(order.limit_price, order.limit_price_type):
            return f"{BAD}:limit_price"
    elif not positive(order.limit_price):
        return f"{BAD}:limit_price"
    if order.post_only and kind != "limit":
        return f"{BAD}:post_only"
    if (kind in TRIGGERED) != (order.trigger is not None):
        return f"{BAD}:triggers"
    return None if order.trigger is None else _check_trigger(order.trigger, kind in TRAILING)


def _check_trigger(trigger: Trigger, trailing: bool) -> str | None:
    good = check_trigger_price(trigger.price, trigger.price_type, trailing=trailing)
    return None if good else f"{BAD}:triggers"


def check_trigger_price(price: Decimal, kind: PriceType, *, trailing: bool) -> bool:
    """Say whether a trigger, or the distance of a trailing one, is a number that it may be."""
    distance = trailing or kind == "static"
    good = positive(price) if distance else price != 0 and offset(price, kind)
    return good and (kind != "pct" or abs(price) < 100)


def _check_force(order: Place, at: datetime) -> str | None:
    kind, force = order.order_type, order.time_in_force
    if order.post_only and force in ("ioc", "fok"):
        return f"{BAD}:post_only"
    if (force == "gtd") != (order.expire_at is not None):
        return f"{BAD}:expire_time"
    if (kind == "market" and force == "gtd") or (kind in TRIGGERED and force in ("ioc", "fok")):
        return f"{BAD}:time_in_force"
    if kind == "iceberg" and force in ("ioc", "fok"):
        return f"{BAD}:time_in_force"
    if order.expire_at is not None and not at < order.expire_at <= at + MAX_EXPIRY:
        return f"{BAD}:expire_time"
    start = order.effective_at
    if start is not None and start > at + MAX_EXPIRY:
        return f"{BAD}:effective_time"
    if start is not None and order.expire_at is not None and start >= order.expire_at:
        return f"{BAD}:effective_time"
    return None


def _check_close(close: Conditional | None) -> str | None:
    if close is None:
        return None
    if close.order_type not in _CLOSERS:
        return f"{BAD}:conditional"
    prices = (
        (close.order_type in LIMITS, close.limit_price, close.limit_price_type),
        (close.order_type in TRIGGERED, close.trigger_price, close.trigger_price_type),
    )
    for needed, price, kind in prices:
        if needed != (price is not None):
            return f"{BAD}:conditional"
        if price is None:
            continue
        if not (positive(price) if kind == "static" else offset(price, kind)):
            return f"{BAD}:conditional"
    return None


def static_prices(order: Place) -> list[Decimal]:
    """Give the prices of an order that have to stand on the pair's grid."""
    found: list[Decimal] = []
    if order.limit_price is not None and order.limit_price_type == "static":
        found.append(order.limit_price)
    trigger, close = order.trigger, order.close
    if trigger and trigger.price_type == "static" and order.order_type not in TRAILING:
        found.append(trigger.price)
    if close and close.limit_price is not None and close.limit_price_type == "static":
        found.append(close.limit_price)
    if close and close.trigger_price is not None and close.trigger_price_type == "static":
        found.append(close.trigger_price)
    return found


def check_precision(
    pair: Instrument, qty: Decimal | None, price: Decimal | None, rules: VenueRules
) -> str | None:
    """Judge price against the pair's price increment and quantity against the lot."""
    if price is not None and not pair.allows_price(price):
        return "EOrder:Tick size check failed"
    if qty is not None and pair.lots_of(qty) is None:
        if rules.qty_precision_error == "order":
            return "EOrder:Invalid order:volume precision"
        return f"{BAD}:volume precision"
    return None


def check_minimums(
    pair: Instrument, qty: Decimal | None, price: Decimal | None, rules: VenueRules
) -> str | None:
    """Judge quantity and cost against the pair's minimums; `price` is the limit or last price."""
    if qty is not None and qty < pair.qty_min:
        if rules.qty_min_error == "order":
            return "EOrder:Order minimum not met"
        return f"{BAD}:volume minimum not met"
    if qty is not None and price is not None and qty * price < pair.cost_min:
        return "EOrder:Cost minimum not met"
    return None
