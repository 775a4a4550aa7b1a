"""Time, chance and bytes: what the body needs of the machine."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Protocol

import msgspec

# -- time and chance ---------------------------------------------------------------------


class Clock(Protocol):
    """Market time and transport time, never mixed (ARCHITECTURE, time)."""

    def now(self) -> datetime:
        """Market time: candles, cycles, quote age, wire deadlines, `at` columns."""
        ...

    def wall(self) -> datetime:
        """Real time: nonces, token life, recorded_at."""
        ...

    def monotonic(self) -> float:
        """Transport time in seconds: time-outs, liveness, back-off."""
        ...


class Dice(Protocol):
    """A named, seeded stream of chance."""

    def random(self) -> float:
        """A float in [0, 1)."""
        ...

    def uniform(self, a: float, b: float) -> float:
        """A float in [a, b]."""
        ...


# -- bytes -------------------------------------------------------------------------------


class WireClosed(Exception):
    """The connection is gone; what was sent on it and not answered has an unknown outcome."""


class Wire(Protocol):
    """One WebSocket: text frames in order. `send` hands the frame over before its first
    suspension.
    """

    async def send(self, text: str) -> None:
        """Send one text frame; raises WireClosed."""
        ...

    async def recv(self) -> str | bytes:
        """The next frame; raises WireClosed."""
        ...

    async def close(self) -> None:
        """Close; never raises."""
        ...


OpenWire = Callable[[str], Awaitable[Wire]]  # url -> open connection; raises WireClosed


class HttpReply(msgspec.Struct, frozen=True):
    """Status and body of one HTTP answer."""

    status: int
    body: bytes


class HttpFailed(Exception):
    """No usable HTTP answer came; whether the request was acted on is unknown."""


class Http(Protocol):
    """One HTTP request: no redirects, no cookies."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout_s: float,
    ) -> HttpReply:
        """Send and wait; raises HttpFailed."""
        ...
