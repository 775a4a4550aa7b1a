"""What Kraken's error strings mean for the one who asked (protocol section 9)."""

from enum import StrEnum

from simple_trader.domain.errors import VenueRefused


class ErrorKind(StrEnum):
    """What to make of an error.

    DEFINITIVE: nothing was done. RETRYABLE: nothing was done, later may work. UNKNOWN: the request
    may have been acted on. RENEW: fetch a new token. NONCE: bump it once. FATAL: stop asking.
    """

    DEFINITIVE = "definitive"
    RETRYABLE = "retryable"
    UNKNOWN = "unknown"
    RENEW = "renew"
    NONCE = "nonce"
    FATAL = "fatal"


# Longest prefixes first: the first that fits decides. Details after the text vary.
_PREFIXES: tuple[tuple[str, ErrorKind], ...] = (
    ("EService:Unavailable", ErrorKind.UNKNOWN),
    ("EService:Busy", ErrorKind.UNKNOWN),
    ("EService:Timeout", ErrorKind.UNKNOWN),
    ("EGeneral:Internal error", ErrorKind.UNKNOWN),
    ("EService:Deadline elapsed", ErrorKind.DEFINITIVE),
    ("EService:Market in", ErrorKind.DEFINITIVE),
    ("EService: Throttled", ErrorKind.RETRYABLE),
    ("EService:Throttled", ErrorKind.RETRYABLE),
    ("EAPI:Rate limit exceeded", ErrorKind.RETRYABLE),
    ("EAPI:Invalid nonce", ErrorKind.NONCE),
    ("EAPI:Invalid key", ErrorKind.FATAL),
    ("EAPI:Invalid signature", ErrorKind.FATAL),
    ("EAPI:", ErrorKind.DEFINITIVE),
    ("EGeneral:Permission denied", ErrorKind.FATAL),
    ("EGeneral:Temporary lockout", ErrorKind.FATAL),
    ("EGeneral:Too many requests", ErrorKind.FATAL),
    ("EGeneral:", ErrorKind.DEFINITIVE),
    ("EAccount:Invalid permissions", ErrorKind.FATAL),
    ("EAuth:", ErrorKind.FATAL),
    ("ESession:", ErrorKind.RENEW),
    ("Token(s) not found", ErrorKind.RENEW),
    ("EOrder:", ErrorKind.DEFINITIVE),
    ("EQuery:", ErrorKind.DEFINITIVE),
    ("ETrade:", ErrorKind.DEFINITIVE),
    ("EAccount:", ErrorKind.DEFINITIVE),
    ("EFunding:", ErrorKind.DEFINITIVE),
    ("EBM:", ErrorKind.DEFINITIVE),
    ("Currency pair not supported", ErrorKind.DEFINITIVE),
    ("Subscription ", ErrorKind.DEFINITIVE),
    ("Malformed request", ErrorKind.DEFINITIVE),
    ("Unsupported event", ErrorKind.DEFINITIVE),
    ("Unsupported field", ErrorKind.DEFINITIVE),
    ("Already subscribed", ErrorKind.DEFINITIVE),
)


def kind_of(error: str) -> ErrorKind:
    """The meaning of one error string; a text we do not know reads as UNKNOWN, the safe side."""
    for prefix, kind in _PREFIXES:
        if error.startswith(prefix):
            return kind
    if " field must be a " in error:
        return ErrorKind.DEFINITIVE
    return ErrorKind.UNKNOWN


class KrakenRefused(VenueRefused):
    """Kraken answered a REST request with an error."""

    def __init__(self, endpoint: str, error: str) -> None:
        """Keep Kraken's own words."""
        super().__init__(f"Kraken refused {endpoint}: {error}")
        self.error = error
        self.kind = kind_of(error)
