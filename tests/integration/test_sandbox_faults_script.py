"""Faults and recording as people switch them: command line, file, control socket, as a child."""

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sandbox_parts as parts
from faulty_sandbox import Rest, faulty_sandbox, raw_private, raw_public

from simple_trader.sandbox.child_main import decode_options, encode_options
from simple_trader.sandbox.settings import DEFAULT_SIGNING_TEXT, SandboxOptions

pytestmark = pytest.mark.timeout(60)


async def told(line: aiohttp.ClientWebSocketResponse, **request: Any) -> dict[str, Any]:
    await line.send_json(request)
    answer: dict[str, Any] = await line.receive_json(timeout=20)
    return answer


async def test_the_control_socket_starts_lists_and_stops_faults_of_a_child(
    http: aiohttp.ClientSession,
) -> None:
    with parts.child(seed=3, faults=["X23 after=1000"]) as there:
        async with (
            http.ws_connect(there.url + "/sandbox/control") as line,
            http.ws_connect(there.url + "/v2") as public,
        ):
            await public.receive_json(timeout=5)
            started = await told(line, op="fault", start="N13 how=channel")
            assert started["started"] == {"number": 2, "id": "N13", "name": "garbage"}
            assert (await public.receive_json(timeout=5))["channel"] == "tea_leaves"
            listed = await told(line, op="faults")
            assert [(f["id"], f["fired"], f["active"]) for f in listed["faults"]] == [
                ("X23", 0, True), ("N13", 1, False)
            ]  # fmt: skip
            assert [(f["id"], f["on"]) for f in listed["fired"]] == [("N13", "public")]
            assert listed["fired"][0]["market"].startswith("20")
            assert (await told(line, op="fault", stop="all"))["stopped"] == [1, 2]
            named = await told(line, op="fault", name="N03", params={"for_s": 5})
            assert named["started"]["name"] == "silent-stall"
            done = await told(line, op="do", do="transfer", asset="USD", amount="5")
            assert done["done"] == {"asset": "USD", "amount": "5", "kind": "deposit"}
            for wrong, says in (
                ({"op": "fault", "start": "N77"}, "no fault called"),
                ({"op": "fault"}, "needs `start`"),
                ({"op": "do", "do": "dance"}, "no deed 'dance'"),
                ({"op": "do", "do": "fill"}, "no open order"),
                ({"op": "do", "do": "transfer", "asset": "USD"}, "needs `amount`"),
                ({"op": "do", "do": "system", "status": "asleep"}, "do system"),
            ):
                answer = await told(line, **wrong)
                assert says in answer["error"]
                assert "\n" not in answer["error"]
            assert await told(line, op="record") == {"record": None, "lines": 0}


async def test_a_fault_frame_does_not_count_as_written_when_it_was_dropped(
    http: aiohttp.ClientSession,
) -> None:
    with parts.child(seed=3) as there:
        async with (
            http.ws_connect(there.url + "/sandbox/control") as line,
            http.ws_connect(there.url + "/v2") as public,
        ):
            status = await public.receive_json(timeout=5)
            name = json.dumps(status["data"][0]["connection_id"])
            await told(line, op="fault", start="N03")
            await public.send_json(
                {"method": "subscribe", "params": {"channel": "trade", "symbol": ["BTC/USD"]}}
            )
            await public.send_json({"method": "ping", "req_id": 1})
            assert (await public.receive_json(timeout=5))["method"] == "pong"
            assert (await told(line, op="hello"))["written"][name] == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--fault", "N77"], "there is no fault called"),
        (["--fault", "N02 after=x"], "after=x must be a number"),
        (["--chaos", "7"], "write SEED,RATE"),
        (["--faults", "none.yaml"], "none.yaml: cannot be read"),
    ],
)
def test_a_bad_script_is_one_sentence_and_no_sandbox(options: list[str], says: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "simple_trader", "sandbox", "--port", "0", *options],
        cwd=parts.ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert says in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1


