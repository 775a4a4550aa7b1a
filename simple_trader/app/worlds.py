"""Worlds: what a mode connects to; `sim` and `paper` our own sandbox as a child, `live` Kraken."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import assert_never

from simple_trader.adapters.venue_link.child import Announcement, SandboxChild
from simple_trader.adapters.venue_link.control import ControlLine
from simple_trader.app.places import DEFAULT_REPLAY_PAIR, Setup
from simple_trader.config.env import Secret
from simple_trader.domain.errors import (
    MarketDataError,
    ModeError,
    VenueError,
    VenueUnreachable,
    WorldMismatch,
)
from simple_trader.sandbox.child_main import encode_options
from simple_trader.sandbox.relay.addresses import Upstream, read_upstream
from simple_trader.sandbox.settings import (
    DEFAULT_KEY,
    DEFAULT_SIGNING_TEXT,
    SandboxError,
    SandboxOptions,
)
from simple_trader.simulator.instruments import DEFAULT_SYMBOLS, INSTRUMENT_BY_SYMBOL

# A generated world begins here whenever it is made: the same seed is then the same tape.
GENERATED_START = datetime(2026, 1, 5, tzinfo=UTC)
KRAKEN_REST = "https://api.kraken.com"
KRAKEN_PUBLIC = "wss://ws.kraken.com/v2"
PAPER_WORDS = "prices of Kraken's live feed, fills simulated, no market impact"
KRAKEN_PRIVATE = "wss://ws-auth.kraken.com/v2"


@dataclass(frozen=True, kw_only=True)
class World:
    """Addresses and keys of the exchange, and the identity the database is bound to."""

    rest_url: str
    public_url: str
    private_url: str
    key: Secret
    secret: Secret
    identity: str
    detail: str
    stand_in_url: str | None = None
    child: SandboxChild | None = None
    line: ControlLine | None = None
    market_at: datetime | None = None

    async def close(self) -> None:
        """End the sandbox, if it is ours."""
        if self.line is not None:
            await self.line.close()
        if self.child is not None:
            await self.child.stop()


def refuse_mode(setup: Setup) -> None:
    """Raise ModeError for what no start can do, before anything is started."""
    mode = setup.config.settings.mode
    if mode == "live" and setup.options.fresh:
        raise ModeError("--fresh is for sim and paper: the books of a live account stay.")
    options = setup.options
    broken = options.faults or options.fault_file or options.chaos or options.record
    if mode == "live" and (options.replay or options.seed is not None or options.speed is not None):
        raise ModeError("--replay, --seed and --speed are for sim: live is Kraken's own market.")
    if mode == "live" and broken:
        raise ModeError(
            "--fault, --faults, --chaos and --record are for sim and paper: they need a sandbox."
        )
    if options.crash_at is not None and mode != "sim":
        raise ModeError("--crash-at kills the daemon on purpose: it is for sim alone.")
    if mode == "paper":
        _upstream(setup)
        if setup.options.replay is not None:
            raise ModeError("--replay is for sim: paper trades on Kraken's live prices.")


async def open_world(setup: Setup) -> World:
    """Start or find the exchange of the mode; raises ModeError, VenueError or WorldMismatch."""
    match setup.config.settings.mode:
        case "sim":
            return await _open_sim(setup)
        case "paper":
            return await _open_paper(setup)
        case "live":
            return _open_live(setup)
        case mode:
            assert_never(mode)


def _open_live(setup: Setup) -> World:
    secrets = setup.environment.secrets
    if not secrets.kraken_api_key or not secrets.kraken_secret_api_key:
        raise ModeError(
            "mode live needs a Kraken key: put KRAKEN_API_KEY and KRAKEN_SECRET_API_KEY into .env."
        )
    setup.environment.require_private_file(live=True)
    account = sha256(secrets.kraken_api_key.reveal().encode()).hexdigest()[:16]
    return World(
        rest_url=KRAKEN_REST,
        public_url=KRAKEN_PUBLIC,
        private_url=KRAKEN_PRIVATE,
        key=secrets.kraken_api_key,
        secret=secrets.kraken_secret_api_key,
        identity=f"kraken {account}",
        detail=f"Kraken account of key {account}",
    )


async def _open_sim(setup: Setup) -> World:
    try:
        child, announced = await _start_child(setup, _child_command)
    except VenueError as error:
        if _sentence(error).startswith("replay file"):
            raise MarketDataError(_sentence(error)) from None
        raise
    line = ControlLine(lambda: f"ws://127.0.0.1:{_port(child, announced)}/sandbox/control")
    hello = await line.hello()
    capital = setup.config.settings.sim.initial_capital
    detail = f"sandbox of {announced.world}, opened with {capital} USD"
    return replace(_of_child(child, announced, detail), line=line, market_at=hello.at)


async def _open_paper(setup: Setup) -> World:
    """The sandbox as a relay of Kraken's public feed; the account and its fills are our own."""
    try:
        child, announced = await _start_child(setup, _paper_command)
    except VenueError as error:
        if "cannot be reached" in str(error):
            raise VenueUnreachable(_sentence(error)) from None
        raise
    return _of_child(child, announced, f"{announced.world}: {PAPER_WORDS}")


