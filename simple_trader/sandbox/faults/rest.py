"""What faults do to REST: to a request before it is carried out, and to its answer."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, urlsplit

import msgspec

from simple_trader.sandbox.faults import frames
from simple_trader.sandbox.faults.desk import Desk
from simple_trader.sandbox.faults.incoming import LOCKED
from simple_trader.sandbox.faults.outgoing import drawn_delay
from simple_trader.sandbox.faults.rest_past import past_answer
from simple_trader.sandbox.faults.spec import FaultError
from simple_trader.sandbox.faults.trigger import Armed, Now, Seen

_METHODS = {
    "AddOrder": "add_order",
    "AddOrderBatch": "batch_add",
    "AmendOrder": "amend_order",
    "EditOrder": "edit_order",
    "CancelOrder": "cancel_order",
    "CancelOrderBatch": "batch_cancel",
    "CancelAll": "cancel_all",
    "CancelAllOrdersAfter": "cancel_all_orders_after",
}
_PAGED = ("ClosedOrders", "TradesHistory", "Ledgers")
_HTML = (
    "<html><head><title>{status} {words}</title></head><body><center><h1>{status} {words}</h1>"
    "</center><hr><center>cloudflare</center></body></html>"
)
_WORDS = {
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
    520: "Web server is returning an unknown error",
    429: "Too Many Requests",
}


class Asked(NamedTuple):
    """A REST request; `seen.method` is the v2 word for it, or the endpoint's own name."""

    endpoint: str
    private: bool
    fields: Mapping[str, str]
    seen: Seen


class RestAct(NamedTuple):
    """What is done instead: `lands` says whether the exchange still carries the request out.

    `status` 0 leaves the exchange's answer as it is; `cut` ends the connection without any answer.
    """

    lands: bool = True
    status: int = 0
    body: bytes = b""
    html: bool = False
    cut: bool = False
    delay_s: float = 0.0


class Job(Protocol):
    """A fault at work on REST."""

    armed: Armed
    desk: Desk
    now: Now

    def seen(self, seen: Seen) -> bool:
        """Say whether the fault acts on this, and count it."""


Before = Callable[[Job, Asked, RestAct], RestAct]
After = Callable[[Job, Asked, bytes], bytes]


def asked(path: str, body: bytes, content_type: str) -> Asked:
    """Read a request as far as it can be read."""
    parts = urlsplit(path)
    endpoint = parts.path.rpartition("/")[2]
    fields = dict(parse_qsl(parts.query, keep_blank_values=True))
    try:
        if "json" in content_type:
            posted = msgspec.json.decode(body)
            if isinstance(posted, dict):
                fields |= {str(name): str(value) for name, value in posted.items()}
        else:
            fields |= dict(parse_qsl(body.decode(), keep_blank_values=True))
    except (msgspec.MsgspecError, ValueError):
        pass  # the exchange refuses it by itself
    method = _METHODS.get(endpoint, endpoint)
    private = parts.path.startswith("/0/private/")
    seen = Seen("rest", method=method, type="private" if private else "public")
    return Asked(endpoint, private, fields, seen)


def _error(text: str) -> bytes:
    return msgspec.json.encode({"error": [text]})


def lost(job: Job, request: Asked, act: RestAct) -> RestAct:
    """X01, X31 (lost): it is carried out, the connection ends without an answer."""
    if job.armed.spec.params.get("how", "lost") != "lost" or not job.seen(request.seen):
        return act
    return act._replace(cut=True)


def late(job: Job, request: Asked, act: RestAct) -> RestAct:
    """X02, N11: it takes longer to arrive."""
    if not job.seen(request.seen):
        return act
    spec = job.armed.spec
    delay = drawn_delay(job.armed) if job.armed.kind.id == "N11" else spec.number("delay_s")
    return act._replace(delay_s=act.delay_s + delay)


def bad_gateway(job: Job, request: Asked, act: RestAct) -> RestAct:
    """X03: HTML of a proxy; the request lands or does not."""
    if not job.seen(request.seen):
        return act
    spec = job.armed.spec
    status = int(spec.number("status"))
    page = _HTML.format(status=status, words=_WORDS.get(status, "Error"))
    return act._replace(
        lands=bool(spec.params["lands"]), status=status, body=page.encode(), html=True
    )


def refused(job: Job, request: Asked, act: RestAct) -> RestAct:
    """X16, X17, X19, X33: an error of the API; nothing happens."""
    if not request.private or not job.seen(request.seen):
        return act
    return act._replace(lands=False, status=200, body=_error(job.armed.spec.text("text")))


