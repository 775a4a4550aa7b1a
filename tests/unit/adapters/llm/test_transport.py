"""How long a provider asks to wait, in each form that is met."""

import pytest

from simple_trader.adapters.llm.transport import BadStatus, _retry_after

NOW = "Sat, 21 Nov 2026 13:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"retry-after": "7.5"}, 7.5),
        ({"retry-after": "86400"}, 86_400.0),
        ({"retry-after": "9999999"}, 9_999_999.0),
        ({"retry-after": "9" * 400}, 1e9),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "Sat, 21 Nov 2026 13:02:00 GMT", "date": NOW}, 120.0),
        ({"retry-after": "Sat, 21 Nov 2026 12:02:00 GMT", "date": NOW}, 0.0),
        ({"retry-after": "Sat, 21 Nov 2026 13:02:00 GMT"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1e3"}, None),
        ({"retry-after": "\u0667"}, None),
        ({"retry-after": "Sat, 99 Nov 99999 13:02:00 GMT", "date": NOW}, None),
        ({"retry-after": "soon", "date": NOW}, None),
        ({}, None),
    ],
)
def test_l02_a_retry_after_is_read_in_every_form(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert _retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("status", "may"), [(400, False), (401, False), (408, True), (429, True), (529, True)]
)
def test_l02_what_time_can_mend_is_asked_once_more(status: int, may: bool) -> None:
    assert BadStatus(status, "", None).may_retry is may
