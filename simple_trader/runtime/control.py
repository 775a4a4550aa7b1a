"""Operator requests: files in STATE/control, so that halt works with the database and network dead.

`simple-trader halt` and `resume` put `<name>.json` there by an atomic rename; the daemon takes a
resume by deleting it, a halt by renaming it to `halt.taken`, which goes only when the HALT is
committed: a crash in between must not lose it. A halt stops sending before the brain has even read
of it (I-28).
"""

import asyncio
import json
import logging
from pathlib import Path

from simple_trader.domain.events import (
    OperatorExplained,
    OperatorHalt,
    OperatorResume,
    OperatorTrain,
)
from simple_trader.ports import Emit

log = logging.getLogger(__name__)
LOOK_EVERY_S = 0.1


class OperatorDesk:
    """Takes operator requests and keeps the switch the gate looks at."""

    def __init__(self, folder: Path, emit: Emit) -> None:
        """`folder` is STATE/control."""
        self._folder, self._emit = folder, emit
        self.kill_switch = False
        self._taken = folder / "halt.taken"
        self._halt_seq: int | None = None
        self._unread = 0  # halts on their way to the brain
        self._blind = False

    def look(self) -> None:
        """Take every request that lies there; resume before halt, so that halt wins.

        Raises OSError for one that cannot be taken away; a halt counts all the same, and no other
        request stands in its way (I-28).
        """
        try:
            self._take_resume()
        finally:
            self._take_halt()
        self._explain()
        self._take_train()

    def _take_train(self) -> None:
        train = self._folder / "train.json"
        if train.exists():
            actor, detail = _read(train)
            train.unlink(missing_ok=True)
            self._emit(OperatorTrain(actor=actor, detail=detail))

    def _take_resume(self) -> None:
        resume = self._folder / "resume.json"
        if resume.exists():
            actor, detail = _read(resume)
            resume.unlink(missing_ok=True)
            self._emit(OperatorResume(actor=actor, detail=detail))

    def _take_halt(self) -> None:
        halt = self._folder / "halt.json"
        if not halt.exists():
            return
        try:
            halt.replace(self._taken)
        except OSError:
            if not self.kill_switch and halt.exists():
                self._halt(halt)
            raise
        self._halt(self._taken)

    def _explain(self) -> None:
        """Explained balances: one file for each asset."""
        for request in sorted(self._folder.glob("explain-*.json")):
            actor, detail = _read(request)
            asset = request.stem.removeprefix("explain-")
            request.unlink(missing_ok=True)
            self._emit(OperatorExplained(asset=asset, actor=actor, detail=detail))

    def look_back(self) -> None:
        """At a start: a halt of which it is not sure that the last run wrote it down."""
        if self._taken.exists():
            self._halt(self._taken)

    def press(self, actor: str, detail: str) -> None:
        """The kill switch by another way than a file: a signal. It works on a full disk, too."""
        self.kill_switch = True
        self._unread += 1
        self._emit(OperatorHalt(actor=actor, detail=detail))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._taken.write_text(json.dumps({"actor": actor, "reason": detail}), encoding="utf-8")
        except OSError as error:
            log.warning("the halt could not be noted in %s: %s", self._taken.name, error)

    def lifted(self) -> None:
        """The brain resumed: it may have refused to, so the switch is not lifted before."""
        if self._unread:
            return  # pressed again since
        self.kill_switch = False
        self._forget()

    def _halt(self, request: Path) -> None:
        self.kill_switch = True
        actor, detail = _read(request)
        self._unread += 1
        self._emit(OperatorHalt(actor=actor, detail=detail))

    def processed(self, seq: int) -> None:
        """The brain processed a halt as event `seq`."""
        self._halt_seq = seq
        self._unread = max(0, self._unread - 1)

    def committed(self, last_seq: int) -> None:
        """Events up to `last_seq` are durable: a halt among them needs no file any more, unless
        the file is that of another one, which the brain has not read yet.
        """
        if self._halt_seq is not None and last_seq >= self._halt_seq and not self._unread:
            self._halt_seq = None
            self._forget()

    def _forget(self) -> None:
        try:
            self._taken.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s stays, the next start halts again: %s", self._taken.name, error)

    async def run(self) -> None:
        """Look until cancelled."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.look_back()
        while True:
            try:
                self.look()
                self._blind = False
            except OSError as error:
                # No file left to open (P08): what lies there stays, and is looked at again.
                if not self._blind:
                    log.error("operator requests cannot be read for now: %s", error)
                self._blind = True
            await asyncio.sleep(LOOK_EVERY_S)


def _read(path: Path) -> tuple[str, str]:
    """Who asked and why; an unreadable request still counts, for stopping must never fail."""
    try:
        request = json.loads(path.read_text(encoding="utf-8"))
        return str(request.get("actor", "unknown")), str(request.get("reason", ""))
    except (OSError, ValueError, AttributeError) as error:
        log.warning("operator request %s cannot be read (%s); taken as it is", path.name, error)
        return "unknown", ""