def limited(job: Job, request: Asked, act: RestAct) -> RestAct:
    """X18: one of the limits."""
    how = job.armed.spec.text("how")
    orders = ("add_order", "amend_order", "edit_order", "batch_add")
    if how == "order" and request.seen.method not in orders:
        return act
    if (how != "http" and not request.private) or not job.seen(request.seen):
        return act
    if how == "http":
        page = _HTML.format(status=429, words=_WORDS[429])
        return act._replace(lands=False, status=429, body=page.encode(), html=True)
    until = job.now.market_us // 1_000_000 + 5
    text = {
        "order": "EOrder:Rate limit exceeded",
        "throttled": f"EService: Throttled: {until}",
    }.get(how, "EAPI:Rate limit exceeded")
    return act._replace(lands=False, status=200, body=_error(text))


def locked_out(job: Job, request: Asked, act: RestAct) -> RestAct:
    """X20: nothing private is allowed any more."""
    if not request.private or not job.seen(request.seen):
        return act
    text = LOCKED.get(job.armed.spec.text("how"), LOCKED["lockout"])
    return act._replace(lands=False, status=200, body=_error(text))


def unavailable(job: Job, request: Asked, act: RestAct) -> RestAct:
    """S06: it is carried out, the answer says that the service is unavailable."""
    if not job.seen(request.seen):
        return act
    return act._replace(status=200, body=_error(job.armed.spec.text("text")))


BEFORE: dict[str, Before] = {
    "N11": late,
    "X01": lost,
    "X02": late,
    "X03": bad_gateway,
    "X16": refused,
    "X17": refused,
    "X18": limited,
    "X19": refused,
    "X20": locked_out,
    "X31": lost,
    "X33": refused,
    "S06": unavailable,
}


# --- answers ------------------------------------------------------------------------------------


def lagging(job: Job, request: Asked, body: bytes) -> bytes:
    """X08: the answer as it would have been some time ago."""
    message = _result(body)
    if not request.private or message is None:
        return body
    cut = job.desk.now - timedelta(seconds=job.armed.spec.number("lag_s"))
    changed = past_answer(request.endpoint, message["result"], cut, job.desk)
    if changed is None or not job.seen(request.seen):
        return body
    return _encoded({**message, "result": changed})


def empty_cancel(job: Job, request: Asked, body: bytes) -> bytes:
    """X09: orders with trades look canceled and empty; the trades endpoints tell the truth."""
    message = _result(body)
    if request.endpoint not in ("QueryOrders", "ClosedOrders") or message is None:
        return body
    result = message["result"]
    rows = result.get("closed", {}) if request.endpoint == "ClosedOrders" else result
    wanted = [
        row
        for row in rows.values()
        if row.get("status") in ("closed", "canceled") and Decimal(row.get("vol_exec", "0"))
    ]
    if not wanted or not job.seen(request.seen):
        return body
    for row in wanted:
        row["status"] = "canceled"
        for name in ("vol_exec", "cost", "fee", "price"):
            row[name] = "0.00000000" if name == "vol_exec" else "0.00000"
        row.pop("trades", None)
    return _encoded(message)


def paging_shifts(job: Job, request: Asked, body: bytes) -> bytes:
    """X12: after a first page new trades happen, so that every older row moves on."""
    first, spec = request.fields.get("ofs", "0") in ("", "0"), job.armed.spec
    if request.endpoint not in _PAGED or not first:
        return body
    if not job.seen(request.seen._replace(pair=spec.pair)):
        return body
    for count in range(int(spec.number("trades"))):
        side = "sell" if count % 2 else "buy"
        try:
            job.desk.do("trade", {"pair": spec.pair or "BTC/USD", "side": side})
        except FaultError:
            return body  # an empty account trades no more: the rows stay where they are
    return body


def skewed(job: Job, request: Asked, body: bytes) -> bytes:
    """X34: the time that REST tells is the engine's."""
    if request.endpoint not in ("Time", "SystemStatus") or not job.seen(request.seen):
        return body
    skew = job.armed.spec.number("skew_s")
    message = _result(body)
    if request.endpoint == "Time" and message is not None:
        moment = job.desk.now + timedelta(seconds=skew)
        message["result"]["unixtime"] = int(moment.timestamp())
        message["result"]["rfc1123"] = moment.strftime("%a, %d %b %y %H:%M:%S +0000")
        return _encoded(message)
    return frames.with_skew(body.decode(), skew).encode()


def _result(body: bytes) -> dict[str, Any] | None:
    try:
        message = frames.read(body.decode())
    except ValueError:
        return None
    found = isinstance(message, dict) and isinstance(message.get("result"), dict)
    return message if found else None


def _encoded(message: dict[str, Any]) -> bytes:
    return frames.write(message).encode()


AFTER: dict[str, After] = {
    "X08": lagging,
    "X09": empty_cancel,
    "X12": paging_shifts,
    "X34": skewed,
}
