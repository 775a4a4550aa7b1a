"""What the fault layer remembers of one connection, and what it asks of its socket."""

from typing import Literal, NamedTuple

import msgspec

from simple_trader.sandbox.faults.frames import Out

Act = Literal["freeze", "deaf", "reset", "close", "inject", "burst", "hear"]


class LineAct(NamedTuple):
    """Something to do to a socket by itself: `raw` goes out for inject, `rate` is for burst."""

    connection: int
    act: Act
    raw: bytes = b""
    rate: int = 0
    lasts_s: float = 0.0
    feed: str = ""
    code: int = 1001


class LineState(msgspec.Struct, kw_only=True):
    """One connection: `on` is public or private.

    `shift`: what is added to the sequence of each private channel from now on. `held`: an event
    that waits for the next one. `frozen`: nothing goes in or out any more.
    """

    connection: int
    on: str
    shift: dict[str, int] = {}
    held: Out | None = None
    frozen: bool = False
    deaf: bool = False
    methods: dict[str, int] = {}


class In(NamedTuple):
    """What becomes of a client's frame.

    `text` None: the session never sees it. `errors` are answered in its place, as (method, req_id,
    error, symbol). `loose`: what comes behind a late frame does not wait for it.
    """

    text: str | None
    delay_s: float = 0.0
    loose: bool = False
    errors: tuple[tuple[str, int | None, str, str | None], ...] = ()
