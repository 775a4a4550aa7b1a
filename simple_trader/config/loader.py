"""Loads config.yaml, templates and tool schemas into one frozen, hashed version."""

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

import msgspec
from pydantic import ValidationError

from simple_trader.assets import asset_path
from simple_trader.config.env import Secrets
from simple_trader.config.fields import Section
from simple_trader.config.schema import Settings
from simple_trader.config.sections import Database
from simple_trader.config.templates import broken_tags
from simple_trader.config.yaml_reader import Document, KeyPath, YamlRefused, dotted, read_yaml
from simple_trader.domain.errors import ConfigError, ModeError
from simple_trader.domain.settings import TradingSettings

CONFIG_NAME = "config.yaml"
PROMPT_TEMPLATE = "prompts/aggregator.mustache"
TOOL_SCHEMA = "aggregator_function.json"
_MAX_TEXT_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class Config:
    """One version of the configuration; never changed, only replaced.

    `source` is the text of config.yaml, `templates` and `tools` map a name below their directory
    (`prompts/aggregator.mustache`, `aggregator_function.json`) to its text. `hash` is SHA-256 in
    hex over all three and the overrides. `base` is the settings as the file alone says.
    """

    path: Path
    settings: Settings
    base: Settings
    source: str
    document: Document
    overrides: Mapping[str, object]
    templates: Mapping[str, str]
    tools: Mapping[str, str]
    directories: tuple[Path, Path]
    hash: str

    @property
    def texts(self) -> dict[str, str]:
        """Templates and tool schemas by name, as config_versions keeps them for replay."""
        return {
            **{f"templates/{name}": text for name, text in self.templates.items()},
            **{f"tools/{name}": text for name, text in self.tools.items()},
        }


def find_config(path: Path | None) -> Path:
    """The file to read: `path`, else ./config.yaml, else the one shipped with the program."""
    if path is not None:
        return path
    here = Path(CONFIG_NAME)
    if here.exists():
        return here.absolute()
    try:
        return asset_path(CONFIG_NAME)
    except FileNotFoundError as error:
        raise ConfigError(f"{CONFIG_NAME}: {error}") from error


def find_env_file(path: Path | None, config: Path) -> Path | None:
    """The .env to read: `path` (which must exist), else .env beside config.yaml or here."""
    if path is not None:
        if not path.is_file():
            raise ConfigError(f"{path}: no such file; --env-file must name a file that exists.")
        return path
    for candidate in (config.absolute().parent / ".env", Path(".env").absolute()):
        if candidate.is_file():
            return candidate
    return None


def load(path: Path, *, overrides: Mapping[str, object] | None = None) -> Config:
    """Read and check everything; `overrides` are dotted keys from the command line.

    Raises ConfigError: file, key or line, and reason in one sentence. Nothing is kept between
    calls, so a version is either whole or not there.
    """
    source, document = _read_document(path)
    base = _validate(path, document.values, document.lines)
    chosen = dict(overrides or {})
    settings = base
    if chosen:
        merged = _merge(document.values, chosen)
        settings = _validate(path, merged, document.lines, given=chosen)
    templates_dir = _directory(path, settings.templates_dir, "templates")
    tools_dir = _directory(path, settings.tools_dir, "tools")
    templates = _read_tree(templates_dir, ".mustache", PROMPT_TEMPLATE)
    tools = _read_tree(tools_dir, ".json", TOOL_SCHEMA)
    for name, text in templates.items():
        trouble = broken_tags(text)
        if trouble:
            raise ConfigError(f"{templates_dir / name}: {trouble}.")
    for name, text in tools.items():
        _check_tool(tools_dir / name, text)
    for shadow in settings.shadows:
        if shadow.template and f"prompts/{shadow.template}" not in templates:
            missing = templates_dir / "prompts" / shadow.template
            raise ConfigError(f"{path}: shadows: {shadow.name} needs {missing}, which is missing.")
    return Config(
        path=path,
        settings=settings,
        base=base,
        source=source,
        document=document,
        overrides=MappingProxyType(chosen),
        templates=MappingProxyType(templates),
        tools=MappingProxyType(tools),
        directories=(templates_dir, tools_dir),
        hash=_hash(source, templates, tools, chosen),
    )


def load_database(path: Path) -> tuple[Database, bool]:
    """The section `database`, and whether the mode is live; what else it says may be invalid.

    Raises ConfigError when the file cannot be read, is not YAML or that section is faulty.
    """
    document = _read_document(path)[1]
    values = {name: value for name, value in document.values.items() if name == "database"}
    section = _validate(path, values, document.lines).database
    return section, document.values.get("mode") == "live"


