"""What faults do to a client's frame before the exchange sees it."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import msgspec

from simple_trader.sandbox.faults import frames
from simple_trader.sandbox.faults.desk import Desk
from simple_trader.sandbox.faults.line import In, LineState
from simple_trader.sandbox.faults.outgoing import drawn_delay
from simple_trader.sandbox.faults.spec import FaultError
from simple_trader.sandbox.faults.trigger import Armed, Seen
from simple_trader.simulator.orders import Cancel

ORDER_METHODS = (
    *("add_order", "amend_order", "edit_order", "cancel_order", "cancel_all"),
    *("cancel_all_orders_after", "batch_add", "batch_cancel"),
)
PRIVATE_CHANNELS = ("executions", "balances")
LOCKED = {
    "lockout": "EGeneral:Temporary lockout",
    "key": "EAPI:Invalid key",
    "signature": "EAPI:Invalid signature",
    "permission": "EGeneral:Permission denied",
}


class Asked(NamedTuple):
    """A client's frame: its text, and what it says where it is JSON at all."""

    text: str
    message: dict[str, Any]
    seen: Seen

    @property
    def params(self) -> dict[str, Any]:
        """Its parameters."""
        params = self.message.get("params")
        return params if isinstance(params, dict) else {}

    @property
    def req_id(self) -> int | None:
        """Its number, where it has a proper one."""
        raw = self.message.get("req_id")
        digits = bytes(raw).decode() if isinstance(raw, msgspec.Raw) else ""
        return int(digits) if digits.lstrip("-").isdigit() else None

    @property
    def private(self) -> bool:
        """Whether it needs a token."""
        return self.seen.method in ORDER_METHODS or self.params.get("channel") in PRIVATE_CHANNELS


class Job(Protocol):
    """A fault at work on one connection."""

    armed: Armed
    line: LineState
    desk: Desk
    fresh_tokens: set[str]

    def seen(self, seen: Seen) -> bool:
        """Say whether the fault acts on this, and count it."""


Effect = Callable[[Job, Asked, In], In]


def asked(text: str, on: str, connection: int) -> Asked:
    """Read a client's frame as far as it can be read."""
    seen = Seen(on, connection)
    try:
        message = frames.read(text)
    except (ValueError, RecursionError):
        return Asked(text, {}, seen)
    if not isinstance(message, dict):
        return Asked(text, {}, seen)
    method, params = message.get("method"), message.get("params")
    channel = pair = ""
    if isinstance(params, dict):
        symbol = params.get("symbol")
        first = symbol[0] if isinstance(symbol, list) and symbol else symbol
        pair = first if isinstance(first, str) else ""
        channel = params["channel"] if isinstance(params.get("channel"), str) else ""
    name = method if isinstance(method, str) else ""
    return Asked(text, message, seen._replace(method=name, channel=channel, pair=pair))


def _refused(request: Asked, error: str, symbol: str | None = None) -> In:
    return In(None, errors=((request.seen.method, request.req_id, error, symbol),))


def refused(job: Job, request: Asked, so_far: In) -> In:
    """X16, X17, X33: the request is refused with the fault's text."""
    return _refused(request, job.armed.spec.text("text")) if job.seen(request.seen) else so_far


def limited(job: Job, request: Asked, so_far: In) -> In:
    """X18 (order): the trading counter is used up; cancels pass, as at Kraken."""
    orders = ("add_order", "amend_order", "edit_order", "batch_add")
    if job.armed.spec.text("how") != "order" or request.seen.method not in orders:
        return so_far
    return _refused(request, "EOrder:Rate limit exceeded") if job.seen(request.seen) else so_far


def locked_out(job: Job, request: Asked, so_far: In) -> In:
    """X20: nothing private is allowed any more."""
    if not request.private or not job.seen(request.seen):
        return so_far
    return _refused(request, LOCKED.get(job.armed.spec.text("how"), LOCKED["lockout"]))


def token_expired(job: Job, request: Asked, so_far: In) -> In:
    """X21: tokens that were issued before the fault was set are unknown now."""
    if not request.private or request.params.get("token") in job.fresh_tokens:
        return so_far
    return _refused(request, job.armed.spec.text("text")) if job.seen(request.seen) else so_far


def late(job: Job, request: Asked, so_far: In) -> In:
    """X02, N11: the request reaches the engine late."""
    if not job.seen(request.seen):
        return so_far
    spec = job.armed.spec
    if job.armed.kind.id == "N11":
        return so_far._replace(delay_s=so_far.delay_s + drawn_delay(job.armed))
    return so_far._replace(delay_s=so_far.delay_s + spec.number("delay_s"), loose=True)


