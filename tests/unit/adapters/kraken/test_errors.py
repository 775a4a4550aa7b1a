"""Error strings: what is certain, what is not, and what must stop."""

import pytest

from simple_trader.adapters.kraken.errors import ErrorKind, KrakenRefused, kind_of

CASES = [
    ("EOrder:Insufficient funds", ErrorKind.DEFINITIVE),
    ("EOrder:Post only order", ErrorKind.DEFINITIVE),
    ("EOrder:Rate limit exceeded", ErrorKind.DEFINITIVE),
    ("EGeneral:Invalid arguments:volume minimum not met", ErrorKind.DEFINITIVE),
    ("EService:Deadline elapsed", ErrorKind.DEFINITIVE),
    ("EService:Market in cancel_only mode", ErrorKind.DEFINITIVE),
    ("Limit_price field must be a number_float", ErrorKind.DEFINITIVE),
    ("Unsupported field: 'price' for the given msg type: add order", ErrorKind.DEFINITIVE),
    ("Currency pair not supported XBT/USD", ErrorKind.DEFINITIVE),
    ("EService:Unavailable", ErrorKind.UNKNOWN),
    ("EService:Busy", ErrorKind.UNKNOWN),
    ("EGeneral:Internal error:7", ErrorKind.UNKNOWN),
    ("something Kraken never said before", ErrorKind.UNKNOWN),
    ("", ErrorKind.UNKNOWN),
    ("EAPI:Rate limit exceeded", ErrorKind.RETRYABLE),
    ("EService: Throttled: 1700000000", ErrorKind.RETRYABLE),
    ("EAPI:Invalid nonce", ErrorKind.NONCE),
    ("Token(s) not found", ErrorKind.RENEW),
    ("ESession:Invalid session", ErrorKind.RENEW),
    ("EAPI:Invalid key", ErrorKind.FATAL),
    ("EGeneral:Permission denied", ErrorKind.FATAL),
    ("EGeneral:Temporary lockout", ErrorKind.FATAL),
    ("EAuth:Account temporary disabled", ErrorKind.FATAL),
]


@pytest.mark.parametrize(("text", "kind"), CASES)
def test_each_error_has_its_kind(text: str, kind: ErrorKind) -> None:
    assert kind_of(text) is kind


def test_a_refusal_keeps_krakens_own_words() -> None:
    error = KrakenRefused("AddOrder", "EOrder:Insufficient funds")
    assert "EOrder:Insufficient funds" in str(error)
    assert error.kind is ErrorKind.DEFINITIVE
