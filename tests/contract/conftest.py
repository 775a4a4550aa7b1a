"""The contract's fixtures: a sandbox process, and both drivers in turn."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from contract_client import ClientDriver
from contract_facts import Driver, Opener, Watch
from contract_raw import RawDriver
from contract_world import KEYS, SPECIAL, World, world

VIA = {"client": "via our client", "raw": "raw frames"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test waits for processes and sockets of this machine only."""
    for item in items:
        if "tests/contract" in item.path.as_posix():
            item.add_marker(pytest.mark.timeout(60))


@pytest.fixture(scope="session")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The exchange with all switches as they usually are; its market time only moves on."""
    with world(tmp_path_factory.mktemp("contract")) as made:
        yield made


@pytest.fixture(scope="module")
def there(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """The exchange of this module: the usual one, or one with the module's own RULES."""
    rules: tuple[str, ...] = getattr(request.module, "RULES", ())
    options: dict[str, Any] = getattr(request.module, "OPTIONS", {})
    if not rules and not options:
        yield request.getfixturevalue("usual")
        return
    with world(tmp_path_factory.mktemp("contract"), *rules, **options) as made:
        yield made


@pytest.fixture(params=list(VIA), ids=list(VIA.values()))
def via(request: pytest.FixtureRequest) -> str:
    """Which of the two readings of the protocol is driven."""
    kind: str = request.param
    return kind


@pytest.fixture
async def opener(there: World, via: str) -> AsyncIterator[Opener]:
    """Opens drivers of accounts: a fresh one, one of SPECIAL or of KEYS, or a named one."""
    opened: list[Driver] = []

    async def open_one(account: str = "", watch: Watch | None = None) -> Driver:
        if account in (*SPECIAL, *KEYS):
            account = f"{account}-{via}"
        kind = ClientDriver if via == "client" else RawDriver
        made = kind(there, account or there.account(), watch)
        opened.append(made)
        await made.open()
        return made

    yield open_one
    for driver in opened:
        there.do("cancel_all", account=driver.account)
        await driver.close()


@pytest.fixture
async def trader(opener: Opener) -> Driver:
    """A driver of an account that nobody has used."""
    return await opener()


@pytest.fixture
async def raw(there: World) -> AsyncIterator[RawDriver]:
    """Raw frames only, for verbs that our client has no use for."""
    made = RawDriver(there, there.account(), None)
    await made.open()
    yield made
    there.do("cancel_all", account=made.account)
    await made.close()
