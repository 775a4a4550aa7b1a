"""Fields of advice: types, ranges (L04, L05), and what speaks against its own action."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from advice_parts import BUY, answer, asked, decision, reasons
from market_parts import BTC, ETH

from simple_trader.core.strategy.advice import ACTIONS, MAX_RATIONALE, RISK_LEVELS, Advice, Unusable
from simple_trader.domain.reasons import Reason

ROOT = Path(__file__).resolve().parents[4]


# -- L04, L05: types and numbers -----------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"confidence": "0.8"}, Reason.ADVICE_WRONG_TYPE),
        ({"confidence": True}, Reason.ADVICE_WRONG_TYPE),
        ({"confidence": None}, Reason.ADVICE_WRONG_TYPE),
        ({"confidence": [0.8]}, Reason.ADVICE_WRONG_TYPE),
        ({"confidence": {"value": 0.8}}, Reason.ADVICE_WRONG_TYPE),
        ({"confidence": 1.0000000000000002}, Reason.ADVICE_OUT_OF_RANGE),
        ({"confidence": -0.1}, Reason.ADVICE_OUT_OF_RANGE),
        ({"confidence": 80}, Reason.ADVICE_OUT_OF_RANGE),
        ({"action": "BUY"}, Reason.ADVICE_MALFORMED),
        ({"action": "all-in"}, Reason.ADVICE_MALFORMED),
        ({"action": None}, Reason.ADVICE_WRONG_TYPE),
        ({"action": ["buy"]}, Reason.ADVICE_WRONG_TYPE),
        ({"action": 1}, Reason.ADVICE_WRONG_TYPE),
        ({"risk_level": "none"}, Reason.ADVICE_MALFORMED),
        ({"risk_level": 1}, Reason.ADVICE_WRONG_TYPE),
        ({"rationale": None}, Reason.ADVICE_WRONG_TYPE),
        ({"rationale": ["a"]}, Reason.ADVICE_WRONG_TYPE),
        ({"rationale": "x" * (MAX_RATIONALE + 1)}, Reason.ADVICE_TOO_LONG),
        ({"size": -5}, Reason.ADVICE_MALFORMED),
        ({"leverage": 10}, Reason.ADVICE_MALFORMED),
        ({"Confidence": 0.9}, Reason.ADVICE_MALFORMED),
        ({"price_target": "high"}, Reason.ADVICE_WRONG_TYPE),
        ({"price_target": 0}, Reason.ADVICE_OUT_OF_RANGE),
        ({"price_target": 1.1e12}, Reason.ADVICE_OUT_OF_RANGE),
        ({"stop_loss": -1}, Reason.ADVICE_OUT_OF_RANGE),
        ({"expected_move_pct": -100.5}, Reason.ADVICE_OUT_OF_RANGE),
        ({"expected_move_pct": "2 %"}, Reason.ADVICE_WRONG_TYPE),
        ({"horizon_minutes": 0.5}, Reason.ADVICE_OUT_OF_RANGE),
        ({"horizon_minutes": 525_601}, Reason.ADVICE_OUT_OF_RANGE),
        ({"bias_allocation": [1]}, Reason.ADVICE_WRONG_TYPE),
        ({"bias_allocation": 1.5}, Reason.ADVICE_OUT_OF_RANGE),
        ({"horizon_minutes": False}, Reason.ADVICE_WRONG_TYPE),
        ({"sentiment": "euphoric"}, Reason.ADVICE_WRONG_TYPE),
        ({"sentiment": -1.01}, Reason.ADVICE_OUT_OF_RANGE),
    ],
)
def test_l04_l05_l06_a_wrong_field_spoils_its_own_pair_only(
    changes: dict[str, Any], reason: Reason
) -> None:
    raw = answer(decision(**changes), decision(ETH))
    assert reasons(raw) == {BTC: reason, ETH: None}
    assert reasons(raw, kind="tool_call") == {BTC: reason, ETH: None}


@pytest.mark.parametrize("name", ["action", "confidence", "risk_level"])
def test_a_missing_field_spoils_its_pair(name: str) -> None:
    lacking = decision()
    del lacking[name]
    assert reasons(answer(lacking, decision(ETH))) == {BTC: Reason.ADVICE_WRONG_TYPE, ETH: None}


@pytest.mark.parametrize(
    "literal", ["1e309", "-1e309", "1e-400", "-0", "-0.0", "0." + "7" * 40, "9" * 40]
)
def test_l05_numbers_that_are_none_are_out_of_range(literal: str) -> None:
    raw = answer(decision(confidence=0.8125), decision(ETH)).replace("0.8125", literal)
    assert reasons(raw) == {BTC: Reason.ADVICE_OUT_OF_RANGE, ETH: None}


@pytest.mark.parametrize(("written", "value"), [(0, 0.0), (1, 1.0), (0.7, 0.7)])
def test_the_ends_of_the_range_are_confidences_too(written: float, value: float) -> None:
    got = asked(answer(decision(confidence=written)))[BTC]
    assert isinstance(got, Advice)
    assert got.confidence == value
    assert type(got.confidence) is float


FULL: dict[str, Any] = {
    "price_target": 120_000,
    "stop_loss": 90_000.5,
    "expected_move_pct": 2.5,
    "horizon_minutes": 60,
    "bias_allocation": 0.3,
    "sentiment": -1,
}


def test_every_optional_field_is_read() -> None:
    got = asked(answer(decision(**FULL)), mids={BTC: Decimal(100_000)})[BTC]
    assert got == Advice(
        pair=BTC,
        action="buy",
        confidence=0.8,
        risk_level="low",
        rationale="it rises",
        price_target=Decimal(120_000),
        stop_loss=Decimal("90000.5"),
        expected_move_pct=2.5,
        horizon_minutes=60.0,
        bias_allocation=0.3,
        sentiment=-1.0,
    )
    assert asked(answer(decision(**dict.fromkeys(FULL))))[BTC] == BUY


# -- contradictions ------------------------------------------------------------------------

MID = {BTC: Decimal(100_000), ETH: Decimal(2_000)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"price_target": 99_999.9}, "price_target of 99999.9 below 100000"),
        ({"stop_loss": 100_000.1}, "stop_loss of 100000.1 above 100000"),
        ({"expected_move_pct": -0.01}, "expected_move_pct of -0.01"),
        ({"bias_allocation": -0.01}, "bias_allocation of -0.01"),
        ({"action": "sell", "price_target": 100_000.1}, "price_target of 100000.1 above 100000"),
        ({"action": "sell", "stop_loss": 99_999.9}, "stop_loss of 99999.9 below 100000"),
        ({"action": "sell", "expected_move_pct": 0.01}, "expected_move_pct of 0.01"),
    ],
)
def test_advice_that_speaks_against_its_own_action_is_hold(
    changes: dict[str, Any], words: str
) -> None:
    got = asked(answer(decision(**changes), decision(ETH)), mids=MID)
    refused = got[BTC]
    assert isinstance(refused, Unusable)
    assert refused.reason is Reason.ADVICE_CONTRADICTORY
    assert words in refused.detail
    assert isinstance(got[ETH], Advice)


@pytest.mark.parametrize("action", ["buy", "sell"])
def test_target_and_stop_on_the_same_side_contradict_each_other_without_any_price(
    action: str,
) -> None:
    target, stop = (90, 95) if action == "buy" else (95, 90)
    raw = answer(decision(action=action, price_target=target, stop_loss=stop), decision(ETH))
    assert reasons(raw) == {BTC: Reason.ADVICE_CONTRADICTORY, ETH: None}


@pytest.mark.parametrize(
    "changes",
    [
        {"price_target": 100_000, "stop_loss": 99_999, "expected_move_pct": 0},
        {"stop_loss": 100_000, "bias_allocation": 0},
        {"action": "sell", "price_target": 100_000, "stop_loss": 100_001, "expected_move_pct": 0},
        {"action": "sell", "bias_allocation": 1, "sentiment": 1},
        {"action": "hold", "price_target": 1, "stop_loss": 2, "expected_move_pct": -5},
        {"sentiment": -1},
    ],
)
def test_what_only_sounds_odd_is_no_contradiction(changes: dict[str, Any]) -> None:
    assert isinstance(asked(answer(decision(**changes)), mids=MID)[BTC], Advice)


def test_prices_are_judged_against_what_was_shown_and_only_there() -> None:
    raw = answer(decision(price_target=99_999))
    assert isinstance(asked(raw)[BTC], Advice)
    assert isinstance(asked(raw, mids={ETH: Decimal(1)})[BTC], Advice)
    assert isinstance(asked(raw, mids=MID)[BTC], Unusable)


def test_a_target_beyond_any_move_is_out_of_range() -> None:
    raw = answer(decision(price_target=1_100_000.1), decision(ETH, price_target=22_000))
    got = asked(raw, mids=MID)
    refused = got[BTC]
    assert isinstance(refused, Unusable)
    assert refused.reason is Reason.ADVICE_OUT_OF_RANGE
    assert isinstance(got[ETH], Advice)


def test_a_price_keeps_the_digits_the_model_wrote() -> None:
    got = asked(answer(decision(price_target=100_000.1)), mids=MID)[BTC]
    assert isinstance(got, Advice)
    assert got.price_target == Decimal("100000.1")


def test_every_field_of_the_tool_schema_is_known_and_each_of_its_limits_is_allowed() -> None:
    """What tools/aggregator_function.json lets a model say is never refused as unknown."""
    tool = json.loads((ROOT / "tools" / "aggregator_function.json").read_text())
    outer = tool["function"]["parameters"]["properties"]
    inner = outer["decisions"]["items"]["properties"]
    filled = decision(**{name: None for name in inner if name not in decision()})
    raw = answer(filled, **{name: decision()[name] for name in outer if name != "decisions"})
    assert asked(raw, kind="tool_call")[BTC] == BUY
    assert inner["action"]["enum"] == list(ACTIONS)
    assert inner["risk_level"]["enum"] == list(RISK_LEVELS)


def test_a_rationale_may_be_missing() -> None:
    short = decision()
    del short["rationale"]
    got = asked(answer(short))[BTC]
    assert isinstance(got, Advice)
    assert got.rationale == ""
