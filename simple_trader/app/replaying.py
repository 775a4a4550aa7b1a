"""Replay: recorded events through the engine again, and all it makes compared with what is stored.

No model is called and nothing is written: answers, fills and settings are events of the journal.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import msgspec

from simple_trader.adapters.store.journal_reader import JournalPart
from simple_trader.adapters.store.replay_source import (
    JournalEnds,
    ReplaySource,
    StateAt,
    replay_source,
)
from simple_trader.adapters.store.replayed_rows import Counted
from simple_trader.adapters.store.row_values import Difference, difference
from simple_trader.app.program import program_name
from simple_trader.app.replay_prompts import PromptCheck
from simple_trader.app.replay_states import differing_states
from simple_trader.core.engine import Engine
from simple_trader.domain.actions import Remember
from simple_trader.domain.errors import InvariantBroken, ReplayImpossible
from simple_trader.domain.events import Stamped, Started
from simple_trader.domain.records import BookMetricsRow, DecisionRow, LedgerRecord, PriceRow

_ROWS_AT_ONCE = 4_000
_KEPT_DIFFERENCES = 1_000
_TICK = timedelta(microseconds=1)  # Postgres and our clocks know nothing shorter
_DECODER = msgspec.json.Decoder(Stamped)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be replayed: one decision, cycle, call or order; one UTC day; or all (neither)."""

    name: str = ""
    day: date | None = None
    world: str = ""  # of a world that was moved aside; empty: the one in use


class Report(msgspec.Struct, kw_only=True):
    """What a replay did and found; `seconds` is real time."""

    events: int = 0
    led_up: int = 0  # events before the stretch, from the kept state on
    lives: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    counted: Counted = msgspec.field(default_factory=Counted)
    prompts: int = 0
    states: int = 0
    decided: list[DecisionRow] = []  # of one decision, cycle, call or order, as replayed
    found: list[Difference] = []
    differences: int = 0
    notes: list[str] = []
    damage: str = ""  # why the journal could not be read to the end of the stretch
    seconds: float = 0.0

    def differ(self, found: list[Difference]) -> None:
        """Count differences; the first thousand are kept."""
        self.differences += len(found)
        self.found += found[: max(0, _KEPT_DIFFERENCES - len(self.found))]


class _Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """Market times [since, until] to compare, and the kept state the engine goes on from."""

    since: datetime
    until: datetime
    base: StateAt | None
    cycles: frozenset[str] = frozenset()  # that were asked for by name
    is_whole: bool  # from the first event that is there to the journal's end


async def replay(dsn: str, wanted: Wanted) -> Report:
    """Run what is `wanted` again and compare it.

    Raises ReplayImpossible with one sentence where it cannot be begun, InvariantBroken where the
    journal or a kept state is damaged.
    """
    began = asyncio.get_running_loop().time()
    async with replay_source(dsn, wanted.world) as source:
        if not await source.has_journal():
            others = ", ".join(await source.worlds_aside()) or "none was moved aside"
            raise ReplayImpossible(
                f"there is no world {wanted.world or 'in use'} in this database ({others})."
            )
        ends = await source.ends()
        if ends is None:
            raise ReplayImpossible("the journal is empty: no daemon has run on this database yet.")
        stretch = await _stretch(source, ends, wanted)
        run = _Run(source, ends, stretch)
        await run.all()
        report = run.report
        aside = await source.worlds_aside()
        if aside and not wanted.world and not (wanted.name or wanted.day):
            report.notes.append(
                f"Worlds that were moved aside are not part of this: {', '.join(aside)} (--world)."
            )
    report.seconds = asyncio.get_running_loop().time() - began
    return report


