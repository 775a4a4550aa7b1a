"""How a client program tells what it saw: a scenario's name on stdin, one JSON line on stdout."""

import asyncio
import json
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

KEY = "sandbox-key"
LIMITED_KEY = "limited-key"
READER_KEY = "reader-key"
SECRET = "c2FuZGJveC1zZWNyZXQ="
LIMIT_S = 40.0


class Sandbox:
    """Where the sandbox is, as its first line says; every URL a client needs comes from here."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ws = url.replace("http", "ws", 1)

    async def control(self, **request: Any) -> dict[str, Any]:
        """Ask the control socket, which is no part of Kraken."""
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(self.url + "/sandbox/control") as line,
        ):
            await line.send_json(request)
            answer: dict[str, Any] = await line.receive_json(timeout=20)
            return answer

    async def do(self, deed: str, **fields: Any) -> None:
        """Let the sandbox's operator do something; Kraken's staff does it at Kraken."""
        answer = await self.control(op="do", do=deed, **fields)
        if "error" in answer:
            raise RuntimeError(answer["error"])

    async def drop(self) -> None:
        """Let the sandbox close every socket, and take new ones a moment later."""
        for fault in ("public-down", "private-down"):
            answer = await self.control(op="fault", start=f"{fault} real_for_s=0.3")
            if "error" in answer:
                raise RuntimeError(answer["error"])


Scenario = Callable[[Sandbox], Awaitable[Any]]


class Scenarios:
    """The scenarios of a program; each leaves no open order behind, so that any order will do."""

    def __init__(self) -> None:
        self._steps: dict[str, Scenario] = {}

    def __call__(self, step: Scenario) -> Scenario:
        """Add a scenario (a decorator)."""
        self._steps[step.__name__] = step
        return step

    async def _told(self, name: str, there: Sandbox) -> dict[str, Any]:
        try:
            async with asyncio.timeout(LIMIT_S):
                return {"result": await self._steps[name](there)}
        except Exception:  # the test that asked shows it, the next one goes on
            return {"error": traceback.format_exc()}

    def main(self) -> None:
        """Run what stdin names against the sandbox at the URL of the command line, until EOF."""
        stay_on_this_machine()
        there = Sandbox(sys.argv[1])
        for line in sys.stdin:
            told = asyncio.run(self._told(line.strip(), there))
            print(json.dumps(told, default=str), flush=True)


def stay_on_this_machine() -> None:
    """Refuse to look up any other host: a client that forgets its URL must not reach Kraken."""
    look_up = socket.getaddrinfo

    def only_here(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in {"127.0.0.1", b"127.0.0.1", "localhost"}:
            raise OSError(f"a client program wanted to reach {host!r}")
        return look_up(host, *rest, **more)

    socket.getaddrinfo = only_here


class Heard:
    """What came over a socket, and a way to wait for the frame that fits."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self._news = asyncio.Event()

    async def take(self, frame: dict[str, Any]) -> None:
        """Keep a frame (a client's callback)."""
        self.frames.append(frame)
        self._news.set()

    async def first(self, fits: Callable[[dict[str, Any]], bool], after: int = 0) -> dict[str, Any]:
        """Wait for the first frame from number `after` on that fits."""
        async with asyncio.timeout(20):
            while True:
                for frame in self.frames[after:]:
                    if fits(frame):
                        return frame
                self._news.clear()
                await self._news.wait()

    async def answer(self, method: str, req_id: int) -> dict[str, Any]:
        """Wait for the response to a request."""
        return await self.first(lambda f: f.get("method") == method and f.get("req_id") == req_id)

    async def event(self, exec_type: str, order_id: str) -> dict[str, Any]:
        """Wait for an execution event of an order."""

        def of(frame: dict[str, Any]) -> list[dict[str, Any]]:
            rows = frame["data"] if frame.get("channel") == "executions" else []
            return [r for r in rows if r["exec_type"] == exec_type and r["order_id"] == order_id]

        return of(await self.first(lambda frame: bool(of(frame))))[0]


def refusal(error: BaseException) -> dict[str, str]:
    """Give the class and the text of a client's error."""
    return {"type": type(error).__name__, "text": str(error)}


async def until(look: Callable[[], Awaitable[Any]], limit_s: float = 20.0) -> Any:
    """Ask again and again until the answer is true, and give it."""
    async with asyncio.timeout(limit_s):
        while not (answer := await look()):
            await asyncio.sleep(0.1)
        return answer
