"""What Kraken's error strings mean for the one who asked (protocol section 9)."""

import re
from datetime import UTC, datetime
from enum import StrEnum

from simple_trader.domain.errors import VenueRefused
from simple_trader.domain.events import AuthTrouble, RejectKind


class Outcome(StrEnum):
    """What an error proves about its request."""

    DEFINITIVE = "definitive"  # nothing was done, and the same request will not do better
    RETRYABLE = "retryable"  # nothing was done, the same request may work later
    UNKNOWN = "unknown"  # it may have been acted on: look before anything else


class ErrorKind(StrEnum):
    """What to make of an error; each kind has one `outcome`.

    WAIT: the exchange or its pair does not take it now. RATE: a counter is full. RENEW: fetch a new
    token. NONCE: bump it once. FATAL: stop asking.
    """

    DEFINITIVE = "definitive"
    WAIT = "wait"
    RATE = "rate"
    RENEW = "renew"
    NONCE = "nonce"
    FATAL = "fatal"
    UNKNOWN = "unknown"

    @property
    def outcome(self) -> Outcome:
        """Retryable, definitive or unknown."""
        if self in {ErrorKind.DEFINITIVE, ErrorKind.FATAL}:
            return Outcome.DEFINITIVE
        return Outcome.UNKNOWN if self is ErrorKind.UNKNOWN else Outcome.RETRYABLE


# Texts vary in what follows them, so each is a prefix. A text that stands nowhere here is UNKNOWN,
# also of a known category: what it proves is not known.
_PREFIXES: dict[ErrorKind, tuple[str, ...]] = {
    ErrorKind.UNKNOWN: (
        "EService:Unavailable",
        "EService:Busy",
        "EService:Timeout",
        "EGeneral:Internal error",
    ),
    ErrorKind.WAIT: ("EService:Market in",),
    ErrorKind.RATE: (
        "EOrder:Rate limit exceeded",
        "EOrder:Domain rate limit exceeded",
        "EService: Throttled",
        "EService:Throttled",
        "EAPI:Rate limit exceeded",
        "Exceeded msg rate",
    ),
    ErrorKind.NONCE: ("EAPI:Invalid nonce",),
    ErrorKind.RENEW: ("ESession:", "Token(s) not found"),
    ErrorKind.FATAL: (
        "EAPI:Invalid key",
        "EAPI:Invalid signature",
        "EGeneral:Permission denied",
        "EGeneral:Temporary lockout",
        "EGeneral:Too many requests",
        "EAccount:Invalid permissions",
        "EAuth:Account temporary disabled",
        "EAuth:Account unconfirmed",
        "EAuth:Rate limit exceeded",
        "EAuth:Too many requests",
        "ETrade:User Locked",
    ),
    ErrorKind.DEFINITIVE: (
        "EGeneral:Invalid arguments",
        "EGeneral:Unknown method",
        "EOrder:Order minimum not met",
        "EOrder:Cost minimum not met",
        "EOrder:Tick size check failed",
        "EOrder:Invalid price",
        "EOrder:Insufficient funds",
        "EOrder:Insufficient margin",
        "EOrder:Margin allowance exceeded",
        "EOrder:Margin level too low",
        "EOrder:Margin position size exceeded",
        "EOrder:Cannot open position",
        "EOrder:Cannot open opposing position",
        "EOrder:Positions limit exceeded",
        "EOrder:Unknown position",
        "EOrder:Reduce only",
        "EOrder:Post only order",
        "EOrder:Orders limit exceeded",
        "EOrder:Scheduled orders limit exceeded",
        "EOrder:Unknown order",
        "EOrder:Invalid order",
        "EService:Deadline elapsed",
        "EAPI:Bad request",
        "EQuery:Unknown asset",
        "EQuery:Invalid asset pair",
        "ETrade:Invalid request",
        "EBM:limit exceeded",
        "Currency pair not supported",
        "Subscription depth not supported",
        "Subscription ohlc interval not supported",
        "Subscription Not Found",
        "Already subscribed",
        "Malformed request",
        "Unsupported event",
        "Unsupported field",
    ),
}
_BY_PREFIX = tuple((prefix, kind) for kind, texts in _PREFIXES.items() for prefix in texts)
_REJECTS = {
    "EOrder:Insufficient funds": RejectKind.FUNDS,
    "EOrder:Orders limit exceeded": RejectKind.CROWDED,
    "EOrder:Scheduled orders limit exceeded": RejectKind.CROWDED,
}
_THROTTLED = re.compile(r"EService: ?Throttled: ?(\d{1,10})\b")
_FIELD = re.compile(r"\S+ field must be an? ")


def kind_of(error: str) -> ErrorKind:
    """The meaning of one error string; a text we do not know reads as UNKNOWN, the safe side."""
    for prefix, kind in _BY_PREFIX:
        if error.startswith(prefix):
            return kind
    return ErrorKind.DEFINITIVE if _FIELD.match(error) else ErrorKind.UNKNOWN


def reject_kind(error: str) -> RejectKind:
    """What the refusal of an order is about, for the brain (X17, X18, X33)."""
    if kind_of(error) is ErrorKind.RATE:
        return RejectKind.RATE
    for prefix, kind in _REJECTS.items():
        if error.startswith(prefix):
            return kind
    return RejectKind.OTHER


def throttled_until(error: str) -> datetime | None:
    """When Kraken takes requests again, where `EService: Throttled: <unix ts>` names it."""
    found = _THROTTLED.match(error)
    return None if found is None else datetime.fromtimestamp(int(found[1]), UTC)


class KrakenRefused(VenueRefused):
    """Kraken answered a REST request with an error."""

    def __init__(self, endpoint: str, error: str) -> None:
        """Keep Kraken's own words."""
        super().__init__(f"Kraken refused {endpoint}: {error}")
        self.error = error
        self.kind = kind_of(error)


def trouble_of(what: str, error: str, *, persistent: bool = True) -> AuthTrouble:
    """What a refusal of our key means for the daemon; `what` was asked (X19, X20)."""
    if kind_of(error) is ErrorKind.NONCE:
        kind = "nonce"
    elif error.startswith(("EAPI:Invalid key", "EAPI:Invalid signature")):
        kind = "invalid_key"
    elif "ermission" in error or error.startswith(("EAccount:", "ETrade:User Locked")):
        kind = "permission"
    else:
        kind = "lockout"
    return AuthTrouble(kind=kind, persistent=persistent, detail=f"Kraken refused {what}: {error}")
