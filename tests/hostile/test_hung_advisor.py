"""I-41 in virtual time: a model that hangs for a minute moves nothing else, to the microsecond."""

import asyncio
import json
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from checker import history
from checker.record import WireEntry
from dst.lives import Lives
from dst.plan import Planned, draw
from virtual_time import START, VirtualLoop, run_virtually

from simple_trader.domain.actions import AskAdvice
from simple_trader.domain.events import AdviceArrived, AdviceFailed

INTERVAL_S = 20
HANGS_FROM_S = 70.0
DEADLINE_S = 65  # of a question: more than the minute, and no multiple of the interval
HALT_AT_S = 131.3  # not in the moment of a timer
DROP = "X15 lasts_s=25 percent=-3"
DROPS = ((88.0, "BTC/USD"), (103.0, "ETH/USD"))
MINUTES = 4.0
pytestmark = pytest.mark.timeout(400)


class TimedAdvisor:
    """Says what the moment says, whatever was asked before; in its bad minute holds, or hangs."""

    def __init__(self, loop: VirtualLoop, *, hangs: bool) -> None:
        """Nothing was asked yet."""
        self._loop, self._hangs = loop, hangs
        self.hung = 0
        self.bad_until = 0.0

    async def ask(self, request: AskAdvice) -> AdviceArrived | AdviceFailed:
        """See ports.Advisor."""
        now = self._loop.time()
        if not self.bad_until and now >= HANGS_FROM_S:
            self.bad_until = now + DEADLINE_S
        bad = HANGS_FROM_S <= now < self.bad_until
        if bad and self._hangs:
            self.hung += 1
            await asyncio.Event().wait()
        await asyncio.sleep(0.5)
        turn = int(now // INTERVAL_S)
        decisions = [
            {
                "pair": brief.pair,
                "action": "hold" if bad else ("buy", "buy", "sell")[(turn + place) % 3],
                "confidence": 0.9,
                "risk_level": "low",
                "rationale": "timed",
            }
            for place, brief in enumerate(request.briefs)
        ]
        return AdviceArrived(
            question_id=request.question.question_id,
            prompt="timed",
            prompt_hash="p",
            template_hash="t",
            raw=json.dumps({"decisions": decisions}),
            kind="content",
            finish_reason="stop",
            provider="timed",
            model="timed",
            advisor_label="a clock, not an LLM",
            tokens_in=0,
            tokens_out=0,
            latency_ms=500,
        )


class EvenDice:
    """A database that always takes as long: the two runs commit in different numbers."""

    def uniform(self, low: float, high: float) -> float:
        """The middle."""
        return (low + high) / 2

    def random(self) -> float:
        """Never one of the rare cases."""
        return 0.5


def live(dsn: str, folder: Path, *, hangs: bool) -> tuple[Lives, TimedAdvisor]:
    """Minutes in which two prices drop: all is drawn the same, whatever the advisor does."""
    asyncio.run(history.install(dsn))
    scenario = replace(
        draw(1, MINUTES),
        pairs=("BTC/USD", "ETH/USD", "SOL/USD"),
        interval_s=INTERVAL_S,
        candle_minutes=1,
        regime="mixed",
        counters=False,
        mixed_replies=False,
        faults=tuple(
            Planned(at_s, "X", f"X15 lasts_s=25 percent=-3 pair={pair}") for at_s, pair in DROPS
        ),
    )
    made: list[tuple[Lives, TimedAdvisor]] = []

    async def whole(loop: VirtualLoop) -> None:
        lives, advisor = Lives(loop, scenario, dsn, folder), TimedAdvisor(loop, hangs=hangs)
        lives.advisor = advisor
        lives.settings = msgspec.structs.replace(
            lives.settings,
            advice_deadline_s=DEADLINE_S,
            advice_reuse_s=0,
            stop_loss_percent=Decimal("1.5"),
            take_profit_percent=Decimal(3),
        )
        lives.server.dice = EvenDice()
        loop.call_at(HALT_AT_S, lives.operator, "halt")
        made.append((lives, advisor))
        await lives.run(40.0)

    run_virtually(whole)
    return made[0]


def at_s(entry: WireEntry) -> float:
    """Seconds since the world began."""
    return (entry.at - START).total_seconds()


def wire(lives: Lives) -> list[tuple[object, ...]]:
    """Everything that went over the wire, with its moment."""
    return [
        (e.at, e.way, e.connection, e.on, e.method, e.path, e.body, e.status, e.text, e.answer)
        for e in lives.venue.log.entries
    ]


def heard(dsn: str) -> list[dict[str, Any]]:
    """Every event that the brain took, in order, as its journal keeps it."""

    async def work() -> list[bytes]:
        connection = await asyncpg.connect(dsn)
        try:
            rows = await connection.fetch("SELECT payload FROM engine_journal ORDER BY first_seq")
            return [zlib.decompress(row["payload"]) for row in rows]
        finally:
            await connection.close()

    found = []
    for batch in asyncio.run(work()):
        at = 0
        while at < len(batch):
            size = int.from_bytes(batch[at : at + 4], "big")
            found.append(json.loads(batch[at + 4 : at + 4 + size]))
            at += 4 + size
    return found


OF_THE_ADVISOR = {"AdviceArrived", "AdviceFailed", "PredictionsArrived", "PredictionsFailed"}


def apart_from_advice(events: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    """Everything else with its moment; the aggregator's own timer asks the advisor."""
    return [
        (one["at"], one["event"])
        for one in events
        if one["event"]["type"] not in OF_THE_ADVISOR and one["event"].get("name") != "aggregate"
    ]


def within(events: list[tuple[str, Any]], begin_s: float, end_s: float) -> Counter[str]:
    """How often which event came in these seconds, timers by their names."""
    found = Counter[str]()
    for at, event in events:
        if begin_s < (datetime.fromisoformat(at) - START).total_seconds() < end_s:
            found[event.get("name") or event["type"]] += 1
    return found


def test_i_41_l01_with_the_model_hung_for_a_minute_all_else_happens_at_the_same_moments(
    databases: Callable[[], str], tmp_path: Path
) -> None:
    """Fills, risk checks, exits, the kill's cancels, prices: equal to the microsecond."""
    dsns = (databases(), databases())
    (calm, waits), (lives, hangs) = (
        live(dsn, tmp_path / str(hung), hangs=hung)
        for dsn, hung in zip(dsns, (False, True), strict=True)
    )
    assert (waits.hung, hangs.hung) == (0, 1)
    assert lives.tally.wrong == calm.tally.wrong == []
    assert wire(lives) == wire(calm)
    events, others = (apart_from_advice(heard(dsn)) for dsn in dsns)
    assert others == events
    # What was compared is there: the hang was long, and full of what must not wait for it.
    begin_s, end_s = hangs.bad_until - DEADLINE_S, hangs.bad_until
    seen = within(others, begin_s, end_s)
    assert seen["risk_check"] >= 6
    assert seen["OrderSent"] >= 2
    assert seen["ExecutionReport"] >= 6
    assert seen["QuoteSeen"] >= 100
    sent = [e for e in lives.venue.log.entries if e.way == "sent" and begin_s < at_s(e) < end_s]
    assert sum('"add_order"' in e.text and '"side":"sell"' in e.text for e in sent) >= 2
    assert sum('"cancel_all"' in e.text for e in sent) == 1
    # And the hang was one: no cycle in it, its question ended in time, the next one is answered.
    advice = [one for one in heard(dsns[1]) if one["event"]["type"] in OF_THE_ADVISOR]
    failed = [one for one in advice if one["event"]["type"] == "AdviceFailed"]
    assert [one["event"]["reason"] for one in failed] == ["advice_timeout"]
    ended_s = (datetime.fromisoformat(failed[0]["at"]) - START).total_seconds()
    assert end_s <= ended_s < end_s + 0.1
    assert advice[-1]["event"]["type"] == "AdviceArrived"
