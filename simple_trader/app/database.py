"""The database of a setup: yours when a DSN is given, else the embedded server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from simple_trader.adapters.store.dsn import normalise_dsn
from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres
from simple_trader.app.places import Setup, read_setup
from simple_trader.config.options import RunOptions
from simple_trader.domain.errors import ConfigError


class Database:
    """A DSN and, where we run the server ourselves, the server."""

    def __init__(self, setup: Setup) -> None:
        """Decide which database it is; nothing is started yet."""
        settings = setup.config.settings
        given = setup.environment.secrets.postgres_dsn.reveal() or settings.database.dsn
        self._given = normalise_dsn(given) if given else None
        self.server: EmbeddedPostgres | None = None
        if self._given is None:
            if settings.mode == "live" and not settings.database.embedded_in_live:
                raise ConfigError(
                    "mode live needs a database of your own: put POSTGRES_DSN into .env, or set "
                    "database.embedded_in_live: true."
                )
            bin_dir = Path(settings.database.bin_dir) if settings.database.bin_dir else None
            self.server = EmbeddedPostgres(setup.places.state, bin_dir=bin_dir)

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


@asynccontextmanager
async def database(options: RunOptions) -> AsyncIterator[str]:
    """The DSN for the time of one command."""
    setup = read_setup(options)
    setup.places.make()
    found = Database(setup)
    try:
        yield await found.start()
    finally:
        await found.stop()
