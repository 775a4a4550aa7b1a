"""The embedded PostgreSQL: started when no DSN is given, shared, adopted, stopped by the last.

STATE/postgres/lock, owners                who is starting it, who uses it
STATE/postgres/<major>/install             the pinned programs
STATE/postgres/<major>/data, run           the data, the socket (0700)
STATE/postgres/<major>/password            SCRAM password (0600)
STATE/postgres/<major>/server.log          what the server says

The server lives in a session of its own. It survives `kill -9` of the daemon and is adopted by the
next start; when the server is killed instead, `ensure_running` starts it again.
"""

import asyncio
import itertools
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import asyncpg

from simple_trader.adapters.store.postgres_backup import MARKET_TABLES, dump_database
from simple_trader.adapters.store.postgres_binaries import choose_build, data_majors, pin
from simple_trader.adapters.store.postgres_cluster import (
    DATABASE,
    SUPERUSER,
    Cluster,
    Postmaster,
    last_complaint,
    wait_gone,
)
from simple_trader.adapters.store.postgres_owner import (
    Holders,
    check_reachable,
    server_account,
    start_lock,
)
from simple_trader.adapters.store.postgres_tools import ToolCall, psql_call
from simple_trader.domain.errors import StoreSetupError

_READY_WITHIN_S = 300.0  # recovery after a crash may read half a gigabyte of log
_LOCK_WITHIN_S = 120.0
_RETRY_WITHIN_S = 15.0
_FAST_STOP_WITHIN_S = 60.0
# Left behind by a killed postmaster for a moment, until its own children have noticed.
_PASSING_FAULTS = ("pre-existing shared memory block", 'lock file "postmaster.pid" already exists')
_tokens = itertools.count(1)


