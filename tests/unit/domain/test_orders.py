"""Orders: what is left of them, and which intents lower exposure."""

import pytest
from brain_desk import BTC, D
from order_parts import plain_order

from simple_trader.domain.money import ZERO
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Intent, Order, OrderType, Origin, Side, TimeInForce
from simple_trader.domain.reasons import Reason

S = OrderState


def order(state: OrderState = S.OPEN, filled: str = "0") -> Order:
    """An order for one BTC."""
    return plain_order(state=state, filled=filled)


def test_what_is_left_of_an_order_is_never_negative() -> None:
    assert order(filled="0.4").left_qty == D("0.6")
    assert order(filled="1.5").left_qty == ZERO


def test_an_order_knows_its_name_and_its_end() -> None:
    assert order().cl_ord_id == "st1-1"
    assert order(S.FILLED).is_terminal
    assert not order(S.UNKNOWN).is_terminal


@pytest.mark.parametrize(("side", "lowers"), [(Side.BUY, False), (Side.SELL, True)])
def test_on_a_spot_market_only_sales_lower_exposure(side: Side, lowers: bool) -> None:
    intent = Intent(
        origin=Origin.AI,
        owner="ai",
        pair=BTC,
        side=side,
        order_type=OrderType.LIMIT,
        qty=D(1),
        price=D(1),
        time_in_force=TimeInForce.IOC,
        post_only=False,
        reason=Reason.BIAS_BUY,
        mid=D(1),
    )
    assert intent.lowers_exposure is lowers
