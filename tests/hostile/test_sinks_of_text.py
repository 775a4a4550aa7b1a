"""I-40, further on: the next prompt, files, the health page, systemd; no shell, no evaluation."""

import ast
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import brain_desk as parts
import msgspec
import pytest
from brain_desk import Desk, say

from hostile.corpus import entries
from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.call_files import CallFiles
from simple_trader.adapters.llm.prompts import render
from simple_trader.assets import asset_path
from simple_trader.domain import actions as a
from simple_trader.telemetry.notify import Notifier
from simple_trader.web.health import Health

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [entry.raw for entry in entries("texts")]
ASSETS = LlmAssets.from_texts(
    asset_path("templates/prompts/aggregator.mustache").read_text("utf-8"),
    asset_path("tools/aggregator_function.json").read_text("utf-8"),
)


def asked_after(text: str) -> a.AskAdvice:
    """The next question of a brain whose model gave this text as its reason."""
    desk = Desk()
    desk.open(settings=parts.settings(advice_reuse_s=0))
    told = [say(pair, "hold") | {"rationale": text} for pair in (parts.BTC, parts.ETH)]
    raw = json.dumps({"decisions": told})
    desk.answer(desk.ask(), raw)
    desk.next_candle()
    return desk.ask()


def test_i_40_l12_l13_own_past_reasons_come_back_as_bounded_data_and_nowhere_else() -> None:
    """Not one word of them stands where instructions stand, and the block stays one block."""
    plain = render(ASSETS, asked_after("because")).text
    instructions = plain.rpartition("```json\n")[0]
    for text in TEXTS:
        if not text.strip():
            continue
        prompt = render(ASSETS, asked_after(text)).text
        written, fence, block = prompt.rpartition("```json\n")
        assert fence
        assert written == instructions, text
        assert prompt.count("```") == 2
        line = block.removesuffix("\n```")
        assert "\n" not in line
        assert line.isprintable()
        pairs = json.loads(line)["pairs"]
        for pair in pairs:
            (shown,) = pair["texts_of_others"]
            assert set(shown) == {"source", "text"}
            assert len(shown["text"]) <= 1_000


def test_i_40_l13_no_name_of_a_call_leads_out_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "llm"
    files = CallFiles(folder, lambda text: text.replace("hunter2hunter2", "***"))
    for text in TEXTS:
        name = text.encode("utf-8", "replace").decode()
        files.write(name[:80], {"reply": name, "status": 200})
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written
    assert {path.parent for path in written} == {folder}
    assert all(path.suffix == ".json" and path.name.isascii() for path in written)
    for path in written:
        assert path.stat().st_mode & 0o077 == 0
        assert set(json.loads(path.read_bytes())) == {"reply", "status"}
        assert b"hunter2hunter2" not in path.read_bytes()


def test_i_40_systemd_reads_one_state_and_one_line(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hears:
        hears.bind(address)
        with Notifier(address) as notifier:
            for text in TEXTS:
                notifier.ready(f"sim {text}".encode("utf-8", "replace").decode())
                lines = hears.recv(65_536).decode().split("\n")
                assert lines[0] == "READY=1"
                assert len(lines) == 2
                assert lines[1].startswith("STATUS=sim ")


def test_i_40_the_health_page_has_no_place_for_a_model_s_words() -> None:
    """Its texts are the mode, the world, states, reasons and counters: all of them our own."""
    texts = {
        field.name
        for field in msgspec.structs.fields(Health)
        if field.type in {str, tuple[str, ...]}
    }
    assert texts == {
        "status", "mode", "world", "trading_state", "reasons", "market_at", "version",
    }  # fmt: skip
    desk = Desk()
    desk.open(settings=parts.settings(advice_reuse_s=0))
    for text in TEXTS:
        told = [say(parts.BTC, "hold") | {"rationale": text}]
        desk.answer(desk.ask(), json.dumps({"decisions": told}))
        desk.at += parts.timedelta(seconds=5)
        desk.quotes()
        view = desk.engine.view(desk.at)
        assert (view.trading_state, view.reasons) == ("RUN", ())


FORBIDDEN = {
    *("eval", "exec", "compile", "os.system", "os.popen", "pickle.loads", "pickle.load"),
    *("marshal.loads", "yaml.load", "yaml.unsafe_load", "subprocess.getoutput"),
    *("asyncio.create_subprocess_shell", "webbrowser.open"),
}


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


@pytest.mark.parametrize("room", sorted(p.name for p in (ROOT / "simple_trader").iterdir()))
def test_i_40_no_text_can_reach_a_shell_or_be_evaluated(room: str) -> None:
    place = ROOT / "simple_trader" / room
    found = []
    for path in [place] if place.suffix == ".py" else place.rglob("*.py"):
        for name, call in calls(ast.parse(path.read_text("utf-8"))):
            shell = [
                k for k in call.keywords if k.arg == "shell" and ast.unparse(k.value) != "False"
            ]
            if name in FORBIDDEN or shell:
                found.append(f"{path.relative_to(ROOT)}:{call.lineno}: {name}")
    assert found == []
