"""The composition root: mode and configuration in, a wired daemon out; it alone imports every
room.
"""

from simple_trader.app.database import database
from simple_trader.app.run import run_daemon

__all__ = ["database", "run_daemon"]
