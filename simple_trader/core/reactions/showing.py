"""Showing: the state as people see it."""

from datetime import datetime

from simple_trader.core.portfolio.account import unrealised
from simple_trader.core.schedule.timers import AGGREGATE
from simple_trader.core.state import EngineState
from simple_trader.domain.orders import Order
from simple_trader.domain.views import OrderView, PriceView, StatusView


def status_view(state: EngineState, at: datetime) -> StatusView:
    """The whole brain on one card."""
    prices = []
    for pair in state.watched_pairs():
        quote = state.board.quote(pair)
        if quote is not None:
            prices.append(
                PriceView(
                    pair=pair,
                    last=quote.last,
                    bid=quote.bid,
                    ask=quote.ask,
                    age_s=quote.age_s(at, state.health.skew_s),
                )
            )
    return StatusView(
        at=at,
        mode=state.mode,
        world=state.world,
        trading_state=state.trading_state,
        reasons=tuple(cause.value for cause in state.causes),
        prices=tuple(prices),
        decisions=tuple(state.decisions.values()),
        orders=tuple(_order_view(order) for order in state.orders.live()),
        balances=dict(state.balances.totals),
        equity=state.equity(),
        realised_pnl=state.tally.realised,
        unrealised_pnl=unrealised(state.lots, state.mids()),
        realised_today=state.tally.realised_today,
        fills=state.tally.fills,
        cycles=state.tally.cycles,
        model=state.model_id,
        next_cycle_at=state.timers.due.get(AGGREGATE),
    )


def _order_view(order: Order) -> OrderView:
    return OrderView(
        cl_ord_id=order.cl_ord_id,
        pair=order.request.pair,
        side=order.request.side.value,
        qty=order.request.qty,
        left_qty=order.left_qty,
        price=order.request.limit_price,
        state=order.state.value,
    )
