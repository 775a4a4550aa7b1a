"""The kill switch by signal while the daemon starts, as a real process; no database is needed."""

import signal
import socket
from pathlib import Path

import pytest
import system
from system import Daemon

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]

USR1 = 1 << (signal.SIGUSR1 - 1)


def test_i_28_p02_a_kill_switch_during_the_start_is_kept_and_never_a_death() -> None:
    with system.place() as where, socket.create_server(("127.0.0.1", 0)) as mute:
        dsn = f"postgresql://nobody@127.0.0.1:{mute.getsockname()[1]}/nothing"
        halt = where.state / "control" / "halt.json"
        with Daemon(where, env={"POSTGRES_DSN": dsn}) as daemon:
            # Before anything of ours is imported: the signal waits for somebody to take it.
            assert system.wait_until(lambda: blocked(daemon.process.pid), 20)
            daemon.process.send_signal(signal.SIGUSR1)
            assert system.wait_until(halt.exists, 20), daemon.text
            halt.unlink()
            mute.settimeout(20)
            line, _ = mute.accept()  # it waits for its database now, which says nothing
            daemon.process.send_signal(signal.SIGUSR1)
            assert system.wait_until(halt.exists, 5), daemon.text
            assert daemon.stop(signal.SIGTERM) == 0
            line.close()
        assert "Traceback" not in daemon.text
        assert halt.exists(), "the next start takes it first of all"


def blocked(pid: int) -> bool:
    """Whether SIGUSR1 waits in this process."""
    words = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return bool(int(words["SigBlk"], 16) & USR1)