async def _stretch(source: ReplaySource, ends: JournalEnds, wanted: Wanted) -> _Stretch:
    """Which market times are compared, and from which kept state."""
    if wanted.name:
        moments = await source.moments_of(wanted.name)
        if moments is None:
            raise ReplayImpossible(
                f"there is no decision, cycle, call or order {wanted.name}: `simple-trader "
                "decisions` lists them."
            )
        since, until = moments.since, moments.until
        what = wanted.name
        cycles = moments.cycles
    elif wanted.day is not None:
        since = datetime(wanted.day.year, wanted.day.month, wanted.day.day, tzinfo=UTC)
        until = since + timedelta(days=1) - _TICK
        what = f"{wanted.day}"
        cycles = frozenset()
    else:
        # Where retention has dropped what was before, the state it ended with may be kept.
        left = await source.states(ends.first_seq - 1, ends.first_seq - 1)
        base = left[-1] if left else None
        return _Stretch(since=ends.first_at, until=ends.last_at, base=base, is_whole=True)
    if until < ends.first_at and ends.first_seq > 1:
        raise ReplayImpossible(
            f"the events of {what} were dropped by retention: the journal begins at "
            f"{ends.first_at:%Y-%m-%d %H:%M:%SZ}."
        )
    if await source.events_at(since, until) is None:
        raise ReplayImpossible(f"nothing was recorded at {what}: the journal has no event there.")
    # A state at a market time before the stretch holds none of its events.
    kept = await source.states(ends.first_seq - 1, ends.last_seq)
    base = max((one for one in kept if one.at < since), key=lambda one: one.seq, default=None)
    is_whole = until >= ends.last_at
    return _Stretch(since=since, until=until, base=base, cycles=cycles, is_whole=is_whole)


