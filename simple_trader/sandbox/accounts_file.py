"""Accounts and API keys of a sandbox: their defaults, and the YAML file that names others.

accounts:
  main: {balances: {USD: 10000, BTC: 0.5}, volume_30d: 60000, tier: pro, counters: on}
keys:
  - {key: abc, secret: c2FuZGJveC1zZWNyZXQ=, account: main, permissions: [query-funds]}
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, cast

import msgspec
import yaml

from simple_trader.sandbox import wire
from simple_trader.sandbox.settings import SandboxError
from simple_trader.simulator.accounts import AccountSpec
from simple_trader.simulator.instruments import find_asset
from simple_trader.simulator.limits import TIER_LIMITS, Tier
from simple_trader.simulator.orders import MAIN

TRADING = (
    "query-funds", "query-open-trades", "query-closed-trades", "modify-trades", "close-trades",
    "query-ledger", "export-data", "create-ws-token",
)  # fmt: skip
MONEY = (
    "add-funds", "withdraw-funds", "earn-funds", "add-withdraw-address", "update-withdraw-address",
)  # fmt: skip
_ACCOUNT_FIELDS = ("balances", "volume_30d", "tier", "counters")
_KEY_FIELDS = (
    "key", "secret", "account", "name", "permissions", "nonce_window", "valid_until",
    "ip_allow_list",
)  # fmt: skip


class KeySpec(msgspec.Struct, frozen=True, kw_only=True):
    """One API key; a nonce below the highest by less than `nonce_window` is taken once."""

    key: str
    secret: str
    account: str = MAIN
    name: str = "sandbox"
    permissions: tuple[str, ...] = TRADING
    nonce_window: int = 0
    valid_until: datetime | None = None
    ip_allow_list: tuple[str, ...] = ()

    def may(self, *permissions: str) -> bool:
        """Say whether the key has one of these permissions (none are asked for: yes)."""
        return not permissions or any(name in self.permissions for name in permissions)


class Plan(msgspec.Struct, frozen=True):
    """All accounts and keys, by name and by key."""

    accounts: dict[str, AccountSpec]
    keys: dict[str, KeySpec]


class _BadFile(Exception):
    """What is wrong, without the name of the file."""


def default_plan(key: str, secret: str, opening: dict[str, Decimal], *, counters: bool) -> Plan:
    """Give the one account and key of a sandbox without a file: may trade, not withdraw."""
    account = AccountSpec(opening=opening, counted=counters)
    return Plan({MAIN: account}, {key: KeySpec(key=key, secret=_secret(secret, key))})


def read_plan(path: Path, *, counters: bool) -> Plan:
    """Read the accounts file; raises SandboxError with one sentence that names the place."""
    try:
        # BaseLoader keeps every scalar as its text: no amount goes through a float.
        loaded = yaml.BaseLoader(path.read_text()).get_single_data()
        return _plan(_mapping(loaded, "the file"), counters=counters)
    except OSError as error:
        raise SandboxError(f"the accounts file {path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        first = str(error).replace("\n", " ")
        raise SandboxError(f"the accounts file {path} is not YAML: {first}.") from error
    except _BadFile as error:
        raise SandboxError(f"the accounts file {path}: {error}.") from error


def _plan(root: Mapping[str, Any], *, counters: bool) -> Plan:
    _known(root, ("accounts", "keys"), "the file")
    accounts = {
        name: _account(name, _mapping(fields or {}, f"account {name}"), counters=counters)
        for name, fields in _mapping(root.get("accounts"), "accounts").items()
    }
    if not accounts:
        raise _BadFile("accounts names no account")
    listed = root.get("keys")
    if not isinstance(listed, list) or not listed:
        raise _BadFile("keys must list at least one key")
    keys: dict[str, KeySpec] = {}
    for number, fields in enumerate(listed, start=1):
        spec = _key(_mapping(fields, f"key {number}"), number)
        if spec.account not in accounts:
            raise _BadFile(f"key {spec.key} belongs to the unknown account {spec.account}")
        if spec.key in keys:
            raise _BadFile(f"key {spec.key} is listed twice")
        keys[spec.key] = spec
    return Plan(accounts, keys)


def _account(name: str, fields: Mapping[str, Any], *, counters: bool) -> AccountSpec:
    where = f"account {name}"
    _known(fields, _ACCOUNT_FIELDS, where)
    balances = _mapping(fields.get("balances") or {}, f"balances of {where}")
    tier = fields.get("tier", "intermediate")
    if tier not in TIER_LIMITS:
        raise _BadFile(f"tier of {where} must be one of {', '.join(TIER_LIMITS)}")
    return AccountSpec(
        name=name,
        opening={
            _asset(asset, where): _amount(text, f"{asset} of {where}")
            for asset, text in balances.items()
        },
        volume_30d=_amount(fields.get("volume_30d", "0"), f"volume_30d of {where}"),
        tier=cast(Tier, tier),
        counted=_switch(fields.get("counters"), f"counters of {where}", default=counters),
    )


def _key(fields: Mapping[str, Any], number: int) -> KeySpec:
    where = f"key {fields.get('key', number)}"
    _known(fields, _KEY_FIELDS, where)
    key, secret = fields.get("key"), fields.get("secret")
    if not isinstance(key, str) or not key or not isinstance(secret, str):
        raise _BadFile(f"{where} needs key and secret")
    until = fields.get("valid_until")
    moment = None if until is None else wire.read_moment(str(until))
    if until is not None and moment is None:
        raise _BadFile(f"valid_until of {where} must be a moment with a zone")
    window = str(fields.get("nonce_window", "0"))
    if not window.isascii() or not window.isdigit() or int(window) >= 2**63:
        raise _BadFile(f"nonce_window of {where} must be a whole number")
    return KeySpec(
        key=key,
        secret=_secret(secret, key),
        account=str(fields.get("account", MAIN)),
        name=str(fields.get("name", key)),
        permissions=_permissions(fields.get("permissions", "trading"), where),
        nonce_window=int(window),
        valid_until=moment,
        ip_allow_list=_texts(fields.get("ip_allow_list", []), f"ip_allow_list of {where}"),
    )


def _permissions(given: Any, where: str) -> tuple[str, ...]:
    if given == "trading":
        return TRADING
    if given == "all":
        return (*TRADING, *MONEY)
    wanted = _texts(given, f"permissions of {where}")
    unknown = [name for name in wanted if name not in (*TRADING, *MONEY)]
    if unknown:
        known = ", ".join((*TRADING, *MONEY))
        raise _BadFile(f"{where} has the unknown permission {unknown[0]}; there are: {known}")
    return wanted


def _secret(secret: str, key: str) -> str:
    try:
        base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SandboxError(f"the secret of key {key} is not base64.") from error
    return secret


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise _BadFile(f"{where} must be a mapping")
    return value


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _BadFile(f"{where} must be a list")
    return tuple(value)


def _known(fields: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    unknown = sorted(set(fields) - set(names))
    if unknown:
        raise _BadFile(f"{where} has the unknown field {unknown[0]}; there are {', '.join(names)}")


def _amount(text: Any, where: str) -> Decimal:
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        raise _BadFile(f"{where} is not a number") from None
    if not amount.is_finite() or amount < 0 or amount >= Decimal(10) ** 12:
        raise _BadFile(f"{where} is not a usable amount")
    return amount


def _asset(name: str, where: str) -> str:
    asset = find_asset(name)
    if asset is None:
        raise _BadFile(f"balances of {where} name the unknown asset {name}")
    return asset.name


def _switch(value: Any, where: str, *, default: bool) -> bool:
    if value is None:
        return default
    if value in ("on", "true", "yes"):
        return True
    if value in ("off", "false", "no"):
        return False
    raise _BadFile(f"{where} must be on or off")
