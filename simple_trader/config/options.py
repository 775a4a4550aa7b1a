"""What a command line may say about a run; defaults mean `as config.yaml says`."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Flags of `run`; the first three are those of every command.

    `config_path` None: ./config.yaml, else the one that ships with the program. `state_dir` None:
    SIMPLE_TRADER_STATE_DIR, else the default place. `speed` is market seconds per real second,
    inf for `max`. `faults`, `fault_file`, `chaos` and `record` break and record the sandbox of a
    simulated world. `run_for_s` is real seconds counted from ready, `run_for_market_s` market ones.
    `crash_at` is a crash point of the campaigns, NAME:COUNT.
    """

    config_path: Path | None = None
    env_file: Path | None = None
    state_dir: Path | None = None
    mode: str | None = None
    fresh: bool = False
    replay: Path | None = None
    replay_pair: str | None = None
    speed: float | None = None
    seed: int | None = None
    run_for_s: float | None = None
    run_for_market_s: float | None = None
    tui: bool = True
    faults: tuple[str, ...] = ()
    fault_file: Path | None = None
    chaos: str | None = None
    record: Path | None = None
    crash_at: str | None = None
