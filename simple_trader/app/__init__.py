"""The composition root: configuration in, a wired daemon out; it alone imports every room."""

from simple_trader.app.database import database
from simple_trader.config.options import RunOptions


def run_daemon(options: RunOptions) -> int:
    """Run until asked to stop; gives the exit code."""
    # The commands beside the daemon need the database only: they must not wait for every room.
    from simple_trader.app.run import run_daemon as run

    return run(options)


__all__ = ["database", "run_daemon"]
