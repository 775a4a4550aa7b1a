"""The examinations of `doctor`: each known trouble with its cause and its fix."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from simple_trader.cli.findings import Finding, fail, ok, warn
from simple_trader.config.env import Environment, read_environment
from simple_trader.config.fees import fee_notes
from simple_trader.config.limits import LimitBook, hold_raised
from simple_trader.config.loader import Config, find_config, find_env_file, load
from simple_trader.config.options import RunOptions
from simple_trader.domain.errors import TraderError
from simple_trader.telemetry.logs import ERROR_LOG
from simple_trader.telemetry.presence import DaemonInfo, running, who_runs

_NEWEST_TESTED = (3, 14)
_MIB = 1024 * 1024
_DISK_FAIL, _DISK_WARN = 500 * _MIB, 2048 * _MIB
_MEMORY_WARN = 700 * _MIB


async def examine(options: RunOptions, *, llm: bool = False) -> list[Finding]:
    """Every examination that is possible; a broken configuration ends it early.

    `llm`: the providers of advice are asked, which costs a little.
    """
    from simple_trader.cli.doctor_database import examine_database
    from simple_trader.cli.doctor_exchange import examine_key
    from simple_trader.cli.doctor_llm import examine_llm, name_providers
    from simple_trader.cli.places import state_directory

    found = [_python(), _memory()]
    try:
        path = find_config(options.config_path)
        config = load(path)
        env_path = find_env_file(options.env_file, path)
        environment = read_environment(env_path)
        state = state_directory(options)
    except TraderError as error:
        found.append(fail("configuration", str(error), "correct the file at the place it names"))
        return found
    daemon = who_runs(state)
    found.append(ok("configuration", f"{path} is valid, version {config.hash[:12]}"))
    found.append(_config_mode(config))
    found.append(_limits(config, state))
    found.extend(_secrets(config, environment, env_path))
    found.extend(name_providers(config, environment))
    if llm:
        found.extend(await examine_llm(config, environment))
    found.extend(_switches(config))
    found.extend(_exits(config))
    found.extend(_state(state))
    found.append(_daemon(state, daemon))
    runs = daemon is not None
    found.extend(await examine_key(config.settings, environment, state, runs=runs))
    found.append(_port(config, daemon))
    found.append(_errors(state))
    found.extend(await examine_database(options, config, daemon))
    return found


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] > _NEWEST_TESTED:
        return warn(
            "Python",
            f"{version} is newer than what this version was tested with",
            "if something is odd, use Python 3.11 to 3.14",
        )
    return ok("Python", version)


def _memory() -> Finding:
    try:
        pages, size = os.sysconf("SC_AVPHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return ok("memory", "this system does not tell")
    free = available_memory() or pages * size
    if free < _MEMORY_WARN:
        return warn(
            "memory",
            f"{free // _MIB} MB are free; daemon, sandbox, learner and database use about 700 MB",
            "end other programs, or set enable_model: false and fewer traded_pairs",
        )
    return ok("memory", f"{free // _MIB} MB free")


def available_memory() -> int | None:
    """Bytes that can be had without swapping, by the kernel's own count; None elsewhere."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _config_mode(config: Config) -> Finding:
    mode = config.path.stat().st_mode
    if mode & 0o002:
        return warn(
            "config.yaml",
            f"{config.path} can be written by everybody: whoever does decides what is traded",
            f"chmod o-w {config.path}",
        )
    return ok("config.yaml", "only its owner and group write it")


def _limits(config: Config, state: Path) -> Finding:
    try:
        accepted = LimitBook(state).accepted()
    except TraderError as error:
        return fail("limits", str(error), "simple-trader limits accept")
    notes = hold_raised(config.settings, accepted or {})[1]
    if notes:
        return warn("limits", "; ".join(notes), "simple-trader limits accept")
    return ok("limits", "as accepted")


