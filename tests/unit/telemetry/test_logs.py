"""The log files hold JSON lines with fields, and never a secret."""

import json
import logging
import sys
from io import StringIO
from pathlib import Path

import pytest

from simple_trader.telemetry.log_file import SturdyFile
from simple_trader.telemetry.logs import ERROR_LOG, MAIN_LOG, Logs

CANARIES = tuple(f"canary-{n}-{'x' * n}q" for n in range(1, 13))


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_record_keeps_its_fields_and_only_warnings_reach_the_error_log(tmp_path: Path) -> None:
    log = logging.getLogger("room")
    with Logs(tmp_path):
        log.debug("too fine")
        log.info("bought %s", "some", extra={"pair": "BTC/USD", "decision": "d1", "reason": "x"})
        log.warning("slow", extra={"cl_ord_id": "o1"})
    main = lines(tmp_path / MAIN_LOG)
    assert [line["message"] for line in main] == ["bought some", "slow"]
    assert main[0]["pair"] == "BTC/USD"
    assert main[0]["decision"] == "d1"
    assert main[0]["at"].endswith("Z")
    assert main[1]["cl_ord_id"] == "o1"
    assert [line["message"] for line in lines(tmp_path / ERROR_LOG)] == ["slow"]


def test_twelve_canaries_are_in_no_file_and_on_no_console(tmp_path: Path) -> None:
    console = StringIO()
    log = logging.getLogger("room")
    with Logs(tmp_path, secrets=CANARIES, console=console) as logs:
        for canary in CANARIES:
            log.info("plain %s", canary)
            log.warning("key=%r", canary, extra={"reason": canary})
            log.error("in a dict %r", {"a": [canary]})
            try:
                raise ValueError(canary)
            except ValueError:
                log.exception("failed with %s", canary, stack_info=True)
    recent = list(logs.recent)  # after the end: until then the writing thread may lag behind
    for text in (
        (tmp_path / MAIN_LOG).read_text(),
        (tmp_path / ERROR_LOG).read_text(),
        console.getvalue(),
        "\n".join(recent),
    ):
        assert "***" in text
        assert "Traceback" in text or text == "\n".join(recent)
        assert not [canary for canary in CANARIES if canary in text]


def test_an_uncaught_error_goes_through_the_masks(tmp_path: Path) -> None:
    with Logs(tmp_path, secrets=CANARIES):
        error = RuntimeError(f"no {CANARIES[0]}")
        sys.excepthook(RuntimeError, error, None)
    (line,) = lines(tmp_path / ERROR_LOG)
    assert line["level"] == "critical"
    assert "RuntimeError: no ***" in line["exception"]


def test_a_text_cannot_forge_a_line(tmp_path: Path) -> None:
    console = StringIO()
    with Logs(tmp_path, console=console):
        logging.getLogger("room").info("%s", 'x\n{"level":"error","message":"forged"}\x1b[2J')
    assert len(lines(tmp_path / MAIN_LOG)) == 1
    assert len(console.getvalue().splitlines()) == 1
    assert "\x1b" not in console.getvalue()


def test_wrong_arguments_are_a_line_and_not_an_error(tmp_path: Path) -> None:
    with Logs(tmp_path):
        logging.getLogger("room").info("%d pieces", "many")
    assert "arguments do not fit" in lines(tmp_path / MAIN_LOG)[0]["message"]


def test_the_root_logger_is_given_back(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (root.level, root.handlers[:], sys.excepthook)
    with Logs(tmp_path, level="debug"):
        assert root.handlers != before[1]
    assert (root.level, root.handlers[:], sys.excepthook) == before


def test_a_warning_of_python_is_logged(tmp_path: Path) -> None:
    import warnings

    with Logs(tmp_path), warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old way", DeprecationWarning, stacklevel=1)
    assert "old way" in (tmp_path / ERROR_LOG).read_text()


def test_a_full_log_begins_a_new_file_and_keeps_so_many(tmp_path: Path) -> None:
    handler = SturdyFile(tmp_path / "x.log", max_bytes=100, keep=2)
    handler.setFormatter(logging.Formatter("%(message)s"))
    for number in range(10):
        handler.emit(logging.makeLogRecord({"msg": f"{number} " + "y" * 60}))
    handler.close()
    assert {path.name for path in tmp_path.iterdir()} == {"x.log", "x.log.1", "x.log.2"}
    assert (tmp_path / "x.log").read_text().startswith("9 ")
    assert (tmp_path / "x.log.2").read_text().startswith("7 ")


def test_a_closed_console_does_not_end_the_log(tmp_path: Path) -> None:
    console = StringIO()
    console.close()
    with Logs(tmp_path, console=console):
        logging.getLogger("room").info("on")
    assert "on" in (tmp_path / MAIN_LOG).read_text()


def test_a_queue_that_is_full_drops_and_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simple_trader.telemetry.logs._QUEUE_SIZE", 3)
    logs = Logs(tmp_path)
    entry = logs._entry  # the writer is not started: nobody empties the queue
    for _ in range(5):
        entry.handle(logging.makeLogRecord({"msg": "x"}))
    assert logs.lost == 2
