"""When a fault acts: windows of time, messages that match, counts and chances."""

from collections import deque
from typing import NamedTuple

import msgspec

from simple_trader.sandbox.faults.catalogue import KINDS, Kind
from simple_trader.sandbox.faults.spec import Spec
from simple_trader.simulator.dice import stream_key

KEPT_FIRINGS = 10_000
_MILLION = 1_000_000


class Now(NamedTuple):
    """Both clocks: market time in microseconds, real time in seconds of some steady clock."""

    market_us: int
    real_s: float


class Seen(NamedTuple):
    """What passes a point; `on` is public, private or rest, `method` Kraken's v2 word for it."""

    on: str
    connection: int = 0
    channel: str = ""
    method: str = ""
    pair: str = ""
    exec_type: str = ""
    type: str = ""


class Fired(msgspec.Struct, frozen=True):
    """One time that a fault acted; both moments as the wire prints them."""

    number: int
    id: str
    name: str
    market: str
    real: str
    on: str
    connection: str
    what: str


class Armed:
    """A fault that is set: its spec, what it has seen and done."""

    def __init__(self, number: int, spec: Spec, since: Now, seed: int) -> None:
        self.number = number
        self.spec = spec
        self.kind: Kind = KINDS[spec.kind]
        self.since = since
        self.seen = 0
        self.fired = 0
        self.stopped = False
        self.last_us: int | None = None
        self.memory: dict[str, int] = {}
        self._seed = stream_key(seed, "fault", number)
        self._drawn = 0

    @property
    def watches(self) -> bool:
        """Whether a fault of sockets waits for certain frames, instead of acting at once."""
        spec = self.spec
        return bool(spec.after or spec.channel or spec.method or spec.pair or spec.exec_type)

    def draw(self) -> float:
        """Draw a number from 0 to 1 (exclusive), by the seed."""
        self._drawn += 1
        return (stream_key(self._seed, self._drawn) % _MILLION) / _MILLION

    def begun(self, now: Now) -> bool:
        """Say whether its time has come."""
        market_s = (now.market_us - self.since.market_us) / _MILLION
        return market_s >= self.spec.at_s and now.real_s - self.since.real_s >= self.spec.real_at_s

    def over(self, now: Now) -> bool:
        """Say whether it will never act again: stopped, used up, or its time is past."""
        spec = self.spec
        if self.stopped or (spec.count is not None and self.fired >= spec.count):
            return True
        market_s = (now.market_us - self.since.market_us) / _MILLION
        if spec.for_s is not None and market_s >= spec.at_s + spec.for_s:
            return True
        real_s = now.real_s - self.since.real_s
        return spec.real_for_s is not None and real_s >= spec.real_at_s + spec.real_for_s

    def on(self, now: Now) -> bool:
        """Say whether it is acting now."""
        return self.begun(now) and not self.over(now)

    def fits(self, seen: Seen) -> bool:
        """Say whether this is what the fault looks at."""
        spec = self.spec
        if spec.on not in ("any", seen.on) and (spec.on != "ws" or seen.on == "rest"):
            return False
        return (
            spec.channel in ("", seen.channel)
            and spec.method in ("", "any", seen.method)
            and spec.pair in ("", seen.pair)
            and spec.exec_type in ("", "any", seen.exec_type)
            and spec.type in ("", seen.type)
        )

    def due(self, seen: Seen, now: Now) -> bool:
        """Say whether it acts on this, and count; the caller then does it."""
        if not self.on(now) or not self.fits(seen):
            return False
        self.seen += 1
        if self.seen <= self.spec.after:
            return False
        if self.spec.chance < 1 and self.draw() >= self.spec.chance:
            return False
        self.fired += 1
        return True

    def due_by_itself(self, now: Now) -> bool:
        """Say whether a fault of time acts now: once each `every_s` of market time."""
        if not self.on(now):
            return False
        every = int(self.spec.every_s * _MILLION)
        if self.last_us is not None and now.market_us - self.last_us < every:
            return False
        self.last_us = now.market_us
        self.fired += 1
        return True


class Log:
    """The firings, the newest ten thousand, with a total."""

    def __init__(self) -> None:
        self.total = 0
        self.kept: deque[Fired] = deque(maxlen=KEPT_FIRINGS)

    def add(self, fired: Fired) -> None:
        """Keep one."""
        self.total += 1
        self.kept.append(fired)
