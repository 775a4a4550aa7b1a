"""Operator requests are taken once, a halt works even from a broken file, and halt beats resume."""

import json

from simple_trader.domain.events import OperatorHalt, OperatorResume
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
