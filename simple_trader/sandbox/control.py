"""The control socket's words: the daemon's stepper and tests move, break and ask with them.

Requests carry `op`. `hello` and `advance` (with `to`, RFC 3339) answer with `at`, `next_at` (null
when nothing is due), `written` (frames handed to the transport since each connection opened, by
connection_id), `ended`, and for hello `world`. `fault` starts (`start`: a line of words, or `name`
with `params`) or stops (`stop`: a number, an id, a name or `all`) a fault, `faults` lists what is
set and what fired, `do` carries out an operator's deed (`do` names it, the other fields are its
arguments), `record` tells of the recording. A refusal is `error` with one sentence.
"""

from datetime import datetime
from typing import Any

import msgspec

from simple_trader.sandbox import wire
from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.faults.script import Script, known
from simple_trader.sandbox.faults.spec import FaultError, make, read_line
from simple_trader.sandbox.recording import Recorder
from simple_trader.sandbox.settings import SandboxError

SHOWN_FIRINGS = 1000
_OPS = ("hello", "advance", "fault", "faults", "do", "record")


class ControlError(Exception):
    """A request that is refused; the text is one sentence."""


class Request(msgspec.Struct):
    """What somebody asked: the op, the moment of `advance`, and all fields as they came."""

    op: str
    to: datetime | None
    fields: dict[str, Any]


def read_control(text: str) -> Request:
    """Read a request; raises ControlError."""
    try:
        message: Any = msgspec.json.decode(text)
    except msgspec.MsgspecError as error:
        raise ControlError(f"the request is not JSON: {error}.") from error
    op = message.get("op") if isinstance(message, dict) else None
    if op not in _OPS:
        raise ControlError(f"op must be one of {', '.join(_OPS)}.")
    if op != "advance":
        return Request(op, None, message)
    to = message.get("to")
    moment = wire.read_moment(to) if isinstance(to, str) else None
    if moment is None:
        raise ControlError("advance needs `to`, an RFC 3339 moment with a zone.")
    return Request(op, moment, message)


def advance(exchange: Exchange, to: datetime, *, stepped: bool) -> None:
    """Move market time; raises ControlError with the reason when it may not move."""
    if not stepped:
        raise ControlError("this sandbox moves its own market; start it stepped to control it.")
    try:
        exchange.advance(to)
    except ValueError as error:
        raise ControlError(f"{error}.") from error
    except SandboxError as error:
        raise ControlError(str(error)) from error


def standing(exchange: Exchange, written: dict[str, int], *, hello: bool) -> str:
    """Give the answer after the work is done and the frames are written."""
    next_at = exchange.next_at
    answer: dict[str, Any] = {
        "at": wire.moment_text(exchange.now),
        "written": written,
        "next_at": None if next_at is None else wire.moment_text(next_at),
        "ended": exchange.ended,
    }
    if hello:
        answer["world"] = exchange.world
    return wire.push(answer)


def operate(script: Script, recorder: Recorder | None, request: Request) -> str:
    """Carry out fault, faults, do or record and give the answer; raises ControlError."""
    try:
        return wire.push(_operated(script, recorder, request))
    except FaultError as error:
        raise ControlError(f"{str(error).rstrip('.')}.") from error


def _operated(script: Script, recorder: Recorder | None, request: Request) -> dict[str, Any]:
    fields = request.fields
    match request.op:
        case "fault":
            return _fault(script, fields)
        case "faults":
            return {
                "faults": script.standing(),
                "fired": msgspec.to_builtins(list(script.log.kept)[-SHOWN_FIRINGS:]),
                "total": script.log.total,
                "known": known() if fields.get("known") else [],
            }
        case "do":
            args = {name: value for name, value in fields.items() if name not in ("op", "do")}
            return {"done": script.desk.do(str(fields.get("do", "")), args)}
        case _:
            if recorder is None:
                return {"record": None, "lines": 0}
            recorder.flush()
            return {"record": str(recorder.path), "lines": recorder.lines}


def _fault(script: Script, fields: dict[str, Any]) -> dict[str, Any]:
    if "stop" in fields:
        return {"stopped": [armed.number for armed in script.stop(str(fields["stop"]))]}
    if isinstance(fields.get("start"), str):
        spec = read_line(fields["start"])
    elif isinstance(fields.get("name"), str):
        params = fields.get("params", {})
        if not isinstance(params, dict):
            raise FaultError("`params` must be an object")
        spec = make(fields["name"], params)
    else:
        raise FaultError("fault needs `start` (a line), `name`, or `stop`")
    armed = script.start(spec)
    return {"started": {"number": armed.number, "id": armed.kind.id, "name": armed.kind.name}}
