"""The exchange on a TCP port: WS v2, REST, truth and control socket, a thin shell over aiohttp."""

import asyncio
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from aiohttp import WSMsgType, web

from simple_trader.sandbox import control, wire
from simple_trader.sandbox.advisor_mount import mount_advisor
from simple_trader.sandbox.child import announcement, until_end_of_input
from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.opening import open_exchange
from simple_trader.sandbox.session import Session
from simple_trader.sandbox.settings import SandboxError, SandboxOptions

FOLLOW_S = 0.05
BEAT_S = 0.1
MAX_BACKLOG = 64 * 1024 * 1024
_NEVER_DRAIN = 1 << 40  # writes never wait for a slow reader: Kraken queues, it does not shed
_LOOPBACK = ("127.0.0.1", "::1")


def wall_clock() -> datetime:
    """Give real time; the sandbox is a process of its own and this is its one clock."""
    return datetime.now(UTC)  # tidy: allow clock, composition root of the sandbox process


class Server:
    """Carries frames between sockets and the exchange; holds no state of the market."""

    def __init__(self, exchange: Exchange, options: SandboxOptions) -> None:
        self._exchange = exchange
        self._options = options
        self._sockets: dict[int, web.WebSocketResponse] = {}
        self._transports: dict[int, asyncio.Transport] = {}
        self._stopped = asyncio.Event()
        self.failure: str | None = None

    def app(self) -> web.Application:
        """Give the aiohttp application."""
        app = web.Application(client_max_size=1024 * 1024)
        app.router.add_get("/v2", self._public)
        app.router.add_get("/auth/v2", self._private)
        app.router.add_get("/sandbox/control", self._control)
        app.router.add_get("/sandbox/truth", self._truth)
        app.router.add_route("*", "/0/{rest:.*}", self._rest)
        if self._options.advisor:
            mount_advisor(app)
        return app

    def stop(self) -> None:
        """Ask the server to end."""
        self._stopped.set()

    async def wait(self) -> None:
        """Wait until someone asks the server to end."""
        await self._stopped.wait()

    # --- sockets --------------------------------------------------------------------------------

    async def _public(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, private=False)

    async def _private(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, private=True)

    async def _serve(self, request: web.Request, *, private: bool) -> web.StreamResponse:
        socket = _websocket()
        await socket.prepare(request)
        self._touch()
        session = self._exchange.open_session(private)
        self._sockets[session.connection_id] = socket
        if isinstance(request.transport, asyncio.Transport):
            self._transports[session.connection_id] = request.transport
        try:
            await self._flush(session, socket)
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                self._touch()
                session.receive(message.data)
                await self.flush_all()
        except SandboxError as error:
            self._fail(error)
        finally:
            self._exchange.close_session(session)
            self._sockets.pop(session.connection_id, None)
            self._transports.pop(session.connection_id, None)
        return socket

    async def _flush(self, session: Session, socket: web.WebSocketResponse) -> None:
        """Hand a session's frames to the transport; never waits, so frames stay in order."""
        for frame in session.outgoing():
            try:
                await socket.send_str(frame)
            except (ConnectionError, RuntimeError):
                # The peer is gone: its handler ends the session, its frames go nowhere.
                return

    async def flush_all(self) -> None:
        """Hand all queued frames to their transports."""
        for session in self._exchange.sessions:
            socket = self._sockets.get(session.connection_id)
            if socket is not None and not socket.closed:
                await self._flush(session, socket)

    async def _control(self, request: web.Request) -> web.StreamResponse:
        _refuse_strangers(request)
        socket = _websocket()
        await socket.prepare(request)
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            try:
                op, to = control.read_control(message.data)
                if to is not None:
                    control.advance(self._exchange, to, stepped=self._options.stepped)
                    await self.flush_all()
                answer = control.standing(self._exchange, hello=op == "hello")
            except control.ControlError as error:
                answer = wire.push({"error": str(error)})
            await socket.send_str(answer)
        return socket

    # --- HTTP -----------------------------------------------------------------------------------

    async def _rest(self, request: web.Request) -> web.Response:
        body = await request.read()
        self._touch()
        try:
            status, answer = self._exchange.rest(
                request.method, request.path_qs, request.headers, body
            )
        except SandboxError as error:
            self._fail(error)
            raise web.HTTPServiceUnavailable(text=str(error)) from error
        await self.flush_all()
        return web.Response(status=status, body=answer, content_type="application/json")

    async def _truth(self, request: web.Request) -> web.Response:
        _refuse_strangers(request)
        self._touch()
        body = msgspec.json.encode(self._exchange.truth())
        return web.Response(body=body, content_type="application/json")

    # --- time -----------------------------------------------------------------------------------

    def _touch(self) -> None:
        """Bring a stand-alone market to now, before anything acts on it."""
        if not self._options.stepped:
            self._exchange.follow(wall_clock())

    async def follow(self) -> None:
        """Move a stand-alone market with the wall clock until the server ends."""
        while not self._stopped.is_set():
            try:
                self._touch()
            except SandboxError as error:
                self._fail(error)
                return
            await self.flush_all()
            await self._pause(FOLLOW_S)

    async def beat(self) -> None:
        """Send heartbeats and close what is idle or hopelessly behind until the server ends."""
        loop = asyncio.get_running_loop()
        while not self._stopped.is_set():
            now = loop.time()
            try:
                self._exchange.beat(now)
            except SandboxError as error:
                self._fail(error)
                return
            await self.flush_all()
            for trouble in self._exchange.troubles:
                sys.stderr.write(f"sandbox: {trouble}\n")
            self._exchange.troubles.clear()
            for session in self._exchange.sessions:
                socket = self._sockets.get(session.connection_id)
                if socket is None:
                    continue
                if session.idle(now) or self._backlog(session) > MAX_BACKLOG:
                    await socket.close()
            await self._pause(BEAT_S)

    def _backlog(self, session: Session) -> int:
        transport = self._transports.get(session.connection_id)
        return 0 if transport is None else transport.get_write_buffer_size()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        except TimeoutError:
            return

    def _fail(self, error: SandboxError) -> None:
        self.failure = str(error)
        self._stopped.set()


