"""The compiled ceilings hold whatever the settings say."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from brain_case import case
from brain_desk import BTC, D, settings
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.config.limits import limits_of
from simple_trader.config.schema import Settings
from simple_trader.core.risk.ceilings import CEILINGS, ORDER_QTY, in_force
from simple_trader.core.risk.risk_manager import review
from simple_trader.domain.verdicts import Approved

WHOLE = (
    "max_slippage_bps",
    "price_collar_bps",
    "max_open_orders",
    "max_orders_per_minute",
    "max_flips_per_day",
)
values = st.one_of(
    st.decimals(min_value=0, max_value=D("1e15"), places=2),
    st.sampled_from([D("Infinity"), D("NaN"), D(0)]),
)


def trading_limits() -> dict[str, Decimal]:
    """Those of orders: what advice may cost is no business of the judge."""
    found = limits_of(Settings())
    return {name: value for name, value in found.items() if not name.startswith("llm_budget.")}


def test_i_25_every_limit_of_the_configuration_has_a_ceiling() -> None:
    assert set(trading_limits()) == set(CEILINGS)


def test_i_25_the_shipped_configuration_is_within_its_ceilings() -> None:
    assert all(value <= CEILINGS[name] for name, value in trading_limits().items())


@pytest.mark.parametrize("name", sorted(CEILINGS))
def test_i_25_a_limit_at_its_ceiling_stands_and_one_above_does_not(name: str) -> None:
    kind = int if name in WHOLE else Decimal
    at = settings(**{name: kind(CEILINGS[name])})
    assert getattr(in_force(at), name) == CEILINGS[name]
    above = settings(**{name: kind(CEILINGS[name] * 2)})
    assert getattr(in_force(above), name) == CEILINGS[name]


def test_i_25_settings_within_all_ceilings_are_left_as_they_are() -> None:
    plain = settings()
    assert in_force(plain) is plain


@given(st.fixed_dictionaries({}, optional={name: values for name in CEILINGS if name not in WHOLE}))
def test_i_25_whatever_is_asked_nothing_in_force_is_above_its_ceiling(
    asked: dict[str, Any],
) -> None:
    found = in_force(settings(**asked))
    for name, ceiling in CEILINGS.items():
        assert getattr(found, name) <= ceiling
    assert found.daily_loss_limit > 0
    assert found.max_drawdown > 0


@given(
    qty=st.decimals(min_value=D("0.0001"), max_value=1000, places=8),
    limit=values,
    own=st.decimals(min_value=D("0.00000001"), max_value=D("1e12"), places=8),
)
def test_i_25_no_approved_order_is_above_the_ceilings(
    qty: Decimal, limit: Decimal, own: Decimal
) -> None:
    wild = settings(
        max_order_value=limit,
        max_order_qty={BTC: own},
        max_notional_per_minute=D("1e15"),
        max_pair_notional_per_minute=D("1e15"),
        max_asset_exposure=D("1e9"),
        max_total_exposure=D("1e9"),
    )
    rich = {"spendable_quote": D("1e15"), "equity": D("1e15")}
    verdict = review(case(settings=wild, intent__qty=qty, **rich), cl_ord_id="st1-1")
    if isinstance(verdict, Approved):
        assert qty * D("50010.0") <= CEILINGS["max_order_value"]
        assert qty <= min(own, ORDER_QTY["BTC"])


def test_i_25_the_judge_clamps_by_itself() -> None:
    wild = settings(order_deadline_s=9e9)
    verdict = review(case(settings=wild), cl_ord_id="st1-1")
    assert isinstance(verdict, Approved)
    assert (verdict.request.deadline - verdict.approved_at).total_seconds() == 60
    assert msgspec.structs.replace(wild, order_deadline_s=60.0) == in_force(wild)
