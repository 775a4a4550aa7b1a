"""One plain order of ours for unit tests: a limit at 100, immediate or cancel."""

from decimal import Decimal

from market_parts import BTC, T0

from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Order, OrderRequest, OrderType, Origin, Side, TimeInForce
from simple_trader.domain.reasons import Reason


def plain_order(
    *,
    name: str = "st1-1",
    pair: str = BTC,
    side: Side = Side.BUY,
    qty: str = "1",
    filled: str = "0",
    state: OrderState = OrderState.OPEN,
) -> Order:
    """An order of `qty` base units, `filled` of them filled."""
    return Order(
        request=OrderRequest(
            cl_ord_id=name,
            pair=pair,
            side=side,
            order_type=OrderType.LIMIT,
            qty=Decimal(qty),
            limit_price=Decimal(100),
            time_in_force=TimeInForce.IOC,
            post_only=False,
            expire_at=None,
            deadline=T0,
        ),
        origin=Origin.AI,
        owner="ai",
        decision_id=None,
        reason=Reason.BIAS_BUY,
        state=state,
        approved_at=T0,
        send_by=T0,
        params_hash="h",
        config_hash="c",
        filled_qty=Decimal(filled),
    )
