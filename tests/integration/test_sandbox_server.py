"""The sandbox over real sockets: control socket, kill -9, frozen state."""

import asyncio
import json
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sandbox_parts as parts

from simple_trader.sandbox.settings import DEFAULT_KEY, DEFAULT_SIGNING_TEXT

pytestmark = pytest.mark.timeout(90)


async def told(line: aiohttp.ClientWebSocketResponse, **request: Any) -> dict[str, Any]:
    """Ask the control socket."""
    await line.send_json(request)
    answer: dict[str, Any] = await line.receive_json(timeout=20)
    return answer


async def advance(line: aiohttp.ClientWebSocketResponse, at: str, seconds: float) -> dict[str, Any]:
    """Move market time on from `at`."""
    to = datetime.fromisoformat(at) + timedelta(seconds=seconds)
    return await told(line, op="advance", to=to.isoformat())


async def private_token(http: aiohttp.ClientSession, url: str, nonce: int) -> str:
    """Get a WebSocket token with a signature made here."""
    body = f"nonce={nonce}".encode()
    path = "/0/private/GetWebSocketsToken"
    headers = {
        "API-Key": DEFAULT_KEY,
        "API-Sign": parts.sign(DEFAULT_SIGNING_TEXT, path, str(nonce), body),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with http.post(url + path, data=body, headers=headers) as response:
        token: str = (await response.json())["result"]["token"]
        return token


async def until(
    line: aiohttp.ClientWebSocketResponse, fits: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Read frames until one fits."""
    async with asyncio.timeout(20):
        while True:
            frame: dict[str, Any] = await line.receive_json()
            if fits(frame):
                return frame


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _alone_url(there: parts.Child) -> str:
    words = there.first_line.decode().split()
    return next(word.rstrip(",") for word in words if word.startswith("http://"))


async def test_the_control_socket_counts_every_frame_it_has_written(
    http: aiohttp.ClientSession,
) -> None:
    with parts.child(seed=3) as there:
        async with (
            http.ws_connect(there.url + "/sandbox/control") as line,
            http.ws_connect(there.url + "/v2") as public,
        ):
            status = await public.receive_json(timeout=5)
            name = json.dumps(status["data"][0]["connection_id"])
            assert int(name) > 2**53
            request = {"channel": "ticker", "symbol": ["BTC/USD"], "event_trigger": "bbo"}
            await public.send_json({"method": "subscribe", "params": request})
            hello = await told(line, op="hello")
            assert hello["world"] == "seed 3"
            assert hello["at"] < hello["next_at"]
            read = 1
            for second in range(1, 30):
                answer = await advance(line, hello["at"], second)
                while read < answer["written"][name]:
                    await public.receive_json(timeout=5)
                    read += 1
            assert read > 30
            assert answer["ended"] is False
            back = await told(line, op="advance", to=hello["at"])
            assert "never goes back" in back["error"]
            assert "op must be" in (await told(line, op="dance"))["error"]


async def test_market_time_stands_still_between_steps_while_heartbeats_go_on(
    http: aiohttp.ClientSession,
) -> None:
    with parts.child(seed=3) as there:
        async with (
            http.ws_connect(there.url + "/sandbox/control") as line,
            http.ws_connect(there.url + "/v2") as public,
        ):
            await public.send_json(
                {"method": "subscribe", "params": {"channel": "trade", "symbol": ["BTC/USD"]}}
            )
            before = await told(line, op="hello")
            for _ in range(3):
                await until(public, lambda frame: frame.get("channel") == "heartbeat")
            after = await told(line, op="hello")
            assert after["at"] == before["at"]


async def test_the_child_outlives_ctrl_c_and_ends_with_its_stdin(
    http: aiohttp.ClientSession,
) -> None:
    with parts.child(seed=3) as there:
        there.process.send_signal(signal.SIGINT)
        async with http.get(there.url + "/0/public/Time") as response:
            assert response.status == 200
        assert there.process.poll() is None
        assert there.end() == 0


async def test_a_killed_exchange_forgets_nothing_it_acknowledged(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    state = tmp_path / "sandbox"
    with parts.child(state=state, seed=3) as there:
        async with (
            http.ws_connect(there.url + "/sandbox/control") as line,
            http.ws_connect(there.url + "/auth/v2") as private,
        ):
            token = await private_token(http, there.url, 1)
            at = (await told(line, op="hello"))["at"]
            for number in range(25):
                order: dict[str, Any] = {
                    "order_type": "market" if number % 2 else "limit",
                    "side": "buy",
                    "symbol": "ETH/USD",
                    "order_qty": 0.002,
                    "cl_ord_id": f"kill-{number}",
                    "token": token,
                }
                if not number % 2:
                    order["limit_price"] = 2000.0 + number
                await private.send_json({"method": "add_order", "params": order, "req_id": number})
                answer = await until(private, lambda frame: "req_id" in frame)
                assert answer["success"], answer
                standing = await advance(line, at, number + 1)
            async with http.get(there.url + "/sandbox/truth") as response:
                before = await response.json()
        there.kill()
    assert len(before["trades"]) >= 12
    segment = next(state.glob("journal-*.jsonl"))
    with segment.open("ab") as file:
        file.write(b'{"type":"do","at":17')  # what a kill in the middle of a write leaves
    with parts.child(state=state, seed=3) as there:
        assert there.announced["at"] == standing["at"]
        async with http.get(there.url + "/sandbox/truth") as response:
            assert await response.json() == before
        async with http.ws_connect(there.url + "/sandbox/control") as line:
            assert (await advance(line, standing["at"], 5))["at"] > standing["at"]
        there.end()


async def test_a_daemon_s_state_is_served_frozen(
    tmp_path: Path, http: aiohttp.ClientSession
) -> None:
    state = tmp_path / "sandbox"
    with parts.child(state=state, seed=3) as there:
        async with http.ws_connect(there.url + "/auth/v2") as private:
            token = await private_token(http, there.url, 1)
            order = {
                "order_type": "limit",
                "side": "buy",
                "symbol": "BTC/USD",
                "order_qty": 0.001,
                "limit_price": 50000.0,
                "time_in_force": "gtd",
                "expire_time": "2026-12-01T00:00:00Z",
                "token": token,
            }
            await private.send_json({"method": "add_order", "params": order, "req_id": 1})
            await until(private, lambda frame: "req_id" in frame)
        async with http.get(there.url + "/sandbox/truth") as response:
            before = await response.json()
        there.kill()
    files = {path.name: path.read_bytes() for path in state.iterdir()}
    options = {"child": False, "stepped": False, "state": state, "port": _free_port()}
    with parts.child(**options) as there:
        assert b"frozen" in there.first_line
        url = _alone_url(there)
        async with http.get(url + "/sandbox/truth") as response:
            assert await response.json() == before
        async with http.get(url + "/0/public/SystemStatus") as response:
            assert (await response.json())["result"]["status"] == "maintenance"
        async with http.ws_connect(url + "/auth/v2") as private:
            order["token"] = await private_token(http, url, 2)
            await private.send_json({"method": "add_order", "params": order, "req_id": 1})
            answer = await until(private, lambda frame: "req_id" in frame)
            assert answer["error"] == "EService:Unavailable"
        there.process.send_signal(signal.SIGTERM)
        assert there.process.wait(10) == 0
    assert {path.name: path.read_bytes() for path in state.iterdir()} == files


@pytest.mark.parametrize("other", [{"seed": 4}, {"seed": 3}], ids=["another world", "in use"])
async def test_a_state_directory_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, other: dict[str, Any]
) -> None:
    state = tmp_path / "sandbox"
    with parts.child(state=state, seed=3), parts.child(state=state, **other) as second:
        assert second.first_line == b""
        assert second.process.wait(10) == 1
        assert second.process.stderr is not None
        said = second.process.stderr.read().decode()
        assert said.count("\n") == 1
        assert ("another world" if other["seed"] == 4 else "in use") in said


async def test_a_port_in_use_is_one_sentence() -> None:
    with parts.child(seed=3) as first, parts.child(port=first.announced["port"]) as second:
        assert second.first_line == b""
        assert second.process.wait(10) == 1
        assert second.process.stderr is not None
        said = second.process.stderr.read().decode()
        assert "choose another port" in said
        assert said.count("\n") == 1


async def test_a_page_of_another_origin_may_not_move_the_market(
    http: aiohttp.ClientSession,
) -> None:
    with parts.child(seed=3) as there:
        for path in ("/sandbox/control", "/sandbox/truth"):
            async with http.get(
                there.url + path, headers={"Origin": "http://evil.example"}
            ) as response:
                assert response.status == 403
