"""The arm file: a person's word, bound to one account, that `live` may place orders.

STATE/control/arm.json, mode 0600, signed with the account's own secret: it cannot be copied to
another key, edited, or outlive its term. See ADR 0024.
"""

import hmac
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec

from simple_trader.config.env import Secret
from simple_trader.config.files import write_whole
from simple_trader.domain.errors import ModeError

FORMAT = 1
ARM_AGAIN = "run: simple-trader arm"
LONGEST = timedelta(days=30)
_SPOKEN = b"simple-trader arm file"


class ArmFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was confirmed: the account, the pairs, the limits (as text), by whom and how long."""

    format: int
    program: str
    mode: str
    world: str
    fingerprint: str
    pairs: tuple[str, ...]
    limits: dict[str, str]
    armed_by: str
    armed_at: datetime
    expires_at: datetime
    seal: str = ""


@dataclass(frozen=True, kw_only=True)
class Bond:
    """What an arm file must be bound to at this start."""

    program: str
    world: str
    fingerprint: str
    pairs: tuple[str, ...]
    limits: Mapping[str, str]
    at: datetime


def arm_path(state: Path) -> Path:
    """Where the arm file of a state directory is."""
    return state / "control" / "arm.json"


def fingerprint_of(key: Secret, origin: str) -> str:
    """The account's name for us: its key, and the first entry its ledger ever had.

    Kraken has no call that names an account; its oldest ledger entry never changes and is no other
    account's, and a key belongs to one account (ADR 0008, 0024).
    """
    return sha256(f"kraken\0{key.reveal()}\0{origin}".encode()).hexdigest()[:32]


def sealed(arm: ArmFile, secret: Secret) -> ArmFile:
    """The same with its seal: nobody without the account's secret can write or change it."""
    return msgspec.structs.replace(arm, seal=_seal(arm, secret))


def write_arm(state: Path, arm: ArmFile) -> Path:
    """Keep a sealed arm file; raises ModeError where that cannot be written."""
    path = arm_path(state)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, msgspec.json.format(msgspec.json.encode(arm), indent=1) + b"\n")
    except OSError as error:
        raise ModeError(f"{path}: cannot be written ({error.strerror}).") from error
    return path


def remove_arm(state: Path) -> bool:
    """Disarm; whether there was an arm file."""
    path = arm_path(state)
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ModeError(f"{path}: cannot be removed ({error.strerror}); remove it.") from error
    return True


def read_arm(state: Path, secret: Secret, bond: Bond) -> ArmFile:
    """The arm file that fits `bond`; raises ModeError with the one sentence that says why not."""
    path = arm_path(state)
    arm = _load(path)
    if not hmac.compare_digest(arm.seal, _seal(arm, secret)):
        raise ModeError(f"{path} was changed, or was made with another key; {ARM_AGAIN}.")
    refusal = _unfit(arm, bond)
    if refusal:
        raise ModeError(f"{refusal}; {ARM_AGAIN}.")
    return arm


def _load(path: Path) -> ArmFile:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ModeError(
            f"place_live_orders is true and this account is not armed: {ARM_AGAIN}, or set "
            "place_live_orders: false."
        ) from None
    except OSError as error:
        raise ModeError(f"{path}: cannot be read ({error.strerror}); {ARM_AGAIN}.") from error
    if mode & 0o077:
        raise ModeError(f"{path}: mode {mode:04o} lets others at it; {ARM_AGAIN}.")
    try:
        return msgspec.json.decode(raw, type=ArmFile)
    except (msgspec.DecodeError, UnicodeError):
        raise ModeError(f"{path}: is no arm file of this version; {ARM_AGAIN}.") from None


def _unfit(arm: ArmFile, bond: Bond) -> str:
    """Why a genuine arm file does not hold here and now; '' where it does."""
    raised = [name for name, value in bond.limits.items() if _above(value, arm.limits.get(name))]
    if arm.format != FORMAT or arm.mode != "live":
        return f"the arm file is of format {arm.format} and mode {arm.mode}, not of live trading"
    if arm.program != bond.program:
        return f"armed for version {arm.program}, and this is {bond.program}"
    if arm.world != bond.world:
        return f"armed for {arm.world}, and this is {bond.world}"
    if arm.fingerprint != bond.fingerprint:
        return "armed for another account than this key belongs to"
    if arm.armed_at > bond.at + timedelta(minutes=5):
        return f"armed at {arm.armed_at:%Y-%m-%d %H:%M} UTC, which is still to come: set the clock"
    if arm.expires_at <= bond.at or arm.expires_at - arm.armed_at > LONGEST:
        return f"the arming ended at {arm.expires_at:%Y-%m-%d %H:%M} UTC"
    if raised:
        return f"{raised[0]} is above the {arm.limits.get(raised[0], 'nothing')} that was confirmed"
    added = sorted(set(bond.pairs) - set(arm.pairs))
    return f"{added[0]} was not among the pairs that were confirmed" if added else ""


def _above(value: str, confirmed: str | None) -> bool:
    from decimal import Decimal, InvalidOperation

    try:
        return confirmed is None or Decimal(value) > Decimal(confirmed)
    except InvalidOperation:
        return True


def _seal(arm: ArmFile, secret: Secret) -> str:
    body = msgspec.json.encode(msgspec.structs.replace(arm, seal=""), order="sorted")
    key = hmac.digest(secret.reveal().encode(), _SPOKEN, "sha256")
    return hmac.new(key, body, "sha256").hexdigest()
