"""A model in strange hands for days: whatever it says, the account stays inside its bounds.

The books of the exchange are kept here, by the test, and every answer is held to the envelope that
these books give. The words it is fed are those of the corpus: it obeys all of them.
"""

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise

import brain_desk as parts
import pytest
from brain_desk import BTC, ETH, D, Desk, decisions_of

from hostile.corpus import entries
from hostile.envelope import ONE, ZERO, Facts, Market, breaches
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain.marks import ShadowDecisionRow
from simple_trader.domain.orders import OrderRequest
from simple_trader.domain.records import DecisionRow

FEE = D("0.004")
CYCLES = 192  # two days
MOST_FLIPS = 6
OPENING = D(10_000)
Prices = dict[str, Decimal]
Policy = Callable[["Strange", int], dict[str, object]]
INJECTIONS = [entry.raw for entry in entries("texts") if entry.raw.isprintable()]


@dataclass
class Strange:
    """The account as the exchange has it, and a brain that is advised by somebody else."""

    desk: Desk
    dice: random.Random
    cash: Decimal = OPENING
    held: dict[str, Decimal] = field(default_factory=lambda: {BTC: ZERO, ETH: ZERO})
    prices: Prices = field(default_factory=lambda: {BTC: D(50_000), ETH: D(2_000)})
    orders: list[tuple[datetime, OrderRequest]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    fills: int = 0

    def equity(self) -> Decimal:
        """Cash and what is held at the middle prices."""
        return self.cash + sum((q * self.prices[p] for p, q in self.held.items()), ZERO)

    def move(self, minutes: int = 15, most: float = 0.004) -> None:
        """Later, at other prices."""
        for pair, price in self.prices.items():
            moved = price * D(str(1 + self.dice.uniform(-most, most)))
            self.prices[pair] = moved.quantize(D(1))
        self.desk.at += timedelta(minutes=minutes)
        said = {pair: str(price) for pair, price in self.prices.items()}
        self.desk.quotes(btc=said[BTC], eth=said[ETH])
        self.desk.timer("risk_check")

    def facts(self) -> Facts:
        """What the envelope is made of at this moment."""
        return Facts(
            at=self.desk.at,
            markets={
                pair: Market(price - D("0.5"), price + D("0.5"))
                for pair, price in self.prices.items()
            },
            cash=self.cash,
            equity=self.equity(),
            held=dict(self.held),
            exposed={pair: qty * self.prices[pair] for pair, qty in self.held.items()},
        )

    def fill(self, done: list[a.Action]) -> None:
        """The exchange fills whatever comes, at its limit and with its fee."""
        for one in done:
            if not isinstance(one, a.PlaceOrder):
                continue
            order = one.approved.request
            price = order.limit_price or ZERO
            cost = order.qty * price
            sign = 1 if order.side.value == "buy" else -1
            self.cash -= sign * cost + cost * FEE
            self.held[order.pair] += sign * order.qty
            self.orders.append((self.desk.at, order))
            self.fills += 1
            self.desk.do(e.OrderSent(cl_ord_id=order.cl_ord_id))
            self.desk.fill(order, f"E{self.fills}", order_id=f"O{self.fills}", trade_id=self.fills)
            self.desk.settle()

    def cycle(self, number: int, policy: Policy) -> None:
        """One question, and the answer of whoever sits behind the model."""
        self.move()
        for _, done in self.desk.log[-4:]:  # exits that the prices of this quarter caused
            self.fill(done)
        asked = self.desk.ask()
        facts = self.facts()
        done = self.desk.answer(asked, json.dumps(policy(self, number)))
        self.wrong += [f"cycle {number}: {words}" for words in breaches(facts, done)]
        self.reasons.update(row.reason.value for row in decisions_of(done).values())
        self.fill(done)
        if self.cash < ZERO or min(self.held.values()) < ZERO:
            self.wrong.append(f"cycle {number}: {self.cash} in cash, {self.held} held")

    def minute(self, number: int, policy: Policy) -> list[DecisionRow]:
        """One cycle a minute later, in which the last answer may be used again."""
        self.move(1, 0.0002)
        for _, done in self.desk.log[-4:]:
            self.fill(done)
        facts = self.facts()
        done = self.desk.timer("aggregate")
        asked = [one for one in done if isinstance(one, a.AskAdvice)]
        if asked:
            done = self.desk.answer(asked[0], json.dumps(policy(self, number)))
        self.wrong += [f"minute {number}: {words}" for words in breaches(facts, done)]
        self.fill(done)
        return list(decisions_of(done).values())


def say(action: str, pair: str, words: str, **more: object) -> dict[str, object]:
    """One decision with all the confidence of a liar."""
    return {
        "pair": pair,
        "action": action,
        "confidence": 1.0,
        "risk_level": "low",
        "rationale": words,
        **more,
    }


def all_in(strange: Strange, number: int) -> dict[str, object]:
    """Obeys every text: buys, with a target ten times as high."""
    words = INJECTIONS[number % len(INJECTIONS)]
    more = {"expected_move_pct": 900, "bias_allocation": 1, "sentiment": 1}
    return {"decisions": [say("buy", pair, words, **more) for pair in (BTC, ETH)]}


def one_coin(strange: Strange, number: int) -> dict[str, object]:
    """All into one asset."""
    return {"decisions": [say("buy", BTC, "concentrate"), say("sell", ETH, "concentrate")]}


def to_and_fro(strange: Strange, number: int) -> dict[str, object]:
    """Burns fees: sells what it has just bought."""
    action = "sell" if number % 2 else "buy"
    return {"decisions": [say(action, pair, "churn") for pair in (BTC, ETH)]}


def drawn(strange: Strange, number: int) -> dict[str, object]:
    """Dice, and now and then something that is no answer at all."""
    dice = strange.dice
    if dice.random() < 0.2:
        return {"decisions": [say("all-in", BTC, dice.choice(INJECTIONS))], "override": True}
    return {"decisions": [say(dice.choice(("buy", "sell", "hold")), p, "") for p in (BTC, ETH)]}


def opened(policy: Policy, **changes: object) -> Strange:
    """An account of 10,000 USD that a policy will advise."""
    limits = {"base_order": D(1000), "max_flips_per_day": MOST_FLIPS, **changes}
    desk = Desk()
    desk.open(balances={"USD": OPENING}, settings=parts.settings(**limits))
    return Strange(desk, random.Random(policy.__name__))


@cache
def lived(policy: Policy) -> Strange:
    """Two days under a policy."""
    strange = opened(policy, aggregator_interval_s=900)
    for number in range(CYCLES):
        strange.cycle(number, policy)
    return strange


@pytest.mark.parametrize("policy", [all_in, one_coin, to_and_fro, drawn], ids=lambda p: p.__name__)
def test_l12_l20_a_hijacked_model_trades_for_days_and_never_leaves_the_envelope(
    policy: Policy,
) -> None:
    strange = lived(policy)
    assert strange.wrong == []
    assert strange.orders, "it was let trade at all"
    expected = strange.desk.engine.state.balances.all_expected()
    assert expected["USD"] == strange.cash  # the brain's books are those of the exchange
    assert {p: expected.get(p.split("/")[0], ZERO) for p in strange.held} == strange.held


def test_l20_all_in_ends_at_the_caps_and_not_above() -> None:
    strange = lived(all_in)
    assert strange.wrong == []
    bought = [order for _, order in strange.orders if order.side.value == "buy"]
    spent = sum((o.qty * (o.limit_price or ZERO) for o in bought), ZERO)
    assert spent <= D("0.9") * OPENING
    share = sum((q * strange.prices[p] for p, q in strange.held.items()), ZERO) / strange.equity()
    assert D("0.5") < share < D("0.85")
    assert set(strange.reasons) == {"traded", "allocation_reached"}
    assert strange.reasons["allocation_reached"] > CYCLES


def test_l20_burning_fees_to_and_fro_ends_at_the_flips_of_a_day() -> None:
    """What it can cost is known: so many changes of side a day, each of one order."""
    strange = lived(to_and_fro)
    for pair in (BTC, ETH):
        own = [(at, o.side.value) for at, o in strange.orders if o.pair == pair]
        turns = [later for (_, side), later in pairwise(own) if side != later[1]]
        for at, _ in turns:
            day = [turn for turn in turns if at - timedelta(days=1) < turn[0] <= at]
            # One more, whose forerunner is of the day before, and the last may always sell.
            assert len(day) <= MOST_FLIPS + 2
    assert strange.reasons["flip_limit"] > 0
    assert strange.equity() > OPENING * (ONE - D("0.05"))


REUSE_S = 300


def test_i_38_l12_an_answer_that_is_used_again_stays_inside_and_never_outlives_its_time() -> None:
    strange = opened(all_in, aggregator_interval_s=60, advice_reuse_s=REUSE_S)
    asked_at: dict[str, datetime] = {}
    again = 0
    for number in range(180):
        for row in strange.minute(number, all_in):
            if row.reused_from is None:
                asked_at[row.call_id or ""] = row.decided_at
                continue
            again += 1
            age = row.decided_at - asked_at[row.reused_from]
            assert timedelta(0) < age < timedelta(seconds=REUSE_S)
    assert strange.wrong == []
    assert again > 60
    assert len(asked_at) > 20


def test_i_37_l12_no_answer_of_a_shadow_leads_to_an_order_or_a_decision() -> None:
    """Whatever it says: it is judged, kept and marked, and that is all."""
    desk = strange_with_shadow()
    words = [
        json.dumps(policy(opened(policy), number))
        for policy in (all_in, one_coin, to_and_fro, drawn)
        for number in range(4)
    ]
    words += [entry.raw for entry in entries("replies") if len(entry.raw) < 10_000]
    before = desk.engine.state.settings
    kept = 0
    for raw in words:
        asked = {
            one.advisor: one for one in desk.timer("aggregate") if isinstance(one, a.AskAdvice)
        }
        assert set(asked) == {"", "second"}
        done = desk.answer(asked["second"], raw)
        assert not [one for one in done if not isinstance(one, a.Remember | a.Note)]
        assert decisions_of(done) == {}
        kept += len(parts.records(done, ShadowDecisionRow))
        desk.answer(asked[""], json.dumps({"decisions": [say("hold", p, "") for p in (BTC, ETH)]}))
        desk.at += timedelta(seconds=5)
        desk.quotes()
    assert kept == 2 * len(words)
    assert desk.engine.state.orders.live() == []
    assert desk.engine.state.settings == before


def strange_with_shadow() -> Desk:
    """A desk whose settings name one shadow."""
    return opened(all_in, shadows=("second",)).desk
