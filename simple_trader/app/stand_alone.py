"""The kill switch without a daemon: with only the key, cancel everything on the account by REST.

It shares nothing with a running daemon but the file of the nonce's high-water mark, so it works
with daemon and database down (PT7, I-28). It is account-wide, as the kill switch is: orders of
other programs on the same account are cancelled too.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import simple_trader
from simple_trader.adapters.kraken.auth import Credentials, FileHighWater
from simple_trader.adapters.kraken.errors import ErrorKind, KrakenRefused, Outcome
from simple_trader.adapters.kraken.http_client import HttpClient
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.domain.errors import StoreError, VenueError, VenueRefused, VenueUnreachable
from simple_trader.ports import Clock

TRY_FOR_S = 30.0
PAUSE_S = 1.0
TIMEOUT_S = 5.0
# A nonce is refused while a daemon uses the key, or where its mark is on another machine: each
# refusal makes the next one leap. Three in a row, and the client asks no more by itself (X19).
NONCE_TRIES = 3


async def cancel_everything(
    url: str, credentials: Credentials, state: Path, clock: Clock, try_for_s: float = TRY_FOR_S
) -> int:
    """Cancel until the exchange says that nothing is left to cancel; how many orders went.

    Raises VenueRefused for a key that is refused, VenueUnreachable where no answer came in
    `try_for_s` or somebody made new orders all that time.
    """
    cancelled, until, tries = 0, clock.monotonic() + try_for_s, NONCE_TRIES
    async with _kraken(url, credentials, state, clock) as rest:
        while True:
            try:
                count = await rest.cancel_all()
            except VenueError as error:
                nonce = isinstance(error, KrakenRefused) and error.kind is ErrorKind.NONCE
                tries -= nonce
                if not _may_pass(error) or not tries or clock.monotonic() >= until:
                    raise
                if not nonce:
                    await asyncio.sleep(PAUSE_S)
                continue
            if count == 0:
                return cancelled
            cancelled += count
            if clock.monotonic() >= until:
                raise VenueUnreachable(
                    f"{cancelled} orders were cancelled at Kraken and new ones keep coming: stop "
                    "every program that trades on this account, and halt again."
                )


def _may_pass(error: VenueError) -> bool:
    """Whether asking again may help: a full counter, a closed market and a nonce pass, as silence
    does; a wrong key does not (X20).
    """
    if isinstance(error, KrakenRefused):
        return error.kind.outcome is Outcome.RETRYABLE
    return not isinstance(error, VenueRefused)


@asynccontextmanager
async def _kraken(
    url: str, credentials: Credentials, state: Path, clock: Clock
) -> AsyncIterator[KrakenRest]:
    http = HttpClient(f"simple-trader/{simple_trader.__version__}")
    try:
        yield KrakenRest(
            RestClient(
                url=url,
                http=http,
                clock=clock,
                dice=random.SystemRandom(),
                credentials=credentials,
                high_water=_Mark(state / "nonce"),
                timeout_s=TIMEOUT_S,
            )
        )
    finally:
        await http.close()


class _Mark:
    """The high-water mark of the daemon's nonces; where it cannot be used, the clock must do."""

    def __init__(self, path: Path) -> None:
        self._file = FileHighWater(path)

    def load(self) -> int:
        try:
            return self._file.load()
        except StoreError:
            return 0

    def save(self, nonce: int) -> None:
        try:
            self._file.save(nonce)
        except StoreError:
            return  # a full disk must not hold up a halt
