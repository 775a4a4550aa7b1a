"""Asks the exchange what arming needs to know: key, clock, status, pairs, the oldest entry."""

import random
from pathlib import Path

import simple_trader
from simple_trader.adapters.kraken.auth import Credentials, FileHighWater
from simple_trader.adapters.kraken.hall_monitor import FileCount
from simple_trader.adapters.kraken.http_client import HttpClient
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.app.live_rules import AccountFacts
from simple_trader.app.worlds import World
from simple_trader.ports import Clock
from simple_trader.runtime.time_check import certain_skew_s


async def read_facts(rest: KrakenRest, clock: Clock) -> AccountFacts:
    """What the exchange says of key, clock and account; raises VenueError."""
    key = await rest.key_info()
    before = clock.wall()
    there = await rest.server_time()
    after = clock.wall()
    return AccountFacts(
        key=key,
        status=await rest.system_status(),
        skew_s=certain_skew_s(before, there, after),
        # Without that permission Kraken refuses, and the key is what must be told of.
        origin="" if "query ledger entries" in key.missing else await rest.oldest_ledger_id(),
        pairs=frozenset(rules.pair for rules in await rest.pairs()),
    )


async def ask_account(world: World, state: Path, clock: Clock) -> AccountFacts:
    """Ask once, outside of a daemon; raises VenueError. No daemon may use this key meanwhile."""
    http = HttpClient(f"simple-trader/{simple_trader.__version__}")
    try:
        client = RestClient(
            url=world.rest_url,
            http=http,
            clock=clock,
            dice=random.SystemRandom(),
            credentials=Credentials(world.key, world.secret),
            high_water=FileHighWater(state / "nonce"),
            count=FileCount(state / "rest_count"),
        )
        return await read_facts(KrakenRest(client), clock)
    finally:
        await http.close()
