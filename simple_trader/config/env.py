"""Secrets from the environment and .env, read once at the start and never shown."""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, SupportsIndex

from dotenv.main import DotEnv

from simple_trader.domain.errors import ConfigError

MASK = "***"
_MAX_BYTES = 64 * 1024


class Secret:
    """A value that shows as `***` wherever it is printed, formatted or pickled.

    Not a str on purpose: handing one over where text is wanted is a type error, not a wrong key.
    An empty Secret is falsy: the variable is not set.
    """

    __slots__ = ("_hidden",)

    def __init__(self, value: str) -> None:
        """Hide `value`."""
        self._hidden = value

    def reveal(self) -> str:
        """The value itself, for the one place that signs or connects with it."""
        return self._hidden

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._hidden)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self._hidden

    def __hash__(self) -> int:
        return hash(Secret)  # the same for all: a hash of the value would be a trace of it

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return (Secret, (MASK,))


_NONE = Secret("")


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """Every secret the daemon knows; the field names in capitals are the variable names.

    `provider_keys` are the keys of further LLM providers by variable, as COHERE_API_KEY: all that
    end in _API_KEY, since a reload may name another one of them.
    """

    kraken_api_key: Secret = _NONE
    kraken_secret_api_key: Secret = _NONE
    openai_api_key: Secret = _NONE
    postgres_dsn: Secret = _NONE
    provider_keys: Mapping[str, Secret] = field(default_factory=lambda: MappingProxyType({}))

    def values(self) -> tuple[str, ...]:
        """All values that are set, for the masking of the logs (a DSN also gives its password)."""
        found = [getattr(self, name).reveal() for name in _NAMED]
        found += [secret.reveal() for secret in self.provider_keys.values()]
        return tuple(v for v in [*found, password_of(self.postgres_dsn.reveal())] if v)

    def provider_key(self, variable: str) -> Secret:
        """The key in `variable`, falsy where it is not set."""
        if variable == "OPENAI_API_KEY":
            return self.openai_api_key
        return self.provider_keys.get(variable, _NONE)


_NAMED = tuple(f.name for f in fields(Secrets) if f.name != "provider_keys")
_PROVIDER_KEY = re.compile(r"(?!KRAKEN)[A-Z][A-Z0-9_]{0,60}_API_KEY")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What was read at the start: the secrets, the directories, and what to warn about."""

    secrets: Secrets
    state_dir: Path | None
    variables: Mapping[str, str]
    loose_file: str | None  # the sentence about a .env that others may read

    def require_private_file(self, *, live: bool) -> str | None:
        """C06: the sentence to warn with, or ConfigError when trading live."""
        if self.loose_file and live:
            raise ConfigError(f"{self.loose_file} Live trading refuses to start until then.")
        return self.loose_file


# Variables that are no secrets: where things are.
PLACES = ("SIMPLE_TRADER_STATE_DIR",)


def names() -> tuple[str, ...]:
    """Every variable that is read, as `.env.template` lists them."""
    return (*(name.upper() for name in _NAMED), *PLACES)


def read_environment(
    env_file: Path | None, *, environ: Mapping[str, str] | None = None
) -> Environment:
    """Read `env_file` (where it exists) and the process's environment, which wins.

    Blank values count as not set; spaces, tabs and line ends around a value are dropped.
    Raises ConfigError naming file and line, never the value.
    """
    process = dict(os.environ if environ is None else environ)
    from_file: dict[str, str] = {}
    loose: str | None = None
    if env_file is not None and env_file.exists():
        from_file = _parse(env_file)
        loose = _loose(env_file)
    merged: dict[str, str] = {}
    further = sorted(n for n in {*process, *from_file} if _PROVIDER_KEY.fullmatch(n))
    for name in dict.fromkeys([*names(), *further]):
        value = process.get(name, "").strip() or from_file.get(name, "").strip()
        if any(ord(c) < 32 or ord(c) == 127 for c in value):
            if name in further:
                continue  # a variable of somebody else: a provider that needs it says so
            raise ConfigError(f"{name}: the value holds a control character; write it again.")
        merged[name] = value
    secrets = {name: Secret(merged[name.upper()]) for name in _NAMED}
    keys = {n: Secret(merged[n]) for n in further if merged.get(n) and n.lower() not in _NAMED}
    place = merged["SIMPLE_TRADER_STATE_DIR"]
    return Environment(
        secrets=Secrets(**secrets, provider_keys=MappingProxyType(keys)),
        state_dir=Path(place).expanduser() if place else None,
        variables=process,
        loose_file=loose,
    )


def _parse(path: Path) -> dict[str, str]:
    """The assignments of a .env file; python-dotenv's grammar without its interpolation."""
    try:
        raw = path.read_bytes()
        text = raw[:_MAX_BYTES].decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text.") from error
    if len(raw) > _MAX_BYTES:
        raise ConfigError(f"{path}: is longer than {_MAX_BYTES} bytes.")
    text = text.replace("\r\n", "\n")
    for number, line in enumerate(text.split("\n"), start=1):
        bare = line.strip()
        if bare and not bare.startswith("#") and "=" not in bare:
            raise ConfigError(f"{path}: line {number} is not NAME=value.")
    found = DotEnv(None, StringIO(text), interpolate=False).dict()
    return {name: value for name, value in found.items() if value is not None}


def _loose(path: Path) -> str | None:
    """A sentence when anyone but the owner may read the file."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return f"{path}: mode {mode:04o} lets others read your keys; run: chmod 600 {path}."
    return None


def password_of(dsn: str) -> str:
    """The password inside a DSN, or ''; as written, before percent-decoding."""
    authority = dsn.partition("://")[2].partition("/")[0]
    user, at, _ = authority.rpartition("@")
    return user.partition(":")[2] if at else ""


def current_environment() -> Mapping[str, str]:
    """The process's own environment: the one door to it outside this room."""
    return dict(os.environ)
