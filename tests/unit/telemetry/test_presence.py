"""One daemon per state directory, seen by the commands beside it."""

import subprocess
import sys
from pathlib import Path

import pytest

from simple_trader.domain.errors import LockHeld, TraderError
from simple_trader.telemetry.presence import DaemonInfo, present, running, who_runs

INFO = DaemonInfo(pid=7, mode="sim", world="w", health_url="http://127.0.0.1:1/health", log_dir="l")


def test_a_daemon_is_seen_while_it_runs_and_gone_after(tmp_path: Path) -> None:
    assert not running(tmp_path)
    with present(tmp_path) as presence:
        assert running(tmp_path)
        assert who_runs(tmp_path) is None
        presence.announce(INFO)
        assert who_runs(tmp_path) == INFO
    assert not running(tmp_path)
    assert who_runs(tmp_path) is None


def test_a_second_daemon_is_refused_and_told_who_is_there(tmp_path: Path) -> None:
    with present(tmp_path) as presence:
        presence.announce(INFO)
        with pytest.raises(LockHeld, match="process 7"), present(tmp_path):
            pass
        assert who_runs(tmp_path) == INFO


def test_a_killed_daemon_is_seen_as_gone_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from simple_trader.telemetry.presence import present\n"
        "with present(Path(sys.argv[1])):\n"
        "    print('up', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[3],
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        assert running(tmp_path)
        child.kill()
        child.wait()
    assert not running(tmp_path)


def test_a_place_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TraderError, match="--state-dir"), present(tmp_path / "file"):
        pass
