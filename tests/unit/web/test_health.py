"""GET /health over a real socket."""

import asyncio
import json
import resource
import socket
from typing import Any

import aiohttp
import pytest

from simple_trader.domain.errors import ConfigError
from simple_trader.web import health as health_module
from simple_trader.web.health import Health, HealthServer, room_for_people, status_of


def health(status: str) -> Health:
    return Health(
        status=status, mode="sim", world="w", trading_state="RUN", reasons=(), ready=True, seq=5,
        lane_age_s=0.0, market_dropped=0, log_lines_lost=0, speed=60.0,
        market_at="2026-03-02T10:00:00Z", uptime_s=1.0, version="0",
    )  # fmt: skip


async def get(url: str) -> tuple[int, str, Any]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        text = await answer.text()
        is_json = answer.content_type == "application/json"
        return answer.status, answer.content_type, json.loads(text) if is_json else text


@pytest.mark.parametrize(("status", "code"), [("ok", 200), ("degraded", 503), ("halted", 503)])
async def test_the_code_says_whether_all_is_well(status: str, code: int) -> None:
    async with HealthServer(lambda: health(status), port=0) as server:
        answer, kind, body = await get(server.url)
    assert answer == code
    assert kind == "application/json"
    assert body["status"] == status
    assert body["seq"] == 5


async def test_nothing_else_is_served() -> None:
    async with HealthServer(lambda: health("ok"), port=0) as server:
        for path in ("/", "/healthz", "/health/../etc", "/metrics"):
            assert (await get(f"http://127.0.0.1:{server.port}{path}"))[0] == 404


async def test_a_busy_port_is_one_sentence_that_names_the_fix() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError) as refused:
            await HealthServer(lambda: health("ok"), port=port).start()
    assert str(port) in str(refused.value)
    assert "health.port" in str(refused.value)


async def test_it_listens_on_loopback_only() -> None:
    async with HealthServer(lambda: health("ok"), port=0) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert server._listener is not None
        assert [each.getsockname()[0] for each in server._listener.sockets] == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("state", "ready", "alive", "status"),
    [
        ("RUN", True, True, "ok"),
        ("RUN", False, True, "degraded"),
        ("RUN", True, False, "degraded"),
        ("REDUCE", True, True, "degraded"),
        ("HALT", True, True, "halted"),
        ("HALT", False, False, "halted"),
    ],
)
def test_the_status_follows_state_readiness_and_lane(
    state: str, ready: bool, alive: bool, status: str
) -> None:
    assert status_of(trading_state=state, ready=ready, lane_alive=alive) == status


async def test_p08_more_connections_than_there_is_room_for_are_refused_and_told_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_module, "room_for_people", lambda: 3)
    server = HealthServer(lambda: health("ok"), port=0)
    async with server:
        lines = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(3)]
        await _answered(*lines[0])  # the three are open, on both sides
        for _ in range(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
        await _answered(*lines[1])
        for _, writer in lines:
            writer.close()
        for _ in range(100):
            if not server.open_connections:
                break
            await asyncio.sleep(0.01)
        again = await asyncio.open_connection("127.0.0.1", server.port)
        await _answered(*again)
        again[1].close()
    assert len([r for r in caplog.records if "refuses connections" in r.message]) == 1


def test_p08_files_are_kept_for_trading(monkeypatch: pytest.MonkeyPatch) -> None:
    def limited(files: int) -> int:
        monkeypatch.setattr(resource, "getrlimit", lambda which: (files, files))
        return room_for_people()

    assert [limited(files) for files in (20, 52, 64, 1024)] == [2, 4, 16, 64]
    assert limited(resource.RLIM_INFINITY) == 64


async def _answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    line = await asyncio.wait_for(reader.readline(), 5)
    assert line.startswith(b"HTTP/1.1 "), line
