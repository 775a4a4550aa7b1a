"""The kill switch while nobody listens: SIGUSR1 before the daemon runs, and after it ran.

The signal is blocked from the first line of the program on, so that it waits instead of ending the
process; whatever comes before the daemon takes it is left in STATE/control, as `simple-trader halt`
leaves it, and the next start takes it first of all.
"""

import json
import logging
import signal
from pathlib import Path

from simple_trader.config.files import write_whole

log = logging.getLogger(__name__)

ACTOR, DETAIL = "signal", "SIGUSR1"


def hold() -> None:
    """Let the signal wait."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})


def let_come() -> None:
    """Take it from now on, and the one that waited."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})


def waits() -> bool:
    """Whether one came since it was held."""
    return signal.SIGUSR1 in signal.sigpending()


def leave(folder: Path) -> bool:
    """Leave a halt in `folder` (STATE/control); whether the disk took it."""
    body = json.dumps({"actor": ACTOR, "reason": DETAIL}).encode() + b"\n"
    try:
        write_whole(folder / "halt.json", body)
    except OSError as error:
        log.error("the halt could not be left in %s: %s", folder, error)
        return False
    return True
