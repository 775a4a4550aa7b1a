"""The exchange on a TCP port: WS v2, REST, truth and control socket, a thin shell over aiohttp."""

import asyncio
import signal
import sys
from asyncio import TaskGroup
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec
from aiohttp import WSMsgType, web

from simple_trader.sandbox import control, wire
from simple_trader.sandbox.advisor_mount import mount_advisor
from simple_trader.sandbox.child import announcement, until_end_of_input
from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.faults.script import Script
from simple_trader.sandbox.faults.setting import Faulted, faulted, read_faults
from simple_trader.sandbox.faulty_rest import answer_with_faults
from simple_trader.sandbox.lines import Doorkeeper, Line
from simple_trader.sandbox.listener import Listener
from simple_trader.sandbox.opening import open_exchange
from simple_trader.sandbox.recording import Recorder
from simple_trader.sandbox.relay.front import RelayFront, relayed
from simple_trader.sandbox.relay.opening import open_relay
from simple_trader.sandbox.settings import SandboxError, SandboxOptions
from simple_trader.simulator.orders import MAIN

FOLLOW_S = 0.05
BEAT_S = 0.1
BUSY_S = 0.005
MAX_BACKLOG = 64 * 1024 * 1024
_NEVER_DRAIN = 1 << 40  # writes never wait for a slow reader: Kraken queues, it does not shed
_LOOPBACK = ("127.0.0.1", "::1")


def wall_clock() -> datetime:
    """Give real time; the sandbox is a process of its own and this is its one clock."""
    return datetime.now(UTC)  # tidy: allow clock, composition root of the sandbox process