class _Run:
    """One pass over the events of a stretch."""

    def __init__(self, source: ReplaySource, ends: JournalEnds, stretch: _Stretch) -> None:
        self._source, self._ends, self._stretch = source, ends, stretch
        self._engine: Engine | None = None
        self._kept: dict[int, list[StateAt]] = {}
        self._prompts = PromptCheck(source)
        self._rows = source.rows(
            since=stretch.since - _TICK,
            from_beginning=stretch.base is None and ends.first_seq == 1,
        )
        self._at: datetime | None = None  # of the event before
        self._programs: dict[str, None] = {}
        self._skipped = 0
        self.report = Report()

    async def all(self) -> None:
        """Replay the stretch."""
        base = self._stretch.base
        after = self._ends.first_seq - 1 if base is None else base.seq
        for kept in await self._source.states(after, self._ends.last_seq):
            self._kept.setdefault(kept.seq, []).append(kept)
        try:
            if base is not None:
                await self._take_up(base)
            async for stamped in self._events(after):
                if stamped.at > self._stretch.until:
                    break
                await self._one(stamped)
        except InvariantBroken as error:
            self.report.damage = str(error)
        await self._finish()

    async def _events(self, after: int) -> AsyncIterator[Stamped]:
        """The events after number `after`, decoded and held to their segment."""
        async for part in self._source.parts(after, self._ends.last_seq):
            for number, event in enumerate(part.events, part.first_seq):
                if number > after:
                    yield _decoded(part, number, event)

    async def _one(self, stamped: Stamped) -> None:
        """One event: through the engine, its records into the comparison, its states compared."""
        report = self.report
        if self._at is not None and stamped.at > self._at and self._rows.size >= _ROWS_AT_ONCE:
            report.differ(await self._rows.settle(self._at))
        self._at = stamped.at
        is_compared = stamped.at >= self._stretch.since
        if self._engine is None and not await self._begin(stamped):
            return
        assert self._engine is not None
        if is_compared:
            report.events += 1
            report.first_at = report.first_at or stamped.at
            report.last_at = stamped.at
            report.differ(await self._prompts.answer(stamped.event))
        else:
            report.led_up += 1
        if isinstance(stamped.event, Started):
            report.lives += 1
            self._programs[stamped.event.program] = None
        for action in self._engine.process(stamped):
            if not isinstance(action, Remember):
                self._prompts.ask(action)
            elif is_compared and not isinstance(action.record, PriceRow | BookMetricsRow):
                self._take(action.record, stamped.at)
        for kept in self._kept.pop(stamped.seq, ()):
            await self._compare_state(kept)

    def _take(self, record: LedgerRecord, at: datetime) -> None:
        self._rows.take(record, at)
        if isinstance(record, DecisionRow) and record.cycle_id in self._stretch.cycles:
            self.report.decided.append(record)

    async def _begin(self, stamped: Stamped) -> bool:
        """Without a state yet: a start brings its own, and so does a kept one."""
        if isinstance(stamped.event, Started):
            self._engine = Engine()
        else:
            self._skipped += 1
            for kept in self._kept.pop(stamped.seq, ())[:1]:
                await self._take_up(kept)
                self._rows = self._source.rows(since=stamped.at, from_beginning=False)
            return False
        if self._skipped:
            self._rows = self._source.rows(since=stamped.at - _TICK, from_beginning=False)
        return True

    async def _take_up(self, kept: StateAt) -> None:
        state = await self._source.state(kept)
        try:
            self._engine = Engine.restore(state)
        except InvariantBroken as error:
            raise ReplayImpossible(
                f"the state kept at event {kept.seq} ({kept.at:%Y-%m-%d %H:%M:%SZ}) was written by "
                f"another version of the program: {error}."
            ) from error

    async def _compare_state(self, kept: StateAt) -> None:
        """A kept state must be, byte for byte, the state that the replay has reached."""
        assert self._engine is not None
        self.report.states += 1
        where = f"state kept at event {kept.seq} ({kept.why})"
        if kept.at != self._at:
            self.report.differ([difference(where, "at", kept.at, self._at)])
        replayed = self._engine.snapshot()
        try:
            recorded = await self._source.state(kept)
        except InvariantBroken as error:
            self.report.differ([difference(where, "bytes", str(error), "a state")])
            return
        if recorded != replayed:
            self.report.differ(differing_states(where, recorded, replayed))

    async def _finish(self) -> None:
        report, stretch = self.report, self._stretch
        if self._at is not None and self._engine is not None:
            report.differ(await self._rows.settle(max(self._at, stretch.since)))
            is_whole = stretch.is_whole and not report.damage
            report.differ(await self._rows.end(is_whole=is_whole))
        report.counted = self._rows.counted
        report.prompts = self._prompts.compared
        if self._ends.first_seq > 1 and (self._skipped or stretch.since <= self._ends.first_at):
            report.notes.append(
                f"Retention has dropped the journal before event {self._ends.first_seq}: "
                f"{self._skipped} events before the first whole state were not replayed."
            )
        if self._prompts.unasked:
            report.notes.append(
                f"{self._prompts.unasked} answers belong to questions from before this stretch: "
                "their prompts were not rendered again."
            )
        if self._prompts.textless:
            report.notes.append(
                f"{self._prompts.textless} questions were asked under a version of the "
                "configuration that kept no templates: their prompts were not rendered again."
            )
        others = [name for name in self._programs if name != program_name()]
        if others and report.differences:
            report.notes.append(
                f"Recorded by {', '.join(others) or 'an unknown version'}, replayed by "
                f"{program_name()}: a difference may come from the change of the program."
            )
        changed = sum(report.counted.changed_after.values())
        if changed:
            report.notes.append(
                f"{changed} rows were changed by events after this stretch: only what is written "
                "once was compared of them."
            )


def _decoded(part: JournalPart, number: int, event: bytes) -> Stamped:
    """One event of a segment; raises InvariantBroken when it is none or stands elsewhere."""
    try:
        stamped = _DECODER.decode(event)
    except msgspec.MsgspecError as error:
        raise ReplayImpossible(
            f"event {number} was written by another version of the program: {error}."
        ) from error
    if stamped.seq != number or not part.at <= stamped.at <= part.at_to:
        raise InvariantBroken(
            f"event {number} of engine_journal says it is event {stamped.seq} at {stamped.at}."
        )
    return stamped
