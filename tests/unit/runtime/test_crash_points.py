"""Crash points are named, counted, laid around the parts of one daemon, and for sim alone."""

from types import SimpleNamespace

import msgspec
import pytest
from store_parts import ROOM, order
from store_story import batches

from simple_trader.adapters.kraken.ws_manager import KrakenVenue
from simple_trader.adapters.store.lane_connection import AsyncpgLedgerConnection
from simple_trader.adapters.store.ledger_lane import LedgerLane
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.domain.errors import ModeError
from simple_trader.domain.records import IntentRow
from simple_trader.runtime.crash_points import POINTS, CrashPoints, instrument


class Died(BaseException):
    """What stands for SIGKILL here."""


def die() -> None:
    raise Died


def parts(points: CrashPoints) -> tuple[SimpleNamespace, list[str]]:
    """A lane, a connection, a venue and a store that only say what they were asked."""
    said: list[str] = []

    def note(name: str) -> object:
        async def called(*_: object, **__: object) -> None:
            said.append(name)

        return called

    made = SimpleNamespace(
        lane=SimpleNamespace(put=lambda batch: said.append("put")),
        connection=SimpleNamespace(write=note("write"), _fill_transaction=note("fill")),
        venue=SimpleNamespace(
            **{name: note(name) for name in ("place", "cancel", "cancel_all", "look", "reconcile")}
        ),
        store=SimpleNamespace(snapshot=note("snapshot"), mirror=note("mirror")),
    )
    instrument(
        points, lane=made.lane, connection=made.connection, venue=made.venue, store=made.store
    )
    return made, said


INTENT = batches([(IntentRow(order=order(1), epoch=1, cap_asset=ROOM, cap_total=ROOM),)])


async def test_p01_it_dies_at_its_point_at_the_count_that_was_asked_for() -> None:
    made, said = parts(CrashPoints.parse("before_send:2", die))
    await made.venue.place()
    with pytest.raises(Died):
        await made.venue.place()
    assert said == ["place"]


async def test_p01_a_point_lies_where_its_name_says() -> None:
    made, said = parts(CrashPoints.parse("before_commit", die))
    with pytest.raises(Died):
        made.lane.put(INTENT[0])
    assert said == []
    made, said = parts(CrashPoints.parse("in_commit", die))
    with pytest.raises(Died):
        await made.connection._fill_transaction(None, 1, None, INTENT)
    assert said == ["fill"]
    made, said = parts(CrashPoints.parse("after_commit_before_send", die))
    with pytest.raises(Died):
        await made.connection.write(1, None, INTENT)
    assert said == ["write"]


def test_p01_the_points_lie_around_methods_that_the_real_parts_have() -> None:
    real = {
        "lane": object.__new__(LedgerLane),
        "connection": object.__new__(AsyncpgLedgerConnection),
        "venue": object.__new__(KrakenVenue),
        "store": object.__new__(Recovery),
    }
    instrument(CrashPoints.parse("before_commit", die), **real)
    assert {name: sorted(vars(part)) for name, part in real.items()} == {
        "lane": ["put"],
        "connection": ["_fill_transaction", "write"],
        "venue": ["cancel", "cancel_all", "look", "place", "reconcile"],
        "store": ["mirror", "snapshot"],
    }


async def test_p01_a_part_without_a_wrapped_method_is_refused() -> None:
    made, _ = parts(CrashPoints.parse("in_commit", die))
    del made.connection._fill_transaction
    with pytest.raises(AttributeError, match="_fill_transaction"):
        instrument(CrashPoints.parse("in_commit", die), **vars(made))


async def test_batches_without_orders_pass_the_points_of_orders() -> None:
    points = CrashPoints.parse("before_commit", die)
    made, said = parts(points)
    made.lane.put(replace_records(INTENT[0]))
    assert said == ["put"]
    assert points.reached == {}


def replace_records(batch: object) -> object:
    return msgspec.structs.replace(batch, records=())


@pytest.mark.parametrize("text", ["", "nowhere", "before_send:0", "before_send:x"])
def test_a_point_that_is_none_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(ModeError, match="before_commit") as refused:
        CrashPoints.parse(text, die)
    assert all(point in str(refused.value) for point in POINTS)
