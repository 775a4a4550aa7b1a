"""One PostgreSQL data directory on disk: made by initdb, read by postmaster.pid, never guessed."""

import asyncio
import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from simple_trader.adapters.store.postgres_binaries import Build
from simple_trader.adapters.store.postgres_owner import (
    Account,
    process_command,
    process_mark,
)
from simple_trader.domain.errors import StoreSetupError

SUPERUSER = "simple_trader"
DATABASE = "simple_trader"
PORT = 5432  # only the socket's name carries it: nothing listens on the network
_LONGEST_SOCKET_PATH = 100  # bytes; Linux takes 107, macOS 103
_SERVER_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
_SETTINGS = (
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "password_encryption=scram-sha-256",
    "max_connections=60",
    "shared_buffers=64MB",
    "max_wal_size=512MB",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_line_prefix=%m [%p] ",
    "logging_collector=off",
)
_TEST_SETTINGS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "track_commit_timestamp=on",  # the checker of tests/checker compares commits with the wire
)


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A live server as its postmaster.pid tells: process, socket folder, whether it is ready."""

    pid: int
    socket_dir: Path
    ready: bool


@dataclass(frozen=True, slots=True)
class Cluster:
    """The folder `home/<major>` with `data`, `run`, `password`, `server.log`, and who runs it."""

    home: Path
    build: Build
    account: Account
    test_mode: bool

    @property
    def folder(self) -> Path:
        """Everything of this major."""
        return self.home / str(self.build.major)

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "server.log"

    def password(self) -> str:
        """The generated password of the database role, made at the first call (file mode 0600)."""
        path = self.folder / "password"
        if not path.exists():
            if (self.data / "PG_VERSION").exists():
                raise StoreSetupError(
                    f"{path} is missing, the password of the database beside it: put the file "
                    "back, or restore a backup into another --state-dir."
                )
            _write_private(path, os.urandom(24).hex())
        return path.read_text().strip()

    def make(self) -> None:
        """Run initdb where there are no data yet; a run cut short leaves only `data.new`.

        Blocks for one to two seconds. Raises StoreSetupError with the last words of initdb.
        """
        if (self.data / "PG_VERSION").exists():
            return
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self.account.own(fresh)
        secret = self.folder / "password.initdb"
        secret.unlink(missing_ok=True)
        _write_private(secret, self.password())
        self.account.own(secret)
        command = [
            str(self.build.bin_dir / "initdb"),
            f"--pgdata={fresh}",
            f"--username={SUPERUSER}",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--locale=C",
            "--encoding=UTF8",
            "--no-instructions",
            *(["--no-sync"] if self.test_mode else []),
        ]
        try:
            self._initdb(command)
        finally:
            secret.unlink(missing_ok=True)
        fresh.rename(self.data)

    def _initdb(self, command: list[str]) -> None:
        answer = subprocess.run(
            command,
            cwd="/",
            env=_SERVER_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            user=self.account.user,
            group=self.account.group,
            extra_groups=self.account.extra_groups,
        )
        if answer.returncode != 0:
            raise StoreSetupError(
                f"the database in {self.folder} could not be made by the account "
                f"{self.account.name}: {last_complaint(answer.stderr)}."
            )

    # ------------------------------------------------------------------ a running server

    def postmaster(self) -> Postmaster | None:
        """The live server of this data directory, or None.

        A number in postmaster.pid that meanwhile belongs to another program is told by its command
        line; that stale file is removed, as the server itself would refuse to start over it.
        """
        path = self.data / "postmaster.pid"
        try:
            lines = path.read_text().splitlines()
        except FileNotFoundError:
            return None
        pid = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
        if pid <= 0 or process_mark(pid) is None:
            return None
        if str(self.data) not in process_command(pid):
            path.unlink(missing_ok=True)
            return None
        # The lines appear one by one: data, start, port, socket folder, address, memory, status.
        socket_dir = Path(lines[4]) if len(lines) > 4 and lines[4] else self.socket_dir()
        return Postmaster(pid, socket_dir, len(lines) > 7 and lines[7].strip() == "ready")

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the server in a session of its own: Ctrl-C and our death leave it alone."""
        socket_dir = self.make_socket_dir()
        settings = [
            *_SETTINGS,
            f"unix_socket_directories={socket_dir}",
            f"port={PORT}",
            *(_TEST_SETTINGS if self.test_mode else ()),
        ]
        command = [str(self.build.bin_dir / "postgres"), "-D", str(self.data)]
        for setting in settings:
            command += ["-c", setting]
        self._rotate_log()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        log = os.open(self.log, flags, 0o600)
        try:
            return subprocess.Popen(
                command,
                cwd=self.data,
                env=_SERVER_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=0o077,
                user=self.account.user,
                group=self.account.group,
                extra_groups=self.account.extra_groups,
            )
        finally:
            os.close(log)

    def _rotate_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > 8 * 1024 * 1024:
            self.log.replace(self.log.with_suffix(".log.1"))

    def log_since(self, offset_bytes: int) -> str:
        """What the server has said since its log had `offset_bytes`."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(offset_bytes if offset_bytes <= size else 0)
            return file.read(64 * 1024).decode(errors="replace")

    def log_size(self) -> int:
        """Bytes in the log; the offset for `log_since`."""
        return self.log.stat().st_size if self.log.exists() else 0

    # ------------------------------------------------------------------- the socket folder

    def socket_dir(self) -> Path:
        """The folder of the socket: `run` beside the data, else a short temporary one."""
        usual = self.folder / "run"
        if _fits(usual):
            return usual
        name = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        short = Path(tempfile.gettempdir()) / f"simple-trader-{name}"
        if not _fits(short):
            raise StoreSetupError(
                f"the path of a socket below {self.folder} is too long, and below the temporary "
                "folder too: name a shorter place with --state-dir."
            )
        return short

    def make_socket_dir(self) -> Path:
        """Make the socket's folder, mode 0700, owned by the server's account."""
        folder = self.socket_dir()
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.account.uid:
                raise StoreSetupError(
                    f"{folder} is not a folder of the account {self.account.name}: remove it, or "
                    "name another place with --state-dir."
                ) from None
            folder.chmod(0o700)
        else:
            self.account.own(folder)
        return folder

    def remove_short_socket_dir(self, socket_dir: Path) -> None:
        """After a stop: take a temporary socket folder away."""
        if socket_dir != self.folder / "run" and socket_dir == self.socket_dir():
            shutil.rmtree(socket_dir, ignore_errors=True)


def last_complaint(text: str) -> str:
    """The most telling line of a server's words: the last FATAL, PANIC or error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [
        line for line in lines if any(word in line for word in ("FATAL:", "PANIC:", "error:"))
    ]
    chosen = (telling or lines or ["it said nothing"])[-1]
    return chosen.partition("FATAL:")[2].strip() or chosen


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= _LONGEST_SOCKET_PATH


def _write_private(path: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


async def wait_gone(pid: int, child: subprocess.Popen[bytes] | None, timeout_s: float) -> bool:
    """Wait until the process has ended, collecting it when it is our child; False on time-out."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    while True:
        if child is not None:
            child.poll()
        if process_mark(pid) is None:
            return True
        if loop.time() > deadline:
            return False
        await asyncio.sleep(0.01)
