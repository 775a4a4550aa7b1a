"""A saved model is refused unless its hash, its shape and every figure are right (C08)."""

import json
from typing import Any

import pytest

from simple_trader.adapters.learner.checkpoint import (
    MAX_BLOB_BYTES,
    ModelRefused,
    hash_of,
    model_id_of,
    read_checkpoint,
)

STATE: dict[str, Any] = {
    "learned": 3,
    "steps": 3,
    "intercept": 0.1,
    "names": ["a", "b"],
    "weights": [0.5, 0.0],
    "counts": [3, 1],
    "means": [1.0, 2.0],
    "variances": [0.25, 0.0],
}
MODEL: dict[str, Any] = {
    "format": "simple-trader-trend-model",
    "version": 2,
    "models": {"BTC/USD": {"900": STATE}},
}


def refused(blob: bytes) -> str:
    with pytest.raises(ModelRefused) as error:
        read_checkpoint(blob, hash_of(blob))
    return str(error.value)


def with_state(**changes: Any) -> bytes:
    return json.dumps(MODEL | {"models": {"BTC/USD": {"900": STATE | changes}}}).encode()


def test_a_whole_one_is_read() -> None:
    blob = json.dumps(MODEL).encode()
    checkpoint = read_checkpoint(blob, hash_of(blob))
    assert checkpoint.models["BTC/USD"][900].weights == [0.5, 0.0]
    assert model_id_of(hash_of(blob)) == f"logreg-{hash_of(blob)[:12]}"


def test_any_flipped_byte_is_seen() -> None:
    blob = json.dumps(MODEL).encode()
    for place in range(len(blob)):
        damaged = blob[:place] + bytes([blob[place] ^ 1]) + blob[place + 1 :]
        with pytest.raises(ModelRefused):
            read_checkpoint(damaged, hash_of(blob))


@pytest.mark.parametrize(
    "blob", [b"", b"null", b"[]", b"{}", b"\x80\x04K\x01.", b"cos\nsystem\n(S'x'\ntR.", b"\xff"]
)
def test_what_is_no_model_is_refused(blob: bytes) -> None:
    assert "cannot be read" in refused(blob)


@pytest.mark.parametrize("change", [{"format": "other"}, {"version": 1}])
def test_another_kind_or_version_is_refused(change: dict[str, Any]) -> None:
    assert "version" in refused(json.dumps(MODEL | change).encode())


def test_an_unknown_field_is_refused() -> None:
    assert "cannot be read" in refused(json.dumps(MODEL | {"code": "x"}).encode())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": [1.0]}, "not every feature"),
        ({"names": ["a", "a"]}, "twice"),
        ({"counts": [0, 1]}, "not positive"),
        ({"learned": -1}, "not positive"),
        ({"variances": [-0.1, 0.0]}, "negative"),
        ({"intercept": None}, "cannot be read"),
        ({"weights": ["0.5", 0.0]}, "cannot be read"),
    ],
)
def test_a_state_that_makes_no_sense_is_refused(change: dict[str, Any], said: str) -> None:
    assert said in refused(with_state(**change))


def test_figures_that_are_not_finite_are_refused() -> None:
    assert "cannot be read" in refused(with_state(intercept=float("nan")))
    huge = json.dumps(MODEL).replace('"intercept": 0.1', '"intercept": 1e999').encode()
    assert refused(huge)


def test_one_that_is_too_long_is_not_even_hashed() -> None:
    with pytest.raises(ModelRefused) as error:
        read_checkpoint(b"x" * (MAX_BLOB_BYTES + 1), "")
    assert "longer" in str(error.value)
