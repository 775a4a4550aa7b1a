"""Decides what a new version of the configuration may change while the daemon runs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from simple_trader.config.fields import Section
from simple_trader.config.limits import Limits, hold_raised, limits_of
from simple_trader.config.loader import Config, with_settings
from simple_trader.config.schema import Settings, marked, walk
from simple_trader.domain.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class ConfigChange:
    """A new version in force; `notes` are sentences about what was held back or ignored.

    `before` and `after` are JSON objects of the keys that differ (a template or tool schema by its
    name), for the audit log.
    """

    config: Config
    notes: tuple[str, ...]
    before: str
    after: str


def settle(running: Config, new: Config, accepted: Limits) -> ConfigChange:
    """The version that may take effect; ConfigError when `new` looks half-written.

    Keys that are only read at the start keep their running value (C10), limits do not rise above
    what was accepted (C05).
    """
    trouble = half_written(running, new)
    if trouble:
        raise ConfigError(f"{new.path}: {trouble}.")
    settings, ignored = _keep_start_only(running, new)
    settings, waits = _keep_unarmed(running, settings)
    settings, held = hold_raised(settings, accepted)
    settings, bound = _keep_armed(running, settings)
    config = with_settings(new, settings)
    before, after = difference(running, config)
    notes = (*ignored, *waits, *held, *bound)
    return ConfigChange(config=config, notes=notes, before=before, after=after)


def _keep_unarmed(running: Config, settings: Settings) -> tuple[Settings, tuple[str, ...]]:
    """A running live daemon never begins to place orders (C10); it stops at once when told so."""
    if running.settings.mode != "live" or running.settings.place_live_orders:
        return settings, ()
    if not settings.place_live_orders:
        return settings, ()
    note = (
        "place_live_orders: true waits for the next start, and for: simple-trader arm; "
        "nothing is placed until then"
    )
    return settings.model_copy(update={"place_live_orders": False}), (note,)


def _keep_armed(running: Config, settings: Settings) -> tuple[Settings, tuple[str, ...]]:
    """What a person armed binds a running daemon, too: pairs and limits beyond it wait for a new
    arming, also limits that were accepted since.
    """
    now = running.settings
    if now.mode != "live" or not now.place_live_orders:
        return settings, ()
    bound, raised = hold_raised(settings, limits_of(now))
    pairs = tuple(pair for pair in settings.traded_pairs if pair in now.traded_pairs)
    if not raised and pairs == settings.traded_pairs:
        return settings, ()
    note = (
        "raised limits and new pairs wait for the next start, and for: simple-trader arm; what "
        "was armed stays in force"
    )
    return bound.model_copy(update={"traded_pairs": pairs or now.traded_pairs}), (note,)


def half_written(running: Config, new: Config) -> str | None:
    """Why `new` may be a file in the middle of being written (C01), or None.

    A whole file ends with a line end, and with `...` or with every key that the version in force
    had. So no cut of it, at whatever byte, passes with a meaning of its own.
    """
    if not new.source.endswith("\n"):
        return "the last line has no end; the file looks half-written"
    if new.document.ended:
        return None
    lost = sorted(set(keys(running.document.values)) - set(keys(new.document.values)))
    if lost:
        return (
            f"{lost[0]} is gone and the file does not end with the line `...`; it looks "
            "half-written (end it with `...` to drop a key)"
        )
    if running.source.startswith(new.source) and running.source != new.source:
        return "it is the beginning of the version in force; it looks half-written"
    return None


def keys(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The dotted names of all leaves."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from keys(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def _keep_start_only(running: Config, new: Config) -> tuple[Settings, tuple[str, ...]]:
    settings = new.settings
    notes = []
    for name in marked("at_start"):
        now, in_file = value_of(running.settings, name), value_of(new.base, name)
        # Said once, when the file itself changed, also where a flag of the command line rules.
        if value_of(running.base, name) != in_file and in_file != now:
            notes.append(_start_only_sentence(name, now, in_file))
        if value_of(settings, name) != now:
            settings = _with_value(settings, name, now)
    return settings, tuple(notes)


def _start_only_sentence(name: str, now: object, asked: object) -> str:
    if name == "mode":
        return (
            f"mode: the change from {now} to {asked} is ignored while the daemon runs; stop it and "
            f"start it with --mode {asked}"
        )
    return f"{name}: {_said(asked)} takes effect at the next start; {_said(now)} stays in force"


def _said(value: object) -> str:
    return '""' if value == "" else str(value)


def value_of(settings: Settings, name: str) -> object:
    """The value of a dotted key."""
    value: object = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value


def _with_value(settings: Settings, name: str, value: object) -> Settings:
    section, _, leaf = name.rpartition(".")
    if not section:
        return settings.model_copy(update={leaf: value})
    inner = getattr(settings, section).model_copy(update={leaf: value})
    return settings.model_copy(update={section: inner})


def difference(old: Config, new: Config) -> tuple[str, str]:
    """The keys that differ, as two JSON objects; a changed text shows as `changed`."""
    before: dict[str, object] = {}
    after: dict[str, object] = {}

    def visit(name: str, _info: Any) -> None:
        was, now = value_of(old.settings, name), value_of(new.settings, name)
        if was != now:
            before[name], after[name] = was, now

    walk(visit)
    for kind, was_texts, now_texts in (
        ("templates", old.templates, new.templates),
        ("tools", old.tools, new.tools),
    ):
        for name in sorted({*was_texts, *now_texts}):
            if was_texts.get(name) != now_texts.get(name):
                before[f"{kind}/{name}"] = "there" if name in was_texts else None
                after[f"{kind}/{name}"] = "changed" if name in now_texts else None
    return _json(before), _json(after)


def _json(values: Mapping[str, object]) -> str:
    return msgspec.json.encode(values, enc_hook=_plain).decode()


def _plain(value: object) -> object:
    """A provider or shadow as a mapping; what else has no JSON form is a bug."""
    if isinstance(value, Section):
        return value.model_dump()
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")
