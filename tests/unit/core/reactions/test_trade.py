"""From an intent to a reserved order: check and reservation are one step."""

from decimal import Decimal

from brain_case import intent
from brain_desk import BTC, ETH, T0, D, Desk, records, settings
from brain_reports import report
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from simple_trader.core.reactions.trade import case_of, judge_intent
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.order_states import TERMINAL, OrderState
from simple_trader.domain.orders import Origin
from simple_trader.domain.reasons import Reason
from simple_trader.domain.verdicts import Approved, Refused


def desk() -> Desk:
    """A desk that trades."""
    made = Desk()
    made.open()
    return made


def test_an_approval_is_reserved_at_once() -> None:
    one = desk()
    state = one.engine.state
    verdict, actions = judge_intent(state, intent(), T0, "h")
    assert isinstance(verdict, Approved)
    held = D("0.002") * D("50010.0") * D("1.004")
    assert state.spendable("USD") == D(1000) - held
    order = state.orders.orders[verdict.request.cl_ord_id]
    assert (order.state, order.config_hash) == (OrderState.DISPATCHING, "h")
    assert records(actions, r.IntentRow)[0].order == order
    assert case_of(state, intent(), T0).exposure.of("BTC") == held


def test_a_refusal_reserves_nothing() -> None:
    one = desk()
    verdict, actions = judge_intent(one.engine.state, intent(qty=D(1)), T0, "h")
    assert isinstance(verdict, Refused)
    assert actions == []
    assert one.engine.state.spendable("USD") == 1000
    assert one.engine.state.memory.candle_guard == {}


def test_a_protective_order_takes_no_candle() -> None:
    one = desk()
    verdict, actions = judge_intent(one.engine.state, intent(protective=True), T0, "h")
    assert isinstance(verdict, Approved)
    assert records(actions, r.RiskRow) == []
    assert one.engine.state.memory.candle_guard == {}


def test_a_freed_candle_takes_the_next_entry() -> None:
    one = desk()
    state = one.engine.state
    verdict, _ = judge_intent(state, intent(), T0, "h")
    assert isinstance(verdict, Approved)
    again, _ = judge_intent(state, intent(), T0, "h")
    assert isinstance(again, Refused)
    told = one.do(
        e.NotSent(cl_ord_id=verdict.request.cl_ord_id, reason=Reason.LOCK_LOST, detail="")
    )
    assert len(records(told, r.RiskRow)) == 1
    assert state.turnover.flow(BTC, T0).orders == 0
    third, _ = judge_intent(state, intent(), T0, "h")
    assert isinstance(third, Approved)


steps = st.lists(
    st.tuples(
        st.sampled_from([BTC, ETH]),
        st.sampled_from([1, 7, 20, 34, 40]),
        st.sampled_from(["place", "fill", "cancel", "unknown", "settle"]),
        st.integers(0, 9),
    ),
    max_size=30,
)


@examples(max_examples=250, deadline=None)
@given(steps)
def test_i18_no_interleaving_of_orders_ever_exceeds_a_cap(
    story: list[tuple[str, int, str, int]],
) -> None:
    one = Desk()
    one.open(settings=settings(base_order=D(1000)))
    state = one.engine.state
    sent: list[a.PlaceOrder] = []
    for pair, size, what, which in story:
        if what == "place":
            price = D("50010.0") if pair == BTC else D("2001.0")
            qty = (D(size * 10) / price).quantize(D("0.00000001"))
            wanted = intent(pair=pair, qty=qty, price=price, protective=True)
            before = state.equity() or D(0)
            verdict, actions = judge_intent(state, wanted, one.at, "h")
            sent.extend(x for x in actions if isinstance(x, a.PlaceOrder))
            if isinstance(verdict, Approved):
                worst = worst_case(one)
                assert worst[pair] <= D("0.35") * before
                assert sum(worst.values()) <= D("0.8") * before
                assert state.spendable("USD") >= 0
        elif what == "settle":
            one.settle()
        elif sent:
            request = sent[which % len(sent)].approved.request
            _follow(one, request.cl_ord_id, what, size)


def worst_case(one: Desk) -> dict[str, Decimal]:
    """What every pair may come to cost, reckoned from orders and fills alone."""
    mids = {BTC: D(50000), ETH: D(2000)}
    worst = {BTC: D(0), ETH: D(0)}
    for order in one.engine.state.orders.orders.values():
        pair, price = order.request.pair, order.request.limit_price or D(0)
        worst[pair] += order.filled_qty * mids[pair]
        if order.state not in TERMINAL:
            worst[pair] += (order.request.qty - order.filled_qty) * price * D("1.004")
    return worst


def _follow(one: Desk, name: str, what: str, size: int) -> None:
    order = one.engine.state.orders.orders[name]
    if what == "fill" and order.left_qty > 0:
        part = (order.left_qty * size / 40).quantize(D("0.00000001"))
        if part > 0:
            one.fill(order.request, f"E{one.seq}", qty=part, trade_id=one.seq, order_id=name)
    elif what == "cancel":
        one.do(report("canceled", cl_ord_id=name, at=one.at, cum_qty=order.filled_qty))
    elif what == "unknown":
        one.do(e.SendUnknown(cl_ord_id=name, detail="lost"))


def test_i_33_a_protective_order_that_never_left_frees_no_entrys_candle() -> None:
    """Seed 97 of the simulation: the exit after it was VOID, and a second entry went out."""
    one = desk()
    state = one.engine.state
    entry, _ = judge_intent(state, intent(), T0, "h")
    assert isinstance(entry, Approved)
    exit_ = intent(protective=True, origin=Origin.EXIT, price=D("50005.0"))
    exit_order, _ = judge_intent(state, exit_, T0, "h")
    assert isinstance(exit_order, Approved)
    one.do(
        e.NotSent(cl_ord_id=exit_order.request.cl_ord_id, reason=Reason.APPROVAL_EXPIRED, detail="")
    )
    again, _ = judge_intent(state, intent(price=D("50004.0")), T0, "h")
    assert isinstance(again, Refused)
    assert again.reason is Reason.SAME_CANDLE
