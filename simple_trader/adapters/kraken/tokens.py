"""The WebSocket token: fetched anew for every connection, by one flight at a time (section 5).

Each fetch costs the REST counter, so those who ask while one is under way get its result.
"""

import asyncio
from collections.abc import Awaitable, Callable

from simple_trader.domain.errors import VenueError


class TokenSource:
    """Single flight over `fetch`; the token is kept nowhere and shown nowhere."""

    def __init__(self, fetch: Callable[[], Awaitable[str]]) -> None:
        """`fetch` asks the exchange; its VenueError reaches everyone who waits."""
        self._fetch = fetch
        self._flight: asyncio.Future[str] | None = None

    async def fresh(self) -> str:
        """A token of a flight that began now or was under way; raises VenueError."""
        while self._flight is not None:
            flight = self._flight
            await asyncio.wait([flight])
            if not flight.cancelled():
                return flight.result()
        self._flight = flight = asyncio.get_running_loop().create_future()
        try:
            token = await self._fetch()
            flight.set_result(token)
            return token
        except VenueError as error:
            flight.set_exception(error)
            flight.exception()  # there may be nobody else to look at it
            raise
        finally:
            self._flight = None
            if not flight.done():
                flight.cancel()
