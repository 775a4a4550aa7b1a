"""GET /health on 127.0.0.1: whether the daemon is well, as JSON; 200 or 503."""

import logging
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec
from aiohttp import web

from simple_trader.domain.errors import ConfigError

log = logging.getLogger(__name__)

HOST = "127.0.0.1"


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


def status_of(*, trading_state: str, ready: bool, lane_alive: bool) -> str:
    """ok while new risk may be taken, halted in HALT, degraded otherwise."""
    if trading_state == "HALT":
        return "halted"
    return "ok" if trading_state == "RUN" and ready and lane_alive else "degraded"


class HealthServer:
    """Serves the health of one daemon; an async context manager."""

    def __init__(self, health: Callable[[], Health], *, port: int) -> None:
        """`port` 0 takes any free one; a port that was named and is busy is a ConfigError."""
        self._health = health
        self._asked = port
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}/health"

    async def start(self) -> None:
        """Bind and serve; raises ConfigError when the port cannot be had."""
        app = web.Application(client_max_size=1024)
        app.router.add_get("/health", self._answer)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, HOST, self._asked)
        try:
            await site.start()
        except (OSError, OverflowError) as error:
            await runner.cleanup()
            raise ConfigError(
                f"health.port: {HOST}:{self._asked} cannot be used "
                f"({getattr(error, 'strerror', None) or error}); name another port in config.yaml, "
                "or 0 for any free one."
            ) from error
        self._runner = runner
        self.port = int(runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop serving; safe to call twice."""
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
