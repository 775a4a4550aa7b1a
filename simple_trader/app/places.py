"""Where one daemon keeps its things: everything lives below one state directory."""

import os
from dataclasses import dataclass
from pathlib import Path

from simple_trader.adapters.store.state_directory import default_state_dir
from simple_trader.config.env import Environment, read_environment
from simple_trader.config.loader import Config, find_config, find_env_file, load
from simple_trader.config.options import RunOptions
from simple_trader.domain.errors import ConfigError
from simple_trader.sandbox.journal import read_meta
from simple_trader.sandbox.settings import SandboxError

DEFAULT_REPLAY_PAIR = "BTC/USD"


@dataclass(frozen=True)
class Places:
    """Folders of a state directory."""

    state: Path

    @property
    def logs(self) -> Path:
        """trading_system.log, errors.log, sandbox.log."""
        return self.state / "logs"

    @property
    def sandbox(self) -> Path:
        """Journal and checkpoints of the sandbox exchange."""
        return self.state / "sandbox"

    @property
    def paper(self) -> Path:
        """Journal and checkpoints of the paper account."""
        return self.state / "paper"

    @property
    def control(self) -> Path:
        """Requests of the operator."""
        return self.state / "control"

    @property
    def backups(self) -> Path:
        """Nightly dumps."""
        return self.state / "backups"

    def make(self) -> None:
        """Create the state directory; raises ConfigError when that is not allowed."""
        try:
            # 0711: as root the database server runs as another user and must pass through.
            if not self.state.exists():
                self.state.mkdir(parents=True)
                self.state.chmod(0o711)  # whatever the umask says
            for folder in (self.logs, self.control):
                folder.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise ConfigError(
                f"the state directory {self.state} cannot be used ({error.strerror}): "
                "name another one with --state-dir."
            ) from error


@dataclass(frozen=True)
class Setup:
    """What every command starts from: one configuration, one environment, one state directory."""

    options: RunOptions
    config: Config
    environment: Environment
    places: Places


def overrides_of(options: RunOptions, places: Places) -> dict[str, object]:
    """Dotted configuration keys that the command line, or a kept replay, sets."""
    chosen: dict[str, object] = {}
    if options.mode is not None:
        chosen["mode"] = options.mode
    if options.speed is not None:
        chosen["sim.speed"] = "max" if options.speed == float("inf") else options.speed
    if options.seed is not None:
        chosen["sim.seed"] = options.seed
    pair = _replayed_pair(options, places)
    if pair is not None:
        chosen["traded_pairs"] = [pair]  # a replay has one market
    return chosen


def _replayed_pair(options: RunOptions, places: Places) -> str | None:
    """The pair of the replay that is asked for or was begun here; None for a generated market."""
    if options.replay is not None:
        return options.replay_pair or DEFAULT_REPLAY_PAIR
    try:
        kept = None if options.fresh else read_meta(places.sandbox)
    except SandboxError:
        return None  # the sandbox itself says what is wrong with its state
    return None if kept is None or kept.replay is None else kept.replay_pair


def read_places(options: RunOptions) -> tuple[Path, Environment, Places]:
    """Where config.yaml is, what .env says and the state directory; config.yaml is not read."""
    path = find_config(options.config_path)
    environment = read_environment(find_env_file(options.env_file, path))
    state = options.state_dir or environment.state_dir
    if state is None:
        state = default_state_dir(environment.variables, is_root=os.geteuid() == 0)
    return path, environment, Places(state.absolute())


def read_setup(options: RunOptions) -> Setup:
    """Read config.yaml and .env and settle the state directory; raises ConfigError."""
    path, environment, places = read_places(options)
    config = load(path, overrides=overrides_of(options, places))
    return Setup(options, config, environment, places)
