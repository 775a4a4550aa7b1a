"""Who runs the embedded server and who uses it: accounts, live processes, the start lock."""

import asyncio
import fcntl
import json
import os
import pwd
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from simple_trader.domain.errors import StoreSetupError

_CANDIDATES = ("simple-trader", "postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """The account the server runs as; `dropped` says that we are root and step down to it."""

    name: str
    uid: int
    gid: int
    dropped: bool

    @property
    def user(self) -> int | None:
        """For `subprocess(user=)`: None keeps our own."""
        return self.uid if self.dropped else None

    @property
    def group(self) -> int | None:
        """For `subprocess(group=)`: None keeps our own."""
        return self.gid if self.dropped else None

    @property
    def extra_groups(self) -> list[int] | None:
        """For `subprocess(extra_groups=)`: none at all when we step down."""
        return [] if self.dropped else None

    def own(self, path: Path) -> None:
        """Give `path` to this account where we are root."""
        if self.dropped:
            os.chown(path, self.uid, self.gid)


def server_account(data: Path | None) -> Account:
    """The account for a new server, or the one that owns existing `data`.

    PostgreSQL refuses to run as root: root steps down to simple-trader, postgres or nobody.
    Raises StoreSetupError when data belong to somebody else or no such account exists.
    """
    us = os.geteuid()
    owner = data.stat().st_uid if data is not None else None
    if us != 0:
        if owner is not None and owner != us:
            raise StoreSetupError(
                f"{data} belongs to {_name_of(owner)}: run as that user, or as root, or name "
                "another place with --state-dir."
            )
        return Account(_name_of(us), us, os.getegid(), dropped=False)
    if owner == 0:
        raise StoreSetupError(
            f"{data} belongs to root, and PostgreSQL does not run as root: give it to another "
            f"account (`chown -R nobody {data}`), or name another place with --state-dir."
        )
    if data is not None:
        found = data.stat()  # its account need not have a name: only initdb asks for one
        return Account(_name_of(found.st_uid), found.st_uid, found.st_gid, dropped=True)
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, dropped=True)
    raise StoreSetupError(
        "PostgreSQL does not run as root and needs an account to step down to: add one "
        "(`useradd --system simple-trader`), or run as an ordinary user, or set POSTGRES_DSN."
    )


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def check_reachable(account: Account, *folders: Path) -> None:
    """Refuse when `account` may not search one of `folders` or a folder above it.

    Nothing is opened up for it: the sentence names the first folder in the way. The account itself
    is asked (`test -x`), so that access lists count too.
    """
    if not account.dropped:
        return
    chain = [str(p) for folder in folders for p in (*reversed(folder.parents), folder)]
    try:
        answer = subprocess.run(
            ["sh", "-c", 'for d do [ -x "$d" ] || { printf %s "$d"; exit 9; }; done', "sh", *chain],
            cwd="/",
            user=account.user,
            group=account.group,
            extra_groups=account.extra_groups,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
    except OSError as error:
        raise StoreSetupError(
            f"PostgreSQL does not run as root, and root may not step down to {account.name} here "
            f"({error.strerror}): run as an ordinary user, or set POSTGRES_DSN."
        ) from error
    if answer.returncode != 0:
        raise StoreSetupError(
            f"root runs PostgreSQL as the account {account.name}, which may not enter "
            f"{answer.stdout or chain[0]}: name a place it can reach with --state-dir "
            "(such as --state-dir /var/lib/simple-trader), or run as an ordinary user."
        )


# ---------------------------------------------------------------------------- processes


def process_mark(pid: int) -> str | None:
    """What tells this process from a later one with the same number; None when it is not running.

    A process that has ended and only waits to be collected counts as not running.
    """
    if Path("/proc/self/stat").exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # proc(5): fields after the name in brackets; state is the 3rd, start time the 22nd of all
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    found = _ps(pid, "stat=,lstart=")
    return None if not found or found.startswith("Z") else found.partition(" ")[2].strip()


def process_command(pid: int) -> str:
    """The command line of a process, empty when it is not running."""
    if Path("/proc/self/stat").exists():
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return ""
        return raw.replace(b"\0", b" ").decode(errors="replace")
    return _ps(pid, "command=")


def _ps(pid: int, columns: str) -> str:
    answer = subprocess.run(
        ["ps", "-o", columns, "-p", str(pid)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip()


# ------------------------------------------------------------------------- lock, holders


@asynccontextmanager
async def start_lock(
    path: Path, timeout_s: float, while_waiting: Callable[[], None] = lambda: None
) -> AsyncIterator[None]:
    """Hold the lock file of a state directory: one process at a time starts or stops its server.

    The kernel frees it when its holder dies. `while_waiting` is called between two tries. Raises
    StoreSetupError after `timeout_s`.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while not _try_lock(handle):
            if loop.time() > deadline:
                raise StoreSetupError(
                    f"another process has been starting or stopping the database for {timeout_s:g} "
                    f"s (it holds {path}): wait for it or end it, then try again."
                )
            await asyncio.sleep(0.02)
            while_waiting()
        yield
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Holders:
    """The file that lists who uses the server: the last one alive to leave stops it.

    Each entry is {pid, mark, token}; entries of processes that are gone are dropped at every look,
    so that the server of a killed daemon is adopted by the next start. Use it under the lock.
    """

    def __init__(self, path: Path) -> None:
        """Work on the file at `path`, which need not exist."""
        self._path = path

    def add(self, token: int) -> None:
        """Enter this process under `token` (unique within the process)."""
        us = os.getpid()
        entry: dict[str, object] = {"pid": us, "mark": process_mark(us), "token": token}
        self._write([*self._alive(), entry])

    def remove(self, token: int) -> bool:
        """Take this process's entry off; True when nobody else alive uses the server."""
        us = (os.getpid(), token)
        others = [e for e in self._alive() if (e["pid"], e["token"]) != us]
        self._write(others)
        return not others

    def _alive(self) -> list[dict[str, object]]:
        try:
            entries = json.loads(self._path.read_text())
        except (FileNotFoundError, ValueError):
            # A file cut short by a power loss names nobody who could still be alive.
            return []
        return [e for e in entries if e["mark"] is not None and process_mark(e["pid"]) == e["mark"]]

    def _write(self, entries: list[dict[str, object]]) -> None:
        fresh = self._path.with_name(self._path.name + ".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(entries, file)
        fresh.replace(self._path)
