"""The engine's counter of each pair: costs by age, decay, shares, and never below the exchange."""

from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kraken_parts import AT
from order_parts import plain_order

from simple_trader.adapters.kraken.trading_counter import LAG_S, TradingCounter, cost_of
from simple_trader.domain.order_states import OrderState

PAIR = "BTC/USD"


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("transaction", "costs"),
    [
        ("add", [1, 1, 1, 1, 1, 1, 1]),
        ("amend", [4, 3, 2, 1, 1, 1, 1]),
        ("edit", [7, 6, 5, 3, 2, 1, 1]),
        ("cancel", [8, 6, 5, 4, 2, 1, 0]),
    ],
)
def test_each_transaction_costs_what_the_table_says(transaction: str, costs: list[float]) -> None:
    ages = [0, 5, 10, 15, 45, 90, 300]
    assert [cost_of(transaction, age) for age in ages] == costs
    just_below = [cost_of(transaction, age - 0.001) for age in ages[1:]]
    assert just_below == costs[:-1]


def test_an_order_of_unknown_age_costs_the_most() -> None:
    assert cost_of("cancel") == 8


def test_the_worked_example_of_the_documentation() -> None:
    gross = cost_of("add") + cost_of("amend", 7) + cost_of("cancel", 36)
    assert gross == 8


def test_a_burst_decays_as_the_documentation_works_it_out() -> None:
    counter = TradingCounter()
    counter.learn_limit(125)
    for number in range(50):
        counter.placed(f"o{number}", PAIR, AT)
    assert counter.worst(PAIR, after(10)) == pytest.approx(26.6 + LAG_S * 2.34)
    assert counter.worst("ETH/USD", AT) == 0


def test_cancel_and_replace_every_second_runs_into_the_lowest_tier_within_seconds() -> None:
    counter = TradingCounter()
    for second in range(20):
        counter.placed(f"o{second}", PAIR, after(second))
        counter.cancelled(f"o{second}", PAIR, after(second))
        if counter.objection(PAIR, after(second), new_risk=False):
            break
    assert 5 <= second <= 8


def test_pt6_new_risk_leaves_a_share_for_exits_and_cancels() -> None:
    counter = TradingCounter()
    for number in range(41):
        counter.placed(f"o{number}", PAIR, AT)
    refused = counter.objection(PAIR, AT, new_risk=True)
    assert refused is not None
    assert PAIR in refused
    assert "42.0" in refused
    assert counter.objection(PAIR, AT, new_risk=False) is None
    assert counter.objection("ETH/USD", AT, new_risk=True) is None
    assert counter.objection(PAIR, after(3), new_risk=True) is None, "it decays"


@pytest.mark.parametrize(
    ("limit", "decay"), [(60, 1.0), (125, 2.34), (180, 3.75), (140, 2.34), (30, 1.0)]
)
def test_the_ack_of_executions_tells_the_tier(limit: int, decay: float) -> None:
    counter = TradingCounter()
    counter.learn_limit(limit)
    assert (counter.tier.limit, counter.tier.decay_per_s) == (limit, decay)


def test_a_cancel_of_everything_counts_each_young_order() -> None:
    counter = TradingCounter()
    counter.placed("a", PAIR, AT)
    counter.placed("b", "ETH/USD", AT)
    counter.cancelled_all(after(20))
    assert counter.worst(PAIR, after(20)) == pytest.approx(4 + LAG_S)
    assert counter.worst("ETH/USD", after(20)) == pytest.approx(4 + LAG_S)


def test_an_amended_order_is_young_again() -> None:
    counter = TradingCounter()
    counter.placed("a", PAIR, AT)
    counter.amended("a", PAIR, after(100))
    counter.cancelled("a", PAIR, after(100))
    assert counter.worst(PAIR, after(100)) == pytest.approx(1 + 8 + LAG_S)


def test_i22_a_higher_value_of_the_exchange_is_taken_and_counted() -> None:
    counter = TradingCounter()
    assert counter.seen(PAIR, 30.0, AT)
    assert counter.higher_there == 1
    assert counter.objection(PAIR, AT, new_risk=True) is None
    assert counter.seen(PAIR, 50.0, AT)
    assert counter.objection(PAIR, AT, new_risk=True)
    assert not counter.seen(PAIR, 12.0, AT), "a lower one proves nothing: something is under way"
    assert counter.worst(PAIR, AT) >= 50


def test_a_clock_that_steps_back_lets_nothing_decay_twice() -> None:
    counter = TradingCounter()
    for number in range(10):
        counter.placed(f"o{number}", PAIR, AT)
    counter.placed("p", PAIR, after(-3600))
    assert counter.worst(PAIR, AT) == pytest.approx(11 + LAG_S)


class Exchange:
    """The counter as section 10 has it, counted when a request arrives."""

    def __init__(self) -> None:
        self.value, self.at, self.made = 0.0, 0.0, {}

    def tell(self, at: float) -> float:
        self.value = max(0.0, self.value - (at - self.at) * 2.34)
        self.at = at
        return self.value

    def take(self, what: str, name: str, at: float) -> None:
        self.tell(at)
        age = at - self.made[name] if name in self.made else 0.0
        self.value += cost_of(what, age)
        if what != "cancel":
            self.made[name] = at


@given(
    st.lists(
        st.tuples(
            st.floats(0, 30),  # seconds since the last request
            st.sampled_from(["add", "amend", "cancel"]),
            st.integers(0, 5),  # which order
            st.floats(0, LAG_S / 2),  # the way there
            st.floats(0, LAG_S / 2),  # the way of the count back
        ),
        max_size=60,
    )
)
def test_i22_the_model_is_never_below_the_exchange(
    steps: list[tuple[float, str, int, float, float]],
) -> None:
    model, exchange = TradingCounter(), Exchange()
    model.learn_limit(125)
    now, reached = 0.0, 0.0
    for pause, what, number, there, back in steps:
        now += pause
        name = f"o{number}"
        send = {"add": model.placed, "amend": model.amended, "cancel": model.cancelled}[what]
        send(name, PAIR, after(now))
        reached = max(reached, now + there)  # requests of one connection arrive in order
        exchange.take(what, name, reached)
        assert not model.seen(PAIR, exchange.tell(reached), after(reached + back)), (now, what)
    assert model.higher_there == 0


def test_i_22_the_orders_of_the_life_before_still_count() -> None:
    made = plain_order(name="st7-1", pair=PAIR, state=OrderState.FILLED)
    gone = plain_order(name="st7-2", pair=PAIR, state=OrderState.CANCELED)
    orders = [
        msgspec.structs.replace(gone, approved_at=after(2), changed_at=after(4)),
        msgspec.structs.replace(made, approved_at=AT, changed_at=after(1)),
    ]
    before, again = TradingCounter(), TradingCounter()
    before.placed("st7-1", PAIR, AT)
    before.placed("st7-2", PAIR, after(2))
    before.cancelled("st7-2", PAIR, after(4))
    again.remember(orders)
    assert again.worst(PAIR, after(6)) == before.worst(PAIR, after(6)) > 5
    again.cancelled("st7-1", PAIR, after(6))
    before.cancelled("st7-1", PAIR, after(6))
    assert again.worst(PAIR, after(6)) == before.worst(PAIR, after(6))
