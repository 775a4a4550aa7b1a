"""An embedded server in a state directory: its folder, its processes, its end."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres
from simple_trader.adapters.store.postgres_owner import process_command, process_mark

ROOT = Path(__file__).resolve().parents[2]
AS_ROOT = os.geteuid() == 0


@asynccontextmanager
async def running(state_dir: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A server that runs while inside."""
    async with EmbeddedPostgres(state_dir, test_mode=True) as server:
        yield server


def major_folder(state_dir: Path) -> Path:
    """The folder of the one major version that is there."""
    (marker,) = (state_dir / "postgres").glob("*/data/PG_VERSION")
    return marker.parent.parent


def postmaster_pid(state_dir: Path) -> int:
    """The process id of the server."""
    return int((major_folder(state_dir) / "data" / "postmaster.pid").read_text().splitlines()[0])


def servers_of(state_dir: Path) -> list[int]:
    """Every live process whose command line names the state directory's data."""
    needle = str(state_dir / "postgres")
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [p for p in pids if f"-D {needle}" in process_command(p) and process_mark(p)]


async def killed(pid: int) -> None:
    """Kill a process and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(10):
        while process_mark(pid) is not None:
            await asyncio.sleep(0)
