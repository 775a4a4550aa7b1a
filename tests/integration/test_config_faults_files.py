"""Family C at the files beside the configuration: the env file (C06) and the log folder (C07)."""

import logging
import os
import shutil
import sys
from io import StringIO
from pathlib import Path

import pytest

from simple_trader.config.env import read_environment
from simple_trader.domain.errors import ConfigError
from simple_trader.telemetry.logs import ERROR_LOG, MAIN_LOG, Logs

# ------------------------------------------------------------------------------------- C06


def test_c06_an_env_file_that_others_can_read_is_refused_in_live_and_warned_of_else(
    tmp_path: Path,
) -> None:
    path = tmp_path / ".env"
    path.write_text("KRAKEN_API_KEY=canary-77aa\n")
    path.chmod(0o644)
    found = read_environment(path, environ={})
    warning = found.require_private_file(live=False)
    assert warning is not None
    assert f"chmod 600 {path}" in warning
    with pytest.raises(ConfigError, match="chmod 600") as refused:
        found.require_private_file(live=True)
    assert "canary" not in str(refused.value) + warning
    path.chmod(0o600)
    assert read_environment(path, environ={}).require_private_file(live=True) is None


@pytest.mark.parametrize(
    "raw",
    [
        b"KRAKEN_API_KEY=canary-77aa\n",
        b"KRAKEN_API_KEY=canary-77aa\r\n",
        b"KRAKEN_API_KEY=canary-77aa",
        b"KRAKEN_API_KEY = canary-77aa  \r\n\r\n",
        b'\xef\xbb\xbfKRAKEN_API_KEY="canary-77aa "\r\n',
        b"export KRAKEN_API_KEY='canary-77aa'\n",
        b"# words\r\n\r\nKRAKEN_API_KEY=canary-77aa # the key\n",
    ],
)
def test_c06_line_ends_and_spaces_around_a_key_are_no_part_of_it(
    tmp_path: Path, raw: bytes
) -> None:
    path = tmp_path / ".env"
    path.write_bytes(raw)
    path.chmod(0o600)
    assert read_environment(path, environ={}).secrets.kraken_api_key.reveal() == "canary-77aa"


# ------------------------------------------------------------------------------------- C07


def test_c07_a_full_disk_does_not_stop_the_work_and_the_lines_go_to_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    said = StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    (tmp_path / MAIN_LOG).symlink_to("/dev/full")
    logs = Logs(tmp_path)
    with logs:
        logging.getLogger("work").warning("order %s placed", 17)
    assert logs.lost == 1
    assert "order 17 placed" in said.getvalue()
    assert "No space left" in said.getvalue()
    assert "order 17 placed" in (tmp_path / ERROR_LOG).read_text()


def test_c07_a_removed_log_directory_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    logs = Logs(folder)
    with logs:
        logging.getLogger("work").info("first")
        flushed(logs)
        shutil.rmtree(folder)
        logging.getLogger("work").info("second")
    assert "second" in (folder / MAIN_LOG).read_text()
    assert logs.lost == 0


def test_c07_a_log_directory_that_cannot_be_made_costs_lines_not_the_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    (tmp_path / "logs").write_text("a file is in the way")
    logs = Logs(tmp_path / "logs")
    with logs:
        logging.getLogger("work").info("still trading")
    assert logs.lost == 1
    assert "still trading" in said.getvalue()


def test_c07_a_log_moved_by_logrotate_is_left_and_a_new_one_begun(tmp_path: Path) -> None:
    logs = Logs(tmp_path)
    with logs:
        logging.getLogger("work").info("first")
        flushed(logs)
        os.rename(tmp_path / MAIN_LOG, tmp_path / "moved")
        logging.getLogger("work").info("second")
    assert "first" in (tmp_path / "moved").read_text()
    assert "second" not in (tmp_path / "moved").read_text()
    assert "second" in (tmp_path / MAIN_LOG).read_text()


def flushed(logs: Logs) -> None:
    """Wait until everything said so far is written, by starting the writer anew."""
    logs.stop()
    logs.start()
