"""Budgets hold for any number of questions at a time, over restarts, and until they are over."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llm_parts import ASSETS, question

from simple_trader.adapters.llm.plan import Budget
from simple_trader.adapters.llm.prompts import render
from simple_trader.adapters.llm.provider import STAND_IN_LABEL, ProviderSettings, payload
from simple_trader.adapters.llm.spending import (
    DAY_S,
    HOUR_S,
    WRAPPING_TOKENS,
    Spending,
    Ticket,
    most_tokens,
)
from simple_trader.ports import Spent

D = Decimal
BODY = {"x": "y" * (900 - 8)}  # with what is put around it: at most 1900 tokens


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def provider(**changes: Any) -> ProviderSettings:
    given: dict[str, Any] = {
        "name": "p", "base_url": "http://p/v1", "model": "m", "max_tokens": 100,
        "price_in": D(1), "price_out": D(10),
    }  # fmt: skip
    return ProviderSettings(**(given | changes))


def take(spending: Spending, budget: Budget, shadow: bool = False, **changes: Any) -> Ticket | str:
    return spending.take(provider(**changes), BODY, budget, asker="shadow" if shadow else "")


def test_l17_a_question_takes_the_most_it_can_cost_before_it_is_asked() -> None:
    ticket = take(Spending(Hands()), Budget())
    assert isinstance(ticket, Ticket)
    assert (ticket.tokens_in, ticket.tokens_out, ticket.tokens) == (1_900, 100, 2_000)
    assert ticket.usd == (1_900 * D(1) + 100 * D(10)) / 1_000_000


@pytest.mark.parametrize("unit", ["tokens_per_hour", "tokens_per_day"])
def test_l17_a_budget_of_tokens_stops_the_question_that_could_break_it(unit: str) -> None:
    clock = Hands()
    spending = Spending(clock)
    budget = msgspec.structs.replace(Budget(), **{unit: 4_000})
    first = take(spending, budget)
    assert isinstance(first, Ticket)
    assert isinstance(take(spending, budget), Ticket)
    refused = take(spending, budget)
    assert isinstance(refused, str)
    assert f"llm_budget.{unit}" in refused
    spending.settle(first, 300, D("0.001"))
    assert isinstance(take(spending, budget), str)  # 300 + 2000 + 2000 is still too much


def test_l17_a_budget_of_money_stops_at_its_cent() -> None:
    spending = Spending(Hands(), [Spent(age_s=10, tokens=5, usd=D("1.99"))])
    assert isinstance(take(spending, Budget(usd_per_hour=D("1.9929"))), Ticket)
    assert isinstance(take(Spending(Hands()), Budget(usd_per_day=D("0.0028"))), str)
    free = take(spending, Budget(usd_per_day=D(0)), price_in=D(0), price_out=D(0))
    assert isinstance(free, Ticket)
    unpriced = take(spending, Budget(usd_per_day=D(0)), price_in=None)
    assert isinstance(unpriced, Ticket)


def test_l17_what_was_spent_before_the_start_counts_until_it_is_old() -> None:
    clock = Hands()
    before = [Spent(age_s=HOUR_S - 10, tokens=500, usd=D(1))]
    spending = Spending(clock, before)
    budget = Budget(tokens_per_hour=2_200, tokens_per_day=2_600)
    assert isinstance(take(spending, budget), str)
    clock.now += 80
    assert isinstance(take(spending, budget), Ticket)
    clock.now += DAY_S
    assert spending.spent(DAY_S)[0] == 2_000  # the open one


def test_l17_calls_by_the_second_leave_the_window_one_by_one() -> None:
    clock = Hands()
    spending = Spending(clock)
    for _ in range(7_200):
        ticket = take(spending, Budget())
        assert isinstance(ticket, Ticket)
        spending.settle(ticket, 10, D("0.0001"))
        clock.now += 1
    tokens, usd = spending.spent(HOUR_S)
    assert 36_000 <= tokens <= 36_600
    assert usd == tokens * D("0.00001")
    assert spending.spent(DAY_S)[0] == 72_000


def test_l17_a_shadow_leaves_half_of_the_budget() -> None:
    spending = Spending(Hands())
    budget = Budget(tokens_per_hour=6_000)
    assert isinstance(take(spending, budget, shadow=True), Ticket)
    refused = take(spending, budget, shadow=True)
    assert isinstance(refused, str)
    assert refused.startswith("half of llm_budget.tokens_per_hour is 3000: ")
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
        spending.settle(ticket, ticket.tokens, ticket.usd)
    assert spending.spent(DAY_S) == (0, D(0))


def test_l17_a_question_that_was_cut_off_counts_for_each_who_asks() -> None:
    clock = Hands()
    spending = Spending(clock, [Spent(age_s=60, tokens=7, usd=D(0))], cut_off=(30, HOUR_S + 90))
    assert spending.spent(HOUR_S)[0] == 7  # how much is known with the first question
    refused = take(spending, Budget(tokens_per_hour=4_006))
    assert isinstance(refused, str)
    assert "2007 are spent" in refused
    assert spending.spent(DAY_S) == (4_007, 2 * D("0.0029"))
    take(spending, Budget(tokens_per_hour=0))
    assert spending.spent(DAY_S)[0] == 4_007
    take(spending, Budget(tokens_per_hour=0), shadow=True)
    assert spending.spent(DAY_S)[0] == 8_007
    clock.now += HOUR_S + 60
    assert spending.spent(HOUR_S)[0] == 0


# Bytes of each part of a prompt of a real run and the tokens that it came to, by the tokenizers of
# Llama 2 and Mistral (a token for each digit) and of GPT-4, GPT-4o and Llama 3, measured with the
# packages llama-tokenizer-js, mistral-tokenizer-js, gpt-tokenizer and llama3-tokenizer-js of npm.
MEASURED = (
    ("the whole prompt of one pair", 6_448, (3_246, 3_214, 2_307, 2_310, 2_309)),
    ("its block of data", 2_443, (1_548, 1_537, 981, 997, 983)),
    ("the tool schema", 2_503, (698, 710, 590, 605, 592)),
    ("500 numbers of eight decimals", 6_194, (5_950, 5_950, 3_000, 3_000, 3_002)),
)


@pytest.mark.parametrize(("part", "size", "tokens"), MEASURED)
def test_l17_the_guess_holds_for_every_tokenizer_that_was_tried(
    part: str, size: int, tokens: tuple[int, ...]
) -> None:
    assert most_tokens({"content": "x" * size}) - WRAPPING_TOKENS >= max(tokens), part


def test_l17_the_guess_of_a_prompt_counts_each_byte_of_all_that_is_sent() -> None:
    prompt = render(ASSETS, question()).text
    for answers in ("tools", "json_schema", "content"):
        body = payload(provider(answers=answers), ASSETS, prompt, ("BTC/USD",))
        sent = len(prompt.encode()) + (
            len(msgspec.json.encode(ASSETS.tool_schema)) // 2 if answers != "content" else 0
        )
        assert most_tokens(body) >= sent + WRAPPING_TOKENS, answers


@given(st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 2_000)), max_size=60))
def test_l17_whatever_comes_no_hour_takes_more_than_its_budget(
    calls: list[tuple[int, int]],
) -> None:
    clock = Hands()
    spending, budget = Spending(clock), Budget(tokens_per_hour=5_000)
    taken: list[tuple[float, int]] = []
    for tokens, pause_s in calls:
        ticket = take(spending, budget)
        if isinstance(ticket, Ticket):
            spending.settle(ticket, tokens, D(0))
            taken.append((clock.now, tokens))
        clock.now += pause_s
        assert sum(t for at, t in taken if clock.now - at < HOUR_S) <= 5_000
