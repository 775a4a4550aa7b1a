"""The control socket's words: the daemon's stepper moves market time with them.

Requests: `{"op":"hello"}` and `{"op":"advance","to":"<RFC 3339>"}`. Answers carry `at`, `next_at`
(null when nothing is due), `written` (frames written since each connection opened, by
connection_id), `ended`, and for hello `world`; or `error` with one sentence.
"""

from datetime import datetime
from typing import Any

import msgspec

from simple_trader.sandbox import wire
from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.settings import SandboxError


class ControlError(Exception):
    """A request that is refused; the text is one sentence."""


def read_control(text: str) -> tuple[str, datetime | None]:
    """Read a request as (op, to); raises ControlError."""
    try:
        message: Any = msgspec.json.decode(text)
    except msgspec.MsgspecError as error:
        raise ControlError(f"the request is not JSON: {error}.") from error
    op = message.get("op") if isinstance(message, dict) else None
    if op == "hello":
        return "hello", None
    if op != "advance":
        raise ControlError("op must be hello or advance.")
    to = message.get("to")
    moment = wire.read_moment(to) if isinstance(to, str) else None
    if moment is None:
        raise ControlError("advance needs `to`, an RFC 3339 moment with a zone.")
    return "advance", moment


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


def standing(exchange: Exchange, *, hello: bool) -> str:
    """Give the answer after the work is done and the frames are written."""
    next_at = exchange.next_at
    answer: dict[str, Any] = {
        "at": wire.moment_text(exchange.now),
        "written": {str(s.connection_id): s.written for s in exchange.sessions},
        "next_at": None if next_at is None else wire.moment_text(next_at),
        "ended": exchange.ended,
    }
    if hello:
        answer["world"] = exchange.world
    return wire.push(answer)
