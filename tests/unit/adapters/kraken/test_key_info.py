"""What a key may do: read leniently, and whatever is not clear may withdraw."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.adapters.kraken.key_info import NEEDED, KeyInfo, read_key_info

WHOLE = [
    "query-funds",
    "query-open-trades",
    "query-closed-trades",
    "modify-trades",
    "close-trades",
    "query-ledger",
    "create-websocket-token",
]
LABELS = [
    "Query funds",
    "Query open orders & trades",
    "Query closed orders & trades",
    "Create & modify orders",
    "Cancel & close orders",
    "Query ledger entries",
    "Access WebSockets API",
]


def read(answer: object) -> KeyInfo:
    return read_key_info(json.dumps(answer).encode())


@pytest.mark.parametrize("names", [WHOLE, LABELS])
@pytest.mark.parametrize(
    "shape",
    [
        lambda names: {"apiKeyName": "bot", "permissions": names, "nonceWindow": "0"},
        lambda names: {"key": {"Permissions": names}},
        lambda names: [{"key_permissions": names}],
        lambda names: {"permissions": ", ".join(names)},
        lambda names: {"permissions": {**dict.fromkeys(names, True), "withdraw-funds": False}},
        lambda names: {"permissions": {"granted": names}},
    ],
)
def test_a_key_for_trading_alone_is_safe_and_whole(
    names: list[str], shape: Callable[[list[str]], object]
) -> None:
    info = read(shape(names))
    assert not info.may_withdraw
    assert info.missing == ()


@pytest.mark.parametrize(
    "name", ["withdraw-funds", "Withdraw Funds", "funds:WITHDRAW", "withdrawals", "can_withdraw"]
)
def test_any_word_of_withdrawal_counts(name: str) -> None:
    assert read({"permissions": [*WHOLE, name]}).may_withdraw
    assert read({"permissions": {name: True, "query-funds": True}}).may_withdraw
    assert read({"permissions": {"funds": [name]}}).may_withdraw


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"name": "bot"},
        {"permissions": None},
        {"permissions": 7},
        {"permissions": [1, 2]},
        {"permissions": [WHOLE]},
        {"permissions": {"funds": 3}},
        {"permissions": WHOLE, "otherPermissions": 5},
    ],
)
def test_what_cannot_be_read_may_withdraw(answer: object) -> None:
    info = read(answer)
    assert info.permissions is None
    assert info.may_withdraw


@pytest.mark.parametrize("names", [[], "", {}])
def test_an_empty_list_shows_nothing(names: object) -> None:
    info = read({"permissions": names})
    assert info.may_withdraw
    assert info.missing == tuple(NEEDED)


@pytest.mark.parametrize(("lost", "named"), list(zip(WHOLE, NEEDED, strict=True)))
def test_each_missing_permission_is_named(lost: str, named: str) -> None:
    assert read({"permissions": [name for name in WHOLE if name != lost]}).missing == (named,)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_as_unsafe_or_safe_and_never_raise(raw: bytes) -> None:
    assert read_key_info(raw).may_withdraw in {True, False}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner),
        max_leaves=8,
    )
)
def test_a_key_is_only_safe_where_permissions_are_named(answer: object) -> None:
    if "ermission" not in json.dumps(answer).lower():
        assert read(answer).may_withdraw


@pytest.mark.parametrize("raw", [b'{"permissions":["\xff"]}', b'{"a":' * 900 + b"[]" + b"}" * 900])
def test_an_answer_that_cannot_be_read_shows_nothing(raw: bytes) -> None:
    assert read_key_info(raw).may_withdraw
