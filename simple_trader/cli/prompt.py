"""`prompt`: the prompt that would be sent to the advisor now."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simple_trader.cli.common import (
    ConfigOption,
    EnvFileOption,
    StateDirOption,
    options,
    run_async,
)
from simple_trader.config.options import RunOptions
from simple_trader.domain.errors import TraderError

if TYPE_CHECKING:
    from simple_trader.app.prompting import PromptShown

_ANSWER_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.05


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("prompt")(prompt)


def prompt(
    pair: Annotated[
        str,
        typer.Option("--pair", metavar="PAIR", help="As it would be with this pair alone."),
    ] = "",
    stored: Annotated[
        bool,
        typer.Option(
            "--stored",
            help="Not from the daemon: of the newest snapshots in the database, with the templates "
            "as they are on disk now.",
        ),
    ] = False,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Print the prompt that would be sent now, and nothing else on stdout.

    The running daemon is asked: it works the next decision cycle out on a copy of its state, at
    this moment, with the templates that are in force, and sends nothing. Prices, indicators,
    account and limits are those of now; of the online model it shows the newest predictions, since
    only a real cycle asks it again. It is the prompt for the first provider. Where no daemon runs
    it is made as with --stored. Where it stands and its hashes are told on stderr.
    """
    from simple_trader.cli.places import state_directory
    from simple_trader.telemetry.presence import running

    chosen = options(config, env_file, state_dir)
    wanted = pair.strip().upper()
    place = state_directory(chosen)
    if stored or not running(place):
        shown = run_async(_stored(chosen, wanted))
        where = f"the stored snapshots of cycle {shown.cycle_id}"
    else:
        shown = run_async(_ask(place, wanted))
        where = "the running daemon: nothing was sent"
    if shown.trouble:
        raise TraderError(f"{shown.trouble.rstrip('.')}.")
    typer.echo(
        f"as of {shown.as_of}, {len(shown.prompt):,} characters, sha256 {shown.prompt_hash[:12]}, "
        f"version {shown.template_hash[:12]}; from {where}",
        err=True,
    )
    if shown.note:
        typer.echo(f"would not be sent: {shown.note}", err=True)
    typer.echo(shown.prompt)


async def _ask(state_dir: Path, pair: str) -> "PromptShown":
    """Leave the request and wait for the daemon's answer."""
    import msgspec

    from simple_trader.app.prompting import PromptShown
    from simple_trader.config.files import write_whole

    request = state_dir / "control" / f"prompt-{os.getpid()}.json"
    answer = request.with_suffix(".answer")
    try:
        answer.unlink(missing_ok=True)
        write_whole(request, msgspec.json.encode({"pair": pair}))
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            while not answer.exists():
                await asyncio.sleep(_LOOK_EVERY_S)
        return msgspec.json.decode(answer.read_bytes(), type=PromptShown)
    except TimeoutError:
        raise TraderError(
            f"the daemon did not answer within {_ANSWER_WITHIN_S:.0f} s; "
            "`simple-trader prompt --stored` needs none."
        ) from None
    except (OSError, msgspec.DecodeError) as error:
        raise TraderError(f"{request}: the daemon cannot be asked ({error}).") from error
    finally:
        request.unlink(missing_ok=True)
        answer.unlink(missing_ok=True)


async def _stored(chosen: RunOptions, pair: str) -> "PromptShown":
    """From the database and the files."""
    from simple_trader.adapters.store.stored_snapshots import snapshots_of_cycle
    from simple_trader.app import database
    from simple_trader.app.prompting import stored_prompt, voice_of_file
    from simple_trader.cli.reports import require_schema
    from simple_trader.config.loader import find_config, load

    voice = voice_of_file(load(find_config(chosen.config_path)))
    async with database(chosen) as dsn:
        await require_schema(dsn)
        rows = await snapshots_of_cycle(dsn)
    if not rows:
        raise TraderError("there is no snapshot yet: let the daemon run through a decision cycle.")
    return stored_prompt(rows, voice, pair)
