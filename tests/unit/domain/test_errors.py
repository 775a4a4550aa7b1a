"""Errors speak one sentence and end with their own exit code."""

import pytest

from simple_trader.domain import errors
from simple_trader.domain.errors import StoreSetupError, TraderError, WorldMismatch

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, TraderError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_message_the_class_says_what_it_is(kind: type[TraderError]) -> None:
    assert str(kind()) == (kind.__doc__ or "").strip()
    assert str(kind("The disk is full.")) == "The disk is full."


@pytest.mark.parametrize("kind", KINDS)
def test_exit_codes_are_those_of_failures(kind: type[TraderError]) -> None:
    assert 1 <= kind.exit_code < 64


def test_kinds_that_a_script_tells_apart_have_their_own_code() -> None:
    direct = {kind.exit_code for kind in TraderError.__subclasses__()}
    assert len(direct) == len(TraderError.__subclasses__())
    assert StoreSetupError.exit_code != WorldMismatch.exit_code
