"""One SDK client for each provider in use; those of others end when nobody uses them."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from simple_trader.adapters.llm.provider import ProviderSettings
from simple_trader.adapters.llm.transport import NoConnection, open_client

if TYPE_CHECKING:
    from openai import AsyncOpenAI

log = logging.getLogger("simple_trader.advisor")


class Clients:
    """Opens a client at the first use of its settings and closes it some time after the last."""

    def __init__(self) -> None:
        """Nothing is open yet."""
        self._open: dict[ProviderSettings, AsyncOpenAI] = {}
        self._users: dict[ProviderSettings, int] = {}
        self._wanted: frozenset[ProviderSettings] = frozenset()
        self._opening = asyncio.Lock()

    def want(self, settings: Iterable[ProviderSettings]) -> None:
        """Clients of others than these are closed once they are idle."""
        self._wanted = frozenset(settings)

    async def warm(self, wanted: Iterable[ProviderSettings]) -> None:
        """Want these from now on, and open them."""
        self.want(wanted)
        for settings in self._wanted:
            if not settings.fault():
                await self._warm_one(settings)

    async def _warm_one(self, settings: ProviderSettings) -> None:
        try:
            async with self.lend(settings):
                return
        except NoConnection as error:
            # Its first question fails with the same words: the daemon trades on without it.
            log.warning("%s cannot be reached: %s", settings.name, settings.scrub(str(error)))

    @asynccontextmanager
    async def lend(self, settings: ProviderSettings) -> AsyncIterator["AsyncOpenAI"]:
        """The client of these settings, which stays open meanwhile."""
        self._users[settings] = self._users.get(settings, 0) + 1
        try:
            async with self._opening:
                if settings not in self._open:
                    self._open[settings] = await open_client(settings)
            yield self._open[settings]
        finally:
            self._users[settings] -= 1
            if not self._users[settings]:
                del self._users[settings]
        await self._close_idle()

    async def close(self) -> None:
        """Close all."""
        while self._open:
            await self._open.popitem()[1].close()

    async def _close_idle(self) -> None:
        for settings in [s for s in self._open if s not in self._wanted and s not in self._users]:
            client = self._open.pop(settings, None)
            if client is not None:
                await client.close()
