"""`run` and `sandbox`: the daemon, and the exchange alone."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from simple_trader.cli.common import (
    ConfigOption,
    EnvFileOption,
    StateDirOption,
    finish,
    seconds,
    speed,
)
from simple_trader.cli.exchange_options import (
    AccountsOption,
    CountersOption,
    MixedRepliesOption,
    PortOption,
    RelayOption,
    RelayPublicOption,
    RelayRestOption,
    RestLagOption,
    RulesOption,
    StateOption,
)
from simple_trader.cli.fault_options import (
    ChaosOption,
    CrashOption,
    FaultFileOption,
    FaultOption,
    RecordOption,
    TlsOption,
)
from simple_trader.cli.market_options import (
    PairsOption,
    RegimeOption,
    ReplaysOption,
    market_choice,
    pair_name,
    readable,
)
from simple_trader.config.options import RunOptions

ReplayOption = Annotated[
    Path | None,
    typer.Option("--replay", metavar="FILE", help="Replay this OHLCVT, trades or OHLCV CSV (.gz)."),
]
ReplayPairOption = Annotated[
    str | None,
    typer.Option("--replay-pair", metavar="PAIR", help="The pair of the replay, such as BTC/USD."),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", min=0, metavar="N", help="Seed of the sandbox's market.")
]
SpeedOption = Annotated[
    str | None,
    typer.Option("--speed", metavar="N|max", help="Market seconds per real second, a ceiling."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run")(run)
    app.command("sandbox")(sandbox)


def run(
    mode: Annotated[
        str | None, typer.Option("--mode", metavar="sim|paper|live", help="Which world.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Move the old world aside and begin a new one.")
    ] = False,
    replay: ReplayOption = None,
    replay_pair: ReplayPairOption = None,
    pace: SpeedOption = None,
    seed: SeedOption = None,
    run_for: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", help="End after this real time from ready."),
    ] = None,
    run_for_market: Annotated[
        str | None,
        typer.Option("--for-market", metavar="DURATION", help="End after this much market time."),
    ] = None,
    no_tui: Annotated[
        bool, typer.Option("--no-tui", help="Log lines instead of the live view.")
    ] = False,
    fault: FaultOption = None,
    faults: FaultFileOption = None,
    chaos: ChaosOption = None,
    record: RecordOption = None,
    crash_at: CrashOption = None,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Run the daemon until Ctrl-C, or for a while."""
    chosen = RunOptions(
        config_path=config,
        env_file=env_file,
        state_dir=state_dir,
        mode=mode,
        fresh=fresh,
        replay=_readable(replay),
        replay_pair=_pair(replay_pair),
        speed=None if pace is None else speed(pace),
        seed=seed,
        run_for_s=None if run_for is None else seconds(run_for),
        run_for_market_s=None if run_for_market is None else seconds(run_for_market),
        tui=not no_tui,
        faults=tuple(fault or ()),
        fault_file=None if faults is None else faults.absolute(),
        chaos=chaos,
        record=None if record is None else record.absolute(),
        crash_at=crash_at,
    )
    if replay_pair is not None and replay is None:
        raise typer.BadParameter("--replay-pair needs --replay FILE")
    from simple_trader.app import run_daemon

    finish(run_daemon(chosen))


def sandbox(
    port: PortOption = 8900,
    seed: SeedOption = None,
    replay: ReplaysOption = None,
    replay_pair: ReplayPairOption = None,
    regime: RegimeOption = None,
    pairs: PairsOption = None,
    pace: SpeedOption = None,
    state: StateOption = None,
    accounts: AccountsOption = None,
    rule: RulesOption = None,
    counters: CountersOption = True,
    rest_lag: RestLagOption = 0.0,
    mixed_replies: MixedRepliesOption = False,
    relay: RelayOption = False,
    relay_rest: RelayRestOption = None,
    relay_public: RelayPublicOption = None,
    fault: FaultOption = None,
    faults: FaultFileOption = None,
    chaos: ChaosOption = None,
    record: RecordOption = None,
    tls_self_signed: TlsOption = False,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Run the sandbox exchange alone, for any Kraken client.

    With --state-dir (and no --state) it serves the exchange of that daemon, STATE/sandbox.
    """
    from simple_trader.sandbox.server import run_sandbox
    from simple_trader.sandbox.settings import KRAKEN_PUBLIC, KRAKEN_REST, SandboxOptions

    if state is None and state_dir is not None:
        state = state_dir / ("paper" if relay else "sandbox")
    if relay and (replay or pace is not None):
        raise typer.BadParameter("--relay has Kraken's own market: no --replay and no --speed")
    market = market_choice(replay, replay_pair, regime, pairs)
    chosen = SandboxOptions(
        relay=relay,
        relay_rest=relay_rest or KRAKEN_REST,
        relay_public=relay_public or KRAKEN_PUBLIC,
        port=port,
        seed=seed,
        replays=market.replays,
        regime=market.regime,
        pairs=market.pairs,
        speed=1.0 if pace is None else speed(pace),
        state=state,
        accounts=accounts,
        rules=tuple(rule or ()),
        counters=counters,
        rest_lag_s=rest_lag,
        mixed_replies=mixed_replies,
        faults=tuple(fault or ()),
        fault_file=faults,
        chaos=chaos,
        record=record,
        tls_self_signed=tls_self_signed,
        capital=_capital(config, env_file, relay=relay),
    )
    finish(run_sandbox(chosen))


def _capital(config: Path | None, env_file: Path | None, *, relay: bool) -> Decimal | None:
    """The opening balance that a named config.yaml says; None without one."""
    from simple_trader.config.loader import find_config, find_env_file, load

    if env_file is not None:
        find_env_file(env_file, find_config(config))  # the sandbox needs no key, but a typo is one
    if config is None:
        return None
    settings = load(find_config(config)).settings
    return settings.paper.initial_capital if relay else settings.sim.initial_capital


def _readable(path: Path | None) -> Path | None:
    """A replay file that can be opened; ConfigError names it otherwise."""
    return None if path is None else readable(path)


def _pair(name: str | None) -> str | None:
    """A pair's name in capitals with its slash; ConfigError otherwise."""
    return None if name is None else pair_name(name, "--replay-pair")
