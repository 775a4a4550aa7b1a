"""States are kept at each start, before each midnight, at each version and after many events."""

from datetime import datetime, timedelta

import pytest
from brain_desk import T0, settings, started

from simple_trader.domain import events as e
from simple_trader.domain.errors import StoreError
from simple_trader.runtime import snapshots
from simple_trader.runtime.snapshots import SnapshotKeeper

TICK = e.FeedUp(feed="public")
CHANGED = e.SettingsChanged(settings=settings(), config_hash="d", before="", after="", source="")


class Brain:
    """A brain whose state is a number."""

    state = 0

    def snapshot(self) -> bytes:
        """The state."""
        return b"%d" % self.state


class Shelf:
    """A store that can be down."""

    def __init__(self) -> None:
        self.kept: list[tuple[int, str, bytes]] = []
        self.is_down = False

    async def snapshot(self, seq: int, at: datetime, state: bytes, why: str) -> None:
        """Keep one."""
        if self.is_down:
            raise StoreError("down")
        self.kept.append((seq, why, state))


async def kept_after(*steps: tuple[float, e.Event]) -> list[tuple[int, str, bytes]]:
    """What is kept of these events, each so many hours after the first."""
    brain, shelf = Brain(), Shelf()
    keeper = SnapshotKeeper(brain, shelf)
    at = T0
    for seq, (hours, event) in enumerate(steps, 1):
        now = T0 + timedelta(hours=hours)
        if seq > 1:
            keeper.before(seq - 1, at, now)
        at, brain.state = now, seq
        keeper.after(seq, at, event)
    await keeper.write(len(steps))
    return shelf.kept


async def test_a_start_and_a_version_are_kept_after_their_event() -> None:
    kept = await kept_after((0, started()), (1, TICK), (2, CHANGED))
    assert kept == [(1, "start", b"1"), (3, "config", b"3")]


async def test_a_day_begins_with_the_state_before_its_first_event() -> None:
    kept = await kept_after((0, started()), (13, TICK), (14, CHANGED))
    assert kept == [(1, "start", b"1"), (2, "midnight", b"2"), (3, "config", b"3")]


async def test_after_many_events_a_state_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "EVENTS_BETWEEN", 3)
    kept = await kept_after((0, started()), *[(1, TICK)] * 7)
    assert [(seq, why) for seq, why, _ in kept] == [(1, "start"), (4, "many"), (7, "many")]


async def test_only_what_is_committed_is_written_and_a_failure_costs_only_the_state() -> None:
    shelf = Shelf()
    keeper = SnapshotKeeper(Brain(), shelf)
    keeper.after(1, T0, started())
    keeper.after(2, T0, CHANGED)
    assert keeper.due(1)
    shelf.is_down = True
    await keeper.write(1)
    shelf.is_down = False
    assert not keeper.due(1)
    await keeper.write(2)
    assert shelf.kept == [(2, "config", b"0")]