def test_a_world_that_is_no_sandbox_of_ours_refuses_faults(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "simple_trader", "run", "--mode", "live", "--no-tui",
         "--state-dir", str(tmp_path), "--fault", "N02"],
        cwd=parts.ROOT, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert run.returncode != 0
    said = run.stderr + run.stdout
    assert "--fault, --faults, --chaos and --record are for sim and paper" in said


def test_the_daemon_s_child_is_told_of_faults_and_record() -> None:
    options = SandboxOptions(
        faults=("N02 after=5",), fault_file=Path("week.yaml"), chaos="7,2",
        record=Path("wire.jsonl"), child=True, stepped=True,
    )  # fmt: skip
    assert decode_options(encode_options(options)) == options


async def test_a_file_and_chaos_are_set_from_the_start(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    script = tmp_path / "week.yaml"
    script.write_text("faults:\n  - fault: text-frame\n    text: proxy restarting\n")
    async with faulty_sandbox(fault_file=script, chaos="7,60") as there:
        async with raw_public(http, there) as client:
            message = await client.socket.receive(timeout=5)
            assert message.data == "proxy restarting"
        await there.step(60)
        assert len(there.script.armed) > 10


async def test_without_a_fault_the_script_is_never_asked(
    http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with faulty_sandbox() as there:
        for name in ("send", "receive", "rest_before", "rest_after", "tick", "door"):
            monkeypatch.setattr(there.script, name, None)
        async with raw_private(http, there, "executions") as client:
            order = {"order_type": "market", "side": "buy", "symbol": "BTC/USD"}
            assert (await client.answer("add_order", **order, order_qty=0.001))["success"]
            await there.step(3)


async def test_the_record_is_what_the_client_saw_and_holds_no_secret(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    path = tmp_path / "wire.jsonl"
    async with faulty_sandbox(record=path) as there:
        async with raw_private(http, there, "executions") as client:
            there.fault("X01")
            order = {"order_type": "market", "side": "buy", "symbol": "BTC/USD"}
            await client.ask("add_order", **order, order_qty=0.001, cl_ord_id="seen-1")
            seen = await client.drained()
            token = client.token
        await Rest(http, there).ask("Balance")
    rows = [json.loads(line) for line in path.read_bytes().splitlines()]
    out = [row["text"] for row in rows if row.get("way") == "out"]
    told_out = [text for text in out if '"executions"' in text and "pending_new" in text]
    assert len(told_out) == 1
    assert [json.loads(text) for text in out][-len(seen) - 1 : -1] == seen
    came_in = [row for row in rows if row.get("way") == "in" and "add_order" in row["text"]]
    assert ["seen-1" in row["text"] for row in came_in] == [True]
    assert came_in[0]["key"] == "sandbox-key"
    assert [row["path"] for row in rows if row["kind"] == "rest"] == [
        "/0/private/GetWebSocketsToken", "/0/private/Balance"
    ]  # fmt: skip
    assert [row["fault"]["id"] for row in rows if row["kind"] == "fault"] == ["X01"]
    everything = path.read_text()
    assert token not in everything
    assert DEFAULT_SIGNING_TEXT not in everything


async def test_a_wick_and_an_operator_s_fill_survive_a_kill(tmp_path: Path) -> None:
    options: dict[str, Any] = {"state": tmp_path / "sandbox", "capital": Decimal(1000)}
    there = parts.exchange(**options)
    market = there.market("BTC/USD")
    there.bend("BTC/USD", 500_000, 20_000_000)
    parts.step(there, 5)
    bent, at = market.bid, there.now
    again = parts.exchange(state=_copied(tmp_path / "sandbox", tmp_path / "copy"))
    assert (again.market("BTC/USD").bid, again.now) == (bent, at)
    parts.step(again, 20)
    assert again.market("BTC/USD").bid > bent * 1.5


def _copied(state: Path, to: Path) -> Path:
    """What a kill leaves: the files as they are now, without the lock."""
    to.mkdir()
    for file in state.iterdir():
        if file.name != "lock":
            (to / file.name).write_bytes(file.read_bytes())
    return to
