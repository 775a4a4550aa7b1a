"""Error strings: every text of the catalogue (protocol section 9), and what is not in it."""

from datetime import UTC, datetime

import pytest

from simple_trader.adapters.kraken.errors import (
    ErrorKind,
    KrakenRefused,
    Outcome,
    kind_of,
    reject_kind,
    throttled_until,
)
from simple_trader.domain.events import RejectKind

DEFINITIVE = """
EGeneral:Invalid arguments
EGeneral:Invalid arguments:volume minimum not met
EGeneral:Invalid arguments:Index unavailable
EGeneral:Invalid arguments:ordertype
EOrder:Order minimum not met
EOrder:Cost minimum not met
EOrder:Tick size check failed
EOrder:Invalid price
EOrder:Insufficient funds
EOrder:Insufficient margin
EOrder:Margin allowance exceeded
EOrder:Margin level too low
EOrder:Margin position size exceeded
EOrder:Cannot open position
EOrder:Cannot open opposing position
EOrder:Positions limit exceeded
EOrder:Unknown position
EOrder:Reduce only:No position exists
EOrder:Reduce only:Position is closed
EOrder:Reduce only:Non-PC
EOrder:Post only order
EOrder:Orders limit exceeded
EOrder:Scheduled orders limit exceeded
EOrder:Unknown order
EOrder:Invalid order
EService:Deadline elapsed
EAPI:Bad request
EGeneral:Unknown method
EQuery:Unknown asset pair
EQuery:Unknown asset
EQuery:Invalid asset pair
ETrade:Invalid request
EBM:limit exceeded:CAL
Currency pair not supported XBT/USD
Subscription depth not supported
Subscription ohlc interval not supported
Subscription Not Found
Already subscribed
Malformed request
Unsupported event
Unsupported field: 'price' for the given msg type: add order
Limit_price field must be a number_float
""".strip().splitlines()
FATAL = """
EAPI:Invalid key
EAPI:Invalid signature
EGeneral:Permission denied
EGeneral:Temporary lockout
EGeneral:Too many requests
EAccount:Invalid permissions
EAccount:Invalid permissions:BTC/USD trading restricted
EAuth:Account temporary disabled
EAuth:Account unconfirmed
EAuth:Rate limit exceeded
EAuth:Too many requests
ETrade:User Locked
""".strip().splitlines()
RATE = """
EOrder:Rate limit exceeded
EOrder:Domain rate limit exceeded
EService: Throttled: 1700000000
EAPI:Rate limit exceeded
Exceeded msg rate
""".strip().splitlines()
WAIT = """
EService:Market in cancel_only mode
EService:Market in post_only mode
EService:Market in limit_only mode
""".strip().splitlines()
RENEW = ["Token(s) not found", "ESession:Invalid session"]
UNKNOWN = """
EService:Unavailable
EService:Busy
EService:Timeout
EGeneral:Internal error
EGeneral:Internal error:7
EOrder:A text of next year
EService:Something new
something Kraken never said before
Every field is fine
""".strip().splitlines()
CASES = [
    *((text, ErrorKind.DEFINITIVE, Outcome.DEFINITIVE) for text in DEFINITIVE),
    *((text, ErrorKind.FATAL, Outcome.DEFINITIVE) for text in FATAL),
    *((text, ErrorKind.RATE, Outcome.RETRYABLE) for text in RATE),
    *((text, ErrorKind.WAIT, Outcome.RETRYABLE) for text in WAIT),
    *((text, ErrorKind.RENEW, Outcome.RETRYABLE) for text in RENEW),
    ("EAPI:Invalid nonce", ErrorKind.NONCE, Outcome.RETRYABLE),
    *((text, ErrorKind.UNKNOWN, Outcome.UNKNOWN) for text in [*UNKNOWN, ""]),
]


@pytest.mark.parametrize(("text", "kind", "outcome"), CASES)
def test_each_text_of_the_catalogue_has_its_kind(
    text: str, kind: ErrorKind, outcome: Outcome
) -> None:
    assert kind_of(text) is kind
    assert kind.outcome is outcome


def test_a_refusal_keeps_krakens_own_words() -> None:
    error = KrakenRefused("AddOrder", "EOrder:Insufficient funds")
    assert "EOrder:Insufficient funds" in str(error)
    assert error.kind is ErrorKind.DEFINITIVE


def test_a_throttle_names_its_moment() -> None:
    at = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert throttled_until("EService: Throttled: 1700000000") == at
    assert throttled_until("EService:Throttled:1700000000") == at


@pytest.mark.parametrize(
    "text", ["EService: Throttled", "EService: Throttled: soon", "EService: Throttled: " + "9" * 40]
)
def test_a_throttle_without_a_usable_moment_names_none(text: str) -> None:
    assert throttled_until(text) is None
    assert kind_of(text) is ErrorKind.RATE


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("EOrder:Insufficient funds", RejectKind.FUNDS),
        ("EOrder:Rate limit exceeded", RejectKind.RATE),
        ("EAPI:Rate limit exceeded", RejectKind.RATE),
        ("EService: Throttled: 1700000000", RejectKind.RATE),
        ("EOrder:Orders limit exceeded", RejectKind.CROWDED),
        ("EOrder:Post only order", RejectKind.OTHER),
        ("EGeneral:Permission denied", RejectKind.OTHER),
    ],
)
def test_x17_x18_x33_the_brain_is_told_what_a_refusal_is_about(
    error: str, kind: RejectKind
) -> None:
    assert reject_kind(error) is kind