async def _start_child(
    setup: Setup, command: Callable[[Setup, int], Sequence[str]]
) -> tuple[SandboxChild, Announcement]:
    """Start our own exchange; raises VenueError, WorldMismatch for another world's state."""
    child = SandboxChild(lambda port: command(setup, port), setup.places.logs / "sandbox.log")
    try:
        return child, await child.start()
    except VenueError as error:
        if "another world" in str(error):
            raise WorldMismatch(_sentence(error)) from None
        raise


def _of_child(child: SandboxChild, announced: Announcement, detail: str) -> World:
    """The world of our own exchange on this machine."""
    base = f"127.0.0.1:{announced.port}"
    return World(
        rest_url=f"http://{base}",
        public_url=f"ws://{base}/v2",
        private_url=f"ws://{base}/auth/v2",
        key=Secret(DEFAULT_KEY),
        secret=Secret(DEFAULT_SIGNING_TEXT),
        identity=announced.world,
        detail=detail,
        stand_in_url=f"http://{base}/advisor/v1",
        child=child,
    )


def _upstream(setup: Setup) -> Upstream:
    """The public addresses that are relayed; raises ModeError for any that is not public."""
    paper = setup.config.settings.paper
    try:
        return read_upstream(paper.rest_url, paper.public_url)
    except SandboxError as error:
        raise ModeError(f"{error} (paper.rest_url and paper.public_url of config.yaml)") from None


def _paper_command(setup: Setup, port: int) -> Sequence[str]:
    """The relaying sandbox on `port`; it gets no key of the user's, and no private address."""
    settings, options, upstream = setup.config.settings, setup.options, _upstream(setup)
    paper = settings.paper
    return [
        sys.executable,
        "-m",
        "simple_trader.sandbox.child_main",
        encode_options(
            SandboxOptions(
                relay=True,
                relay_rest=upstream.rest,
                relay_public=upstream.public,
                relay_latency_ms=(paper.latency_low_ms, paper.latency_high_ms),
                pairs=settings.traded_pairs,
                state=setup.places.paper,
                port=port,
                capital=paper.initial_capital,
                child=True,
                faults=options.faults,
                fault_file=options.fault_file,
                chaos=options.chaos,
                record=options.record,
            )
        ),
    ]


def _port(child: SandboxChild, first: Announcement) -> int:
    return (child.announcement or first).port


def _sentence(error: VenueError) -> str:
    return str(error).removeprefix("The sandbox did not start: ").removeprefix("sandbox: ")


def _child_command(setup: Setup, port: int) -> Sequence[str]:
    """The sandbox of this setup on `port`; a kept state needs no replay file named again."""
    options, settings = setup.options, setup.config.settings
    known = setup.places.sandbox.is_dir() and any(setup.places.sandbox.iterdir())
    asked = options.replay is not None or options.seed is not None or not known
    # The seed of config.yaml names a generated world; a kept replay keeps its own.
    seed = settings.sim.seed if asked or _is_generated(setup.places.sandbox) else None
    return [
        sys.executable,
        "-m",
        "simple_trader.sandbox.child_main",
        encode_options(
            SandboxOptions(
                seed=seed,
                replay=options.replay,
                replay_pair=options.replay_pair or DEFAULT_REPLAY_PAIR,
                history_bars=settings.quantity_of_price_history,
                state=setup.places.sandbox,
                port=port,
                capital=settings.sim.initial_capital,
                start=GENERATED_START,
                pairs=generated_pairs(settings.traded_pairs) if options.replay is None else (),
                stepped=True,
                child=True,
                faults=options.faults,
                fault_file=options.fault_file,
                chaos=options.chaos,
                record=options.record,
            )
        ),
    ]


def generated_pairs(traded: Sequence[str]) -> tuple[str, ...]:
    """The pairs of a new generated market: its usual eight, and those that are traded besides."""
    more = [pair for pair in traded if pair in INSTRUMENT_BY_SYMBOL and pair not in DEFAULT_SYMBOLS]
    return (*DEFAULT_SYMBOLS, *more) if more else ()


def _is_generated(folder: Path) -> bool:
    """Whether the kept sandbox has a generated market."""
    from simple_trader.sandbox.journal import read_meta

    meta = read_meta(folder)
    return meta is None or meta.replay is None


def move_aside(setup: Setup, stamp: str) -> None:
    """--fresh: put the old state of the sandbox, or of the paper account, beside the new one."""
    is_paper = setup.config.settings.mode == "paper"
    folder = setup.places.paper if is_paper else setup.places.sandbox
    if folder.is_dir():
        aside = setup.places.state / "aside" / stamp
        aside.mkdir(parents=True, exist_ok=True)
        folder.rename(aside / folder.name)
