"""Turnover: value, number and flips of our orders in a minute, hour and day (PT3, PT6, I-22, L20).

Every approved order counts in full from its approval, whatever becomes of it, unless it never left.
"""

from bisect import insort
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from simple_trader.domain.memory import Turned
from simple_trader.domain.money import ZERO
from simple_trader.domain.orders import Order

_SECOND = timedelta(seconds=1)


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """Orders of the last minute, hour and day: values in the reporting currency, and counts."""

    minute: Decimal = ZERO
    hour: Decimal = ZERO
    day: Decimal = ZERO
    pair_minute: Decimal = ZERO
    pair_hour: Decimal = ZERO
    pair_day: Decimal = ZERO
    orders: int = 0  # of the last minute, on all pairs
    pair_orders: int = 0  # of the last minute
    pair_orders_second: int = 0


class Window(msgspec.Struct):
    """Orders of the last `span_s` seconds, oldest first, and their sums."""

    span_s: int
    kept: list[Turned] = []
    total: Decimal = ZERO
    by_pair: dict[str, Decimal] = {}

    def add(self, turned: Turned) -> None:
        """Count one more; one that is told of late (D12) has its place among the earlier ones."""
        insort(self.kept, turned, key=_at)
        self._count(turned, turned.value)

    def expire(self, at: datetime) -> None:
        """Leave out what is older than the span: exactly as old still counts."""
        since = at - timedelta(seconds=self.span_s)
        gone = 0
        for turned in self.kept:
            if turned.at >= since:
                break
            self._count(turned, -turned.value)
            gone += 1
        del self.kept[:gone]

    def forget(self, cl_ord_id: str) -> None:
        """Take one back."""
        for place in range(len(self.kept) - 1, -1, -1):
            if self.kept[place].cl_ord_id == cl_ord_id:
                turned = self.kept.pop(place)
                self._count(turned, -turned.value)
                return

    def _count(self, turned: Turned, value: Decimal) -> None:
        self.total += value
        left = self.by_pair.get(turned.pair, ZERO) + value
        if left == ZERO:
            self.by_pair.pop(turned.pair, None)
        else:
            self.by_pair[turned.pair] = left


def _at(turned: Turned) -> datetime:
    return turned.at


class Turnover(msgspec.Struct):
    """The three windows."""

    minute: Window = msgspec.field(default_factory=lambda: Window(60))
    hour: Window = msgspec.field(default_factory=lambda: Window(3_600))
    day: Window = msgspec.field(default_factory=lambda: Window(86_400))

    def begin(self, turned: tuple[Turned, ...]) -> None:
        """Count the orders of before a restart, oldest first."""
        for one in sorted(turned, key=lambda one: (one.at, one.cl_ord_id)):
            self.add(one)

    def count(self, order: Order) -> None:
        """Count an order of ours from its approval."""
        self.add(
            Turned(
                cl_ord_id=order.cl_ord_id,
                pair=order.request.pair,
                at=order.approved_at,
                value=order.notional,
                side=order.request.side.value,
                origin=order.origin.value,
            )
        )

    def add(self, turned: Turned) -> None:
        """Count an approved order, as a row tells of it."""
        for window in (self.minute, self.hour, self.day):
            window.add(turned)
            window.expire(turned.at)

    def forget(self, cl_ord_id: str) -> None:
        """An order that never left is none."""
        for window in (self.minute, self.hour, self.day):
            window.forget(cl_ord_id)

    def flips(self, pair: str, origin: str, at: datetime) -> tuple[int, str]:
        """How often orders of one origin changed sides on `pair` in the last day, and the last side
        among them ("": there was none).
        """
        self.day.expire(at)
        count, last = 0, ""
        for turned in self.day.kept:
            if turned.pair == pair and turned.origin == origin:
                count += last not in {"", turned.side}
                last = turned.side
        return count, last

    def flow(self, pair: str, at: datetime) -> Flow:
        """What counts at `at` for an order on `pair`."""
        for window in (self.minute, self.hour, self.day):
            window.expire(at)
        own = [turned for turned in self.minute.kept if turned.pair == pair]
        return Flow(
            minute=self.minute.total,
            hour=self.hour.total,
            day=self.day.total,
            pair_minute=self.minute.by_pair.get(pair, ZERO),
            pair_hour=self.hour.by_pair.get(pair, ZERO),
            pair_day=self.day.by_pair.get(pair, ZERO),
            orders=len(self.minute.kept),
            pair_orders=len(own),
            pair_orders_second=sum(1 for turned in own if turned.at > at - _SECOND),
        )
