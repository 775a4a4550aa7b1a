"""Exits: due at and beyond their threshold, off at zero, judged on the bid."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from market_parts import BTC, ETH, quote, settings

from simple_trader.core.strategy.exits import due_exit
from simple_trader.domain.reasons import Reason


def due(
    bid: str, *, cost: str = "100", qty: str = "1", stop: str = "5", take: str = "10"
) -> Reason | None:
    limits = settings(stop_loss_percent=Decimal(stop), take_profit_percent=Decimal(take))
    return due_exit(
        pair=BTC,
        quote=quote(bid=bid, ask="1000"),
        avg_cost=Decimal(cost),
        left_qty=Decimal(qty),
        settings=limits,
    )


@pytest.mark.parametrize(
    ("bid", "reason"),
    [
        ("1", Reason.STOP_LOSS),
        ("94.99999999", Reason.STOP_LOSS),
        ("95", Reason.STOP_LOSS),
        ("95.00000001", None),
        ("100", None),
        ("109.99999999", None),
        ("110", Reason.TAKE_PROFIT),
        ("5000", Reason.TAKE_PROFIT),
    ],
)
def test_an_exit_is_due_at_and_beyond_its_threshold(bid: str, reason: Reason | None) -> None:
    assert due(bid) is reason


@pytest.mark.parametrize("bid", ["1", "95", "110", "5000"])
def test_zero_percent_switches_a_rule_off(bid: str) -> None:
    assert due(bid, stop="0", take="0") is None
    assert due(bid, stop="0") in {None, Reason.TAKE_PROFIT}
    assert due(bid, take="0") in {None, Reason.STOP_LOSS}


def test_the_price_it_could_be_sold_at_counts_not_the_ask() -> None:
    assert due("100") is None


@pytest.mark.parametrize(
    ("cost", "qty", "bid"), [("0", "1", "1"), ("100", "0", "1"), ("100", "1", "0")]
)
def test_nothing_is_due_without_cost_quantity_or_bid(cost: str, qty: str, bid: str) -> None:
    assert due(bid, cost=cost, qty=qty) is None


def test_the_quote_of_another_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="ETH/USD"):
        due_exit(
            pair=BTC,
            quote=quote(ETH),
            avg_cost=Decimal(100),
            left_qty=Decimal(1),
            settings=settings(),
        )


@profile(deadline=None)
@given(st.decimals("0.01", "1000", places=2), st.decimals("0.01", "1000", places=2))
def test_a_falling_bid_never_takes_profit_and_a_rising_one_never_stops(
    bid: Decimal, cost: Decimal
) -> None:
    got = due(str(bid), cost=str(cost))
    assert got is not (Reason.TAKE_PROFIT if bid <= cost else Reason.STOP_LOSS)