def with_settings(config: Config, settings: Settings) -> Config:
    """The same version under other settings in force (a held limit, a key only read at start).

    The hash stays a name of what trades: it covers the difference to the file as well.
    """
    if settings == config.settings:
        return config
    held = settings.model_dump_json()
    digest = hashlib.sha256(f"{config.hash}\0{held}".encode()).hexdigest()
    return replace(config, settings=settings, hash=digest)


def trading_settings(config: Config, *, armed: bool = False) -> TradingSettings:
    """What the brain needs to know of `config`; live places only when allowed and `armed`."""
    s = config.settings
    return TradingSettings(
        traded_pairs=s.traded_pairs,
        may_place=s.mode != "live" or (s.place_live_orders and armed),
        enable_aggregator=s.enable_aggregator,
        aggregator_interval_s=s.aggregator_interval_seconds,
        quantity_of_price_history=s.quantity_of_price_history,
        advice_deadline_s=s.advice_deadline_seconds,
        advice_reuse_s=s.advice_reuse_seconds,
        shadows=tuple(shadow.name for shadow in s.shadows),
        min_confidence=s.confidence_in_force,
        min_expected_move_pct=s.min_expected_move_pct,
        max_risk_level=s.max_risk_level,
        base_order=s.base_order,
        risk_multiplier_low=s.risk_multipliers.low,
        risk_multiplier_medium=s.risk_multipliers.medium,
        risk_multiplier_high=s.risk_multipliers.high,
        max_balance_fraction=s.max_balance_fraction,
        min_order_value=s.min_order_value,
        max_order_value=s.max_order_value,
        max_order_qty=dict(s.max_order_qty),
        max_open_orders=s.max_open_orders,
        max_orders_per_minute=s.max_orders_per_minute,
        max_flips_per_day=s.max_flips_per_day,
        max_notional_per_minute=s.max_notional_per_minute,
        max_notional_per_hour=s.max_notional_per_hour,
        max_notional_per_day=s.max_notional_per_day,
        max_pair_notional_per_minute=s.max_pair_notional_per_minute,
        max_pair_notional_per_hour=s.max_pair_notional_per_hour,
        max_pair_notional_per_day=s.max_pair_notional_per_day,
        price_collar_bps=s.price_collar_bps,
        max_slippage_bps=s.max_slippage_bps,
        max_quote_age_s=s.max_quote_age_seconds,
        max_spread_bps=s.max_spread_bps,
        candle_minutes=s.candle_minutes,
        max_asset_exposure=s.max_asset_exposure,
        max_total_exposure=s.max_total_exposure,
        daily_loss_limit=s.daily_loss_limit,
        max_drawdown=s.max_drawdown,
        order_deadline_s=s.order_deadline_seconds,
        stop_loss_percent=s.stop_loss_percent,
        take_profit_percent=s.take_profit_percent,
        risk_manager_interval_s=s.risk_manager_interval_seconds,
        enable_model=s.enable_model,
        model_horizons=s.model_horizons,
        training_interval_s=s.training_interval_seconds,
        model_lookback_days=s.model_lookback_days,
        min_training_rows=s.min_training_rows,
        enable_private_feed=s.enable_private_feed,
        enable_public_feed=s.enable_public_feed,
        enable_order_book_feed=s.enable_order_book_feed or s.enable_minimal_order_book_feed,
    )


def uses_stand_in(settings: Settings, secrets: Secrets) -> bool:
    """Whether the sandbox's stand-in advisor is asked; live without a provider is a ModeError.

    sim: unless config.yaml names providers or an openai_base_url. paper: with none of both and no
    key.
    """
    if settings.openai_base_url or settings.providers:
        return False
    if settings.mode == "sim":
        return True
    if secrets.openai_api_key:
        return False
    if settings.mode == "paper":
        return True
    raise ModeError(
        "mode live needs an LLM provider: put OPENAI_API_KEY into .env, or providers or "
        "openai_base_url into config.yaml."
    )


# ------------------------------------------------------------------------------- the parts


