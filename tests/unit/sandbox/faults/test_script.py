"""The whole script on an exchange in memory: whatever a client sends, no fault breaks on it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sandbox_parts as parts
from hypothesis import example, given, settings
from hypothesis import strategies as st

from simple_trader.sandbox.faults import rest
from simple_trader.sandbox.faults.catalogue import KINDS
from simple_trader.sandbox.faults.desk import Desk
from simple_trader.sandbox.faults.script import Script
from simple_trader.sandbox.faults.spec import FaultError, make
from simple_trader.sandbox.faults.trigger import Now

DOCS = Path(__file__).resolve().parents[4] / "docs" / "SANDBOX.md"
WORDS = st.sampled_from(
    "subscribe add_order batch_add amend_order cancel_order executions BTC/USD token O1".split()
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(), inner),
    max_leaves=8,
)
KEYS = st.sampled_from("channel symbol token orders post_only order_id cl_ord_id deadline".split())
REQUESTS = st.fixed_dictionaries(
    {"method": WORDS | VALUES, "params": st.dictionaries(KEYS, VALUES | WORDS) | VALUES},
    optional={"req_id": st.integers() | VALUES},
).map(json.dumps)


def script() -> Script:
    there = parts.exchange()
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    return Script(7, Desk(there), lambda: Now(there.now_us(), 0.0), lambda: moment)


def everything() -> Script:
    made = script()
    for ident in KINDS:
        if ident not in ("X16", "X17", "X18", "X20", "X21", "X33", "N02", "N07", "N08"):
            made.start(make(ident, {"count": "all"}))
    return made


ALL = everything()
LINE = ALL.opened(1, "private")


@settings(max_examples=300, deadline=None)
@given(REQUESTS | st.text())
@example('{"method": "subscribe", "params": {"symbol": [true]}}')
def test_no_client_frame_breaks_the_faults(text: str) -> None:
    given_back = ALL.receive(LINE, text)
    assert given_back.text is None or isinstance(given_back.text, str)


@settings(max_examples=300, deadline=None)
@given(REQUESTS | st.text())
def test_no_frame_of_the_exchange_breaks_the_faults(text: str) -> None:
    batch, _ = ALL.send(LINE, [text, text])
    assert all(isinstance(out.text, str) for out in batch)


@settings(max_examples=300, deadline=None)
@given(st.text(), st.binary(), st.sampled_from(["application/json", "x-www-form-urlencoded"]))
def test_no_rest_request_breaks_the_faults(path: str, body: bytes, kind: str) -> None:
    asked = rest.asked(f"/0/private/{path}", body, kind)
    ALL.rest_before(asked)
    assert isinstance(ALL.rest_after(asked, body), bytes)


@pytest.mark.parametrize("ident", KINDS)
def test_every_fault_is_in_the_book_with_all_it_can_be_told(ident: str) -> None:
    row = next(line for line in DOCS.read_text().splitlines() if line.startswith(f"| {ident} "))
    assert f"`{KINDS[ident].name}`" in row
    for name, value in KINDS[ident].params.items():
        assert f"`{name}={value}`" in row


def test_a_fault_is_stopped_by_number_id_or_name() -> None:
    made = script()
    for _ in range(3):
        made.start(make("N03", {}))
    assert [armed.number for armed in made.stop("2")] == [2]
    assert [armed.number for armed in made.stop("silent-stall")] == [1, 2, 3]
    assert made.stop("9") == []
    with pytest.raises(FaultError):
        made.stop("nothing")
    assert [row["active"] for row in made.standing()] == [False] * 3


@pytest.mark.parametrize(
    ("deed", "args", "says"),
    [
        ("system", {}, "needs `status`"),
        ("pair", {"pair": "NO/PE"}, "no pair NO/PE"),
        ("transfer", {"asset": "USD", "amount": "many"}, "not a number"),
        ("place", {"pair": "BTC/USD", "qty": "0"}, "the exchange refused"),
        ("cancel", {"order_id": "O1"}, "no open order O1"),
        ("wick", {"pair": "BTC/USD", "percent": -100}, "a wick lies between"),
        ("wick", {"pair": "BTC/USD", "percent": 1e12}, "a wick lies between"),
    ],
)
def test_a_deed_that_cannot_be_done_is_one_sentence(
    deed: str, args: dict[str, Any], says: str
) -> None:
    with pytest.raises(FaultError, match=says):
        script().desk.do(deed, args)
