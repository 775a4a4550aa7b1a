"""Crash points: named moments of the order path at which a test lets the process die.

Nothing of this is built in: `instrument` lays it around the parts of one daemon, and only where the
hidden option `--crash-at NAME:COUNT` asked for it (mode sim), or a simulation does.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import Any

from simple_trader.domain.errors import ModeError
from simple_trader.domain.events import OrderAcked
from simple_trader.domain.records import ExecutionRow, IntentRow, TradeRow
from simple_trader.ports import Batch

# In the order in which one order meets them; `_in_flight`: COMMIT is sent, its answer not read.
ORDER_POINTS = (
    "before_commit", "in_commit", "commit_in_flight", "after_commit_before_send", "before_send",
    "after_send_before_ack", "after_ack_before_execution",
)  # fmt: skip
EXECUTION_POINTS = (
    "before_execution_commit", "in_execution_commit", "execution_commit_in_flight",
    "after_execution_commit",
)  # fmt: skip
CANCEL_POINTS = ("before_cancel", "cancel_in_flight", "after_cancel")
RECOVERY_POINTS = (
    "in_recovery_epoch_taken", "in_recovery_before_mirror", "in_recovery_mirrored",
    "before_reconcile", "reconcile_in_flight", "after_reconcile",
)  # fmt: skip
LOOK_POINTS = ("before_look", "look_in_flight", "after_look")
OTHER_POINTS = ("before_snapshot", "after_snapshot")
POINTS = (
    *ORDER_POINTS, *EXECUTION_POINTS, *CANCEL_POINTS, *RECOVERY_POINTS, *LOOK_POINTS, *OTHER_POINTS,
)  # fmt: skip

Call = Callable[..., Any]


class CrashPoints:
    """Counts how often each point is reached and calls `kill` at the one that was asked for."""

    def __init__(self, name: str, count: int, kill: Callable[[], None]) -> None:
        """`kill` at the `count`th time that `name` is reached; it need not return."""
        self._name, self._count, self._kill = name, count, kill
        self.reached: dict[str, int] = {}

    @classmethod
    def parse(cls, text: str, kill: Callable[[], None]) -> "CrashPoints":
        """From `NAME` or `NAME:COUNT`; raises ModeError."""
        name, _, count = text.partition(":")
        if name not in POINTS or not (count or "1").isdecimal() or count == "0":
            raise ModeError(f"--crash-at {text}: no NAME:COUNT of " + ", ".join(POINTS) + ".")
        return cls(name, int(count or "1"), kill)

    def reach(self, name: str) -> None:
        """This point is reached now."""
        times = self.reached[name] = self.reached.get(name, 0) + 1
        if name == self._name and times == self._count:
            self._kill()

    def soon(self, name: str) -> None:
        """This point is reached when what runs now has let go: what it sends is then on its way."""
        asyncio.get_running_loop().call_soon(self.reach, name)

    def before_commit(self, batches: Sequence[Batch]) -> None:
        """All rows are written inside the transaction, COMMIT is what follows."""
        if _has_intent(batches):
            self.reach("in_commit")
            self.soon("commit_in_flight")
        if _has_execution(batches):
            self.reach("in_execution_commit")
            self.soon("execution_commit_in_flight")


def instrument(
    points: CrashPoints, *, lane: object, connection: object, venue: object, store: object
) -> None:
    """Lay `points` around the methods of these parts (they keep their types and everything else).

    `_fill_transaction` writes all rows of a transaction but does not COMMIT. A part without one of
    these methods is an AttributeError: a point that lies nowhere would prove nothing.
    """
    _replace(connection, "_fill_transaction", lambda fill: _fill(points, fill))
    _replace(lane, "put", lambda put: _put(points, put))
    _replace(connection, "write", lambda write: _write(points, write))
    _replace(venue, "place", lambda place: _place(points, place))
    _replace(venue, "cancel", lambda call: _around(points, call, "cancel"))
    _replace(venue, "cancel_all", lambda call: _around(points, call, "cancel"))
    _replace(venue, "look", lambda call: _around(points, call, "look"))
    _replace(venue, "reconcile", lambda call: _around(points, call, "reconcile"))
    _replace(store, "snapshot", lambda call: _around(points, call, "snapshot"))
    _replace(
        store,
        "mirror",
        lambda call: _between(points, call, "in_recovery_before_mirror", "in_recovery_mirrored"),
    )


def _replace(part: object, name: str, make: Callable[[Call], Call]) -> None:
    setattr(part, name, make(getattr(part, name)))


def _put(points: CrashPoints, put: Call) -> Call:
    @wraps(put)
    def reached(batch: Batch) -> None:
        if _has_intent([batch]):
            points.reach("before_commit")
        if _has_execution([batch]):
            points.reach("before_execution_commit")
        put(batch)

    return reached


def _write(points: CrashPoints, write: Call) -> Call:
    @wraps(write)
    async def reached(epoch: int, segment: object, batches: Sequence[Batch]) -> None:
        await write(epoch, segment, batches)
        if _has_intent(batches):
            points.reach("after_commit_before_send")
        if _has_execution(batches):
            points.reach("after_execution_commit")

    return reached


def _fill(points: CrashPoints, fill: Call) -> Call:
    @wraps(fill)
    async def reached(
        session: object, epoch: int, segment: object, batches: Sequence[Batch]
    ) -> object:
        answer = await fill(session, epoch, segment, batches)
        points.before_commit(batches)
        return answer

    return reached


def _place(points: CrashPoints, place: Call) -> Call:
    @wraps(place)
    async def reached(*given: object) -> object:
        points.reach("before_send")
        points.soon("after_send_before_ack")  # `place` sends before its first suspension
        answer = await place(*given)
        if isinstance(answer, OrderAcked):
            points.reach("after_ack_before_execution")
        return answer

    return reached


def _around(points: CrashPoints, call: Call, point: str) -> Call:
    @wraps(call)
    async def reached(*given: object) -> object:
        points.reach(f"before_{point}")
        if f"{point}_in_flight" in POINTS:
            points.soon(f"{point}_in_flight")
        answer = await call(*given)
        points.reach(f"after_{point}")
        return answer

    return reached


def _between(
    points: CrashPoints, call: Callable[..., Awaitable[object]], before: str, after: str
) -> Call:
    @wraps(call)
    async def reached(*given: object, **named: object) -> object:
        points.reach(before)
        answer = await call(*given, **named)
        points.reach(after)
        return answer

    return reached


def _has_intent(batches: Sequence[Batch]) -> bool:
    return any(isinstance(record, IntentRow) for batch in batches for record in batch.records)


def _has_execution(batches: Sequence[Batch]) -> bool:
    kinds = (ExecutionRow, TradeRow)
    return any(isinstance(record, kinds) for batch in batches for record in batch.records)