class EmbeddedPostgres:
    """Supervisor of the server of one state directory; also an async context manager."""

    def __init__(
        self, state_dir: Path, *, bin_dir: Path | None = None, test_mode: bool = False
    ) -> None:
        """Serve `state_dir`/postgres with the build in `bin_dir` or the best one found.

        `test_mode` trades durability for speed (fsync off): never for anything that is kept.
        """
        self._home = state_dir.absolute() / "postgres"
        self._bin_dir = bin_dir
        self._test_mode = test_mode
        self._token = next(_tokens)
        self._holders = Holders(self._home / "owners")
        self._held = False
        self._cluster: Cluster | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._dsn: str | None = None

    async def __aenter__(self) -> Self:
        """Start (or share, or adopt) the server."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave it; the last user stops it."""
        await self.stop()

    @property
    def dsn(self) -> str:
        """`postgresql://user:password@/simple_trader?host=/socket/folder`, known after `start`."""
        if self._dsn is None:
            raise StoreSetupError("the embedded database has not been started yet.")
        return self._dsn

    @property
    def bin_dir(self) -> Path:
        """The programs of the server in use (psql and pg_dump among them)."""
        return self._started().build.bin_dir

    async def start(self) -> str:
        """Bring the server up, or join the one that runs, and give the DSN.

        Raises StoreSetupError, one sentence that names the remedy, when it cannot be done.
        """
        self._prepare_home()
        async with self._lock():
            try:
                self._cluster = await self._open_cluster()
            except OSError as error:
                raise StoreSetupError(
                    f"the database in {self._home} could not be set up: {error}."
                ) from error
            try:
                await self._bring_up(self._cluster)
                if not self._held:
                    self._holders.add(self._token)
                    self._held = True
            finally:
                if not self._held:  # failed or cancelled: leave no server of ours behind
                    await self._halt_own_child(self._cluster)
        return self.dsn

    async def ensure_running(self) -> None:
        """Start the server again if it is not running; for a lane that lost its connection."""
        cluster = self._started()
        async with self._lock():
            await self._bring_up(cluster)

    async def stop(self) -> None:
        """Leave the server; when nobody else alive uses it, stop it (fast: open work is undone)."""
        if not self._held or self._cluster is None:
            return
        async with self._lock():
            last = self._holders.remove(self._token)
            self._held = False
            if last:
                await self._halt(self._cluster)

    def psql_command(self, arguments: Sequence[str] = ()) -> ToolCall:
        """The psql of this server's build, with the connection in its environment."""
        return psql_call(self.dsn, arguments, bin_dir=self.bin_dir)

    async def dump(self, path: Path, exclude_tables: Sequence[str] = MARKET_TABLES) -> None:
        """Write a `pg_dump` to `path`, without the rows of the tables that match."""
        await dump_database(self.dsn, path, exclude_rows=exclude_tables, bin_dir=self.bin_dir)

    # --------------------------------------------------------------------------- inside

    def _started(self) -> Cluster:
        if self._cluster is None:
            raise StoreSetupError("the embedded database has not been started yet.")
        return self._cluster

    def _lock(self) -> AbstractAsyncContextManager[None]:
        # Who holds the lock may be waiting for a dead child of ours to go.
        return start_lock(self._home / "lock", _LOCK_WITHIN_S, self._reap)

    def _prepare_home(self) -> None:
        """Make STATE/postgres; as root others may pass through it, but read nothing."""
        try:
            for folder in (*reversed(self._home.parents), self._home):
                if not folder.exists():
                    folder.mkdir(mode=0o700)
                    if os.geteuid() == 0:
                        folder.chmod(0o711)
        except OSError as error:
            raise StoreSetupError(
                f"{error.filename} cannot be made ({error.strerror}): name a place you may write "
                "with --state-dir."
            ) from error
        if not os.access(self._home, os.W_OK | os.X_OK):
            raise StoreSetupError(
                f"{self._home} may not be written by this user: run as its owner, or name another "
                "place with --state-dir."
            )

    async def _open_cluster(self) -> Cluster:
        majors = data_majors(self._home)
        data = self._home / str(majors[0]) / "data" if len(majors) == 1 else None
        account = server_account(data)
        build = await asyncio.to_thread(choose_build, self._home, self._bin_dir)
        cluster = Cluster(self._home, build, account, self._test_mode)
        if cluster.postmaster() is not None:
            return cluster  # it runs already: its programs stay as they are until it is stopped
        await asyncio.to_thread(check_reachable, account, self._home)
        if not cluster.folder.exists():
            cluster.folder.mkdir(mode=0o711)
            cluster.folder.chmod(0o711)
        pinned = await asyncio.to_thread(pin, build, self._home)
        await asyncio.to_thread(check_reachable, account, pinned.bin_dir)
        cluster = Cluster(self._home, pinned, account, self._test_mode)
        await asyncio.to_thread(cluster.make)
        return cluster

    async def _bring_up(self, cluster: Cluster) -> None:
        """Have a server that answers; one that is killed while we join it is started again."""
        deadline = asyncio.get_running_loop().time() + _RETRY_WITHIN_S
        while True:
            running = await self._server(cluster)
            self._dsn = _dsn(cluster, running.socket_dir, DATABASE)
            try:
                await _make_database(_dsn(cluster, running.socket_dir, "postgres"))
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                self._reap()
                now = cluster.postmaster()
                stands = now is not None and now.pid == running.pid
                if stands or asyncio.get_running_loop().time() > deadline:
                    raise StoreSetupError(
                        f"the embedded database does not answer: {error}."
                    ) from error
            else:
                return

    async def _server(self, cluster: Cluster) -> Postmaster:
        """The server that runs, else one that we start."""
        self._reap()
        found = cluster.postmaster()
        if found is None:
            await self._launch(cluster)
        elif not found.ready:
            await self._until_ready(cluster, None, 0)
        running = cluster.postmaster()
        if running is None:
            raise StoreSetupError(
                f"PostgreSQL ended right after its start: see {cluster.log} for its last words."
            )
        return running

    def _reap(self) -> None:
        """Let a server of ours that died go: as a zombie it would keep its lock file in force."""
        if self._child is not None:
            self._child.poll()

    async def _launch(self, cluster: Cluster) -> None:
        deadline = asyncio.get_running_loop().time() + _RETRY_WITHIN_S
        while True:
            offset = cluster.log_size()
            try:
                child = await asyncio.to_thread(cluster.launch)
            except OSError as error:
                raise StoreSetupError(f"PostgreSQL could not be started: {error}.") from error
            self._child = child
            if await self._until_ready(cluster, child, offset):
                return
            words = cluster.log_since(offset)
            passing = any(fault in words for fault in _PASSING_FAULTS)
            if not passing or asyncio.get_running_loop().time() > deadline:
                raise StoreSetupError(
                    f"PostgreSQL {cluster.build.major} did not start: {last_complaint(words)} "
                    f"(its log is {cluster.log})."
                )
            await asyncio.sleep(0.1)

    async def _until_ready(
        self, cluster: Cluster, child: subprocess.Popen[bytes] | None, offset: int
    ) -> bool:
        """Wait until the server takes connections; False when our child ended instead."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _READY_WITHIN_S
        while loop.time() < deadline:
            if child is not None and child.poll() is not None:
                return False
            found = cluster.postmaster()
            if found is not None and found.ready and (child is None or found.pid == child.pid):
                return True
            if found is None and child is None:
                # The server we meant to adopt ended in recovery: start our own.
                await self._launch(cluster)
                return True
            await asyncio.sleep(0.01)
        raise StoreSetupError(
            f"PostgreSQL was not ready within {_READY_WITHIN_S:g} s: "
            f"{last_complaint(cluster.log_since(offset))} (its log is {cluster.log})."
        )

    async def _halt(self, cluster: Cluster) -> None:
        """SIGINT is a fast stop; SIGQUIT, if it hangs, leaves recovery to the next start."""
        found = cluster.postmaster()
        if found is None:
            return
        for stop_signal, within_s in ((signal.SIGINT, _FAST_STOP_WITHIN_S), (signal.SIGQUIT, 10.0)):
            try:
                os.kill(found.pid, stop_signal)
            except ProcessLookupError:
                pass  # it ended between the look and the signal: collect it below
            if await wait_gone(found.pid, self._child, within_s):
                cluster.remove_short_socket_dir(found.socket_dir)
                return
        raise StoreSetupError(
            f"PostgreSQL (process {found.pid}) did not stop: see {cluster.log}, "
            "then end it by hand."
        )

    async def _halt_own_child(self, cluster: Cluster) -> None:
        if self._child is not None and self._child.poll() is None:
            await self._halt(cluster)


def _dsn(cluster: Cluster, socket_dir: Path, database: str) -> str:
    secret = quote(cluster.password(), safe="")
    return f"postgresql://{SUPERUSER}:{secret}@/{database}?host={quote(str(socket_dir))}"


async def _make_database(maintenance_dsn: str) -> None:
    try:
        connection = await asyncpg.connect(maintenance_dsn, timeout=30)
        try:
            known = "SELECT 1 FROM pg_database WHERE datname = 'simple_trader'"
            if await connection.fetchval(known) is None:
                await connection.execute("CREATE DATABASE simple_trader")
        finally:
            await connection.close()
    except asyncpg.InvalidPasswordError as error:
        raise StoreSetupError(
            "the password file beside the embedded database does not fit it: put the right file "
            "back, or restore a backup into another --state-dir."
        ) from error
