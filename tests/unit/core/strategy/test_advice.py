"""Advice: one entry for each asked pair, whatever comes back; what is not plainly right is HOLD."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market_parts import BTC, ETH

from simple_trader.core.strategy.advice import (
    ACTIONS,
    MAX_RATIONALE,
    RISK_LEVELS,
    Advice,
    Unusable,
    judge,
)
from simple_trader.domain.reasons import Reason

PAIRS = (BTC, ETH)
ROOT = Path(__file__).resolve().parents[4]
MARK = "\N{REPLACEMENT CHARACTER}"


def decision(pair: str = BTC, **changes: Any) -> dict[str, Any]:
    return {
        "pair": pair,
        "action": "buy",
        "confidence": 0.8,
        "risk_level": "low",
        "rationale": "it rises",
    } | changes


def answer(*decisions: Any, **outer: Any) -> str:
    return json.dumps({"decisions": list(decisions), **outer})


def asked(
    raw: str,
    *,
    kind: str = "content",
    finish: str = "stop",
    pairs: tuple[str, ...] = PAIRS,
    mids: dict[str, Decimal] | None = None,
) -> dict[str, Advice | Unusable]:
    got = judge(raw, kind=kind, finish_reason=finish, pairs=pairs, mids=mids)
    assert tuple(got) == pairs
    return got


def reasons(raw: str, **how: Any) -> dict[str, Reason | None]:
    return {
        pair: entry.reason if isinstance(entry, Unusable) else None
        for pair, entry in asked(raw, **how).items()
    }


def both(reason: Reason) -> dict[str, Reason | None]:
    return dict.fromkeys(PAIRS, reason)


BUY = Advice(pair=BTC, action="buy", confidence=0.8, risk_level="low", rationale="it rises")
GOOD = answer(decision(), decision(ETH, action="hold"), rationale="calm", confidence=0.5)


@pytest.mark.parametrize("kind", ["content", "tool_call"])
def test_a_good_answer_gives_advice_for_each_pair(kind: str) -> None:
    got = asked(GOOD, kind=kind)
    assert got[BTC] == BUY
    hold = got[ETH]
    assert isinstance(hold, Advice)
    assert (hold.pair, hold.action) == (ETH, "hold")


# -- L03: the shape of the text ------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        f"```json\n{GOOD}\n```",
        f"\ufeff{GOOD}",
        f"<think>Shall I {{buy}}? [1, 2]</think>{GOOD}",
        f"My answer is {GOOD} as you asked.",
    ],
    ids=["fence", "BOM", "think", "prose"],
)
def test_l03_one_clear_object_is_read_from_content_but_not_from_tool_arguments(raw: str) -> None:
    assert asked(raw) == asked(GOOD)
    assert reasons(raw, kind="tool_call") == both(Reason.ADVICE_MALFORMED)


@pytest.mark.parametrize(
    "raw",
    [
        GOOD[:-1],
        GOOD[: len(GOOD) // 2],
        GOOD + GOOD,
        f"{GOOD}\n{{}}",
        f"[{GOOD}]",
        GOOD.replace("0.8", "NaN"),
        GOOD.replace("0.8", "Infinity"),
        GOOD.replace('"low", ', '"low", "pair": "ETH/USD", '),
        GOOD.replace("}]", "},]"),
        json.dumps(GOOD),
        "<think>" + GOOD,
        "",
        "I'm sorry, but I cannot give financial advice.",
        "Je ne peux pas répondre.",
        "BTC/USD: buy, confidence 0.9, low risk",
    ],
    ids=[
        "cut by one", "cut in half", "two objects", "object and empty one", "list", "NaN",
        "Infinity", "duplicate key", "trailing comma", "nested JSON string", "open think", "empty",
        "refusal", "other language", "keywords",
    ],
)  # fmt: skip
def test_l03_l11_anything_else_is_hold_for_every_pair(raw: str) -> None:
    assert reasons(raw) == both(Reason.ADVICE_MALFORMED)


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("length", Reason.ADVICE_TRUNCATED),
        ("max_tokens", Reason.ADVICE_TRUNCATED),
        ("LENGTH", Reason.ADVICE_TRUNCATED),
        ("content_filter", Reason.ADVICE_REFUSED_BY_MODEL),
        ("refusal", Reason.ADVICE_REFUSED_BY_MODEL),
        ("error", Reason.ADVICE_MALFORMED),
        ("\x00\ud800", Reason.ADVICE_MALFORMED),
    ],
)
def test_l03_l11_an_answer_that_was_not_finished_is_not_read(finish: str, reason: Reason) -> None:
    assert reasons(GOOD, finish=finish) == both(reason)


@pytest.mark.parametrize("finish", ["stop", "tool_calls", "function_call", "", "STOP"])
def test_a_finished_answer_is_read(finish: str) -> None:
    assert asked(GOOD, finish=finish)[BTC] == BUY


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


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("{}", Reason.ADVICE_MALFORMED),
        ('{"decisions": null}', Reason.ADVICE_MALFORMED),
        ('{"decisions": {}}', Reason.ADVICE_WRONG_TYPE),
        ('{"decisions": "buy"}', Reason.ADVICE_WRONG_TYPE),
        (answer(decision(), "buy"), Reason.ADVICE_WRONG_TYPE),
        (answer(decision(), None), Reason.ADVICE_WRONG_TYPE),
        (answer(decision(), {"action": "buy"}), Reason.ADVICE_WRONG_TYPE),
        (answer(decision(), decision(5)), Reason.ADVICE_WRONG_TYPE),
        (answer(decision(), confidence="high"), Reason.ADVICE_WRONG_TYPE),
        (answer(decision(), confidence=2), Reason.ADVICE_OUT_OF_RANGE),
        (answer(decision(), rationale=None), Reason.ADVICE_WRONG_TYPE),
        (answer(decision(), max_exposure=1), Reason.ADVICE_MALFORMED),
        (answer(decision(), sentiment=0), Reason.ADVICE_MALFORMED),
        (answer(decision(), price_target=None), Reason.ADVICE_MALFORMED),
        (json.dumps(decision()), Reason.ADVICE_MALFORMED),
    ],
)
def test_a_wrong_frame_spoils_every_pair(raw: str, reason: Reason) -> None:
    assert reasons(raw) == both(reason)


# -- L07, L08: pairs -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "btc/usd",
        "XBT/USD",
        "BTCUSD",
        "BTC-USD",
        " BTC/USD",
        "\N{CYRILLIC CAPITAL LETTER VE}TC/USD",
        "BTC/USD\x00",
        "LUNA/USD",
        "",
    ],
    ids=["lower case", "XBT", "no slash", "dash", "space", "homoglyph", "NUL", "other", "empty"],
)
def test_l07_a_look_alike_is_not_the_pair(name: str) -> None:
    got = asked(answer(decision(name), decision(ETH)))
    first = got[BTC]
    assert isinstance(first, Unusable)
    assert first.reason is Reason.ADVICE_UNKNOWN_PAIR
    assert isinstance(got[ETH], Advice)


def test_l07_a_stranger_beside_the_asked_pairs_changes_nothing() -> None:
    assert asked(answer(decision(), decision(ETH), decision("LUNA/USD")))[BTC] == BUY


def test_a_pair_that_is_not_named_is_missing() -> None:
    assert reasons(answer(decision())) == {BTC: None, ETH: Reason.ADVICE_MISSING_PAIR}
    assert reasons(answer()) == both(Reason.ADVICE_MISSING_PAIR)


@pytest.mark.parametrize("second", ["buy", "sell", "hold"])
def test_l08_two_decisions_about_one_pair_are_both_refused(second: str) -> None:
    raw = answer(decision(), decision(action=second), decision(ETH))
    assert reasons(raw) == {BTC: Reason.ADVICE_DUPLICATE, ETH: None}


# -- L09: limits ---------------------------------------------------------------------------


def test_l09_a_thousand_decisions_are_too_many() -> None:
    many = [decision(f"P{number}/USD", rationale="") for number in range(1_000)]
    assert reasons(answer(decision(), *many)) == both(Reason.ADVICE_TOO_LONG)
    assert reasons(answer(*many[:65])) == both(Reason.ADVICE_TOO_LONG)


def test_l09_as_many_decisions_as_were_asked_for_are_never_too_many() -> None:
    pairs = tuple(f"P{number}/USD" for number in range(100))
    got = asked(answer(*(decision(pair) for pair in pairs)), pairs=pairs)
    assert all(isinstance(entry, Advice) for entry in got.values())


def test_l09_a_rationale_of_five_megabytes_is_too_long() -> None:
    raw = answer(decision(rationale="x" * 5_000_000))
    assert reasons(raw) == both(Reason.ADVICE_TOO_LONG)


def test_what_goes_into_the_database_can_be_stored() -> None:
    got = asked('{"decisions": [' + json.dumps(decision(rationale="a\x00\ud800\x1b[2J")) + "]}")[
        BTC
    ]
    assert isinstance(got, Advice)
    assert got.rationale == f"a{3 * MARK}[2J"
    refused = asked(answer(decision("\ud800\x00"), decision(ETH, action="\x00\udfff")))
    for entry in refused.values():
        assert isinstance(entry, Unusable)
        entry.detail.encode()
        assert "\x00" not in entry.detail


# -- any text ------------------------------------------------------------------------------

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.sampled_from(["buy", "sell", "hold", "low", "high", BTC, ETH, "0.8"])
    | st.text(st.characters(exclude_categories=()), max_size=8)
)
NAMES = st.sampled_from(
    ["pair", "action", "confidence", "risk_level", "rationale", "stop_loss", "x"]
)
DECISIONS = st.lists(st.dictionaries(NAMES, VALUES, max_size=7) | VALUES, max_size=5)
ANSWERS = st.fixed_dictionaries(
    {"decisions": DECISIONS | VALUES}, optional={"confidence": VALUES, "more": VALUES}
).map(json.dumps)
TEXTS = st.text(st.characters(exclude_categories=()), max_size=300)
AROUND = st.builds(lambda a, b, c: a + b + c, TEXTS, ANSWERS, TEXTS)


@settings(deadline=None, max_examples=400)
@given(
    TEXTS | ANSWERS | AROUND,
    st.sampled_from(["content", "tool_call", "", "x"]),
    st.sampled_from(["stop", "tool_calls", "length", "content_filter", ""]) | st.text(max_size=5),
    st.lists(st.sampled_from([BTC, ETH, "SOL/USD"]), unique=True).map(tuple),
)
def test_i_37_any_text_gives_one_entry_for_each_asked_pair_and_never_raises(
    raw: str, kind: str, finish: str, pairs: tuple[str, ...]
) -> None:
    got = judge(raw, kind=kind, finish_reason=finish, pairs=pairs)
    assert tuple(got) == pairs
    for pair, entry in got.items():
        if isinstance(entry, Advice):
            assert entry.pair == pair
            assert entry.action in {"buy", "sell", "hold"}
            assert entry.risk_level in {"low", "medium", "high"}
            assert 0.0 <= entry.confidence <= 1.0
        else:
            assert entry.reason.name.startswith("ADVICE_")
            entry.detail.encode()


@settings(deadline=None)
@given(st.integers(0, len(GOOD) - 1))
def test_l03_a_cut_answer_is_never_read(cut: int) -> None:
    assert not any(isinstance(entry, Advice) for entry in asked(GOOD[:cut]).values())
