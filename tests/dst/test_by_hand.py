"""Worlds whose faults are written by hand: what a drawn seed meets too seldom, judged as ever."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from checker import history
from checker.check import check
from checker.record import WireEntry
from virtual_time import START, VirtualLoop, run_virtually

from dst.lives import Lives
from dst.plan import Planned, draw

DEADLINE_S = 5.0


def play(
    dsn: str,
    folder: Path,
    *faults: tuple[float, str],
    minutes: float,
    calm_s: float = 60.0,
    script: Callable[[Lives, VirtualLoop], None] = lambda lives, loop: None,
) -> Lives:
    """Live through these faults of family X on one pair with short cycles; what remains of it."""
    asyncio.run(history.install(dsn))
    scenario = replace(
        draw(1, minutes),
        pairs=("BTC/USD",),
        interval_s=5,
        candle_minutes=1,
        regime="mixed",
        counters=False,
        mixed_replies=False,
        faults=tuple(Planned(at_s, "X", words) for at_s, words in faults),
    )
    made: list[Lives] = []

    async def live(loop: VirtualLoop) -> None:
        made.append(Lives(loop, scenario, dsn, folder / "control"))
        script(made[0], loop)
        await made[0].run(calm_s)

    run_virtually(live)
    return made[0]


def violations(lives: Lives, dsn: str) -> list[str]:
    """The verdict of the independent checker."""
    found = check(dsn, lives.venue.log.entries, lives.exchange.truth(), lives.facts())
    return [str(one) for one in found]


def at_s(entry: WireEntry) -> float:
    """Seconds since the world began."""
    return (entry.at - START).total_seconds()


def orders(lives: Lives) -> Iterator[tuple[float, datetime]]:
    """When each order reached the exchange, and the deadline it carried."""
    for entry in lives.venue.log.entries:
        if entry.way == "in" and '"add_order"' in entry.text:
            text = json.loads(entry.text)["params"]["deadline"]
            yield at_s(entry), datetime.fromisoformat(text)


def test_x34_i_10_i_49_a_deadline_is_within_its_bound_by_a_clock_three_seconds_off(
    database: str, tmp_path: Path
) -> None:
    spans = {3.0: (20.0, 100.0), -3.0: (130.0, 210.0)}
    faults = [
        (begin, f"X34 skew_s={skew_s:g} for_s={end - begin:g}")
        for skew_s, (begin, end) in spans.items()
    ]
    lives = play(database, tmp_path, *faults, minutes=4)
    assert violations(lives, database) == []
    assert lives.tally.wrong == []
    for skew_s, (begin, end) in spans.items():
        left = [
            (deadline - START).total_seconds() - moment - skew_s
            for moment, deadline in orders(lives)
            if begin + 15 < moment < end  # the offset takes two replies
        ]
        assert left, "it trades on while the clock is off"
        assert all(DEADLINE_S - 1 < one <= DEADLINE_S + 0.1 for one in left)


def test_x23_i_29_on_disconnect_it_leaves_and_comes_back_after_the_maintenance(
    database: str, tmp_path: Path
) -> None:
    lives = play(
        database,
        tmp_path,
        (60.0, "X23 action=disconnect for_s=2"),
        (80.0, "X22 step_s=15 states=maintenance,cancel_only,online"),
        minutes=4,
    )
    assert violations(lives, database) == []
    assert lives.tally.wrong == []
    away = [entry for entry in lives.venue.log.entries if 62.1 < at_s(entry) < 110]
    assert {entry.way for entry in away} == {"rest", "fault"}, "no line, nothing waits on one"
    asked = [entry.path for entry in away if entry.way == "rest" and at_s(entry) < 95]
    assert set(asked) == {"/0/public/SystemStatus"}
    moments = [moment for moment, _ in orders(lives)]
    assert [m for m in moments if m < 60]
    assert not [m for m in moments if 60.5 < m < 110]
    assert [m for m in moments if m > 150], "RUN again after the 30 s of calm"


def test_x22_i_28_a_kill_in_maintenance_is_not_forgotten_by_a_killed_daemon(
    database: str, tmp_path: Path
) -> None:
    def script(lives: Lives, loop: VirtualLoop) -> None:
        lives._look_after = lambda: None  # nobody resumes
        loop.call_at(45.0, lives.operator, "halt")
        loop.call_at(48.0, lives.kill, "now")

    lives = play(
        database,
        tmp_path,
        (40.0, "X22 step_s=40 states=maintenance,cancel_only,online"),
        minutes=3,
        script=script,
    )
    assert violations(lives, database) == []
    assert len(lives.tally.lives) == 2
    assert lives.tally.wrong == ["LIVE: HALT at the end of the calm: operator"]
    cancels = [
        at_s(entry)
        for entry in lives.venue.log.entries
        if entry.way == "sent" and '"cancel_all"' in entry.text
    ]
    assert len(cancels) == 1
    assert 80 <= cancels[0] <= 80.5, "half a second after the exchange takes cancels again"
    assert max(moment for moment, _ in orders(lives)) < 45.5
