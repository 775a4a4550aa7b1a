"""Opening an exchange: from options to a market source, a new or recovered state, a journal."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import msgspec

from simple_trader.sandbox.exchange import Exchange, ExchangeState
from simple_trader.sandbox.journal import VERSION, Journal, Meta, read_meta
from simple_trader.sandbox.market import PairMarket, Timeline, shifted
from simple_trader.sandbox.regimes import DEFAULT_SCRIPT
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
from simple_trader.simulator.accounts import AccountSpec
from simple_trader.simulator.instruments import (
    DEFAULT_SYMBOLS,
    INSTRUMENT_BY_SYMBOL,
    Instrument,
)
from simple_trader.simulator.venue import Venue, new_state

MAX_SPEED = 10_000.0


def open_exchange(options: SandboxOptions, wall: Callable[[], datetime]) -> Exchange:
    """Open a new or kept world; raises SandboxError with one sentence when it cannot be."""
    if not options.stepped and not 0 < options.speed <= MAX_SPEED:
        raise SandboxError(
            "a sandbox alone needs --speed as a number above 0; only the daemon can run at max."
        )
    known = read_meta(options.state) if options.state is not None else None
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
    secrets = {options.key: options.secret}
    if options.state is None:
        state = _new_world(options, wanted, source, wall)
        return Exchange(
            source, state, wall, pairs=pairs, secrets=secrets, mixed_replies=options.mixed_replies
        )
    journal = Journal(options.state, frozen=frozen)
    if known is None:
        state = _new_world(options, wanted, source, wall)
        exchange = Exchange(
            source, state, wall, pairs=pairs, journal=journal, secrets=secrets,
            mixed_replies=options.mixed_replies,
        )  # fmt: skip
        journal.create(wanted, exchange.save())
        return exchange
    return _recovered(options, source, journal, wall, pairs, frozen=frozen)


def _recovered(
    options: SandboxOptions,
    source: MarketSource,
    journal: Journal,
    wall: Callable[[], datetime],
    pairs: dict[str, Instrument],
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
    exchange = Exchange(
        source, state, wall, pairs=pairs, journal=journal, frozen=frozen,
        secrets={options.key: options.secret}, mixed_replies=options.mixed_replies,
    )  # fmt: skip
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
    options: SandboxOptions, meta: Meta, source: MarketSource, wall: Callable[[], datetime]
) -> ExchangeState:
    capital = options.capital
    if capital is None:
        capital = DAEMON_CAPITAL if options.stepped else ALONE_CAPITAL
    if not capital.is_finite() or capital < 0 or capital >= Decimal(10) ** 12:
        raise SandboxError(f"the capital of {capital} USD is not a usable amount.")
    opening = AccountSpec(opening={"USD": capital})
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
    venue = Venue(new_state(meta.seed, (opening,)), source.pairs)
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
