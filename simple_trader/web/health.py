"""GET /health on 127.0.0.1: whether the daemon is well, as JSON; 200 or 503."""

import asyncio
import logging
import resource
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec
from aiohttp import web

from simple_trader.domain.errors import ConfigError

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
# Files that are never left to people who ask: sockets of exchange and database, logs, the journal.
RESERVED_FILES = 48
MOST_CONNECTIONS, FEWEST_CONNECTIONS = 64, 2
IDLE_S = 5.0
_TELL_EVERY_S = 60.0


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """What is told; no balances, orders or settings. Spans in transport seconds."""

    status: str  # ok, degraded (up, but takes no new risk), halted
    mode: str
    world: str
    trading_state: str
    reasons: tuple[str, ...]
    ready: bool
    seq: int
    lane_age_s: float
    market_dropped: int
    log_lines_lost: int
    speed: float | None
    market_at: str
    uptime_s: float
    version: str
    # What was wrong with frames of the exchange: connection.reason -> how often (no values).
    frames: dict[str, int] = {}
    lateness_s: dict[str, float | None] = {}
    clock_offset_s: dict[str, float | None] = {}
    # What must stay bounded over a long life (I-47): tasks, waiting events, batches, actions.
    gauges: dict[str, int] = {}


def status_of(*, trading_state: str, ready: bool, lane_alive: bool) -> str:
    """ok while new risk may be taken, halted in HALT, degraded otherwise."""
    if trading_state == "HALT":
        return "halted"
    return "ok" if trading_state == "RUN" and ready and lane_alive else "degraded"


def room_for_people() -> int:
    """Connections that may be open at once, so that files are left for trading (P08)."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, max(FEWEST_CONNECTIONS, files - RESERVED_FILES))


class _Shut(asyncio.Protocol):
    """A connection above what there is room for: closed as it comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class _Door:
    """Counts the open connections of a server and refuses those that are too many."""

    def __init__(self, server: web.Server) -> None:
        self._server = server
        self._told_at = -_TELL_EVERY_S
        self.refused = 0

    def __call__(self) -> asyncio.BaseProtocol:
        most = room_for_people()
        if len(self._server.connections) < most:
            return self._server()
        self.refused += 1
        now = asyncio.get_running_loop().time()
        if now - self._told_at >= _TELL_EVERY_S:
            self._told_at = now
            log.warning(
                "health refuses connections: %d are open, and more would take files from trading "
                "(raise the limit: ulimit -n)",
                most,
            )
        return _Shut()


class HealthServer:
    """Serves the health of one daemon; an async context manager."""

    def __init__(self, health: Callable[[], Health], *, port: int) -> None:
        """`port` 0 takes any free one; a port that was named and is busy is a ConfigError."""
        self._health = health
        self._asked = port
        self._runner: web.AppRunner | None = None
        self._listener: asyncio.Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}/health"

    @property
    def open_connections(self) -> int:
        """Connections that are open now."""
        server = None if self._runner is None else self._runner.server
        return 0 if server is None else len(server.connections)

    async def start(self) -> None:
        """Bind and serve; raises ConfigError when the port cannot be had."""
        app = web.Application(client_max_size=1024)
        app.router.add_get("/health", self._answer)
        runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=1.0,
            keepalive_timeout=IDLE_S,
        )  # fmt: skip
        await runner.setup()
        assert runner.server is not None
        door = _Door(runner.server)
        try:
            listener = await asyncio.get_running_loop().create_server(door, HOST, self._asked)
        except (OSError, OverflowError) as error:
            await runner.cleanup()
            raise ConfigError(
                f"health.port: {HOST}:{self._asked} cannot be used "
                f"({getattr(error, 'strerror', None) or error}); name another port in config.yaml, "
                "or 0 for any free one."
            ) from error
        self._runner, self._listener = runner, listener
        self.port = int(listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop serving; safe to call twice."""
        if self._listener is not None:
            listener, self._listener = self._listener, None
            listener.close()
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _answer(self, _request: web.Request) -> web.Response:
        health = self._health()
        return web.Response(
            body=msgspec.json.encode(health) + b"\n",
            status=200 if health.status == "ok" else 503,
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )
