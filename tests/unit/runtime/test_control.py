"""Operator requests are taken once, a halt works even from a broken file, and halt beats resume."""

import asyncio
import json

import pytest

from simple_trader.domain.events import Event, OperatorHalt, OperatorResume, OperatorTrain
from simple_trader.runtime import control
from simple_trader.runtime.control import OperatorDesk


def test_a_halt_sets_the_switch_and_tells_the_brain_once(tmp_path) -> None:
    events: list = []
    desk = OperatorDesk(tmp_path, events.append)
    (tmp_path / "halt.json").write_text(json.dumps({"actor": "ada", "reason": "lunch"}))
    desk.look()
    desk.look()
    assert desk.kill_switch
    assert events == [OperatorHalt(actor="ada", detail="lunch")]


def test_a_broken_request_still_halts(tmp_path) -> None:
    events: list = []
    desk = OperatorDesk(tmp_path, events.append)
    (tmp_path / "halt.json").write_bytes(b"\xff{")
    desk.look()
    assert desk.kill_switch
    assert events == [OperatorHalt(actor="unknown", detail="")]


def test_when_both_lie_there_the_halt_wins(tmp_path) -> None:
    events: list = []
    desk = OperatorDesk(tmp_path, events.append)
    (tmp_path / "halt.json").write_text("{}")
    (tmp_path / "resume.json").write_text("{}")
    desk.look()
    assert desk.kill_switch
    assert [type(event) for event in events] == [OperatorResume, OperatorHalt]


def test_a_halt_that_was_not_yet_committed_when_the_daemon_was_killed_is_taken_again(
    tmp_path,
) -> None:
    first = OperatorDesk(tmp_path, [].append)
    (tmp_path / "halt.json").write_text(json.dumps({"actor": "ada", "reason": "lunch"}))
    first.look()
    first.processed(7)
    first.committed(6)
    events: list = []
    second = OperatorDesk(tmp_path, events.append)
    second.look_back()
    assert second.kill_switch
    assert events == [OperatorHalt(actor="ada", detail="lunch")]


def test_a_committed_halt_is_not_taken_again_at_the_next_start(tmp_path) -> None:
    first = OperatorDesk(tmp_path, [].append)
    (tmp_path / "halt.json").write_text("{}")
    first.look()
    first.processed(7)
    first.committed(7)
    second = OperatorDesk(tmp_path, [].append)
    second.look_back()
    assert not second.kill_switch
    assert list(tmp_path.iterdir()) == []


def test_a_resume_after_a_halt_that_was_never_committed_counts(tmp_path) -> None:
    first = OperatorDesk(tmp_path, [].append)
    (tmp_path / "halt.json").write_text("{}")
    first.look()
    first.processed(7)
    (tmp_path / "resume.json").write_text("{}")
    first.look()
    assert first.kill_switch  # until the brain has judged it
    first.lifted()
    assert not first.kill_switch
    second = OperatorDesk(tmp_path, [].append)
    second.look_back()
    assert not second.kill_switch


async def test_p08_a_moment_without_files_costs_no_request_and_not_the_daemon(
    tmp_path, caplog, monkeypatch
) -> None:
    monkeypatch.setattr(control, "LOOK_EVERY_S", 0.0)
    events: list[Event] = []
    desk = OperatorDesk(tmp_path, events.append)
    tries: list[int] = []

    def explain() -> None:
        tries.append(1)
        if len(tries) <= 3:
            raise OSError(24, "Too many open files")

    desk._explain = explain
    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(desk.run())
        while len(tries) < 4:
            await asyncio.sleep(0)
        (tmp_path / "halt.json").write_text('{"actor": "a", "reason": "b"}')
        while not desk.kill_switch:
            await asyncio.sleep(0)
        looking.cancel()
    assert [type(event) for event in events] == [OperatorHalt]
    assert len([r for r in caplog.records if "cannot be read for now" in r.message]) == 1


def test_i_28_a_signal_halts_without_any_file_and_the_next_start_knows_of_it(tmp_path) -> None:
    events: list = []
    desk = OperatorDesk(tmp_path / "control", events.append)
    desk.press("signal", "SIGUSR1")
    assert desk.kill_switch
    assert events == [OperatorHalt(actor="signal", detail="SIGUSR1")]
    again = OperatorDesk(tmp_path / "control", [].append)
    again.look_back()
    assert again.kill_switch


def test_i_28_a_halt_pressed_while_a_resume_is_being_judged_stays(tmp_path) -> None:
    desk = OperatorDesk(tmp_path, [].append)
    desk.press("signal", "SIGUSR1")
    desk.processed(7)
    (tmp_path / "resume.json").write_text("{}")
    desk.look()
    desk.press("signal", "SIGUSR1")
    desk.lifted()  # the brain has read of the resume, not yet of the second halt
    assert desk.kill_switch


def test_i_28_a_second_halt_that_is_not_committed_yet_outlives_a_kill(tmp_path) -> None:
    first = OperatorDesk(tmp_path, [].append)
    (tmp_path / "halt.json").write_text("{}")
    first.look()
    first.processed(7)
    (tmp_path / "halt.json").write_text(json.dumps({"actor": "ada", "reason": "again"}))
    first.look()
    first.committed(7)  # of the first one; a resume may have come between the two
    events: list = []
    second = OperatorDesk(tmp_path, events.append)
    second.look_back()
    assert events == [OperatorHalt(actor="ada", detail="again")]
    first.processed(9)
    first.committed(9)
    assert list(tmp_path.iterdir()) == []


def refused(*_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_i_28_a_halt_that_cannot_be_taken_away_halts_all_the_same_and_once(
    tmp_path, monkeypatch
) -> None:
    events: list = []
    desk = OperatorDesk(tmp_path, events.append)
    (tmp_path / "halt.json").write_text(json.dumps({"actor": "ada", "reason": "lunch"}))
    monkeypatch.setattr("pathlib.Path.replace", refused)
    for _ in range(3):
        with pytest.raises(PermissionError):
            desk.look()
    assert desk.kill_switch
    assert events == [OperatorHalt(actor="ada", detail="lunch")]


def test_i_28_a_resume_that_cannot_be_taken_away_hides_no_halt(tmp_path) -> None:
    events: list = []
    desk = OperatorDesk(tmp_path, events.append)
    (tmp_path / "resume.json").mkdir()
    (tmp_path / "halt.json").write_text("{}")
    with pytest.raises(OSError, match=r"resume\.json"):
        desk.look()
    assert desk.kill_switch
    assert [type(event) for event in events] == [OperatorHalt]


def test_a_resume_is_in_force_though_the_file_of_the_halt_stays(tmp_path, monkeypatch) -> None:
    desk = OperatorDesk(tmp_path, [].append)
    (tmp_path / "halt.json").write_text("{}")
    desk.look()
    desk.processed(7)
    monkeypatch.setattr("pathlib.Path.unlink", refused)
    desk.lifted()
    assert not desk.kill_switch


def test_a_wish_for_a_training_is_told_once(tmp_path) -> None:
    events: list = []
    desk = OperatorDesk(tmp_path, events.append)
    (tmp_path / "train.json").write_text(json.dumps({"actor": "ada", "reason": "new pairs"}))
    desk.look()
    desk.look()
    assert events == [OperatorTrain(actor="ada", detail="new pairs")]
