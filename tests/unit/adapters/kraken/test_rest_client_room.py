"""REST requests that wait for room: nonces in order, never above the limit, cancels first (X18)."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from kraken_parts import ScriptedHttp, SetClock
from rest_parts import client_on

from simple_trader.adapters.kraken import rest_client
from simple_trader.adapters.kraken.errors import KrakenRefused
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.ports import HttpReply

pytestmark = pytest.mark.usefixtures("quick")


class Counted:
    """A clock whose seconds pass when someone sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = SetClock()
        self.real = asyncio.sleep
        self.slept: list[float] = []
        monkeypatch.setattr(rest_client.asyncio, "sleep", self.sleep)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.clock.seconds + seconds
        await self.real(0)
        self.clock.seconds = max(self.clock.seconds, until)

    def client(self, http: ScriptedHttp, tier: str = "intermediate") -> RestClient:
        return client_on(http, clock=self.clock, tier=tier)


class SlowHttp(ScriptedHttp):
    """Answers after others had a turn, and remembers how full the counter was at each send."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []
        self.look: Callable[[], float] = lambda: 0.0

    async def request(self, *args: Any, **kwargs: Any) -> HttpReply:
        self.seen.append(self.look())
        reply = await super().request(*args, **kwargs)
        for _ in range(5):
            await one_turn()
        return reply


async def one_turn() -> None:
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, None)
    await future


async def test_calls_that_wait_for_room_arrive_in_nonce_order_and_never_above_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    time, http = Counted(monkeypatch), SlowHttp()
    made = time.client(http)
    http.look = lambda: made.monitor.value
    http.will("Balance", {})
    http.will("Ledgers", {})
    made.monitor.exhausted()
    names = ["Balance", "Ledgers"] * 10
    await asyncio.gather(*(made.private(name) for name in names))
    nonces = [int(parse_qs(body)["nonce"][0]) for _, body, _ in http.asked]
    assert len(nonces) == len(names)
    assert nonces == sorted(set(nonces))
    assert max(http.seen) <= 20 - 5 + 1e-6


async def test_x18_a_cancel_and_a_look_up_get_through_when_the_rest_is_used_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    time, http = Counted(monkeypatch), ScriptedHttp()
    made = time.client(http)
    for name in ("CancelAll", "OpenOrders", "Balance"):
        http.will(name, {})
    made.monitor.charge(16)
    await made.private("CancelAll", read=False)
    await made.private("OpenOrders")
    assert time.slept == []
    await made.private("Balance")
    assert time.slept


async def test_x18_the_exchanges_own_word_drains_the_counter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for trouble in ("EAPI:Rate limit exceeded", HttpReply(429, b"<html>slow down</html>")):
        time, http = Counted(monkeypatch), ScriptedHttp()
        http.will("Balance", trouble, {})
        await time.client(http).private("Balance")
        assert sum(time.slept) >= (5 + 1) / 0.5


async def test_a_throttle_is_waited_out_by_everyone(monkeypatch: pytest.MonkeyPatch) -> None:
    time, http = Counted(monkeypatch), ScriptedHttp()
    until = int(time.clock.wall().timestamp()) + 7
    http.will("Balance", f"EService: Throttled: {until}", {})
    http.will("Time", {"unixtime": 1})
    http.will("CancelAll", {})
    made = time.client(http)
    http.will("CancelOrder", f"EService: Throttled: {until}")
    with pytest.raises(KrakenRefused):
        await made.private("CancelOrder", read=False)
    await made.public("Time")
    assert time.clock.wall().timestamp() >= until
    await made.private("Balance")
    assert len(http.asked) == 4


async def test_a_throttle_of_another_century_is_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    time, http = Counted(monkeypatch), ScriptedHttp()
    http.will("Balance", "EService: Throttled: 9999999999", {})
    await time.client(http).private("Balance")
    assert 100 < time.clock.seconds < 130


class SlowReads:
    """Reads hang until they are given up; the rest is answered at once."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def request(self, method: str, url: str, **_: Any) -> HttpReply:
        endpoint = url.rsplit("/", 1)[1]
        self.asked.append(endpoint)
        if endpoint == "CancelAll":
            return HttpReply(200, b'{"error":[],"result":{"count":1}}')
        await asyncio.Event().wait()
        raise AssertionError


async def test_x18_i_28_a_cancel_waits_for_no_slow_read_and_has_the_higher_nonce() -> None:
    http = SlowReads()
    made = client_on(http)
    reads = [asyncio.ensure_future(made.private("TradesHistory")) for _ in range(3)]
    await asyncio.sleep(0)
    async with asyncio.timeout(2):
        assert await made.private("CancelAll", read=False)
    assert http.asked[:2] == ["TradesHistory", "CancelAll"]
    for read in reads:
        read.cancel()
    await asyncio.gather(*reads, return_exceptions=True)
