"""Opening a paper account: the upstream's rules, a new or kept account, its journal."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import msgspec

from simple_trader.sandbox import wire
from simple_trader.sandbox.accounts_file import default_plan
from simple_trader.sandbox.exchange import ExchangeState
from simple_trader.sandbox.front import Surface
from simple_trader.sandbox.journal import VERSION, Journal, Meta, read_meta
from simple_trader.sandbox.market import Timeline
from simple_trader.sandbox.opening import plan_of, surface_of
from simple_trader.sandbox.relay.addresses import Upstream, read_upstream
from simple_trader.sandbox.relay.exchange import RelayExchange
from simple_trader.sandbox.relay.metadata import (
    Metadata,
    keep_metadata,
    kept_metadata,
    read_metadata,
)
from simple_trader.sandbox.relay.public_rest import PublicRest, public_client
from simple_trader.sandbox.relay.source import RelaySource
from simple_trader.sandbox.settings import DEFAULT_SEED, SandboxError, SandboxOptions
from simple_trader.sandbox.sources import to_moment, to_us
from simple_trader.simulator.instruments import know_assets
from simple_trader.simulator.venue import new_state

TRIES = 3
PAUSE_S = 2.0
TRY_S = 12.0


async def ask_metadata(upstream: Upstream, *, tries: int = TRIES) -> Metadata:
    """Ask the upstream for its pairs and assets; raises SandboxError after a few tries.

    It never takes longer than the daemon waits for its child.
    """
    said = "no answer in time"
    async with public_client() as http:
        rest = PublicRest(http, upstream.rest)
        for number in range(tries):
            if number:
                await asyncio.sleep(PAUSE_S)
            try:
                async with asyncio.timeout(TRY_S):
                    pairs = await rest.answer("GET", "/0/public/AssetPairs")
                    assets = await rest.answer("GET", "/0/public/Assets")
            except TimeoutError:
                continue
            if pairs.status == assets.status == 200:
                return read_metadata(pairs.body, assets.body)
            status = max(pairs.status, assets.status)
            said = rest.trouble or f"{upstream.rest} answers with HTTP {status}"
    raise SandboxError(
        f"Kraken cannot be reached: {said}. Paper trading needs its live feed: look at the network "
        "and start again, or use --mode sim."
    )


async def open_relay(options: SandboxOptions, wall: Callable[[], datetime]) -> RelayExchange:
    """Open a new or kept paper account; raises SandboxError with one sentence.

    A kept account opens without the upstream too, by the rules it last had: its orders and
    balances can be asked for, and prices come back with the feed.
    """
    upstream = read_upstream(options.relay_rest, options.relay_public)
    known = None if options.state is None else read_meta(options.state)
    if known is not None and not known.relay:
        raise SandboxError(
            f"{options.state} holds another world ({known.world}, not a paper account): name "
            "another state directory or start with --fresh."
        )
    if options.state is None or known is None:
        return _new_account(options, await ask_metadata(upstream), upstream, wall)
    kept = kept_metadata(options.state)
    try:
        now = await ask_metadata(upstream, tries=TRIES if kept is None else 1)
    except SandboxError:
        if kept is None:
            raise
        now = kept
    return _kept_account(options, known, kept or now, now, wall)


def _new_account(
    options: SandboxOptions, metadata: Metadata, upstream: Upstream, wall: Callable[[], datetime]
) -> RelayExchange:
    plan = plan_of(options)
    at = to_us(wall())
    seed = DEFAULT_SEED if options.seed is None else options.seed
    meta = Meta(
        version=VERSION,
        world=f"paper account of {wire.seconds_text(to_moment(at))}, seed {seed}",
        stepped=False,
        seed=seed,
        replay=None,
        replay_pair="",
        history_bars=0,
        start=at,
        relay=upstream.rest,
    )
    know_assets(metadata.assets)
    opened = new_state(seed, plan.accounts.values())
    state = ExchangeState(at, opened, {}, b"", Timeline(at, at, 1.0))
    if options.state is None:
        return _exchange(
            options, meta, metadata, state, None, surface_of(options, plan, None), wall
        )
    journal = Journal(options.state, frozen=False)
    surface = surface_of(options, plan, options.state)
    exchange = _exchange(options, meta, metadata, state, journal, surface, wall)
    keep_metadata(options.state, metadata)
    journal.create(meta, exchange.save())
    return exchange


def _kept_account(
    options: SandboxOptions,
    meta: Meta,
    kept: Metadata,
    now: Metadata,
    wall: Callable[[], datetime],
) -> RelayExchange:
    """Recover by the rules of then, put that down, and go on by the rules of now."""
    assert options.state is not None
    journal = Journal(options.state, frozen=False)
    know_assets(kept.assets)
    loaded = journal.load()
    try:
        state = msgspec.msgpack.decode(loaded.checkpoint, type=ExchangeState)
    except msgspec.MsgspecError as error:
        raise SandboxError(
            f"the sandbox checkpoint in {options.state} cannot be read ({error}); use --fresh."
        ) from error
    surface = surface_of(options, plan_of(options), options.state)
    exchange = _exchange(options, meta, kept, state, journal, surface, wall)
    exchange.recover(loaded.records)
    listed = now.over(kept)
    if listed == kept:
        exchange.begin()
        return exchange
    exchange.checkpoint()
    know_assets(listed.assets)
    keep_metadata(options.state, listed)
    state = msgspec.msgpack.decode(exchange.save(), type=ExchangeState)
    state.venue.overrides.clear()  # what the socket told of a pair is in its new rules, or past
    exchange = _exchange(options, meta, listed, state, journal, surface, wall)
    exchange.begin()
    return exchange


def _exchange(
    options: SandboxOptions,
    meta: Meta,
    metadata: Metadata,
    state: ExchangeState,
    journal: Journal | None,
    surface: Surface,
    wall: Callable[[], datetime],
) -> RelayExchange:
    return RelayExchange(
        RelaySource(meta.world, metadata.by_symbol, meta.start),
        state,
        wall,
        latency_ms=options.relay_latency_ms,
        journal=journal,
        surface=Surface(keys=default_plan(options.key, options.secret, {}, counters=False).keys),
    )
