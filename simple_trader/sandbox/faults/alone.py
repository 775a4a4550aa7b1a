"""Faults that act by themselves: on the exchange (X11 to X30), on sockets, on the port."""

import json
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from simple_trader.sandbox.faults import frames
from simple_trader.sandbox.faults.desk import Desk
from simple_trader.sandbox.faults.line import LineAct, LineState
from simple_trader.sandbox.faults.spec import FaultError
from simple_trader.sandbox.faults.trigger import Armed, Now

NESTED = 1_000_000


class Job(Protocol):
    """A fault at work by itself."""

    armed: Armed
    desk: Desk
    now: Now


# --- on the exchange ----------------------------------------------------------------------------


def many_fills(job: Job) -> str:
    """X11: resting orders fill in many small parts."""
    spec = job.armed.spec
    return f"{job.desk.fill_resting(spec.pair, int(spec.number('fills')))} fills"


def wick(job: Job) -> str:
    """X15: the price falls (or rises) for a while."""
    spec = job.armed.spec
    wanted = {name: spec.params[name] for name in ("percent", "lasts_s")}
    return _done(job, "wick", {**wanted, "pair": spec.pair or "BTC/USD"})


def odd_tier(job: Job) -> str:
    """X26 (tier): the account's 30-day volume, and with it its fees, is another."""
    if job.armed.spec.text("how") != "tier":
        return ""
    return _done(job, "volume", {"volume": job.armed.spec.params["volume"]})


def pair_changes(job: Job) -> str:
    """X27: a pair takes another status or other rules."""
    return _done(job, "pair", {**job.armed.spec.params, "pair": job.armed.spec.pair or "BTC/USD"})


def outside_money(job: Job) -> str:
    """X28: money that no client moved, or a trade by hand."""
    spec = job.armed.spec
    args = {**spec.params, "pair": spec.pair or "BTC/USD"}
    if spec.text("how") == "trade":
        return _done(job, "trade", args)
    return _done(job, "transfer", {**args, "kind": spec.text("how")})


def manual_order(job: Job) -> str:
    """X29: somebody cancels, or places an order, in the web page."""
    spec = job.armed.spec
    if spec.text("how") == "cancel":
        return _done(job, "cancel", {})
    return _done(job, "place", {**spec.params, "pair": spec.pair or "BTC/USD"})


def switch_fired(job: Job) -> str:
    """X30: all orders are gone, by the dead man's switch."""
    return _done(job, "switch", {})


def _done(job: Job, name: str, args: dict[str, Any]) -> str:
    try:
        return msgspec.json.encode(job.desk.do(name, args)).decode()
    except FaultError as error:
        return f"could not: {error}"


ALONE: dict[str, Callable[[Job], str]] = {
    "X11": many_fills,
    "X15": wick,
    "X26": odd_tier,
    "X27": pair_changes,
    "X28": outside_money,
    "X29": manual_order,
    "X30": switch_fired,
}


def status_at(armed: Armed, now: Now) -> str | None:
    """X22: give the system status that is due now, where it differs from the last given."""
    states = [word.strip() for word in armed.spec.text("states").split(",") if word.strip()]
    since_s = (now.market_us - armed.since.market_us) / 1_000_000 - armed.spec.at_s
    step_s = max(armed.spec.number("step_s"), 0.001)
    index = min(int(since_s // step_s), len(states) - 1)
    if since_s < 0 or not states or armed.memory.get("state", -1) >= index:
        return None
    armed.memory["state"] = index
    if index == len(states) - 1:
        armed.fired = max(armed.fired, 1)
    return states[index]


# --- on sockets ---------------------------------------------------------------------------------


def _freeze(job: Job, line: LineState) -> LineAct:
    line.frozen = True
    return LineAct(line.connection, "freeze")


def _deafen(job: Job, line: LineState) -> LineAct:
    line.deaf = True
    return LineAct(line.connection, "deaf")


def _inject(line: LineState, payload: str | bytes) -> LineAct:
    raw = payload.encode() if isinstance(payload, str) else payload
    return LineAct(line.connection, "inject", raw=frames.ws_frame(raw))


def _burst(job: Job, line: LineState) -> LineAct:
    spec = job.armed.spec
    return LineAct(
        line.connection, "burst", rate=int(spec.number("rate")),
        lasts_s=spec.number("lasts_s"), feed=spec.text("feed"),
    )  # fmt: skip


def garbage(how: str, size: int, stamp: str) -> bytes:
    """Give a payload that nobody expects (N13)."""
    status = {"version": "2.0.10", "system": "online", "api_version": "v2", "connection_id": 1}
    match how:
        case "nested":
            return b"[" * NESTED + b"]" * NESTED
        case "utf8":
            return b'{"channel":"heartbeat","note":"\xff\xfe\xc3\x28"}'
        case "channel":
            return b'{"channel":"tea_leaves","type":"update","data":[{"leaf":1}]}'
        case "fields":
            return b'{"channel":"heartbeat","colour":"blue","more":{"deep":[1,2,3]}}'
        case "enum":
            row = json.dumps({**status, "system": "hypothetical"})
            return f'{{"channel":"status","type":"update","data":[{row}]}}'.encode()
        case "event":
            row = json.dumps(
                {"order_id": "OAAAAA-AAAAA-AAAAAA", "exec_type": "hypothetical",
                 "order_status": "hypothetical", "timestamp": stamp}
            )  # fmt: skip
            return f'{{"channel":"executions","type":"update","data":[{row}]}}'.encode()
        case "types":
            return b'{"channel":7,"type":["update"],"data":"none"}'
        case "infinity":
            return b'{"channel":"ticker","type":"update","data":[{"last":1e999,"bid":NaN}]}'
        case _:
            head, tail = b'{"channel":"status","type":"update","data":"', b'"}'
            return head + b"x" * max(0, size - len(head) - len(tail)) + tail


def _garbage(job: Job, line: LineState) -> LineAct:
    spec = job.armed.spec
    payload = garbage(spec.text("how"), int(spec.number("size")), job.desk.stamp())
    return _inject(line, payload)


def _text_frame(job: Job, line: LineState) -> LineAct:
    return _inject(line, job.armed.spec.text("text"))


def _chatty(_: Job, line: LineState) -> LineAct:
    return _inject(line, '{"Error":"Exceeded msg rate"}')


def _announced(job: Job, line: LineState) -> LineAct:
    spec = job.armed.spec
    row: dict[str, Any] = {
        "version": "2.0.10",
        "system": job.desk.system,
        "api_version": "v2",
        "connection_id": line.connection,
    }
    if spec.text("phase"):
        row["upcoming_maintenance"] = {
            "phase": spec.text("phase"),
            "action": spec.text("action"),
            "timestamp": job.desk.stamp(),
        }
    if spec.text("emergency"):
        row["emergency"] = [word for word in spec.text("emergency").split(",") if word]
    message = {"channel": "status", "type": "update", "data": [row]}
    return _inject(line, msgspec.json.encode(message))


def _cut(job: Job, line: LineState) -> LineAct:
    return LineAct(line.connection, "reset")


ON_LINES: dict[str, Callable[[Job, LineState], LineAct]] = {
    "N02": _freeze,
    "N09": _cut,
    "N10": _cut,
    "N12": _burst,
    "N13": _garbage,
    "N17": _deafen,
    "S01": _text_frame,
    "S08": _chatty,
    "X23": _announced,
}
