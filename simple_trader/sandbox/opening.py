"""Opening an exchange: from options to a market source, a new or recovered state, a journal."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import msgspec

from simple_trader.sandbox.accounts_file import Plan, default_plan, read_plan
from simple_trader.sandbox.exchange import Exchange, ExchangeState
from simple_trader.sandbox.front import Surface
from simple_trader.sandbox.journal import VERSION, Journal, Meta, read_meta
from simple_trader.sandbox.market import PairMarket, Timeline, shifted
from simple_trader.sandbox.memory import Memory
from simple_trader.sandbox.regimes import DEFAULT_SCRIPT
from simple_trader.sandbox.rules import read_rules
from simple_trader.sandbox.settings import (
    ALONE_CAPITAL,
    DAEMON_CAPITAL,
    DEFAULT_SEED,
    SandboxError,
    SandboxOptions,
)
from simple_trader.sandbox.sources import MarketSource, SourceError, Tick, to_moment, to_us
from simple_trader.sandbox.sources_generated import GeneratedSource
from simple_trader.sandbox.sources_replay import ReplaySource
from simple_trader.simulator.instruments import (
    DEFAULT_SYMBOLS,
    INSTRUMENT_BY_SYMBOL,
    Instrument,
)
from simple_trader.simulator.venue import Venue, new_state

MAX_SPEED = 10_000.0
MAX_LAG_S = 3_600.0


def open_exchange(options: SandboxOptions, wall: Callable[[], datetime]) -> Exchange:
    """Open a new or kept world; raises SandboxError with one sentence when it cannot be."""
    if not options.stepped and not 0 < options.speed <= MAX_SPEED:
        raise SandboxError(
            "a sandbox alone needs --speed as a number above 0; only the daemon can run at max."
        )
    known = read_meta(options.state) if options.state is not None else None
    if known is not None and known.relay:
        raise SandboxError(f"{options.state} holds a {known.world}: serve it with --relay.")
    frozen = options.frozen or (known is not None and known.stepped and not options.stepped)
    if frozen and known is None:
        raise SandboxError(f"there is no sandbox state in {options.state} to serve frozen.")
    wanted = known if known is not None and _says_nothing(options) else _meta(options, known, wall)
    try:
        source = _source(wanted)
    except SourceError as error:
        raise SandboxError(str(error)) from error
    _check_world(options, known, source)
    wanted = msgspec.structs.replace(wanted, world=source.world)
    pairs = _listed(source.pairs, options.pairs or wanted.pairs)
    plan = plan_of(options)
    if options.state is None:
        surface = surface_of(options, plan, None)
        state = _new_world(plan, options, wanted, source, wall)
        return Exchange(source, state, wall, pairs=pairs, surface=surface)
    journal = Journal(options.state, frozen=frozen)
    surface = surface_of(options, plan, None if frozen else options.state)
    if known is None:
        state = _new_world(plan, options, wanted, source, wall)
        exchange = Exchange(source, state, wall, pairs=pairs, journal=journal, surface=surface)
        journal.create(wanted, exchange.save())
        return exchange
    return _recovered(options, source, journal, wall, pairs, surface, frozen=frozen)


def plan_of(options: SandboxOptions) -> Plan:
    """Give the accounts and keys of a sandbox; raises SandboxError for a bad file or capital."""
    """Give the accounts and keys of these options; raises SandboxError."""
    counters = not options.stepped if options.counters is None else options.counters
    if options.accounts is not None:
        return read_plan(options.accounts, counters=counters)
    capital = options.capital
    if capital is None:
        capital = DAEMON_CAPITAL if options.stepped else ALONE_CAPITAL
    if not capital.is_finite() or capital < 0 or capital >= Decimal(10) ** 12:
        raise SandboxError(f"the capital of {capital} USD is not a usable amount.")
    return default_plan(options.key, options.secret, {"USD": capital}, counters=counters)


def surface_of(options: SandboxOptions, plan: Plan, directory: Path | None) -> Surface:
    """Give how a sandbox looks from outside; `directory` keeps what must outlast the process."""
    """Give what a client meets: keys, switches and what both remember; raises SandboxError."""
    if not 0 <= options.rest_lag_s <= MAX_LAG_S:
        raise SandboxError(f"the REST lag must lie between 0 and {MAX_LAG_S} seconds.")
    surface_rules, venue_rules = read_rules(options.rules)
    return Surface(
        keys=plan.keys,
        rules=surface_rules,
        venue_rules=venue_rules,
        memory=Memory(directory),
        # A stepped market's orders do not wait for real time while nobody runs it.
        keep_switches=not options.stepped,
        mixed_replies=options.mixed_replies,
        rest_lag_s=options.rest_lag_s,
    )


def _recovered(
    options: SandboxOptions,
    source: MarketSource,
    journal: Journal,
    wall: Callable[[], datetime],
    pairs: dict[str, Instrument],
    surface: Surface,
    *,
    frozen: bool,
) -> Exchange:
    loaded = journal.load()
    try:
        state = msgspec.msgpack.decode(loaded.checkpoint, type=ExchangeState)
        source.restore(state.source)
    except (msgspec.MsgspecError, SourceError) as error:
        raise SandboxError(
            f"the sandbox checkpoint in {options.state} cannot be read ({error}); use --fresh."
        ) from error
    strangers = {spec.account for spec in surface.keys.values()} - set(state.venue.accounts)
    if strangers:
        raise SandboxError(
            f"{options.state} has no account {min(strangers)}: its accounts are "
            f"{', '.join(state.venue.accounts)}; name one of them or start with --fresh."
        )
    exchange = Exchange(
        source, state, wall, pairs=pairs, journal=journal, frozen=frozen, surface=surface
    )
    exchange.recover(loaded.records)
    if not frozen and not options.stepped:
        exchange.rebase(wall(), options.speed)
    return exchange


def _says_nothing(options: SandboxOptions) -> bool:
    return (
        options.seed is None
        and options.replay is None
        and not options.replays
        and options.regime is None
    )


def _meta(options: SandboxOptions, known: Meta | None, wall: Callable[[], datetime]) -> Meta:
    start = options.start if options.stepped and options.start is not None else wall()
    seed = options.seed
    if seed is None:
        seed = known.seed if known is not None else DEFAULT_SEED
    if known is not None and (options.replay is not None or options.replays):
        seed = known.seed
    return Meta(
        version=VERSION,
        world="",
        stepped=options.stepped,
        seed=seed,
        replay=None if options.replay is None else str(options.replay.absolute()),
        replay_pair=options.replay_pair,
        history_bars=known.history_bars if known is not None else options.history_bars,
        start=known.start if known is not None else to_us(start),
        pairs=options.pairs,
        replays=tuple((pair, str(path.absolute())) for pair, path in options.replays),
        regime=options.regime or (known.regime if known is not None else DEFAULT_SCRIPT),
        traded=known.traded if known is not None else _traded(options),
    )


def _traded(options: SandboxOptions) -> tuple[str, ...]:
    # A daemon may name other pairs at its next start: its eight are always there.
    if options.stepped:
        return (*DEFAULT_SYMBOLS, *(name for name in options.pairs if name not in DEFAULT_SYMBOLS))
    return options.pairs or tuple(INSTRUMENT_BY_SYMBOL)


def _source(meta: Meta) -> MarketSource:
    files = [(pair, Path(path)) for pair, path in meta.replays]
    if meta.replay is not None:
        files.insert(0, (meta.replay_pair, Path(meta.replay)))
    if files:
        return ReplaySource(files, meta.history_bars, meta.seed)
    return GeneratedSource(
        meta.seed, meta.start, meta.history_bars, symbols=meta.traded, regime=meta.regime
    )


def _check_world(options: SandboxOptions, known: Meta | None, source: MarketSource) -> None:
    if known is None:
        return
    if known.world != source.world:
        raise SandboxError(
            f"{options.state} holds another world ({known.world}, not {source.world}): "
            "name another state directory or start with --fresh."
        )
    if options.stepped and not known.stepped:
        raise SandboxError(
            f"{options.state} belongs to a stand-alone sandbox: name another state directory."
        )


def _listed(pairs: dict[str, Instrument], wanted: tuple[str, ...]) -> dict[str, Instrument]:
    listed = {symbol: pair for symbol, pair in pairs.items() if not wanted or symbol in wanted}
    if not listed:
        raise SandboxError(
            f"none of the pairs {', '.join(wanted)} is in this market: it has {', '.join(pairs)}."
        )
    return listed


def _new_world(
    plan: Plan,
    options: SandboxOptions,
    meta: Meta,
    source: MarketSource,
    wall: Callable[[], datetime],
) -> ExchangeState:
    if not options.stepped:
        market_start = shifted(source.start, to_us(wall()))
        timeline = Timeline(source.start, market_start, options.speed)
    else:
        timeline = Timeline(source.start, source.start, 1.0)
    markets = {symbol: PairMarket(pair) for symbol, pair in source.pairs.items()}
    last: dict[str, Tick] = {}
    for tick in source.history():
        markets[tick.symbol].take(tick, timeline.market_time(tick.at))
        last[tick.symbol] = tick
    venue = Venue(new_state(meta.seed, plan.accounts.values()), source.pairs)
    start = timeline.market_time(source.start)
    for symbol, tick in last.items():
        venue.on_market(symbol, to_moment(start), tick.bid, tick.ask, ())
    # What is stamped with the start itself has happened: no price of an older bar is shown for it.
    while source.next_at() == source.start:
        for tick in source.step():
            markets[tick.symbol].take(tick, start)
            venue.on_market(tick.symbol, to_moment(start), tick.bid, tick.ask, tick.prints)
    return ExchangeState(
        start,
        venue.state,
        {symbol: market.save() for symbol, market in markets.items()},
        source.save(),
        timeline,
    )
