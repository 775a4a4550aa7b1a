"""Typed replies: an outcome says what is proved, and a refusal whether the request ever left."""

from typing import get_args

from simple_trader.domain.venue_replies import (
    AmendAcked,
    AmendOutcome,
    AmendRejected,
    AmendUnknown,
    SwitchArmed,
    SwitchOutcome,
    SwitchRejected,
    SwitchUnknown,
)


def test_every_request_ends_acknowledged_refused_or_unknown() -> None:
    assert set(get_args(AmendOutcome)) == {AmendAcked, AmendRejected, AmendUnknown}
    assert set(get_args(SwitchOutcome)) == {SwitchArmed, SwitchRejected, SwitchUnknown}


def test_a_refusal_came_from_the_exchange_unless_it_says_otherwise() -> None:
    assert AmendRejected(cl_ord_id="st7-1", error="EOrder:Unknown order").sent
