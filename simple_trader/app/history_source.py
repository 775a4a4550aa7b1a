"""The exchange's public history for a command: one HTTP session, names loaded, no key."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import simple_trader
from simple_trader.adapters.kraken.history import HistoryReader
from simple_trader.adapters.kraken.http_client import HttpClient
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.adapters.kraken.symbols import Symbols
from simple_trader.app.worlds import KRAKEN_REST
from simple_trader.runtime.clocks import SystemClock


class _NoMark:
    """Where nothing is signed no nonce is used."""

    def load(self) -> int:
        """No mark."""
        return 0

    def save(self, nonce: int) -> None:
        """Nothing to keep."""


@asynccontextmanager
async def open_history_source(url: str | None) -> AsyncIterator[tuple[HistoryReader, Symbols]]:
    """The history of the exchange at `url` (None: Kraken), and its names; raises VenueError."""
    http = HttpClient(f"simple-trader/{simple_trader.__version__}")
    client = RestClient(
        url=url or KRAKEN_REST,
        http=http,
        clock=SystemClock(),
        dice=random.SystemRandom(),  # jitter between tries: nothing that must repeat
        credentials=None,
        high_water=_NoMark(),
    )
    try:
        rest = KrakenRest(client)
        await rest.pairs()
        yield HistoryReader(client, rest.symbols), rest.symbols
    finally:
        await http.close()
