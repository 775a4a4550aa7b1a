"""The checker's own reading of W: orders, cancels, switches, nonces and prices in the frames."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from checker.record import WireEntry, moment, parse_object

_SYMBOL = re.compile(r'"symbol":"([^"]+)"')
_TIME_OUT = re.compile(r'"time_out":"([^"]+)"')
_REPLIES_KEPT = 10  # of so many last replies a client may have its word on the clock
ORDER_CALLS = ("add_order", "batch_add")
_REST_ORDERS = ("AddOrder", "AddOrderBatch")
_REST_CANCELS = ("CancelOrder", "CancelOrderBatch", "CancelAll", "AmendOrder", "EditOrder")


@dataclass(frozen=True, slots=True)
class SentOrder:
    """One order as its bytes say, at the moment of the entry it stands in."""

    n: int
    at: datetime
    real: datetime
    connection: str
    cl_ord_id: str | None
    pair: str
    side: str
    order_type: str
    qty: Decimal
    limit_price: Decimal | None
    time_in_force: str
    post_only: bool
    expire_at: datetime | None
    deadline: datetime | None
    req_id: int | None = None

    @property
    def raises(self) -> bool:
        """Spot: a purchase raises the exposure."""
        return self.side == "buy"

    @property
    def rests(self) -> bool:
        """Whether it may stand in the book."""
        return self.time_in_force != "ioc" and self.order_type != "market"


@dataclass(frozen=True, slots=True)
class SentCancel:
    """A cancel, amend or edit: the orders it names; `everything` names all of the account."""

    n: int
    at: datetime
    what: str
    order_ids: tuple[str, ...] = ()
    cl_ord_ids: tuple[str, ...] = ()
    everything: bool = False


@dataclass(frozen=True, slots=True)
class SentSwitch:
    """The dead man's switch set to so many seconds; 0 disarms it."""

    n: int
    at: datetime
    timeout_s: int


@dataclass(frozen=True, slots=True)
class Nonce:
    """The nonce of one private REST request."""

    n: int
    key: str
    value: int
    status: int


@dataclass
class Wire:
    """W, read once; lists are in the order of the record.

    `orders` are judged at the strictest moment that is known: when the client handed them to its
    transport where the record has it, else when they arrived. `arrived` are those that did.
    """

    entries: Sequence[WireEntry]
    orders: list[SentOrder] = field(default_factory=list)
    arrived: list[SentOrder] = field(default_factory=list)
    cancels: list[SentCancel] = field(default_factory=list)
    switches: list[SentSwitch] = field(default_factory=list)
    nonces: list[Nonce] = field(default_factory=list)
    looks: list[tuple[datetime, str]] = field(default_factory=list)  # answered REST reads
    refusals: dict[tuple[str, int], str] = field(default_factory=dict)  # of orders, by request

    @cached_property
    def last_told(self) -> dict[str, list[datetime]]:
        """When the public side said anything of a pair, by pair."""
        found: dict[str, list[datetime]] = {}
        for entry in self.entries:
            if entry.way == "out" and entry.on == "public":
                for pair in set(_SYMBOL.findall(entry.text)):
                    found.setdefault(pair, []).append(entry.at)
        return found

    @cached_property
    def mids(self) -> dict[str, list[tuple[datetime, Decimal]]]:
        """The middle of bid and ask by pair, as the ticker channel told it."""
        found: dict[str, list[tuple[datetime, Decimal]]] = {}
        for entry in self.entries:
            if entry.way != "out" or '"ticker"' not in entry.text:
                continue
            for row in entry.frame().get("data") or ():
                if isinstance(row, dict) and {"symbol", "bid", "ask"} <= row.keys():
                    mid = (Decimal(row["bid"]) + Decimal(row["ask"])) / 2
                    found.setdefault(row["symbol"], []).append((entry.at, mid))
        return found

    @cached_property
    def shown_ahead(self) -> list[tuple[datetime, float]]:
        """How many seconds the exchange's clock was ahead by its own stamps, reply by reply."""
        found: list[tuple[datetime, float]] = []
        for entry in self.entries:
            stamp = _TIME_OUT.search(entry.text) if entry.way == "out" else None
            if stamp is not None and entry.on == "private":
                found.append((entry.at, (moment(stamp[1]) - entry.at).total_seconds()))
        return found

    def ahead_at(self, at: datetime) -> float:
        """The most seconds ahead that a client could believe the exchange's clock to be, at `at`.

        Of the last replies of private connections handed out before; 0 where none showed it.
        """
        until = bisect_right(self.shown_ahead, at, key=lambda shown: shown[0])
        last = self.shown_ahead[max(0, until - _REPLIES_KEPT) : until]
        return max([ahead for _, ahead in last], default=0.0)

    def mid_at(self, pair: str, at: datetime) -> Decimal | None:
        """The last middle of a pair that was told up to `at`."""
        known = self.mids.get(pair)
        if not known:
            return None
        low, high = 0, len(known)
        while low < high:
            half = (low + high) // 2
            if known[half][0] <= at:
                low = half + 1
            else:
                high = half
        return known[low - 1][1] if low else None


