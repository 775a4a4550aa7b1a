"""N04: a silent private channel is given up with its connection; a new one shows everything."""

import asyncio

import pytest
from venue_desk import running

from simple_trader.adapters.kraken import connection
from simple_trader.domain.events import BalancesSeen, FeedDown, FeedUp


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_QUICK_S", 0.0)
    monkeypatch.setattr(connection, "_FLOOR_S", 0.0)


async def test_n04_a_recycled_stream_comes_back_with_its_snapshots() -> None:
    async with running() as desk:
        await desk.up()
        before = len([event for event in desk.events if isinstance(event, BalancesSeen)])
        desk.venue.recycle("the executions channel is silent")
        await desk.until(lambda: len(desk.wires["private"]) == 2)
        await desk.up()
        downs = [e for e in desk.events if isinstance(e, FeedDown) and e.feed == "private"]
        assert [down.detail for down in downs] == ["the executions channel is silent"]
        ups = [e for e in desk.events if isinstance(e, FeedUp) and e.feed == "private"]
        assert len(ups) == 2
        assert len([e for e in desk.events if isinstance(e, BalancesSeen)]) == before + 1


async def test_n04_recycling_a_stream_that_is_down_does_nothing() -> None:
    async with running() as desk:
        desk.venue.recycle("not there yet")
        await asyncio.sleep(0)
        await desk.up()
        assert not [e for e in desk.events if isinstance(e, FeedDown) and e.feed == "private"]
