"""Kills the processes of a running daemon, at crash points of its order path and at random."""

import json
import random
import re
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

import books
from system import (
    READY_WITHIN_S,
    STOP_WITHIN_S,
    Daemon,
    Place,
    postmaster_of,
    select,
    signal_process,
    wait_until,
)

from simple_trader.runtime.crash_points import (
    CANCEL_POINTS,
    EXECUTION_POINTS,
    LOOK_POINTS,
    ORDER_POINTS,
    POINTS,
)

# Points that each order comes by; the others once in a start, a halt or a look.
MANY_TIMES = (*ORDER_POINTS, *EXECUTION_POINTS)
VICTIMS = ("daemon", "sandbox", "postgres")
SPEED = "120"
BACK_WITHIN_S = 90.0
REACHED_WITHIN_S = 20.0
ASKED_AGAIN_S = 0.5  # a person asks no faster
PAUSE_S = 6.0  # above the loop gap of 5 s: what was queued must fall
_UNSURE = "SELECT 1 FROM pending_trades WHERE state IN ('DISPATCHING', 'SENT', 'UNKNOWN')"
NEW_ORDER = r"(buy|sell) [0-9.]+ \S+ at "
FILLS_MIN = 3
STATUS = r" sim (RUN|REDUCE|HALT) "
BACK = r"state RUN|Filled |INFO    ready$"
# What must be seen of a death before the way back can be: a fill may have been under way.
NOTICED = {"sandbox": r"the sandbox ended", "postgres": r"the ledger session is open again"}

