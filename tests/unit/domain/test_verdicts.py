"""Verdicts: an intent is approved or refused, and a refusal has exactly one reason."""

import typing

import msgspec

from simple_trader.domain.reasons import Reason
from simple_trader.domain.verdicts import Approved, Refused, Verdict


def test_there_are_two_verdicts() -> None:
    assert set(typing.get_args(Verdict)) == {Approved, Refused}


def test_a_refusal_has_one_reason() -> None:
    fields = {field.name: field.type for field in msgspec.structs.fields(Refused)}
    assert fields["reason"] is Reason


def test_an_approval_is_bound_to_its_parameters_and_ends() -> None:
    names = {field.name for field in msgspec.structs.fields(Approved)}
    assert {"params_hash", "send_by"} <= names
