"""Kills one process of a running daemon after the other, at moments drawn by seed."""

import random
import signal
import time
from dataclasses import dataclass, field

import books
from system import STOP_WITHIN_S, Daemon, Place, postmaster_of, select, signal_process, wait_until

VICTIMS = ("daemon", "sandbox", "postgres")
SPEED = "120"
BACK_WITHIN_S = 90.0
_UNSURE = "SELECT 1 FROM pending_trades WHERE state IN ('DISPATCHING', 'SENT', 'UNKNOWN')"
NEW_ORDER = r"(buy|sell) [0-9.]+ \S+ at "


@dataclass
class Campaign:
    """Kills and waits until the daemon trades again; `finish` stops it cleanly and compares."""

    where: Place
    dice: random.Random
    victims: tuple[str, ...] = VICTIMS
    kills: dict[str, int] = field(default_factory=dict)
    slowest_s: dict[str, float] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)
    said: str = ""
    daemon: Daemon | None = None

    def run(self, kills: int) -> None:
        """So many kills, most of them within 30 ms of a new order."""
        for _ in range(kills):
            self.kill_one(self.dice.choice(self.victims))

    def kill_one(self, victim: str) -> None:
        """One kill at a moment of our dice, and the way back to RUN."""
        daemon = self._running()
        if self.dice.random() < 0.7:
            daemon.wait_for(NEW_ORDER, BACK_WITHIN_S, since=len(daemon.lines))
            pause_s = self.dice.random() * 0.03
        else:
            pause_s = self.dice.random() * 2
        time.sleep(pause_s)
        began = time.monotonic()
        if victim == "daemon":
            daemon.kill()
            self._keep(daemon)
            self._running()
        else:
            pid = daemon.sandbox_pid() if victim == "sandbox" else postmaster_of(self.where)
            assert pid is not None, f"no {victim} runs"
            since = len(daemon.lines)
            signal_process(pid, signal.SIGKILL)
            daemon.wait_for(r"state RUN|Filled ", BACK_WITHIN_S, since=since)
        took = time.monotonic() - began
        self.steps.append(f"{victim}: back after {took:.1f} s")
        self.kills[victim] = self.kills.get(victim, 0) + 1
        self.slowest_s[victim] = max(took, self.slowest_s.get(victim, 0.0))

    def finish(self) -> books.Books:
        """Let orders of unknown outcome be resolved, stop cleanly, start once more, compare."""
        daemon = self._running()
        assert wait_until(lambda: not select(self.where, _UNSURE), BACK_WITHIN_S), daemon.text
        assert daemon.stop(within_s=STOP_WITHIN_S) == 0, daemon.text
        self._keep(daemon)
        daemon = self._running("--for", "2s")
        assert daemon.wait(60) == 0, daemon.text
        self._keep(daemon)
        return books.compare(self.where)

    def _running(self, *flags: str) -> Daemon:
        if self.daemon is None:
            self.daemon = Daemon(self.where, "--speed", SPEED, *flags).ready()
        return self.daemon

    def _keep(self, daemon: Daemon) -> None:
        """Remember what it said; the next one is started anew."""
        self.said += daemon.text + "\n"
        self.daemon = None

    def close(self) -> None:
        """End what a failure left behind."""
        if self.daemon is not None and self.daemon.process.poll() is None:
            self.daemon.kill()
            wait_until(lambda: self.daemon is None or self.daemon.sandbox_pid() is None, 5)