# Mild faults of the wire that may be mixed in: none that ends trading or moves money from outside.
# Outages end in real seconds: a stepped market waits for its feeds.
FAULTS = (
    "X01 after=2", "X02 after=1 delay_s=3", "X04 chance=0.3 count=all", "X05 chance=0.3 count=all",
    "X06 chance=0.3 count=all", "X07 after=4", "X08 at_s=60 for_s=120", "X10 after=1",
    "N01 after=40 on=private", "N02 real_at_s=4 real_for_s=3 on=private", "N05 after=2",
    "N09 real_at_s=4 real_for_s=3", "N10 real_at_s=4 real_for_s=3",
    "N15 after=1", "N16 after=1", "S06 after=3",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One kill that is wanted: a victim, for the daemon perhaps a crash point; or a `pause`."""

    victim: str
    point: str = ""


def plan(kills: int, dice: random.Random) -> list[Step]:
    """So many steps: each crash point in turn, the other victims and pauses between them."""
    points = list(POINTS)
    dice.shuffle(points)
    others = ["sandbox", "postgres", "sandbox", "postgres", "pause", "daemon"]
    steps = [
        Step("daemon", points[(n * 3 // 5) % len(points)])
        if n * 3 % 5 < 3
        else Step(others[(n * 2 // 5) % len(others)])
        for n in range(kills)
    ]
    dice.shuffle(steps)
    return steps


@dataclass
class Campaign:
    """Kills and waits until the daemon trades again; `finish` stops it cleanly and compares."""

    where: Place
    dice: random.Random
    victims: tuple[str, ...] = VICTIMS
    faults: bool = False
    flags: tuple[str, ...] = ()
    kills: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    back_s: dict[str, list[float]] = field(default_factory=dict)
    made_faults: Counter[str] = field(default_factory=Counter)
    # Real moments, for the checker: lives of the daemon, pauses, what an operator asked for.
    lives: list[tuple[datetime, datetime, str]] = field(default_factory=list)
    pauses: list[tuple[datetime, datetime]] = field(default_factory=list)
    halts: list[tuple[datetime, str]] = field(default_factory=list)
    said: str = ""
    daemon: Daemon | None = None
    begun: datetime | None = None
    after: str = ""  # what was killed last, until the daemon is back

    # -- steps ------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The first start of a world."""
        self._running()

    def run(self, kills: int) -> None:
        """So many kills of our victims, most of them within 30 ms of a new order."""
        for _ in range(kills):
            self.kill_one(self.dice.choice(self.victims))

    def follow(self, steps: list[Step]) -> None:
        """A plan, step by step."""
        for step in steps:
            if step.victim == "pause":
                self.pause()
            elif step.point:
                self.crash_at(step.point)
            else:
                self.kill_one(step.victim)

    def kill_one(self, victim: str) -> None:
        """One kill at a moment of our dice, and the way back to RUN."""
        daemon = self._running()
        self._wait_for_a_moment(daemon)
        if victim == "daemon":
            self._kill_daemon()
            self._running()
            return
        pid = daemon.sandbox_pid() if victim == "sandbox" else postmaster_of(self.where)
        assert pid is not None, f"no {victim} runs"
        began, since = time.monotonic(), len(daemon.lines)
        signal_process(pid, signal.SIGKILL)
        self.kills[victim] += 1
        daemon.wait_for(NOTICED[victim], BACK_WITHIN_S, since=since)
        since = next(n for n in range(since, len(daemon.lines)) if self._tells(daemon, victim, n))
        daemon.wait_for(BACK, BACK_WITHIN_S, since=since)
        self._note_back(victim, time.monotonic() - began)

    def crash_at(self, point: str) -> None:
        """Let the daemon die at a crash point; where it does not come by, it is killed as it is."""
        if self.daemon is not None:
            self._kill_daemon()
        count = self.dice.randint(1, 3) if point in MANY_TIMES else 1
        more = ("--fault", "X10 count=all") if point in LOOK_POINTS else ()
        daemon = self._start("--crash-at", f"{point}:{count}", *more)
        halted = self._is_ready(daemon) and point in CANCEL_POINTS
        if halted:
            self.ask("halt")
        died = wait_until(lambda: daemon.process.poll() is not None, REACHED_WITHIN_S)
        self.kills["daemon"] += 1
        (self.reached if died else self.missed)[point] += 1
        if died:
            code = daemon.wait(20)
            assert code == -signal.SIGKILL, f"ended with {code} before {point}:\n{daemon.text}"
            self._keep(daemon)
        else:
            daemon.kill()
            self._keep(daemon)
        self.after = "daemon"
        if halted:
            self.ask("resume")

    def pause(self) -> None:
        """SIGSTOP for longer than the loop may stand still, then SIGCONT."""
        daemon = self._running()
        self._wait_for_a_moment(daemon)
        since = len(daemon.lines)
        stopped_at = datetime.now(UTC)
        daemon.process.send_signal(signal.SIGSTOP)
        time.sleep(PAUSE_S)
        self.pauses.append((stopped_at, datetime.now(UTC)))
        began = time.monotonic()
        daemon.process.send_signal(signal.SIGCONT)
        daemon.wait_for("stood still", BACK_WITHIN_S, since=since)
        daemon.wait_for(BACK, BACK_WITHIN_S, since=since)
        self.kills["pause"] += 1
        self._note_back("pause", time.monotonic() - began)

    def trade(self) -> None:
        """Let the daemon buy and sell: what a kill undid before it was sent fills nothing."""
        daemon = self._running()
        daemon.wait_for(r"sell [0-9.]+ \S+ at ", BACK_WITHIN_S)
        wait_until(lambda: self._filled() >= FILLS_MIN, BACK_WITHIN_S)

    def _filled(self) -> int:
        said = self.daemon.text if self.daemon is not None else ""
        return len(set(re.findall(r"Filled .*cl_ord_id=(\S+)", self.said + said)))

    def finish(self) -> books.Books:
        """Let orders of unknown outcome be resolved, stop cleanly, start once more, compare."""
        self.faults = False
        if self.daemon is not None and self.daemon.with_faults:
            self._kill_daemon()
        daemon = self._running()
        assert wait_until(lambda: not select(self.where, _UNSURE), BACK_WITHIN_S), daemon.text
        assert daemon.stop(within_s=STOP_WITHIN_S) == 0, daemon.text
        self._keep(daemon)
        daemon = self._running("--for", "2s")
        assert daemon.wait(60) == 0, daemon.text
        self._keep(daemon)
        return books.compare(self.where)

    # -- parts ------------------------------------------------------------------------------------

    @staticmethod
    def _tells(daemon: Daemon, victim: str, line: int) -> bool:
        return re.search(NOTICED[victim], daemon.lines[line]) is not None

    def _wait_for_a_moment(self, daemon: Daemon) -> None:
        if self.dice.random() < 0.7:
            daemon.wait_for(NEW_ORDER, BACK_WITHIN_S, since=len(daemon.lines))
            time.sleep(self.dice.random() * 0.03)
        else:
            time.sleep(self.dice.random())

    def _running(self, *flags: str) -> Daemon:
        daemon = self.daemon or self._start(*flags)
        daemon.ready()
        asked = self.halts[-1][1] if self.halts else ""
        if asked == "resume" and "HALT" in daemon.wait_for(STATUS, BACK_WITHIN_S):
            assert wait_until(lambda: self._resumed(daemon), BACK_WITHIN_S), daemon.text
        return daemon

    def _resumed(self, daemon: Daemon) -> bool:
        """Ask again, as a person does: a resume is refused while an order is in doubt, and one that
        died with the daemon that took it lifts nothing.
        """
        if "Resumed by" in daemon.text:
            return True
        if not (self.where.state / "control" / "resume.json").exists():
            self.ask("resume")
        return wait_until(lambda: "Resumed by" in daemon.text, ASKED_AGAIN_S)

    def _start(self, *flags: str) -> Daemon:
        drawn: list[str] = []
        if self.faults:
            for fault in self.dice.sample(FAULTS, self.dice.randint(0, 2)):
                drawn += ["--fault", fault]
                self.made_faults[fault.split(" ", 1)[0]] += 1
        began, self.begun = time.monotonic(), datetime.now(UTC)
        daemon = Daemon(self.where, "--speed", SPEED, *self.flags, *flags, *drawn)
        daemon.with_faults = bool(drawn) or "--fault" in flags
        self.daemon, after, self.after = daemon, self.after, ""
        if after and "--crash-at" not in flags:
            daemon.ready()
            self._note_back(after, time.monotonic() - began)
        return daemon

    def _is_ready(self, daemon: Daemon) -> bool:
        try:
            daemon.wait_for(r"INFO    ready$", READY_WITHIN_S)
        except AssertionError:
            return False  # it came by its crash point on the way
        return True

    def _kill_daemon(self) -> None:
        assert self.daemon is not None
        self.daemon.kill()
        self.kills["daemon"] += 1
        self.after = "daemon"
        self._keep(self.daemon)

    def ask(self, name: str) -> None:
        """What `simple-trader halt` and `resume` leave for the daemon."""
        control = self.where.state / "control"
        other = control / f"{'resume' if name == 'halt' else 'halt'}.json"
        other.unlink(missing_ok=True)
        draft = control / f".{name}.campaign"
        draft.write_text(json.dumps({"actor": "campaign", "reason": "a crash point of cancels"}))
        draft.replace(control / f"{name}.json")
        self.halts.append((datetime.now(UTC), name))

    def _note_back(self, victim: str, seconds: float) -> None:
        self.back_s.setdefault(victim, []).append(seconds)

    def _keep(self, daemon: Daemon) -> None:
        """Remember what it said; the next one is started anew."""
        self.said += daemon.text + "\n"
        assert self.begun is not None
        how = "stop" if daemon.process.returncode == 0 else "kill"
        self.lives.append((self.begun, datetime.now(UTC), how))
        self.daemon = None

    def close(self) -> None:
        """End what a failure left behind."""
        if self.daemon is not None and self.daemon.process.poll() is None:
            self.daemon.kill()
            self._keep(self.daemon)
