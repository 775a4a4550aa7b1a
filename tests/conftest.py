"""Shared fixtures: a real PostgreSQL per worker, a fresh database per test, outside data."""

import asyncio
import inspect
import itertools
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from hypothesis import settings

from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres

# How long one example takes says how busy the machine is, and nothing about the code.
# The gate draws the same examples each time, so that what lands does not hang on dice; everybody
# else's run draws new ones, and what it finds becomes an `@example`.
settings.register_profile("house", deadline=None)
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("SIMPLE_TRADER_EXAMPLES", "house"))

ROOT = Path(__file__).resolve().parent.parent
_TEMPLATE = "migrated_template"
_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def logs_are_on() -> Iterator[None]:
    """A simulation switches all logs off for its speed: the next test may read them."""
    yield
    logging.disable(logging.NOTSET)


def run_apart(make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine on a loop of its own in another thread: the test's loop is not touched."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(make())).result()


def reachable_temporary_folder() -> Path:
    """A short temporary folder (0711): as root the server steps down and must pass through it.

    pytest's own `tmp_path` is 0700 for root's eyes only.
    """
    folder = Path(tempfile.mkdtemp(prefix="st-"))
    folder.chmod(0o711)
    return folder


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """A state directory in which an embedded server can be started, as root too."""
    folder = reachable_temporary_folder()
    yield folder / "state"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """One embedded server per test worker; its fsync is off."""
    folder = reachable_temporary_folder()
    server = EmbeddedPostgres(folder / "state", test_mode=True)
    run_apart(server.start)
    yield server
    run_apart(server.stop)
    shutil.rmtree(folder, ignore_errors=True)


def dsn_of(server: EmbeddedPostgres, name: str) -> str:
    """The DSN of database `name` on the server."""
    return server.dsn.replace("@/simple_trader?", f"@/{name}?")


def _execute(server: EmbeddedPostgres, statement: str) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(dsn_of(server, "postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    run_apart(work)


def _fresh(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    _execute(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield dsn_of(server, name)
    _execute(server, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def migrated_template(postgres_server: EmbeddedPostgres) -> str:
    """The name of a database with every migration applied, made once per worker."""
    from simple_trader.adapters.store import db_manager

    _execute(postgres_server, f'CREATE DATABASE "{_TEMPLATE}"')
    dsn = dsn_of(postgres_server, _TEMPLATE)

    async def work() -> None:
        outcome = db_manager.upgrade(dsn)
        if inspect.isawaitable(outcome):
            await outcome

    run_apart(work)
    return _TEMPLATE


@pytest.fixture
def database(postgres_server: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    """The DSN of a fresh database with the whole schema; gone after the test."""
    yield from _fresh(postgres_server, migrated_template)


@pytest.fixture(scope="module")
def recorded(postgres_server: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    """As `database`, for all tests of a file: whoever fills it, fills it once."""
    yield from _fresh(postgres_server, migrated_template)


@pytest.fixture
def copy_of(postgres_server: EmbeddedPostgres) -> Iterator[Callable[[str], str]]:
    """Makes a copy of a database (by its DSN, nobody connected) that a test may change."""
    with ExitStack() as stack:

        def copied(dsn: str) -> str:
            name = urlsplit(dsn).path.strip("/")
            return stack.enter_context(contextmanager(_fresh)(postgres_server, name))

        yield copied


@pytest.fixture
def databases(
    postgres_server: EmbeddedPostgres, migrated_template: str
) -> Iterator[Callable[[], str]]:
    """As `database`, as many as a test asks for."""
    with ExitStack() as stack:

        def another() -> str:
            return stack.enter_context(contextmanager(_fresh)(postgres_server, migrated_template))

        yield another


@pytest.fixture
def empty_database(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The DSN of a fresh database without any table; gone after the test."""
    yield from _fresh(postgres_server, "template0")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of data that is not in the repository (SIMPLE_TRADER_DATA, else ../shared)."""
    folder = Path(os.environ.get("SIMPLE_TRADER_DATA") or ROOT.parent / "shared")
    if not folder.is_dir():
        pytest.skip(f"no outside data in {folder}: name its folder in SIMPLE_TRADER_DATA")
    return folder
