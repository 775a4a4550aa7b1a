"""The sandbox's port: open, closed, speaking TLS, or garbage; it can change while we run."""

import asyncio
import ssl
from collections.abc import Callable, Collection
from datetime import datetime

from aiohttp import web

from simple_trader.sandbox.certificate import tls_context
from simple_trader.sandbox.faults.script import Listening
from simple_trader.sandbox.lines import reset
from simple_trader.sandbox.settings import SandboxError

_GARBAGE = b"\x00\xff this is no TLS \xff\x00\r\n" * 4


class Listener:
    """Opens and closes the one port of a sandbox."""

    def __init__(
        self,
        runner: web.AppRunner,
        host: str,
        port: int,
        wall: Callable[[], datetime],
        *,
        tls: bool,
        spared: Callable[[], Collection[object]],
    ) -> None:
        self.host = host
        self.port = port
        self.now: Listening = "closed"
        self.usual: Listening = "tls" if tls else "open"
        self._runner = runner
        self._wall = wall
        self._spared = spared
        self._site: web.TCPSite | None = None
        self._garbage: asyncio.Server | None = None
        self._context: ssl.SSLContext | None = None

    async def become(self, wanted: Listening) -> None:
        """Change the port; connections of before are reset, but for those that steer the sandbox.

        Raises SandboxError when the port is taken.
        """
        wanted = self.usual if wanted == "open" else wanted
        if wanted == self.now:
            return
        await self.close(spare=self._spared())
        if wanted == "closed":
            return
        try:
            if wanted == "garbage":
                self._garbage = await asyncio.start_server(_babble, self.host, self.port)
            else:
                context = self._tls() if wanted == "tls" else None
                self._site = web.TCPSite(self._runner, self.host, self.port, ssl_context=context)
                await self._site.start()
        except OSError as error:
            self._site = None
            raise SandboxError(
                f"the sandbox cannot listen on {self.host}:{self.port} ({error.strerror}); "
                "choose another port with --port."
            ) from error
        self.now = wanted
        if self._site is not None:
            self.port = int(self._runner.addresses[0][1])

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = tls_context(self._wall())
        return self._context

    async def close(self, spare: Collection[object] = ()) -> None:
        """Close the port and reset every connection, frozen ones too: nobody else would."""
        if self._site is not None:
            await self._site.stop()
            self._site = None
        if self._garbage is not None:
            self._garbage.close()
            self._garbage = None
        self.now = "closed"
        server = self._runner.server
        for handler in [] if server is None else server.connections:
            if handler.transport not in spare:
                reset(handler.transport)


async def _babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer whatever comes with bytes that are no protocol."""
    try:
        await reader.read(4096)
        writer.write(_GARBAGE)
        await writer.drain()
    except ConnectionError:
        return
    finally:
        writer.close()