def read_wire(entries: Sequence[WireEntry]) -> Wire:
    """Read a record."""
    wire = Wire(entries)
    has_sends = any(entry.way == "sent" for entry in entries)
    for entry in entries:
        if entry.way == "rest":
            _read_rest(wire, entry)
        elif entry.way == "out" and '"add_order"' in entry.text:
            _read_refusal(wire, entry)
        elif entry.way in ("in", "sent"):
            _read_frame(wire, entry, entry.way == "sent", has_sends)
    return wire


def _read_frame(wire: Wire, entry: WireEntry, is_send: bool, has_sends: bool) -> None:
    if '"method"' not in entry.text:
        return
    frame = entry.frame()
    method, params = frame.get("method"), frame.get("params")
    if not isinstance(params, dict):
        params = {}
    if method in ORDER_CALLS:
        orders = list(_orders_of(entry, str(method), params, frame.get("req_id")))
        if is_send or not has_sends:
            wire.orders += orders
        if not is_send:
            wire.arrived += orders
        return
    if is_send:
        return  # everything else is judged where it arrives
    if method == "cancel_all_orders_after":
        wire.switches.append(SentSwitch(entry.n, entry.at, int(params.get("timeout", 0))))
    elif method in ("cancel_order", "cancel_all", "batch_cancel", "amend_order", "edit_order"):
        wire.cancels.append(_cancel_of(entry, str(method), params))


def _read_refusal(wire: Wire, entry: WireEntry) -> None:
    frame = entry.frame()
    req_id, error = frame.get("req_id"), frame.get("error")
    if frame.get("success") is False and isinstance(req_id, int) and isinstance(error, str):
        wire.refusals[entry.connection, req_id] = error


def _orders_of(
    entry: WireEntry, method: str, params: dict[str, Any], req_id: int | None
) -> Iterable[SentOrder]:
    if params.get("validate") is True:
        return
    rows = [params]
    if method == "batch_add":
        shared = {name: params.get(name) for name in ("symbol", "deadline")}
        rows = [{**shared, **row} for row in params.get("orders") or ()]
    for row in rows:
        order_type = str(row.get("order_type"))
        usual = "ioc" if order_type == "market" else "gtc"
        yield SentOrder(
            n=entry.n,
            at=entry.at,
            real=entry.real,
            connection=entry.connection,
            cl_ord_id=row.get("cl_ord_id"),
            pair=str(row.get("symbol")),
            side=str(row.get("side")),
            order_type=order_type,
            qty=Decimal(str(row.get("order_qty"))),
            limit_price=_decimal(row.get("limit_price")),
            time_in_force=str(row.get("time_in_force") or usual),
            post_only=row.get("post_only") is True,
            expire_at=_moment(row.get("expire_time")),
            deadline=_moment(row.get("deadline")),
            req_id=req_id,
        )


def _cancel_of(entry: WireEntry, method: str, params: dict[str, Any]) -> SentCancel:
    order_ids = _names(params.get("order_id")) + _names(params.get("orders"))
    return SentCancel(
        n=entry.n,
        at=entry.at,
        what=method,
        order_ids=order_ids,
        cl_ord_ids=_names(params.get("cl_ord_id")),
        everything=method == "cancel_all",
    )


def _names(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _moment(value: object) -> datetime | None:
    return moment(value) if isinstance(value, str) and value else None


def _read_rest(wire: Wire, entry: WireEntry) -> None:
    path = entry.path.partition("?")[0]
    if "/private/" not in path:
        return
    call = path.rsplit("/", 1)[-1]
    form = parse_object(entry.body) if entry.body.startswith("{") else dict(parse_qsl(entry.body))
    nonce = str(form.get("nonce", ""))
    if nonce.isdigit():
        wire.nonces.append(Nonce(entry.n, entry.key, int(nonce), entry.status))
    if call in _REST_ORDERS:
        order = _rest_order(entry, form)
        wire.orders.append(order)
        wire.arrived.append(order)
    elif call == "CancelAllOrdersAfter":
        wire.switches.append(SentSwitch(entry.n, entry.at, int(form.get("timeout", 0))))
    elif call in _REST_CANCELS:
        wire.cancels.append(
            SentCancel(
                n=entry.n,
                at=entry.at,
                what=call,
                order_ids=_names(form.get("txid")),
                cl_ord_ids=_names(form.get("cl_ord_id")),
                everything=call == "CancelAll",
            )
        )
    elif entry.status == 200 and parse_object(entry.answer).get("error") == []:
        wire.looks.append((entry.at, call))


def _rest_order(entry: WireEntry, form: dict[str, Any]) -> SentOrder:
    order_type = str(form.get("ordertype"))
    return SentOrder(
        n=entry.n,
        at=entry.at,
        real=entry.real,
        connection="rest",
        cl_ord_id=form.get("cl_ord_id"),
        pair=str(form.get("pair")),
        side=str(form.get("type")),
        order_type=order_type,
        qty=Decimal(str(form.get("volume", 0))),
        limit_price=_decimal(form.get("price")),
        time_in_force=str(form.get("timeinforce", "GTC")).lower(),
        post_only="post" in str(form.get("oflags", "")),
        expire_at=None,
        deadline=_moment(form.get("deadline")),
    )