def _secrets(config: Config, environment: Environment, path: Path | None) -> Iterator[Finding]:
    live = config.settings.mode == "live"
    if environment.loose_file and path is not None:
        level = fail if live else warn
        yield level(".env", environment.loose_file, f"chmod 600 {path}")
    else:
        yield ok(".env", f"{path} is private" if path else "there is none, and none is needed here")
    secrets = environment.secrets
    if live and not (secrets.kraken_api_key and secrets.kraken_secret_api_key):
        yield fail(
            "Kraken key",
            "mode live needs KRAKEN_API_KEY and KRAKEN_SECRET_API_KEY",
            "make a key at Kraken without the right to withdraw and put both parts into .env",
        )
    elif live:
        yield ok("Kraken key", "both parts are set")


def _switches(config: Config) -> Iterator[Finding]:
    """Things that are off and would puzzle whoever forgot it."""
    settings = config.settings
    effects = (
        ("enable_public_feed", "no prices come, price_history stays empty and nothing is traded"),
        ("enable_private_feed", "fills cannot be seen and nothing is traded"),
        ("enable_order_book_feed", "order_book_metrics stays empty"),
        ("enable_aggregator", "no decision cycle runs"),
        ("enable_model", "no predictions are made and no model is trained"),
    )
    for name, effect in effects:
        stands_in = name == "enable_order_book_feed" and settings.enable_minimal_order_book_feed
        if not getattr(settings, name) and not stands_in:
            yield warn(name, f"is off: {effect}", f"set {name}: true in {config.path}")
    if settings.mode == "live" and not settings.place_live_orders:
        yield warn(
            "place_live_orders",
            "is false: orders are recorded and not sent",
            f"set place_live_orders: true in {config.path} once you want real orders",
        )


def _exits(config: Config) -> Iterator[Finding]:
    for name, note in fee_notes(config.settings).items():
        fix = f"raise {name} in {config.path}, or set it to 0 to switch that exit off"
        yield warn(name, note.removeprefix(f"{name}: ").removesuffix("."), fix)


def _state(state: Path) -> Iterator[Finding]:
    there = state
    while not there.exists() and there != there.parent:
        there = there.parent
    if not os.access(there, os.W_OK | os.X_OK):
        yield fail(
            "state directory",
            f"{state} cannot be written ({there} does not let you)",
            "name another place with --state-dir or SIMPLE_TRADER_STATE_DIR",
        )
        return
    free = shutil.disk_usage(there).free
    if free < _DISK_WARN:
        level = fail if free < _DISK_FAIL else warn
        yield level(
            "disk",
            f"{free // _MIB} MB are free below {there}",
            "free some space, lower retention_days and run: simple-trader db cleanup",
        )
    else:
        yield ok("disk", f"{free // _MIB} MB free below {there}")


def _daemon(state: Path, daemon: DaemonInfo | None) -> Finding:
    if daemon is not None:
        return ok("daemon", f"process {daemon.pid} runs in mode {daemon.mode}, {daemon.health_url}")
    if running(state):
        return ok("daemon", "one is starting or stopping on this state directory")
    return warn("daemon", f"none runs on {state}", "start one: simple-trader run")


def _port(config: Config, daemon: DaemonInfo | None) -> Finding:
    port = config.settings.health.port
    if port == 0 or daemon is not None:
        return ok("health port", "any free one" if port == 0 else f"{port}, in use by the daemon")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return fail(
                "health port",
                f"{port} cannot be used ({error.strerror})",
                f"name another health.port in {config.path}, or 0 for any free one",
            )
    return ok("health port", f"{port} is free")


def _errors(state: Path) -> Finding:
    path = state / "logs" / ERROR_LOG
    try:
        size = path.stat().st_size
    except OSError:
        return ok("errors.log", "nothing in it yet")
    if size == 0:
        return ok("errors.log", "empty")
    return warn(
        "errors.log", f"{path} has warnings", "read them: simple-trader logs --level warning"
    )
