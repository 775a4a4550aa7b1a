"""Actions: only an approved order can risk money, and what is visible waits for its commit."""

import typing

import msgspec

from simple_trader.domain import actions as a
from simple_trader.domain.verdicts import Approved


def test_only_place_order_carries_an_approval() -> None:
    carriers = [
        kind
        for kind in typing.get_args(a.Action)
        if any(field.type is Approved for field in msgspec.structs.fields(kind))
    ]
    assert carriers == [a.PlaceOrder]


def test_what_risks_money_or_shows_us_waits_for_the_commit() -> None:
    assert a.PlaceOrder in a.VISIBLE
    assert a.AskAdvice in a.VISIBLE


def test_what_is_safe_never_waits() -> None:
    assert a.CancelOrder not in a.VISIBLE
    assert a.CancelAllOrders not in a.VISIBLE
    assert a.AskOrders not in a.VISIBLE


def test_every_action_has_its_own_tag() -> None:
    tags = [kind.__struct_config__.tag for kind in typing.get_args(a.Action)]
    assert len(set(tags)) == len(tags)
