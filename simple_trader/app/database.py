"""The database of a setup: yours when a DSN is given, else the embedded server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from simple_trader.adapters.store.dsn import normalise_dsn
from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres
from simple_trader.adapters.store.postgres_binaries import data_majors
from simple_trader.app.places import Places, Setup, read_places
from simple_trader.config.loader import load_database
from simple_trader.config.options import RunOptions
from simple_trader.config.sections import Database as Section
from simple_trader.domain.errors import ConfigError


class Database:
    """A DSN and, where we run the server ourselves, the server."""

    def __init__(self, given: str, section: Section, state: Path, *, live: bool) -> None:
        """Decide which database it is; nothing is started yet.

        `given` is POSTGRES_DSN or empty and goes before `section`. Raises ConfigError for mode
        live without a database of its own.
        """
        found = given or section.dsn
        self._given = normalise_dsn(found) if found else None
        self.server: EmbeddedPostgres | None = None
        if self._given is None:
            if live and not section.embedded_in_live:
                raise ConfigError(
                    "mode live needs a database of your own: put POSTGRES_DSN into .env, or set "
                    "database.embedded_in_live: true."
                )
            bin_dir = Path(section.bin_dir) if section.bin_dir else None
            self.server = EmbeddedPostgres(state, bin_dir=bin_dir)

    async def start(self) -> str:
        """The DSN to connect to; starts the embedded server where there is none yet."""
        return await self.server.start() if self.server is not None else str(self._given)

    async def ensure(self) -> None:
        """Bring the embedded server back if it died; nothing for a server of yours."""
        if self.server is not None:
            await self.server.ensure_running()

    async def stop(self) -> None:
        """Stop the embedded server if we are its last user."""
        if self.server is not None:
            await self.server.stop()


def database_of(setup: Setup) -> Database:
    """The database that the daemon of `setup` keeps its books in."""
    settings = setup.config.settings
    given = setup.environment.secrets.postgres_dsn.reveal()
    live = settings.mode == "live"
    return Database(given, settings.database, setup.places.state, live=live)


def _beside(options: RunOptions) -> tuple[Database, Places]:
    """The database of a command beside the daemon: a config.yaml that is invalid does not hide it.

    Of the file only `database` and `mode` are read, and these only where something hangs on them:
    a running daemon keeps its old version, and so does the database it has begun.
    """
    path, environment, places = read_places(options)
    given = environment.secrets.postgres_dsn.reveal()
    if given:
        return Database(given, Section(), places.state, live=False), places
    begun = bool(data_majors(places.state / "postgres"))
    try:
        section, live = load_database(path)
    except ConfigError:
        if not begun:
            raise
        section, live = Section(), False
    return Database("", section, places.state, live=live and not begun), places


@asynccontextmanager
async def database(options: RunOptions) -> AsyncIterator[str]:
    """The DSN for the time of one command."""
    found, places = _beside(options)
    places.make()
    try:
        yield await found.start()
    finally:
        await found.stop()