class Server:
    """Carries frames between sockets and the exchange; holds no state of the market."""

    def __init__(self, exchange: Exchange, options: SandboxOptions, faults: Faulted) -> None:
        self.exchange = exchange
        self.script: Script = faults.script
        self.recorder: Recorder | None = faults.recorder
        self.lines: dict[int, Line] = {}
        self.controls: set[object] = set()
        self.failure: str | None = None
        self.relay: RelayFront | None = None
        self._faults = faults
        self._options = options
        self._door = Doorkeeper(self.script, _websocket)
        self._stopped = asyncio.Event()

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

    @property
    def ending(self) -> bool:
        """Whether the server ends."""
        return self._stopped.is_set()

    async def wait(self) -> None:
        """Wait until someone asks the server to end."""
        await self._stopped.wait()

    # --- sockets --------------------------------------------------------------------------------

    async def _public(self, request: web.Request) -> web.StreamResponse:
        if self.relay is not None:
            return await self.relay.public_socket(request)
        return await self._serve(request, private=False)

    async def _private(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, private=True)

    async def _serve(self, request: web.Request, *, private: bool) -> web.StreamResponse:
        met = await self._door.met(request, "private" if private else "public")
        if met is not None:
            return met
        socket = _websocket()
        await socket.prepare(request)
        self.touch()
        session = self.exchange.open_session(private)
        line = Line(self, session, socket, request.transport, private=private)
        self.lines[session.connection_id] = line
        try:
            await line.flush()
            if self.relay is not None:
                await self.relay.carry(socket, lambda text: self._take(line, text))
                return socket
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                await self._take(line, message.data)
        except SandboxError as error:
            self.fail(error)
        finally:
            self.exchange.close_session(session)
            self.lines.pop(session.connection_id, None)
            line.end()
        return socket

    async def _take(self, line: Line, text: str) -> None:
        """Hand one frame of a client to its session, and all that follows from it to the lines."""
        self.touch()
        line.receive(text)
        await self.flush_all()

    async def flush_all(self) -> None:
        """Hand all queued frames to their transports."""
        for session in self.exchange.sessions:
            line = self.lines.get(session.connection_id)
            if line is not None and not line.closed:
                if line.busy:
                    await line.pump()
                await line.flush()

    async def _control(self, request: web.Request) -> web.StreamResponse:
        _refuse_strangers(request)
        socket = _websocket()
        await socket.prepare(request)
        self.controls.add(request.transport)
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                await socket.send_str(await self._controlled(message.data))
        finally:
            self.controls.discard(request.transport)
        return socket

    async def _controlled(self, text: str) -> str:
        try:
            asked = control.read_control(text)
            self.touch()
            if asked.op not in ("hello", "advance"):
                answer = control.operate(self.script, self.recorder, asked)
                await self._act()
                await self.flush_all()
                return answer
            if asked.to is not None:
                await self.move(asked.to)
            written = {str(number): line.written for number, line in self.lines.items()}
            return control.standing(self.exchange, written, hello=asked.op == "hello")
        except control.ControlError as error:
            return wire.push({"error": str(error)})
        except SandboxError as error:
            self.fail(error)
            return wire.push({"error": str(error)})

    async def move(self, to: datetime) -> None:
        """Move a stepped market, let faults act, hand out all frames; raises ControlError."""
        control.advance(self.exchange, to, stepped=self._options.stepped)
        await self._act()
        await self.flush_all()

    # --- HTTP -----------------------------------------------------------------------------------

    async def _rest(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.relay is not None:
            answered = await self.relay.rest(request, body)
            if answered is not None:
                return answered
        self.touch()
        try:
            if self.script.any:
                response = await answer_with_faults(self, request, body)
            else:
                status, answer = self.answer(request, body)
                response = web.Response(status=status, body=answer, content_type="application/json")
                self.record(request, body, status, answer)
        except SandboxError as error:
            self.fail(error)
            raise web.HTTPServiceUnavailable(text=str(error)) from error
        await self.flush_all()
        return response

    def answer(self, request: web.Request, body: bytes) -> tuple[int, bytes]:
        """Let the exchange carry a REST request out."""
        peer = request.remote or ""
        return self.exchange.rest(request.method, request.path_qs, request.headers, body, peer)

    def record(self, request: web.Request, body: bytes, status: int, answer: bytes) -> None:
        """Put a REST request and its answer into the record."""
        if self.recorder is not None:
            headers = dict(request.headers)
            self.recorder.request(request.method, request.path_qs, headers, body, status, answer)

    async def _truth(self, request: web.Request) -> web.Response:
        _refuse_strangers(request)
        self.touch()
        try:
            truth = self.exchange.truth(request.query.get("account", MAIN))
        except KeyError as error:
            raise web.HTTPNotFound(text=f"there is no account {error.args[0]}") from error
        body = msgspec.json.encode(truth)
        return web.Response(body=body, content_type="application/json")

    # --- time -----------------------------------------------------------------------------------

    def touch(self) -> None:
        """Bring a stand-alone market to now, before anything acts on it."""
        if not self._options.stepped:
            self.exchange.follow(wall_clock())

    def delay_clock(self) -> float:
        """Give seconds of the clock that delays go by: market time when stepped, else real."""
        if self._options.stepped:
            return self.exchange.now_us() / 1_000_000
        return asyncio.get_running_loop().time()

    async def follow(self) -> None:
        """Move a stand-alone market with the wall clock until the server ends."""
        while not self._stopped.is_set():
            try:
                self.touch()
            except SandboxError as error:
                self.fail(error)
                return
            await self.flush_all()
            await self.pause(FOLLOW_S)

    async def _act(self) -> None:
        """Do what faults do by themselves."""
        for spec in self._faults.drawn():
            self.script.start(spec)
        if not self.script.any:
            return
        for act in self.script.tick():
            line = self.lines.get(act.connection)
            if line is not None:
                await line.suffer(act)

    async def beat(self, listener: Listener) -> None:
        """Send heartbeats, let faults act, close what is idle or far behind; until the end."""
        loop = asyncio.get_running_loop()
        while not self._stopped.is_set():
            now = loop.time()
            try:
                self.exchange.beat(now)
                await self._act()
                await listener.become(self.script.listening())
                await self.flush_all()
            except SandboxError as error:
                self.fail(error)
                return
            for trouble in self.exchange.troubles:
                sys.stderr.write(f"sandbox: {trouble}\n")
            self.exchange.troubles.clear()
            for line in list(self.lines.values()):
                if line.session.idle(now) or line.backlog() > MAX_BACKLOG:
                    await line.close()
            busy = any(line.busy for line in self.lines.values())
            await self.pause(BUSY_S if busy else BEAT_S)

    async def pause(self, seconds: float) -> None:
        """Wait, but not beyond the end."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        except TimeoutError:
            return

    def fail(self, error: SandboxError) -> None:
        """End the server with a sentence."""
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


@asynccontextmanager
async def listening(
    exchange: Exchange, options: SandboxOptions, wall: Callable[[], datetime] = wall_clock
) -> AsyncIterator[tuple[Server, Listener]]:
    """Serve while inside; gives the server and its port. Raises SandboxError when it cannot."""
    with faulted(exchange, options, wall) as faults:
        server = Server(exchange, options, faults)
        runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        listener = Listener(
            runner, options.host, options.port, wall,
            tls=options.tls_self_signed, spared=lambda: server.controls,
        )  # fmt: skip
        try:
            async with relayed(exchange, options, server.fail) as server.relay:
                await listener.become(server.script.listening())
                async with TaskGroup() as group:
                    group.create_task(server.beat(listener))
                    if not options.stepped and not exchange.frozen:
                        group.create_task(server.follow())
                    try:
                        yield server, listener
                    finally:
                        server.stop()
        finally:
            await listener.close()
            await runner.cleanup()


async def serve(
    exchange: Exchange, options: SandboxOptions, announce: Callable[[str, int], None]
) -> str | None:
    """Serve until asked to end; gives the reason of a failure, else None."""
    loop = asyncio.get_running_loop()
    try:
        async with listening(exchange, options) as (server, listener):
            if options.child:
                loop.add_signal_handler(signal.SIGINT, lambda: None)
            else:
                loop.add_signal_handler(signal.SIGINT, server.stop)
            loop.add_signal_handler(signal.SIGTERM, server.stop)
            announce(options.host, listener.port)
            async with TaskGroup() as group:
                watch = None
                if options.child:
                    watch = group.create_task(until_end_of_input(server.stop))
                await server.wait()
                if watch is not None:
                    watch.cancel()
    except SandboxError as error:
        return str(error)
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
        read_faults(options)  # a slip in the script shows before a market is made
        if options.relay:
            exchange: Exchange = asyncio.run(open_relay(options, wall_clock))
        else:
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
