"""Operator requests: files in STATE/control, so that halt works with the database and network dead.

`simple-trader halt` and `resume` put `<name>.json` there by an atomic rename; the daemon takes a
file by deleting it, and a halt stops sending before the brain has even read of it (I-28).
"""

import asyncio
import json
import logging
from pathlib import Path

from simple_trader.domain.events import OperatorHalt, OperatorResume
from simple_trader.ports import Emit

log = logging.getLogger(__name__)
LOOK_EVERY_S = 0.1


class OperatorDesk:
    """Takes operator requests and keeps the switch the gate looks at."""

    def __init__(self, folder: Path, emit: Emit) -> None:
        """`folder` is STATE/control."""
        self._folder, self._emit = folder, emit
        self.kill_switch = False

    def look(self) -> None:
        """Take every request that lies there; resume before halt, so that halt wins."""
        for name in ("resume", "halt"):
            path = self._folder / f"{name}.json"
            if not path.exists():
                continue
            actor, detail = _read(path)
            path.unlink(missing_ok=True)
            if name == "halt":
                self.kill_switch = True
                self._emit(OperatorHalt(actor=actor, detail=detail))
            else:
                self.kill_switch = False
                self._emit(OperatorResume(actor=actor, detail=detail))

    async def run(self) -> None:
        """Look until cancelled."""
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)


def _read(path: Path) -> tuple[str, str]:
    """Who asked and why; an unreadable request still counts, for stopping must never fail."""
    try:
        request = json.loads(path.read_text(encoding="utf-8"))
        return str(request.get("actor", "unknown")), str(request.get("reason", ""))
    except (OSError, ValueError, AttributeError) as error:
        log.warning("operator request %s cannot be read (%s); taken as it is", path.name, error)
        return "unknown", ""
