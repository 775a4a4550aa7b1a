"""The systemd unit is valid, hardened, and stops the daemon in the order that loses nothing."""

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest
from programs import need

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "simple-trader.service"


def service() -> configparser.SectionProxy:
    """The [Service] section; of a repeated key the last one counts here."""
    text = UNIT.read_text().replace("\\\n", " ")
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(text)
    return parser["Service"]


def test_only_the_daemon_is_told_to_stop_and_systemd_waits_for_ready_and_watchdog() -> None:
    section = service()
    assert section["KillMode"] == "mixed"
    assert section["Type"] == "notify"
    assert int(section["WatchdogSec"]) > 0
    assert section["Restart"] == "on-failure"
    assert " main.py " in section["ExecStart"]


def test_p01_a_start_after_a_crash_need_not_compile_its_code_anew() -> None:
    lines = UNIT.read_text().splitlines()
    kept = [line for line in lines if line.startswith("Environment=") and "PYCACHE" in line]
    assert kept == ["Environment=PYTHONPYCACHEPREFIX=%C/simple-trader/bytecode"]
    assert service()["CacheDirectory"] == "simple-trader"
    assert not any("DONTWRITE" in line for line in lines)


def test_p06_p12_memory_and_crash_loops_have_a_limit() -> None:
    """P06: above MemoryMax it is ended and started again. P12: five starts in ten minutes."""
    section = service()
    assert re.fullmatch(r"[1-4]G", section["MemoryMax"])
    assert section["Restart"] == "on-failure"
    unit = UNIT.read_text()
    assert re.search(r"^StartLimitIntervalSec=600$", unit, re.MULTILINE)
    assert re.search(r"^StartLimitBurst=5$", unit, re.MULTILINE)
    # Starting again cannot help: a wrong configuration, another world, a replay, a mode.
    assert set(section["RestartPreventExitStatus"].split()) == {"2", "4", "7", "8"}


@pytest.mark.programs
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    need("systemd-analyze")
    unit = tmp_path / UNIT.name
    # The program of the unit is not installed here: any that exists will do for the check.
    unit.write_text(UNIT.read_text().replace("/srv/simple-trader/.venv/bin/python", sys.executable))
    answer = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in answer.stderr.splitlines() if UNIT.name in line]
    assert not complaints, answer.stderr


@pytest.mark.programs
def test_the_exposure_score_stays_low() -> None:
    need("systemd-analyze")
    answer = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"exposure level for [^:]*: ([0-9.]+)", answer.stdout)
    if found is None:
        pytest.skip(f"this systemd-analyze cannot judge a unit offline: {answer.stderr.strip()}")
    assert float(found[1]) <= 1.5
