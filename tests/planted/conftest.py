"""The simulation's template on the tests' own server."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def simulation_template(postgres_server: Any, migrated_template: str) -> Iterator[str]:
    """A migrated database that keeps a history, under the name the simulation asks for."""
    from checker import history
    from dst.simulate import TEMPLATE, execute

    dsn = postgres_server.dsn
    execute(dsn, f'CREATE DATABASE "{TEMPLATE}" TEMPLATE "{migrated_template}"')
    asyncio.run(history.install(dsn.replace("@/simple_trader?", f"@/{TEMPLATE}?")))
    yield TEMPLATE
    execute(dsn, f'DROP DATABASE "{TEMPLATE}" WITH (FORCE)')
    logging.disable(logging.NOTSET)
