"""One learner process seen from the daemon: started, asked, killed; nothing here waits for ever."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

import simple_trader
from simple_trader.adapters.learner.frames import (
    HEADER,
    FrameError,
    Ready,
    Reply,
    Request,
    body_length,
    decode_reply,
    encode,
)

WORKER_MODULE = "simple_trader.adapters.learner.worker_main"
KILL_WAIT_S = 1.0
_ERROR_TAIL_BYTES = 2_000


class ProcessGone(Exception):
    """The process ended or spoke no frames; the text is the last it said."""


def plain_environment() -> dict[str, str]:
    """What the learner needs to start and nothing else: above all, no secret of the daemon."""
    return {
        "PYTHONPATH": str(Path(simple_trader.__file__).resolve().parent.parent),
        "LANG": "C.UTF-8",
        # One thread each: the learner must not take the cores that trading needs.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


class LearnerProcess:
    """A child in a session of its own (Ctrl-C does not reach it), with frames on its pipes."""

    def __init__(self, process: asyncio.subprocess.Process, errors: IO[bytes]) -> None:
        """Use `start`."""
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._errors = errors
        self._announced: int | None = None
        self.started_at = asyncio.get_running_loop().time()
        self.ready: Ready | None = None

    @classmethod
    async def start(
        cls, command: tuple[str, ...], environment: Mapping[str, str]
    ) -> "LearnerProcess":
        """Start the child; it imports for some seconds and then says Ready. Raises ProcessGone."""
        with contextlib.ExitStack() as stack:
            try:
                errors = stack.enter_context(tempfile.TemporaryFile())
                process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=errors,
                    env=dict(environment),
                    start_new_session=True,
                )
            except OSError as error:
                raise ProcessGone(f"the learner cannot be started: {error}") from error
            stack.pop_all()  # `kill` closes the file
        return cls(process, errors)

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def ask(self, requests: Iterable[Request], number: int) -> Reply:
        """Send the requests and wait for the reply with `number`; raises ProcessGone.

        A reply to an earlier question that was given up is passed over.
        """
        await self.wait_ready()
        try:
            for request in requests:
                self._stdin.write(encode(request))
                await self._stdin.drain()
        except (ConnectionError, FrameError) as error:
            raise ProcessGone(self._last_words(str(error))) from error
        while True:
            reply = await self._receive()
            if not isinstance(reply, Ready) and reply.number == number:
                return reply

    async def wait_ready(self) -> Ready:
        """Wait until the imports are done; raises ProcessGone."""
        while self.ready is None:
            reply = await self._receive()
            if isinstance(reply, Ready):
                self.ready = reply
        return self.ready

    async def _receive(self) -> Reply:
        # A wait that is given up between header and body goes on there next time.
        try:
            if self._announced is None:
                self._announced = body_length(await self._stdout.readexactly(HEADER.size))
            body = await self._stdout.readexactly(self._announced)
            self._announced = None
            return decode_reply(body)
        except (asyncio.IncompleteReadError, ConnectionError, FrameError) as error:
            raise ProcessGone(self._last_words(str(error))) from error

    def _last_words(self, otherwise: str) -> str:
        if self._errors.closed:
            return "the learner was ended"
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - _ERROR_TAIL_BYTES))
        lines = self._errors.read().decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return f"the learner ended: {(said[-1] if said else otherwise)[:300]}"

    async def finish(self, wait_s: float) -> None:
        """Close its stdin and wait for it to end by itself; kill it when it does not."""
        self._stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._process.wait()
        await self.kill()

    async def kill(self) -> None:
        """End it at once, also when it is stopped or hangs."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        self._stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KILL_WAIT_S):
                await self._process.wait()
        self._errors.close()


def worker_command() -> tuple[str, ...]:
    """How the learner is started: this Python, no user site, the worker module."""
    return (sys.executable, "-s", "-m", WORKER_MODULE)
