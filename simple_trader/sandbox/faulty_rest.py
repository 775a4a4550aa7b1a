"""One REST request on its way through the faults: late, refused, cut off, or answered otherwise."""

from typing import Protocol

from aiohttp import web

from simple_trader.sandbox.faults import rest
from simple_trader.sandbox.faults.script import Script
from simple_trader.sandbox.lines import reset

STEP_S = 0.005


class World(Protocol):
    """What is needed of the server."""

    script: Script

    @property
    def ending(self) -> bool:
        """Whether the server ends."""

    def touch(self) -> None:
        """Bring a stand-alone market to now."""

    def delay_clock(self) -> float:
        """Give seconds of the clock that delays go by."""

    def answer(self, request: web.Request, body: bytes) -> tuple[int, bytes]:
        """Let the exchange carry a request out."""

    def record(self, request: web.Request, body: bytes, status: int, answer: bytes) -> None:
        """Put a request and its answer into the record."""

    async def pause(self, seconds: float) -> None:
        """Wait, but not beyond the end."""

    async def flush_all(self) -> None:
        """Hand all queued frames to their transports."""


async def answer_with_faults(world: World, request: web.Request, body: bytes) -> web.Response:
    """Answer a REST request as the faults that are set say."""
    asked = rest.asked(request.path_qs, body, request.headers.get("Content-Type", ""))
    act = world.script.rest_before(asked)
    due = world.delay_clock() + act.delay_s
    while world.delay_clock() < due and not world.ending:
        await world.pause(STEP_S)
        world.touch()
    status, answer = 0, b""
    if act.lands:
        status, answer = world.answer(request, body)
        answer = world.script.rest_after(asked, answer)
        await world.flush_all()
    if act.status:
        status, answer = act.status, act.body
    if act.cut:
        status, answer = 0, b""
    world.record(request, body, status, answer)
    if act.cut:
        reset(request.transport)
        return web.Response(status=500)  # nobody is there any more to read it
    kind = "text/html" if act.html else "application/json"
    return web.Response(status=status, body=answer, content_type=kind)
