"""WebSocket connections and when to try again: two quick tries, then 5 s and more, with jitter.

Sources: protocol section 1 (150 attempts in 10 minutes per address, then a ban); reliability
section 1 (at most 120, the count starts again after 30 s of stable connection).
"""

import ssl
from collections import deque
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import CloseCode

from simple_trader.ports import Dice, Wire, WireClosed

_MAX_FRAME = 16 * 1024 * 1024
_QUEUE_FRAMES = 64
_QUICK_TRIES = 2
_QUICK_S = 0.1
_JITTER_S = 0.75
_FLOOR_S = 5.0
_CAP_S = 30.0
_SANDBOX_FLOOR_S = 1.0
_SANDBOX_CAP_S = 2.0
_STABLE_S = 30.0
_WINDOW_S = 600.0
_WINDOW_TRIES = 120
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    return (urlsplit(url).hostname or "") in _LOOPBACK


class Budget:
    """Attempts to connect that one address may make: Kraken counts them all together."""

    def __init__(self) -> None:
        """None made yet."""
        self._made: deque[float] = deque()

    def take_s(self, now: float, delay_s: float) -> float:
        """`delay_s`, or longer where too many were made; the attempt counts as made after it."""
        while self._made and now - self._made[0] >= _WINDOW_S:
            self._made.popleft()
        if len(self._made) >= _WINDOW_TRIES:
            # Planned moments may lie ahead: the one that must have left the window first.
            free_at = sorted(self._made)[-_WINDOW_TRIES] + _WINDOW_S
            delay_s = max(delay_s, free_at - now)
        self._made.append(now + delay_s)
        return delay_s


class Backoff:
    """Delays before each attempt to connect; `now` is monotonic seconds."""

    def __init__(
        self,
        dice: Dice,
        *,
        floor_s: float,
        cap_s: float = _CAP_S,
        budget: Budget | None = None,
    ) -> None:
        """After the quick tries a delay is between `floor_s` and `cap_s`, jitter aside.

        Connections to the same exchange share their `budget`.
        """
        self._dice = dice
        self._floor_s = floor_s
        self._cap_s = cap_s
        self._tries = 0
        self._budget = budget if budget is not None else Budget()

    @classmethod
    def for_url(cls, url: str, dice: Dice, budget: Budget | None = None) -> "Backoff":
        """Kraken's figures; our own sandbox on this machine comes back within seconds."""
        if is_loopback(url):
            return cls(dice, floor_s=_SANDBOX_FLOOR_S, cap_s=_SANDBOX_CAP_S)
        return cls(dice, floor_s=_FLOOR_S, budget=budget)

    def delay_s(self, now: float) -> float:
        """How long to wait before the next attempt, which is counted as made after it."""
        tried, self._tries = self._tries, self._tries + 1
        if tried == 0:
            delay = 0.0
        elif tried <= _QUICK_TRIES:
            delay = _QUICK_S + self._dice.uniform(0.0, _QUICK_S)
        else:
            steps = min(tried - _QUICK_TRIES - 1, 8)
            delay = min(self._cap_s, self._floor_s * 2.0**steps)
            delay += self._dice.uniform(0.0, _JITTER_S)
        return self._budget.take_s(now, delay)

    def lasted(self, seconds: float) -> None:
        """A connection ended after `seconds`: a stable one starts the count anew."""
        if seconds >= _STABLE_S:
            self._tries = 1  # the next attempt is a quick one, not at once


class FrameTooBig(WireClosed):
    """A frame beyond the size limit came; the connection was closed with code 1009 (N13)."""


class WebsocketWire:
    """A `ports.Wire` over one websockets connection."""

    def __init__(self, connection: ClientConnection) -> None:
        """Take over an open connection."""
        self._connection = connection

    async def send(self, text: str) -> None:
        """Send one text frame; it is handed to the transport before the first suspension."""
        try:
            await self._connection.send(text)
        except (ConnectionClosed, OSError) as error:
            raise WireClosed(_reason(error)) from None

    async def recv(self) -> str | bytes:
        """The next frame, as bytes: they are parsed as they came."""
        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            if error.sent is not None and error.sent.code == CloseCode.MESSAGE_TOO_BIG:
                raise FrameTooBig(f"a frame of more than {_MAX_FRAME} bytes") from None
            raise WireClosed(_reason(error)) from None
        except OSError as error:
            raise WireClosed(_reason(error)) from None

    async def close(self) -> None:
        """Close with a handshake of at most a second."""
        await self._connection.close()


async def open_wire(url: str) -> Wire:
    """Open a WebSocket (`ports.OpenWire`); raises WireClosed.

    Liveness is judged by the session, so there are no pings of the WebSocket itself. Certificates
    are always verified; there is no fallback to an unencrypted address (N08).
    """
    try:
        connection = await connect(
            url,
            compression=None if is_loopback(url) else "deflate",
            max_size=_MAX_FRAME,
            max_queue=_QUEUE_FRAMES,
            ping_interval=None,
            open_timeout=10,
            close_timeout=1,
            proxy=None,
        )
    except (OSError, WebSocketException, TimeoutError, ssl.SSLError) as error:
        raise WireClosed(_reason(error)) from None
    return WebsocketWire(connection)


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
