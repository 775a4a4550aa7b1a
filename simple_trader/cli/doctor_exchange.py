"""The examination of `doctor` that asks Kraken: what the key may do."""

from pathlib import Path

from simple_trader.cli.findings import Finding, fail, ok, warn
from simple_trader.config.env import Environment
from simple_trader.config.schema import Settings
from simple_trader.domain.errors import VenueError, VenueUnreachable

SUBJECT = "Kraken key"


async def examine_key(
    settings: Settings,
    environment: Environment,
    state: Path,
    *,
    runs: bool,
    url: str | None = None,
) -> list[Finding]:
    """What is wrong with the key of mode live; `runs`: a daemon uses it now and has asked itself.

    `url` is the exchange to ask, None for Kraken.
    """
    from simple_trader.adapters.kraken.auth import Credentials
    from simple_trader.app.key_safety import FIX, ask_key, judge
    from simple_trader.app.worlds import KRAKEN_REST
    from simple_trader.runtime.clocks import SystemClock

    secrets = environment.secrets
    if settings.mode != "live" or not (secrets.kraken_api_key and secrets.kraken_secret_api_key):
        return []
    if runs:
        return [ok(SUBJECT, "the running daemon asked what it may do when it started")]
    credentials = Credentials(secrets.kraken_api_key, secrets.kraken_secret_api_key)
    try:
        info = await ask_key(url or KRAKEN_REST, credentials, state, SystemClock())
    except VenueUnreachable as error:
        return [warn(SUBJECT, f"what it may do is not known: {error}", "ask again once it answers")]
    except VenueError as error:
        return [fail(SUBJECT, str(error), "copy both parts from Kraken again, or make a new key")]
    trouble, missing = judge(info)
    found = [
        warn(SUBJECT, f"it does not show the permission {name!r}", "grant it at Kraken")
        for name in missing
    ]
    if not trouble:
        return [ok(SUBJECT, "it cannot withdraw"), *found]
    level = warn if settings.allow_withdrawal_key else fail
    return [level(SUBJECT, trouble, FIX), *found]
