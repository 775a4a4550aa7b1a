"""Does what the plan says: sets faults of the exchange, the database, the process and the minds."""

import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from dst.plan import Planned
from dst.store import Fate
from simple_trader.sandbox.faults.spec import read_line

if TYPE_CHECKING:
    from dst.lives import Lives

MOST_STEPS = 14  # await points between a send and its reply are fewer


_OF_DATABASE = {"down": "D02", "session": "D09", "busy": "D08", "slow": "D05"}
_OF_PROCESS = {
    "kill": "P01", "twice": "P01", "term": "P02", "stop": "P03", "step": "P04", "second": "P10",
}  # fmt: skip


def ident_of(planned: Planned) -> str:
    """The id under which a fault is counted once it acts."""
    word = planned.words.split()[0]
    match planned.family:
        case "D":
            return _OF_DATABASE.get(word, "D01")
        case "P":
            return _OF_PROCESS.get(word, "K")
        case _:
            return word


class Deeds:
    """The hand that breaks things; counts what really acted, by id."""

    def __init__(self, lives: "Lives", seed: int) -> None:
        """Break the world of `lives`."""
        self._lives = lives
        self._dice = random.Random(f"deeds {seed}")
        self.acted: Counter[str] = Counter()

    def do(self, planned: Planned) -> None:
        """Set one fault."""
        words = planned.words.split()
        match planned.family:
            case "N" | "X":
                self._lives.venue.script.start(read_line(planned.words))
            case "D":
                self._database(words)
            case "P":
                self._process(words)
            case _:
                self._lives.advisor.next_fault = planned.words

    def tell(self, ident: str) -> None:
        """A fault acted."""
        self.acted[ident] += 1
        self._lives.venue.log.fault({"id": ident})

    # --- the database ---------------------------------------------------------------------------

    def _database(self, words: list[str]) -> None:
        server, kind = self._lives.server, words[0]
        ident = ident_of(Planned(0.0, "D", kind))
        if kind == "down":
            self.tell(ident)
            server.go_down(float(words[1]))
        elif kind == "session":
            if server.live is not None:
                self.tell(ident)
                server.live.drop()
        else:
            seconds = float(words[2]) if len(words) > 2 else 0.0
            server.fates.append(Fate(kind, words[1], seconds, lambda: self.tell(ident)))

    # --- the process ----------------------------------------------------------------------------

    def _process(self, words: list[str]) -> None:
        lives = self._lives
        match words[0]:
            case "kill" | "twice":
                self._arm_kill(words[1:])
                if words[0] == "twice":
                    lives.kill("now")
            case "term":
                if lives.ask_to_stop():
                    self.tell("P02")
            case "stop":
                self.tell("P03")
                lives.stand_still(float(words[1]))
            case "step":
                self.tell("P04")
                self._step_clock(float(words[1]))
            case "second":
                if lives.start_second():
                    self.tell("P10")
            case _:
                self.tell("K")
                self._halt(words[1:])

    def _step_clock(self, seconds: float) -> None:
        """Somebody sets the machine's clock, and sets it right again half a minute later."""
        clock = self._lives.machine
        clock.off = timedelta(seconds=seconds)

        def right() -> None:
            clock.off = timedelta(0)

        self._lives.later(self._dice.uniform(20.0, 40.0), right)

    def _halt(self, after: list[str]) -> None:
        """An operator presses the kill switch, and resumes a while (or `after` seconds) later."""
        self._lives.operator("halt")
        wait_s = float(after[0]) if after else self._dice.uniform(15.0, 45.0)
        self._lives.later(wait_s, lambda: self._lives.operator("resume"))

    def _arm_kill(self, words: list[str]) -> None:
        lives, where = self._lives, words[0]
        if where == "now":
            lives.kill("now")
        elif where.endswith("_commit"):
            of = words[1] if len(words) > 1 else "any"
            lives.server.fates.append(Fate(f"kill_{where}", of))
        else:
            lives.ambush[where] = self._in_steps(where)

    def _in_steps(self, where: str) -> Callable[[], None]:
        """A kill some turns of the loop, or some milliseconds, after its occasion."""
        steps = self._dice.randint(0, MOST_STEPS)
        wait_s = self._dice.choice((0.0, 0.0, 0.005, 0.015, 0.03, 0.06, 0.2))

        def spring() -> None:
            if where == "before_delivery":
                self._lives.kill(where)
            elif wait_s:
                self._lives.later(wait_s, lambda: self._lives.kill(f"{where} +{wait_s:g} s"))
            else:
                self._lives.after_steps(steps, lambda: self._lives.kill(f"{where} +{steps}"))

        return spring


def request_text(why: str) -> str:
    """What `simple-trader halt` and `resume` write."""
    return json.dumps({"actor": "simulation", "reason": why})
