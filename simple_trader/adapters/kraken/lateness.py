"""How late a connection is: stamps of the exchange against its clock, as we know it (section 1).

Kraken queues for a slow reader instead of shedding, so a backlog becomes late, not wrong: 26 s were
seen. The offset of the exchange's clock comes from `time_in` and `time_out` of its replies, as in
NTP: half of what the way there and the way back differ, of the quickest of the last replies.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

_SAMPLES = 8
_SURE = 2
_SLOW_REPLY_S = 2.0  # a reply that took longer says nothing about the clock
_OPEN_MAX = 256
_FORGET_S = 10.0
_STAMP_S = 0.05  # what a stamp may be off for another reason than the clock
_SKEW_STEP_S = 0.5  # a change of the offset below this is no news
_SKEW_LIMITS_S = (1.0, 5.0)  # told, and too much (X34)


class Judged(NamedTuple):
    """`late` or `clock_skew` began or is over: words for people, and seconds."""

    kind: str
    detail: str
    seconds: float
    over: bool


class Skew:
    """The offset of the exchange's clock as last told; it outlives the connections."""

    def __init__(self) -> None:
        """Before the first word both clocks are taken as one."""
        self.told_s = 0.0


class Lateness:
    """Clock offset and lateness of one connection; without a `clock` nothing is measured."""

    def __init__(self, clock: Callable[[], datetime] | None, *, stepped: bool = False) -> None:
        """`clock` is the time that stamps are compared with.

        A `stepped` one stands still between its steps: then only a reply that fell between two of
        them says something, and nothing is ever late.
        """
        self._stepped = stepped
        self._clock = clock
        self._asked: dict[int, datetime] = {}
        self._samples: deque[tuple[float, float]] = deque(maxlen=_SAMPLES)
        self._second = -1
        self._least: tuple[float | None, float | None] = (None, None)  # this second, the one before
        self._seen_at = 0.0
        self._is_late = self._is_skewed = False

    def asked(self, req_id: int) -> None:
        """A request with this id is being sent."""
        if self._clock is None:
            return
        self._asked[req_id] = self._clock()
        if len(self._asked) > _OPEN_MAX:
            del self._asked[next(iter(self._asked))]

    def answered(self, req_id: int, time_in: datetime, time_out: datetime) -> None:
        """Its reply came, with the exchange's moments of reading and of answering."""
        sent = self._asked.pop(req_id, None)
        if sent is None or self._clock is None:
            return
        back = self._clock()
        on_the_way = (back - sent).total_seconds() - (time_out - time_in).total_seconds()
        if not 0 <= on_the_way <= (0 if self._stepped else _SLOW_REPLY_S):
            return
        offset = ((time_in - sent).total_seconds() + (time_out - back).total_seconds()) / 2
        sample = (on_the_way, offset)
        if self._samples and _apart(min(self._samples), sample):
            self._samples.clear()  # a clock was set: what was measured before says nothing now
        self._samples.append(sample)

    @property
    def clock_offset_s(self) -> float | None:
        """The exchange's clock minus ours; None before a usable reply."""
        return min(self._samples)[1] if self._samples else None

    def skew_news(self, skew: Skew) -> float | None:
        """The offset, where it is known by two replies and is not what was last told."""
        offset = self.clock_offset_s
        if offset is None or len(self._samples) < _SURE:
            return None
        if abs(offset) < _SKEW_STEP_S:
            offset = 0.0  # two ways that differ show as much: no deadline may follow that (I-10)
        passed = any(
            (abs(offset) > limit) != (abs(skew.told_s) > limit) for limit in _SKEW_LIMITS_S
        )
        if not passed and abs(offset - skew.told_s) <= _SKEW_STEP_S:
            return None
        skew.told_s = offset
        return offset

    def stamped(self, at: datetime, now: float) -> None:
        """A frame stamped `at` by the exchange was read at `now` (monotonic seconds)."""
        if self._clock is None or self._stepped:
            return
        late = (self._clock() - at).total_seconds() + (self.clock_offset_s or 0.0)
        second = int(now)
        this, before = self._least
        if second != self._second:
            before = this if second == self._second + 1 else None
            this = None
            self._second = second
        self._least = (late if this is None else min(this, late), before)
        self._seen_at = now

    def late_s(self, now: float) -> float | None:
        """How late the least late frame of the last two seconds was; None where nothing came."""
        this, before = self._least
        if this is None or now - self._seen_at > _FORGET_S:
            return None
        return this if before is None else min(this, before)

    def judge(self, now: float, *, late_s: float, skew_s: float) -> list[Judged]:
        """What began or is over since the last look; half the limit must be reached to be over."""
        said: list[Judged] = []
        late, skew = self.late_s(now), self.clock_offset_s
        if late is not None and self._is_late != (late > _edge(late_s, passed=self._is_late)):
            self._is_late = not self._is_late
            said.append(Judged("late", f"data is {late:.1f} s late", late, not self._is_late))
        if skew is not None and self._is_skewed != (
            abs(skew) > _edge(skew_s, passed=self._is_skewed)
        ):
            self._is_skewed = not self._is_skewed
            detail = f"the exchange's clock is {skew:+.1f} s from ours"
            said.append(Judged("clock_skew", detail, skew, not self._is_skewed))
        return said


def _apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether both cannot be right: an offset is sure to half of the time on the way."""
    return abs(one[1] - other[1]) > (one[0] + other[0]) / 2 + _STAMP_S


def _edge(limit_s: float, *, passed: bool) -> float:
    return limit_s / 2 if passed else limit_s