def _read_text(path: Path, what: str) -> str:
    """The text of a file; ConfigError when missing, unreadable, too long or not UTF-8."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_TEXT_BYTES + 1)
        if len(raw) > _MAX_TEXT_BYTES:
            raise ConfigError(f"{path}: is longer than {_MAX_TEXT_BYTES} bytes.")
        return raw.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: {what} is missing; restore it or run init.") from error
    except OSError as error:
        raise ConfigError(f"{path}: {what} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {error.start}).") from error


def _read_document(path: Path) -> tuple[str, Document]:
    """The text of config.yaml and what it holds; ConfigError names the line of a fault."""
    source = _read_text(path, "the configuration")
    try:
        return source, read_yaml(source)
    except YamlRefused as error:
        raise ConfigError(f"{path}: line {error.line}: {error.reason}.") from error


def _validate(
    path: Path,
    values: Mapping[str, Any],
    lines: Mapping[KeyPath, int],
    *,
    given: Mapping[str, object] | None = None,
) -> Settings:
    """The model of `values`; ConfigError names the first fault, its key and line, and how many."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        faults = error.errors(include_url=False)
    # A misspelt key tells more than the one that is missing for it.
    first = min(faults, key=lambda fault: fault["type"] == "missing")
    where = tuple(first["loc"])
    name = dotted(where)
    line = next((lines[where[:n]] for n in range(len(where), 0, -1) if where[:n] in lines), None)
    if given and name in given:
        place = "from the command line: "
    else:
        place = f"line {line}: " if line else ""
    subject = f"{name} " if name else ""
    more = f" ({len(faults) - 1} more)" if len(faults) > 1 else ""
    sentence = f"{path}: {place}{subject}{_reason(first, where)}{more}"
    raise ConfigError(sentence if sentence.endswith("?") else f"{sentence}.")


def _reason(fault: Mapping[str, Any], where: KeyPath) -> str:
    """pydantic's words as a part of our sentence."""
    kind = fault["type"]
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(where[-1]), _keys_at(where[:-1]), n=1)
        return "is no key of this file" + (f"; did you mean {near[0]}?" if near else "")
    if kind in {"model_type", "model_attributes_type"}:
        return "must hold keys of its own (indented below it)"
    if kind == "missing":
        return "is missing"
    if kind == "tuple_type":
        return "must be a list as config.yaml shows it ([] for none)"
    if kind == "too_long":
        return f"holds {len(fault['input'])} entries; it takes {fault['ctx']['max_length']} at most"
    text = str(fault["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    if kind != "value_error":
        text = f"{text}, not {_shown(fault['input'])}"
    return text[:1].lower() + text[1:] if not text.startswith(("BTC", "USD")) else text


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _keys_at(where: KeyPath) -> list[str]:
    model: type[Section] = Settings
    for part in where:
        if isinstance(part, int):
            continue  # an entry of a list: its kind is that of the list
        info = model.model_fields.get(part)
        kind: Any = info.annotation if info else None
        kind = next(iter(get_args(kind)), kind)
        if not (isinstance(kind, type) and issubclass(kind, Section)):
            return []
        model = kind
    return list(model.model_fields)


def _merge(values: Mapping[str, Any], overrides: Mapping[str, object]) -> dict[str, Any]:
    """`values` with dotted `overrides` laid over it."""
    merged: dict[str, Any] = {k: dict(v) if isinstance(v, dict) else v for k, v in values.items()}
    for name, value in overrides.items():
        at = merged
        *parents, last = name.split(".")
        for parent in parents:
            below = at.setdefault(parent, {})
            at = below if isinstance(below, dict) else at
        at[last] = value
    return merged


def _directory(config: Path, named: str, shipped: str) -> Path:
    """The directory that is named relative to the config, else the shipped one."""
    if named:
        path = (config.absolute().parent / Path(named).expanduser()).resolve()
        if not path.is_dir():
            raise ConfigError(f"{config}: {shipped}_dir names {path}, which is no directory.")
        return path
    try:
        return asset_path(shipped)
    except FileNotFoundError as error:
        raise ConfigError(f"{config}: {error}") from error


def _read_tree(directory: Path, suffix: str, needed: str) -> dict[str, str]:
    """The texts of all files with `suffix` below `directory`, by name; `needed` must be there."""
    found: dict[str, str] = {}
    for path in sorted(directory.rglob(f"*{suffix}")):
        found[path.relative_to(directory).as_posix()] = _read_text(path, "the file")
    if needed not in found:
        raise ConfigError(f"{directory / needed}: the file is missing; restore it.")
    return found


def _check_tool(path: Path, text: str) -> None:
    """A tool schema is one JSON object."""
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path}: is not JSON ({error}).") from error
    if not isinstance(value, dict) or not value:
        raise ConfigError(f"{path}: must be a JSON object.")


def _hash(
    source: str,
    templates: Mapping[str, str],
    tools: Mapping[str, str],
    overrides: Mapping[str, object],
) -> str:
    """SHA-256 over every part with its length, so that no two versions share a digest."""
    digest = hashlib.sha256()

    def add(text: str) -> None:
        data = text.encode()
        digest.update(len(data).to_bytes(8, "big") + data)

    add(source)
    for kind in (templates, tools):
        add(str(len(kind)))
        for name in sorted(kind):
            add(name)
            add(kind[name])
    for name in sorted(overrides):
        add(f"{name}={overrides[name]}")
    return digest.hexdigest()
