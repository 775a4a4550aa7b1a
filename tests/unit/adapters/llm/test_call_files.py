"""Calls as files: masked, private, few, and never in the way."""

import os
import stat
from pathlib import Path

import msgspec
import pytest

from simple_trader.adapters.llm import call_files
from simple_trader.adapters.llm.call_files import CallFiles
from simple_trader.telemetry.masking import Masker


def test_i_45_a_call_is_written_without_secrets_and_for_its_owner_alone(tmp_path: Path) -> None:
    files = CallFiles(tmp_path / "llm", Masker(("canary-key",)).text)
    files.write("q/1..-1", {"prompt": "hi canary-key", "reply": "€\n", "cost_usd": None})
    (path,) = (tmp_path / "llm").iterdir()
    assert path.name == "q_1_-1.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert msgspec.json.decode(path.read_bytes()) == {
        "prompt": "hi ***", "reply": "€\n", "cost_usd": None,
    }  # fmt: skip


def test_only_the_newest_files_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_files, "KEPT_FILES", 3)
    files = CallFiles(tmp_path, Masker().text)
    for number in range(6):
        files.write(f"q-{number}", {"n": number})
        os.utime(tmp_path / f"q-{number}.json", (number, number))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["q-3.json", "q-4.json", "q-5.json"]


def test_the_newest_files_stay_within_their_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_files, "KEPT_BYTES", 3_000)
    files = CallFiles(tmp_path, Masker().text)
    for number in range(6):
        files.write(f"q-{number}", {"reply": "x" * 1_000})
        os.utime(tmp_path / f"q-{number}.json", (number, number))
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3_000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["q-4.json", "q-5.json"]
    files.write("q-6", {"reply": "x" * 9_000})
    assert [path.name for path in tmp_path.iterdir()] == ["q-6.json"], "the newest always stays"


def test_a_folder_that_cannot_be_written_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "llm").write_text("no folder")
    files = CallFiles(tmp_path / "llm", Masker().text)
    files.write("a", {})
    files.write("b", {})
    assert len(caplog.records) == 1