def _refuse_strangers(request: web.Request) -> None:
    """Refuse other machines and web pages: only programs on this one may look behind or step."""
    if request.remote not in _LOOPBACK or "Origin" in request.headers:
        raise web.HTTPForbidden(text="this address is for programs on this machine only")


def _websocket() -> web.WebSocketResponse:
    return web.WebSocketResponse(
        compress=False, autoping=True, max_msg_size=4 * 1024 * 1024, writer_limit=_NEVER_DRAIN
    )


async def serve(
    exchange: Exchange, options: SandboxOptions, announce: Callable[[str, int], None]
) -> str | None:
    """Serve until asked to end; gives the reason of a failure, else None."""
    server = Server(exchange, options)
    loop = asyncio.get_running_loop()
    if options.child:
        loop.add_signal_handler(signal.SIGINT, lambda: None)
    else:
        loop.add_signal_handler(signal.SIGINT, server.stop)
    loop.add_signal_handler(signal.SIGTERM, server.stop)
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.host, options.port)
        try:
            await site.start()
        except OSError as error:
            return (
                f"the sandbox cannot listen on {options.host}:{options.port} ({error.strerror}); "
                "choose another port with --port."
            )
        announce(options.host, runner.addresses[0][1])
        async with asyncio.TaskGroup() as group:
            group.create_task(server.beat())
            if not options.stepped and not exchange.frozen:
                group.create_task(server.follow())
            watch = group.create_task(until_end_of_input(server.stop)) if options.child else None
            await server.wait()
            if watch is not None:
                watch.cancel()
    finally:
        await runner.cleanup()
    return server.failure


def _close(exchange: Exchange) -> None:
    try:
        exchange.close()
    except SandboxError as error:
        sys.stderr.write(f"sandbox: no last checkpoint, the journal has it all: {error}\n")


def run_sandbox(options: SandboxOptions) -> int:
    """Run a sandbox until Ctrl-C, SIGTERM or (child) end-of-file on stdin; gives the exit code.

    0 after a clean end, 1 with one sentence on stderr when it cannot start or go on.
    """
    try:
        exchange = open_exchange(options, wall_clock)
    except KeyboardInterrupt:
        return 0
    except SandboxError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return 1

    def announce(host: str, port: int) -> None:
        sys.stdout.write(announcement(exchange, options, host, port) + "\n")
        sys.stdout.flush()

    try:
        failure = asyncio.run(serve(exchange, options, announce))
    finally:
        _close(exchange)
    if failure is not None:
        sys.stderr.write(f"sandbox: {failure}\n")
        return 1
    return 0
