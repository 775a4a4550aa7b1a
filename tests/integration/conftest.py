"""What tests with real sockets and processes share: a faulty sandbox, its clients, a learner."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from faulty_desk import FaultyDesk, desk_on
from faulty_sandbox import Raw, Rest, There, faulty_sandbox, raw_private
from learner_parts import history

from simple_trader.adapters.learner.worker import LearnerClient


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """A session of a client without any opinion."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def there(request: pytest.FixtureRequest) -> AsyncIterator[There]:
    """A sandbox with faults; `SANDBOX` of the test's file are its options."""
    async with faulty_sandbox(**getattr(request.module, "SANDBOX", {})) as sandbox:
        yield sandbox


@pytest.fixture
async def client(there: There, http: aiohttp.ClientSession) -> AsyncIterator[Raw]:
    """A private connection that follows executions."""
    async with raw_private(http, there, "executions") as raw:
        yield raw


@pytest.fixture
def rest(there: There, http: aiohttp.ClientSession) -> Rest:
    """Signed REST requests."""
    return Rest(http, there)


@pytest.fixture
async def desk(there: There) -> AsyncIterator[FaultyDesk]:
    """Our own venue on that sandbox."""
    async with desk_on(there) as made:
        yield made


@pytest.fixture
async def learner() -> AsyncIterator[LearnerClient]:
    """A running learner process."""
    made = LearnerClient(history, timeout_s=60.0)
    await made.start()
    yield made
    await made.close()
