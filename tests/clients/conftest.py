"""Other people's programs, each in the clients' environment, against a sandbox of its own."""

import os
from collections.abc import Iterator

import pytest
from clients_parts import ENVIRONMENT, FEW_PAIRS, PROGRAMS, Told, running, sandbox_process


@pytest.fixture(scope="session")
def clients_python() -> str:
    """The Python that has other people's clients and nothing of ours."""
    python = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        pytest.skip("other people's clients are not set up: `make test-clients` does it")
    return str(python)


@pytest.fixture(scope="module")
def sandbox(request: pytest.FixtureRequest, clients_python: str) -> Iterator[str]:
    """The URL of a sandbox of its own for each file of tests, with the file's PAIRS if it says."""
    with sandbox_process(getattr(request.module, "PAIRS", FEW_PAIRS)) as url:
        yield url


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest, clients_python: str, sandbox: str) -> Iterator[Told]:
    """What the program that the file names in PROGRAM saw, by scenario."""
    with running([clients_python, str(PROGRAMS / request.module.PROGRAM), sandbox]) as program:
        yield program
