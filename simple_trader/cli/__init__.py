"""The command line: `python -m simple_trader`, `simple-trader` when installed."""

import signal
import sys
from typing import NoReturn

import typer

from simple_trader.cli.arm import register as add_arm
from simple_trader.cli.backfill import register as add_backfill
from simple_trader.cli.controls import register as add_controls
from simple_trader.cli.daemon import register as add_daemon
from simple_trader.cli.database import register as add_database
from simple_trader.cli.decisions import register as add_decisions
from simple_trader.cli.operator import register as add_operator
from simple_trader.cli.prompt import register as add_prompt
from simple_trader.cli.reconcile import register as add_reconcile
from simple_trader.cli.replay import register as add_replay
from simple_trader.cli.reports import register as add_reports
from simple_trader.cli.scorecard import register as add_scorecard
from simple_trader.cli.setup import register as add_setup
from simple_trader.cli.train import register as add_train
from simple_trader.domain.errors import TraderError

app = typer.Typer(
    name="simple-trader",
    help="A crypto trading daemon that keeps every decision in PostgreSQL.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for add_commands in (
    add_setup,
    add_daemon,
    add_database,
    add_backfill,
    add_reports,
    add_decisions,
    add_prompt,
    add_scorecard,
    add_replay,
    add_train,
    add_operator,
    add_controls,
    add_reconcile,
    add_arm,
):
    add_commands(app)


def main() -> NoReturn:
    """Run the command line and end the process with the exit code of docs/reference."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})  # it waits for the daemon
    try:
        app()
    except TraderError as error:
        print(f"simple-trader: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(0)
