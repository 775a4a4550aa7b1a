"""Budgets hold for any number of questions at a time, over restarts, and until they are over."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.adapters.llm.plan import Budget
from simple_trader.adapters.llm.provider import STAND_IN_LABEL, ProviderSettings
from simple_trader.adapters.llm.spending import DAY_S, HOUR_S, Spending, Ticket
from simple_trader.ports import Spent

D = Decimal
PROMPT = "x" * 299  # guessed at 100 tokens


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def provider(**changes: Any) -> ProviderSettings:
    given: dict[str, Any] = {
        "name": "p", "base_url": "http://p/v1", "model": "m", "max_tokens": 900,
        "price_in": D(1), "price_out": D(10),
    }  # fmt: skip
    return ProviderSettings(**(given | changes))


def take(spending: Spending, budget: Budget, shadow: bool = False, **changes: Any) -> Ticket | str:
    return spending.take(provider(**changes), PROMPT, budget, is_shadow=shadow)


def test_l17_a_question_takes_the_most_it_can_cost_before_it_is_asked() -> None:
    ticket = take(Spending(Hands()), Budget())
    assert isinstance(ticket, Ticket)
    assert ticket.tokens == 1_000
    assert ticket.usd == (100 * D(1) + 900 * D(10)) / 1_000_000


@pytest.mark.parametrize("unit", ["tokens_per_hour", "tokens_per_day"])
def test_l17_a_budget_of_tokens_stops_the_question_that_could_break_it(unit: str) -> None:
    clock = Hands()
    spending = Spending(clock)
    budget = msgspec.structs.replace(Budget(), **{unit: 2_000})
    first = take(spending, budget)
    assert isinstance(first, Ticket)
    assert isinstance(take(spending, budget), Ticket)
    refused = take(spending, budget)
    assert isinstance(refused, str)
    assert f"llm_budget.{unit}" in refused
    spending.settle(first, provider(), 300, D("0.001"))
    assert isinstance(take(spending, budget), str)  # 300 + 1000 + 1000 is still too much


def test_l17_a_budget_of_money_stops_at_its_cent() -> None:
    spending = Spending(Hands(), [Spent(age_s=10, tokens=5, usd=D("1.99"))])
    assert isinstance(take(spending, Budget(usd_per_hour=D("1.9991"))), Ticket)
    assert isinstance(take(Spending(Hands()), Budget(usd_per_day=D("0.009"))), str)
    free = take(spending, Budget(usd_per_day=D(0)), price_in=D(0), price_out=D(0))
    assert isinstance(free, Ticket)
    unpriced = take(spending, Budget(usd_per_day=D(0)), price_in=None)
    assert isinstance(unpriced, Ticket)


def test_l17_what_was_spent_before_the_start_counts_until_it_is_old() -> None:
    clock = Hands()
    before = [Spent(age_s=HOUR_S - 10, tokens=500, usd=D(1))]
    spending = Spending(clock, before)
    budget = Budget(tokens_per_hour=1_200, tokens_per_day=1_600)
    assert isinstance(take(spending, budget), str)
    clock.now += 80
    assert isinstance(take(spending, budget), Ticket)
    clock.now += DAY_S
    assert spending.spent(DAY_S)[0] == 1_000  # the open one


def test_l17_calls_by_the_second_leave_the_window_one_by_one() -> None:
    clock = Hands()
    spending = Spending(clock)
    for _ in range(7_200):
        ticket = take(spending, Budget())
        assert isinstance(ticket, Ticket)
        spending.settle(ticket, provider(), 10, D("0.0001"))
        clock.now += 1
    tokens, usd = spending.spent(HOUR_S)
    assert 36_000 <= tokens <= 36_600
    assert usd == tokens * D("0.00001")
    assert spending.spent(DAY_S)[0] == 72_000


def test_l17_a_shadow_leaves_half_of_the_budget() -> None:
    spending = Spending(Hands())
    budget = Budget(tokens_per_hour=3_000)
    assert isinstance(take(spending, budget, shadow=True), Ticket)
    refused = take(spending, budget, shadow=True)
    assert isinstance(refused, str)
    assert refused.startswith("half of llm_budget.tokens_per_hour is 1500: ")
    assert isinstance(take(spending, budget), Ticket)


def test_l17_a_refusal_names_large_figures_without_an_exponent() -> None:
    spending = Spending(Hands(), [Spent(age_s=10.0, tokens=2_999_999, usd=D("0.5"))])
    refused = take(spending, Budget(tokens_per_day=3_000_000))
    assert isinstance(refused, str)
    assert refused.startswith("llm_budget.tokens_per_day is 3000000: 2999999 are spent")


def test_l17_the_stand_in_costs_nothing_and_is_not_counted() -> None:
    spending = Spending(Hands())
    for _ in range(5):
        ticket = take(spending, Budget(tokens_per_hour=0), label=STAND_IN_LABEL)
        assert isinstance(ticket, Ticket)
        spending.settle(ticket, provider(label=STAND_IN_LABEL), 5_000, D(0))
    assert spending.spent(DAY_S) == (0, D(0))


@given(st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 2_000)), max_size=60))
def test_l17_whatever_comes_no_hour_takes_more_than_its_budget(
    calls: list[tuple[int, int]],
) -> None:
    clock = Hands()
    spending, budget = Spending(clock), Budget(tokens_per_hour=5_000)
    taken: list[tuple[float, int]] = []
    for tokens, pause_s in calls:
        ticket = take(spending, budget)
        if isinstance(ticket, Ticket):
            spending.settle(ticket, provider(), tokens, D(0))
            taken.append((clock.now, tokens))
        clock.now += pause_s
        assert sum(t for at, t in taken if clock.now - at < HOUR_S) <= 5_000
