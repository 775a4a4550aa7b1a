"""Key safety: no live trading with a key that can withdraw, or cannot be shown not to."""

import asyncio
import logging
import random
from pathlib import Path

import simple_trader
from simple_trader.adapters.kraken.auth import Credentials, FileHighWater
from simple_trader.adapters.kraken.hall_monitor import FileCount
from simple_trader.adapters.kraken.http_client import HttpClient
from simple_trader.adapters.kraken.key_info import KeyInfo
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.app.account_facts import read_facts
from simple_trader.app.live_rules import (
    LIVE_ADDRESSES,
    bond_of,
    refuse_account,
    refuse_unarmed,
)
from simple_trader.app.places import Setup
from simple_trader.app.worlds import World
from simple_trader.domain.errors import ModeError, VenueUnreachable
from simple_trader.ports import Clock

log = logging.getLogger("simple_trader")

RETRY_FIRST_S, RETRY_MAX_S = 0.5, 30.0
FIX = "make a key without withdrawal at Kraken and put it into .env, or set allow_withdrawal_key"


async def require_safe_key(rest: KrakenRest, *, allowed: bool) -> None:
    """Raise ModeError for a key that may withdraw, unless `allowed`; warn of what it lacks.

    An exchange that does not answer is waited for.
    """
    trouble, missing = judge(await _patient(rest))
    for name in missing:
        log.warning("the Kraken key does not show the permission %r: it may be refused", name)
    if trouble and not allowed:
        raise ModeError(f"mode live refuses this Kraken key: {trouble}: {FIX}.")
    if trouble:
        log.warning("%s; it passes, as allow_withdrawal_key says so", trouble)


async def require_armed(
    setup: Setup,
    world: World,
    rest: KrakenRest,
    clock: Clock,
    addresses: tuple[str, ...] = LIVE_ADDRESSES,
) -> None:
    """Raise ModeError unless everything allows live orders; in this version it always does.

    `addresses` is a test's seam: the exchange that stands in for Kraken.
    """
    facts = await read_facts(rest, clock)
    refuse_account(setup, world, facts, addresses)
    refuse_unarmed(setup, bond_of(setup, world, facts, clock.wall()))


def judge(info: KeyInfo) -> tuple[str, tuple[str, ...]]:
    """What is wrong with a key ('' for nothing), and the permissions it lacks."""
    if info.permissions is None:
        return "it cannot be shown that the key may not withdraw", ()
    if not info.permissions:
        return "the key shows no permissions at all", info.missing
    return "the key may withdraw funds" if info.may_withdraw else "", info.missing


async def ask_key(url: str, credentials: Credentials, state: Path, clock: Clock) -> KeyInfo:
    """Ask once, outside of a daemon; raises VenueError. No daemon may use this key meanwhile."""
    http = HttpClient(f"simple-trader/{simple_trader.__version__}")
    try:
        client = RestClient(
            url=url,
            http=http,
            clock=clock,
            dice=random.SystemRandom(),
            credentials=credentials,
            high_water=FileHighWater(state / "nonce"),
            count=FileCount(state / "rest_count"),
        )
        return await KrakenRest(client).key_info()
    finally:
        await http.close()


async def _patient(rest: KrakenRest) -> KeyInfo:
    wait_s = RETRY_FIRST_S
    while True:
        try:
            return await rest.key_info()
        except VenueUnreachable as error:
            log.warning("waiting for the exchange: %s", error)
            await asyncio.sleep(wait_s)
            wait_s = min(RETRY_MAX_S, wait_s * 2)
