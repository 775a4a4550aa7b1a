"""The sandbox as a child process: started, announced by its first line, started anew when it dies.

It ends by end-of-file on its stdin, so it never outlives the daemon, not even a killed one. It
has a session of its own: Ctrl-C in the terminal reaches the daemon, which decides.
"""

import asyncio
import logging
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

import simple_trader
from simple_trader.domain.errors import VenueError

log = logging.getLogger(__name__)

ANNOUNCE_LIMIT_S = 60.0
END_LIMIT_S = 5.0
RESTART_FIRST_S, RESTART_MAX_S = 0.2, 5.0


class Announcement(msgspec.Struct, frozen=True):
    """The first line of the sandbox: where it listens and which world it is."""

    port: int
    pid: int
    world: str


def plain_environment() -> dict[str, str]:
    """What the child needs: where this package is, from whatever folder we run, and no secret."""
    return {
        "PYTHONPATH": str(Path(simple_trader.__file__).resolve().parent.parent),
        "LANG": "C.UTF-8",
    }


class SandboxChild:
    """Keeps one sandbox running on one port."""

    def __init__(self, command: Callable[[int], Sequence[str]], log_file: Path) -> None:
        """`command` gives the argument list for a port (0: any free one); stderr goes to
        `log_file`.
        """
        self._command, self._log_file = command, log_file
        self._process: Process | None = None
        self.announcement: Announcement | None = None

    async def start(self) -> Announcement:
        """Start the sandbox, wait for its announcement; raises VenueError with its last words."""
        port = self.announcement.port if self.announcement else 0
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        with self._log_file.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *self._command(port),
                stdin=PIPE,
                stdout=PIPE,
                stderr=errors,
                env=plain_environment(),
                start_new_session=True,
            )
        stdout = self._process.stdout
        line = b""
        if stdout is not None:
            try:
                async with asyncio.timeout(ANNOUNCE_LIMIT_S):
                    line = await stdout.readline()
            except TimeoutError:
                await self.stop()
        try:
            self.announcement = msgspec.json.decode(line, type=Announcement)
        except msgspec.MsgspecError:
            await self.stop()
            raise VenueError(f"The sandbox did not start: {self._last_words()}") from None
        return self.announcement

    def _last_words(self) -> str:
        """The last line the sandbox wrote to its log."""
        try:
            text = self._log_file.read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            text = ""
        return text.splitlines()[-1] if text else f"see {self._log_file}."

    async def run(self) -> None:
        """Start it anew whenever it ends; it forgets nothing it acknowledged."""
        wait_s = RESTART_FIRST_S
        while True:
            if self._process is not None:
                code = await self._process.wait()
                log.warning("the sandbox ended (%s); starting it again", code)
            try:
                await self.start()
                wait_s = RESTART_FIRST_S
            except VenueError as error:
                log.error("%s", error)
                self._process = None
                await asyncio.sleep(wait_s)
                wait_s = min(RESTART_MAX_S, wait_s * 2)

    async def stop(self) -> None:
        """Close its stdin and wait; kill it if it does not end."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(END_LIMIT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