def symbol_refused(job: Job, request: Asked, so_far: In) -> In:
    """N14: one symbol of a subscription is refused, the others pass."""
    symbols = request.params.get("symbol")
    if request.seen.method != "subscribe" or not isinstance(symbols, list) or not symbols:
        return so_far
    wanted = job.armed.spec.pair or symbols[0]
    if not isinstance(wanted, str) or wanted not in symbols:
        return so_far
    if not job.seen(request.seen._replace(pair=wanted)):
        return so_far
    error = f"{job.armed.spec.text('text')} {wanted}"
    left = [symbol for symbol in symbols if symbol != wanted]
    answer = ("subscribe", request.req_id, error, wanted)
    text = None
    if left:
        params = {**request.params, "symbol": left}
        text = frames.write({**request.message, "params": params})
    return so_far._replace(text=text, errors=(*so_far.errors, answer))


def swallowed(job: Job, request: Asked, so_far: In) -> In:
    """N15 (swallowed): the request vanishes."""
    if job.armed.spec.text("how") != "swallowed" or not job.seen(request.seen):
        return so_far
    return In(None)


def post_only(job: Job, request: Asked, so_far: In) -> In:
    """X24: a post-only order is refused, or canceled as soon as it is accepted."""
    if request.seen.method != "add_order" or request.params.get("post_only") is not True:
        return so_far
    if job.armed.spec.text("how") == "refuse":
        return _refused(request, "EOrder:Post only order") if job.seen(request.seen) else so_far
    job.armed.memory["next"] = int(job.seen(request.seen))
    return so_far


def cancel_arrivals(job: Job, before: int) -> None:
    """X24 (cancel): cancel the orders that came since there were `before` of them."""
    if not job.armed.memory.pop("next", 0):
        return
    for order in job.desk.since(before):
        if order.post_only and job.desk.find("order_id", order.order_id) is not None:
            job.armed.memory[order.order_id] = 1
            try:
                job.desk.command(Cancel(order.order_id, order.account))
            except FaultError:
                return  # in maintenance nothing can be canceled, not even by us


def fills_first(job: Job, request: Asked, so_far: In) -> In:
    """X25, X31 (filled): the order fills just before the request that was to change it."""
    how = job.armed.spec.text("how")
    if job.armed.kind.id == "X31" and how != "filled":
        return so_far
    found = None
    for name in ("order_id", "cl_ord_id"):
        value = request.params.get(name)
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, str):
            found = job.desk.find(name, first)
    if found is None or not job.seen(request.seen):
        return so_far
    share = float(job.armed.spec.params.get("share", 1)) if how == "partial" else 1.0
    job.desk.fill(found, share, leave="dust" if how == "dust" else "")
    return so_far


def fee_in_base(job: Job, request: Asked, so_far: In) -> In:
    """X26 (base): whatever the order says, its fee is taken in base currency."""
    spec = job.armed.spec
    if spec.text("how") != "base" or request.seen.method != "add_order":
        return so_far
    if not job.seen(request.seen):
        return so_far
    params = {**request.params, "fee_preference": "base"}
    return so_far._replace(text=frames.write({**request.message, "params": params}))


def batch_part(job: Job, request: Asked, so_far: In) -> In:
    """X32: one order of a batch asks for more than there is, so that it alone is refused."""
    orders = request.params.get("orders")
    if request.seen.method != "batch_add" or not isinstance(orders, list) or not orders:
        return so_far
    if not all(isinstance(order, dict) for order in orders):
        return so_far
    if not job.seen(request.seen):
        return so_far
    index = min(int(job.armed.spec.number("index")), len(orders) - 1)
    changed = [dict(order) for order in orders]
    changed[index]["order_qty"] = frames.number("1000000")
    params = {**request.params, "orders": changed}
    return so_far._replace(text=frames.write({**request.message, "params": params}))


def skewed(job: Job, request: Asked, so_far: In) -> In:
    """X34: the engine's clock is ahead, so a deadline comes that much earlier for it."""
    if so_far.text is None or not job.seen(request.seen):
        return so_far
    return so_far._replace(text=frames.with_skew(so_far.text, -job.armed.spec.number("skew_s")))


EFFECTS: dict[str, Effect] = {
    "N11": late,
    "N14": symbol_refused,
    "N15": swallowed,
    "X02": late,
    "X16": refused,
    "X17": refused,
    "X18": limited,
    "X20": locked_out,
    "X21": token_expired,
    "X24": post_only,
    "X25": fills_first,
    "X26": fee_in_base,
    "X31": fills_first,
    "X32": batch_part,
    "X33": refused,
    "X34": skewed,
}
