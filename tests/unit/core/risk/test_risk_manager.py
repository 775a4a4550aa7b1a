"""The one gate: approvals are bound to their parameters, refusals to one reason."""

from datetime import timedelta

import msgspec
from brain_case import case
from brain_desk import T0, D

from simple_trader.core.risk.ceilings import ENTRY_LIFE_S
from simple_trader.core.risk.risk_manager import params_hash, request_of, review
from simple_trader.domain.orders import TimeInForce
from simple_trader.domain.reasons import Reason
from simple_trader.domain.verdicts import Approved, Refused


def approved() -> Approved:
    """An approval of a sound case."""
    verdict = review(case(), cl_ord_id="st1-1")
    assert isinstance(verdict, Approved)
    return verdict


def test_an_approval_carries_the_intents_parameters_and_its_times() -> None:
    verdict = approved()
    request, wanted = verdict.request, verdict.intent
    assert (request.pair, request.side, request.qty) == (wanted.pair, wanted.side, wanted.qty)
    assert (request.limit_price, request.cl_ord_id) == (wanted.price, "st1-1")
    assert request.deadline == T0 + timedelta(seconds=5)
    assert verdict.send_by == T0 + timedelta(seconds=2)


def test_i_10_a_resting_entry_expires_at_a_whole_second_as_the_wire_writes_it() -> None:
    at = T0 + timedelta(milliseconds=678)
    resting = case(at=at, intent__time_in_force=TimeInForce.GTD)
    request = request_of(resting.intent, resting, "st1-1")
    assert request.expire_at == T0 + timedelta(seconds=ENTRY_LIFE_S)
    assert request.deadline == at + timedelta(seconds=5)


def test_any_other_parameter_has_another_hash() -> None:
    request = approved().request
    seen = {params_hash(request)}
    for field, value in (("qty", D(9)), ("limit_price", D(9)), ("cl_ord_id", "x"), ("pair", "y")):
        seen.add(params_hash(msgspec.structs.replace(request, **{field: value})))
    assert len(seen) == 5
    assert approved().params_hash in seen


def test_a_refusal_names_its_reason_and_numbers() -> None:
    verdict = review(case(spendable_quote=D(1)), cl_ord_id="st1-1")
    assert isinstance(verdict, Refused)
    assert verdict.reason is Reason.NO_FUNDS
    assert "has 1" in verdict.detail
