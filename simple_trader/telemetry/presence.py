"""Says on disk that a daemon runs on a state directory, and where its health answers.

STATE/control/daemon.lock is held (flock) as long as the daemon lives, so that a killed one is seen
as gone at once; STATE/control/daemon.json says who it is.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from simple_trader.domain.errors import LockHeld, TraderError


class DaemonInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a running daemon tells the commands beside it."""

    pid: int
    mode: str
    world: str
    health_url: str
    log_dir: str


class Presence:
    """Held by the daemon for its life."""

    def __init__(self, folder: Path) -> None:
        """`folder` is STATE/control; it is made if missing."""
        self._folder = folder

    def announce(self, info: DaemonInfo) -> None:
        """Write daemon.json; raises TraderError when the disk refuses."""
        path = self._folder / "daemon.json"
        draft = self._folder / ".daemon.json.new"
        try:
            draft.write_bytes(msgspec.json.encode(info) + b"\n")
            draft.replace(path)
        except OSError as error:
            raise TraderError(f"{path}: cannot be written ({error.strerror}).") from error


@contextmanager
def present(state_dir: Path) -> Iterator[Presence]:
    """Be the daemon of `state_dir` until the block ends. Raises LockHeld when another is."""
    folder = state_dir / "control"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / "daemon.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise TraderError(
            f"{folder}: cannot be used ({error.strerror}); name another place with --state-dir."
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            other = _info(folder)
            who = f" (process {other.pid})" if other else ""
            raise LockHeld(
                f"{state_dir}: another daemon{who} runs on this state directory; stop it or name "
                "another --state-dir."
            ) from error
        (folder / "daemon.json").unlink(missing_ok=True)
        try:
            yield Presence(folder)
        finally:
            (folder / "daemon.json").unlink(missing_ok=True)
    finally:
        os.close(handle)


def running(state_dir: Path) -> bool:
    """Whether a daemon holds `state_dir` at this moment."""
    try:
        handle = os.open(state_dir / "control" / "daemon.lock", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def who_runs(state_dir: Path) -> DaemonInfo | None:
    """The daemon that runs on `state_dir` and has announced itself, or None."""
    return _info(state_dir / "control") if running(state_dir) else None


def _info(folder: Path) -> DaemonInfo | None:
    try:
        return msgspec.json.decode((folder / "daemon.json").read_bytes(), type=DaemonInfo)
    except (OSError, msgspec.DecodeError):
        return None
