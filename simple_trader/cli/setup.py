"""`init`, `config check` and `doctor`: before the first run, and when something is wrong."""

import re
from pathlib import Path
from typing import Annotated

import typer

from simple_trader.cli.common import (
    ConfigOption,
    EnvFileOption,
    StateDirOption,
    finish,
    options,
    run_async,
)
from simple_trader.domain.errors import ConfigError, TraderError

config_app = typer.Typer(help="The configuration.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("init")(init)
    app.add_typer(config_app, name="config")
    app.command("doctor")(doctor)


def init(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, take defaults.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Write config.yaml and .env (mode 0600) by asking."""
    from simple_trader.assets import asset_path
    from simple_trader.config.files import write_whole
    from simple_trader.config.loader import load

    config_path = config or Path("config.yaml")
    env_path = env_file or config_path.parent / ".env"
    shipped = asset_path("config.yaml").read_text(encoding="utf-8")
    template = asset_path(".env.template").read_text(encoding="utf-8")
    if not force:
        _refuse_overwriting(config_path, env_path, shipped)
    answers = _Answers() if yes else _ask()
    if state_dir is not None:
        answers.env["SIMPLE_TRADER_STATE_DIR"] = str(state_dir.absolute())
    text = shipped
    for key, value in answers.config.items():
        text = replaced(text, key, value)
    try:
        write_whole(config_path, text.encode(), mode=0o644)
        write_whole(env_path, filled(template, answers.env).encode(), mode=0o600)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or config_path}: cannot be written ({error.strerror})."
        ) from error
    load(config_path)
    typer.echo(f"Wrote {config_path} and {env_path} (mode 0600). Start it with: simple-trader run")


class _Answers:
    """What a person wants to differ from the shipped files."""

    def __init__(self) -> None:
        self.config: dict[str, str] = {}
        self.env: dict[str, str] = {}


def _ask() -> _Answers:
    answers = _Answers()
    mode = typer.prompt("Mode (sim, paper, live)", default="sim", value_proc=_one_of_modes)
    answers.config["mode"] = mode
    pairs = typer.prompt("Pairs to trade", default="BTC/USD, ETH/USD, SOL/USD")
    names = [p.strip().upper() for p in pairs.split(",") if p.strip()]
    answers.config["traded_pairs"] = "".join(f"\n  - {name}" for name in names)
    if mode == "live":
        answers.env["KRAKEN_API_KEY"] = _hidden("Kraken API key")
        answers.env["KRAKEN_SECRET_API_KEY"] = _hidden("Kraken private key")
    url = typer.prompt("LLM address (empty: as config.yaml explains)", default="")
    answers.config["openai_base_url"] = f'"{url.strip()}"'
    if url or mode != "sim":
        answers.env["OPENAI_API_KEY"] = _hidden("LLM key (empty: none)")
    answers.env["POSTGRES_DSN"] = _hidden("PostgreSQL DSN (empty: the embedded server)")
    return answers


def _one_of_modes(text: str) -> str:
    if text not in {"sim", "paper", "live"}:
        raise typer.BadParameter("write sim, paper or live")
    return text


def _hidden(question: str) -> str:
    return str(typer.prompt(question, default="", hide_input=True, show_default=False)).strip()


def _refuse_overwriting(config_path: Path, env_path: Path, shipped: str) -> None:
    """An existing file is somebody's work, except a config.yaml that is still as shipped."""
    if env_path.exists():
        raise ConfigError(f"{env_path}: is there already; use --force to overwrite it.")
    try:
        if config_path.exists() and config_path.read_text(encoding="utf-8") != shipped:
            raise ConfigError(f"{config_path}: is there already; use --force to overwrite it.")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{config_path}: is there already and cannot be read.") from error


def replaced(text: str, key: str, value: str) -> str:
    """`text` with the value of a top-level key replaced, comments kept."""
    pattern = re.compile(rf"(?m)^{re.escape(key)}:(?:[ ].*|(?:\n[ ]+-.*)+)$")
    joint = "" if value.startswith("\n") else " "
    new, count = pattern.subn(lambda _: f"{key}:{joint}{value}", text)
    if count != 1:
        raise ConfigError(f"the shipped config.yaml has no key {key}; install again.")
    return new


def filled(template: str, values: dict[str, str]) -> str:
    """The .env template with values put in, quoted where they need it."""
    lines = []
    for line in template.splitlines():
        name = line.partition("=")[0]
        fill = line.endswith("=") and values.get(name)
        lines.append(f"{name}={quoted(values[name])}" if fill else line)
    return "\n".join(lines) + "\n"


def quoted(value: str) -> str:
    """A value as .env reads it back. Raises ConfigError for control characters."""
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise ConfigError("a key must not hold control characters; paste it again.")
    if re.fullmatch(r"[A-Za-z0-9_./+=:@%?&-]*", value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


@config_app.command("check")
def check(
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
) -> None:
    """Read config.yaml, templates, tool schemas and .env, and say what is wrong with them."""
    from simple_trader.cli.places import state_directory
    from simple_trader.config.env import read_environment
    from simple_trader.config.fees import fee_notes
    from simple_trader.config.limits import LimitBook, hold_raised
    from simple_trader.config.loader import find_config, find_env_file, load, uses_stand_in

    chosen = options(config, env_file, state_dir)
    path = find_config(chosen.config_path)
    found = load(path)
    env_path = find_env_file(chosen.env_file, path)
    environment = read_environment(env_path)
    warning = environment.require_private_file(live=found.settings.mode == "live")
    providers = found.settings.providers
    models = [f"{one.name} ({one.model})" for one in providers] or [found.settings.openai_model]
    advisor = (
        "the stand-in advisor, not an LLM"
        if uses_stand_in(found.settings, environment.secrets)
        else ", then ".join(models)
    )
    typer.echo(f"{path}: valid, version {found.hash[:12]}, mode {found.settings.mode}.")
    typer.echo(f"{f'{env_path}: read' if env_path else 'No .env'}. Advisor: {advisor}.")
    accepted = LimitBook(state_directory(chosen)).accepted()
    notes = hold_raised(found.settings, accepted)[1] if accepted is not None else ()
    keyless = [
        f"providers: {one.name} has no key; put {one.key_variable} into .env"
        for one in providers
        if one.key_variable and not environment.secrets.provider_key(one.key_variable)
    ]
    first = [*([warning] if warning else []), *keyless]
    for note in (*first, *notes, *fee_notes(found.settings).values()):
        typer.echo(f"warning: {note}", err=True)


def doctor(
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    state_dir: StateDirOption = None,
    llm: Annotated[
        bool, typer.Option("--llm", help="Ask each LLM provider one tiny question as well.")
    ] = False,
) -> None:
    """Look for every known trouble and name its cause and fix."""
    from simple_trader.cli.doctor import examine

    try:
        findings = run_async(examine(options(config, env_file, state_dir), llm=llm))
    except TraderError as error:
        raise TraderError(f"doctor could not go on: {error}") from error
    signs = {"ok": "ok  ", "warn": "WARN", "fail": "FAIL"}
    for finding in findings:
        typer.echo(f"{signs[finding.level]}  {finding.subject}: {finding.text}")
        if finding.fix:
            typer.echo(f"      fix: {finding.fix}")
    failed = sum(f.level == "fail" for f in findings)
    warned = sum(f.level == "warn" for f in findings)
    typer.echo(f"{failed} failed, {warned} to look at, {len(findings) - failed - warned} ok.")
    finish(1 if failed else 0)
