"""Cards: every mark is judged where it belongs, per pair and horizon."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simple_trader.core.scoring.scorecard import (
    ALL,
    Card,
    Marked,
    Predicted,
    cards,
    model_cards,
)

T0 = datetime(2026, 3, 2, tzinfo=UTC)


def marked(number: int, **changes: Any) -> Marked:
    at = T0 + timedelta(minutes=15 * number)
    values: dict[str, Any] = {
        "pair": "BTC/USD",
        "decided_at": at,
        "due_at": at + timedelta(minutes=15),
        "scored_at": at + timedelta(minutes=15),
        "horizon_s": 900,
        "is_own": True,
        "is_repeat": False,
        "action": "buy",
        "confidence": 0.8,
        "expected_move_pct": 1.0,
        "cost_pct": 0.5,
        "past_roi_pct": None,
        "roi_pct": 2.0 if number % 2 else -2.0,
        "is_right": number % 2,
    }
    return Marked(**values | changes)


def found_by(found: list[Card]) -> dict[tuple[str, int | None], Card]:
    return {(card.pair, card.horizon_s): card for card in found}


def made(marks: list[Marked]) -> dict[tuple[str, int | None], Card]:
    return found_by(cards(marks, draws=20, seed=1))


def test_cards_are_of_all_pairs_and_each_at_own_and_each_horizon() -> None:
    marks = [
        marked(0),
        marked(0, is_own=False, horizon_s=1800),
        marked(1, pair="ETH/USD"),
    ]
    found = made(marks)
    assert set(found) == {
        *((pair, horizon) for pair in (ALL, "BTC/USD") for horizon in (None, 900, 1800)),
        ("ETH/USD", None),
        ("ETH/USD", 900),
    }
    assert found[ALL, None].marks == 2
    assert found[ALL, 900].marks == 2
    assert found["BTC/USD", 1800].marks == 1


def test_one_pair_alone_is_what_all_pairs_are_and_few_cards_are_made_where_few_are_shown() -> None:
    marks = [marked(n, horizon_s=900 * (1 + n % 2), is_own=n % 2 == 0) for n in range(6)]
    found = cards(marks, draws=20, seed=1)
    assert [(one.pair, one.horizon_s) for one in found] == [
        (pair, horizon) for pair in (ALL, "BTC/USD") for horizon in (None, 900, 1800)
    ]
    for alone, both in zip(found[3:], found[:3], strict=True):
        assert (alone.profit, alone.direction, alone.marks) == (
            both.profit,
            both.direction,
            both.marks,
        )
    few = cards([*marks, marked(9, pair="ETH/USD")], draws=20, seed=1, full=False)
    assert [(one.pair, one.horizon_s) for one in few] == [
        (ALL, None),
        (ALL, 900),
        (ALL, 1800),
        ("BTC/USD", None),
        ("ETH/USD", None),
    ]


def test_confidence_is_judged_at_the_own_horizon_alone() -> None:
    found = made([marked(n) for n in range(4)])
    own = found[ALL, None].confidence
    assert own is not None
    assert (own.count, own.base_rate) == (4, 0.5)
    assert found[ALL, 900].confidence is None


def test_a_hold_is_no_call_and_no_stake_but_a_decision() -> None:
    found = made([marked(0), marked(1, action="hold", confidence=0.9)])[ALL, None]
    assert (found.marks, found.trades) == (2, 1)
    assert found.direction is not None
    assert found.direction.count == 1
    assert found.confidence is not None
    assert found.confidence.count == 1
    assert found.profit is not None
    assert found.profit.mean_bps == pytest.approx(100 * -2.5 / 2)


def test_an_answer_used_again_is_one_call_and_a_stake_at_each_moment() -> None:
    once = made([marked(0), marked(1)])[ALL, None]
    again = made([marked(0), marked(1), marked(2, is_repeat=True), marked(3, is_repeat=True)])
    card = again[ALL, None]
    assert (card.marks, card.repeats, card.trades) == (4, 2, 4)
    assert (card.direction, card.confidence) == (once.direction, once.confidence)
    assert card.magnitude == once.magnitude
    assert card.profit is not None
    assert (card.profit.count, card.profit.trades) == (4, 4)
    assert once.repeats == 0


def test_predicted_moves_are_in_the_direction_of_the_action() -> None:
    sale = marked(0, action="sell", expected_move_pct=1.5, roi_pct=-2.0)
    size = made([sale, marked(1, expected_move_pct=None)])[ALL, None].magnitude
    assert size is not None
    assert (size.count, size.error_pct, size.ratio) == (1, 0.5, 0.25)
    assert made([marked(1, expected_move_pct=None)])[ALL, None].magnitude is None


def predicted(number: int, **changes: Any) -> Predicted:
    at = T0 + timedelta(minutes=15 * number)
    values: dict[str, Any] = {
        "pair": "BTC/USD",
        "made_at": at,
        "due_at": at + timedelta(minutes=15),
        "scored_at": at + timedelta(minutes=15),
        "horizon_s": 900,
        "probability": 0.6,
        "outcome": number % 2,
        "roi_pct": 1.0 if number % 2 else -1.0,
        "cost_pct": 0.5,
    }
    return Predicted(**values | changes)


def test_the_online_model_is_judged_by_probability_direction_and_stake() -> None:
    marks = [predicted(n) for n in range(4)] + [predicted(4, probability=0.5)]
    found = model_cards(marks, draws=20, seed=1)
    assert [(card.pair, card.horizon_s) for card in found] == [(ALL, 900), ("BTC/USD", 900)]
    card = found[0]
    assert card.direction is not None
    assert card.direction.count == 4  # one half takes no side
    assert card.probability is not None
    assert card.probability.count == 5
    assert card.profit is not None
    assert (card.profit.trades, card.profit.count) == (4, 5)
    assert card.profit.mean_bps == pytest.approx(100 * -0.5 * 4 / 5)


def test_nothing_marked_gives_one_empty_card() -> None:
    (empty,) = cards([], draws=20, seed=1)
    assert (empty.marks, empty.direction, empty.confidence, empty.profit) == (0, None, None, None)
    assert model_cards([], draws=20, seed=1) == []
