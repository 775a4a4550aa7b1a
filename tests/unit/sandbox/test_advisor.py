"""The stand-in advisor: OpenAI's wire, plain rules, and the words that it is no LLM."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.core.strategy.features import NAMES
from simple_trader.sandbox import advisor_rules
from simple_trader.sandbox.advisor import LABEL, AdviceRequestError, advise, models

ROOT = Path(__file__).resolve().parents[3]
FALLING = {
    "ema_12": 99.0,
    "ema_26": 100.0,
    "macd_hist": -0.3,
    "roc_15_pct": -2.0,
    "rsi_14": 38.0,
}
RISING = {"ema_12": 101.0, "ema_26": 100.0, "macd_hist": 0.3, "roc_15_pct": 2.0, "rsi_14": 62}
CALM = {"ema_12": 100.0, "ema_26": 100.0, "macd_hist": 0.0, "roc_15_pct": 0.0, "rsi_14": 50}


def chances(*probabilities: float | None) -> list[dict[str, Any]]:
    """The online model's words, nearest horizon first."""
    return [
        {"horizon_s": 900 * number, "probability_up": value, "skill": "unproven", "scored": 0}
        for number, value in enumerate(probabilities, start=1)
    ]


def pair(name: str = "BTC/USD", features: Any = None, **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "pair": name,
        "price": 100.0,
        "bid": 99.99,
        "ask": 100.01,
        "spread_bps": 2.0,
        "holding_fraction": 0.0,
        "unrealised_pct": None,
        "model": [],
        "tradable": True,
        "features": CALM if features is None else features,
    }
    return given | changes


def prompt(*pairs: dict[str, Any], **changes: Any) -> str:
    block = {
        "as_of": "2026-03-02T10:00:00.000000Z",
        "cycle_id": "cycle-1",
        "cash_fraction": 1.0,
        "max_asset_exposure": 0.3,
        "max_total_exposure": 0.8,
        "min_confidence": 0.7,
        "pairs": list(pairs) or [pair()],
    }
    return f"Some words.\n\n```json\n{json.dumps(block | changes)}\n```"


def request(text: str, **changes: Any) -> dict[str, Any]:
    return {"model": "any", "messages": [{"role": "user", "content": text}]} | changes


def decided(*pairs: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    answer = advise(request(prompt(*pairs, **changes)))
    found: list[dict[str, Any]] = json.loads(answer["choices"][0]["message"]["content"])[
        "decisions"
    ]
    return found


def actions(*pairs: dict[str, Any], **changes: Any) -> list[str]:
    return [decision["action"] for decision in decided(*pairs, **changes)]


# -- the wire -----------------------------------------------------------------------------------

TOOL = {"type": "function", "function": {"name": "aggregator_decision", "parameters": {}}}
FORCED = {"type": "function", "function": {"name": "aggregator_decision"}}


def test_without_tools_it_answers_with_json_content() -> None:
    answer = advise(request(prompt()))
    choice = answer["choices"][0]
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "stand-in-advisor"
    assert answer["created"] == 1772445600
    assert choice["finish_reason"] == "stop"
    assert "tool_calls" not in choice["message"]
    assert json.loads(choice["message"]["content"])["decisions"][0]["pair"] == "BTC/USD"
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


@pytest.mark.parametrize(
    ("choice", "finish"), [(FORCED, "stop"), ("auto", "tool_calls"), (None, "tool_calls")]
)
def test_with_tools_it_calls_the_function_once(choice: Any, finish: str) -> None:
    answer = advise(request(prompt(), tools=[TOOL], tool_choice=choice))["choices"][0]
    assert answer["finish_reason"] == finish
    assert answer["message"]["content"] is None
    (call,) = answer["message"]["tool_calls"]
    assert call["function"]["name"] == "aggregator_decision"
    assert len(json.loads(call["function"]["arguments"])["decisions"]) == 1


def test_a_tool_that_may_not_be_used_is_not_used() -> None:
    answer = advise(request(prompt(), tools=[TOOL], tool_choice="none"))["choices"][0]
    assert "tool_calls" not in answer["message"]


def test_the_same_request_gives_the_same_answer() -> None:
    assert advise(request(prompt())) == advise(request(prompt()))


def test_only_the_last_block_of_the_last_user_message_counts() -> None:
    text = prompt(pair("OLD/USD")) + "\n" + prompt(pair("NEW/USD"))
    messages = [
        {"role": "user", "content": prompt(pair("FIRST/USD"))},
        {"role": "user", "content": [{"type": "text", "text": text}]},
        {"role": "assistant", "content": prompt(pair("LAST/USD"))},
    ]
    content = advise({"messages": messages})["choices"][0]["message"]["content"]
    assert [item["pair"] for item in json.loads(content)["decisions"]] == ["NEW/USD"]


def test_the_model_list_names_it() -> None:
    assert [model["id"] for model in models()["data"]] == ["stand-in-advisor"]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"messages": []},
        {"messages": "hello"},
        {"messages": [{"role": "system", "content": prompt()}]},
        {"messages": [{"role": "user", "content": 5}]},
        request("no block at all"),
        request("```json\n{not json}\n```"),
        request("```json\n[]\n```"),
        request('```json\n{"pairs": [{"pair": "BTC/USD"}]}\n```'),
        request('```json\n{"pairs": [{"pair": "BTC/USD", "price": "100"}]}\n```'),
        request(prompt(*[pair(f"A{n}/USD") for n in range(201)])),
        request(prompt(), stream=True),
        request(prompt(), tools="all"),
        request(prompt(), tools=[TOOL], tool_choice={"function": {"name": "other"}}),
        request(prompt(), tools=[{}]),
    ],
)
def test_a_request_it_cannot_read_is_refused_as_openai_does(broken: dict[str, Any]) -> None:
    with pytest.raises(AdviceRequestError) as error:
        advise(broken)
    assert error.value.status == 400
    said = error.value.body["error"]
    assert said["type"] == "invalid_request_error"
    assert said["message"]


@given(st.text())
def test_any_block_is_answered_or_refused(text: str) -> None:
    try:
        answer = advise(request(f"```json\n{text}\n```"))
    except AdviceRequestError as error:
        answer = error.body
    assert answer.keys() & {"choices", "error"}


def test_it_knows_nothing_of_the_daemon_s_own_adapters() -> None:
    for name in ("advisor.py", "advisor_rules.py"):
        tree = ast.parse((ROOT / "simple_trader/sandbox" / name).read_text())
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        imported = {node.module or "" for node in nodes}
        assert not [module for module in imported if "adapters" in module]


# -- the rules ----------------------------------------------------------------------------------


def test_every_rationale_says_that_it_is_no_llm() -> None:
    pairs = [pair(features=RISING), pair("ETH/USD", FALLING), pair("SOL/USD", {})]
    for decision in decided(*pairs):
        assert decision["rationale"].startswith(f"{LABEL}:")
        assert 0.5 <= decision["confidence"] <= 0.95
        assert decision["risk_level"] in {"low", "medium", "high"}


def test_a_rising_pair_is_bought_and_a_falling_holding_is_sold() -> None:
    held = pair("ETH/USD", FALLING, holding_fraction=0.2)
    assert actions(pair(features=RISING), held, cash_fraction=0.8) == ["buy", "sell"]


def test_buys_and_sells_are_sure_enough_for_the_default_gate() -> None:
    held = pair("ETH/USD", FALLING, holding_fraction=0.2)
    both = decided(pair(features=RISING), held, cash_fraction=0.8)
    assert [decision["confidence"] >= 0.7 for decision in both] == [True, True]
    assert both[0]["confidence"] > decided(pair(), cash_fraction=0.8)[0]["confidence"]


def test_a_calm_market_opens_a_first_position_and_then_holds() -> None:
    (first,) = decided(pair())
    assert (first["action"], first["confidence"] >= 0.7) == ("buy", True)
    assert actions(pair(holding_fraction=0.1), cash_fraction=0.9) == ["hold"]


def test_a_flat_account_gets_its_best_pair_unless_that_speaks_clearly_against_it() -> None:
    weak = CALM | {"macd_hist": -0.05}
    weaker = CALM | {"macd_hist": -0.08}
    assert actions(pair(features=weaker), pair("ETH/USD", weak)) == ["hold", "buy"]
    assert actions(pair(features=FALLING), pair("ETH/USD", FALLING)) == ["hold", "hold"]


def test_with_something_held_a_weak_pair_is_left_alone() -> None:
    weak = CALM | {"macd_hist": -0.05}
    held = pair("ETH/USD", holding_fraction=0.1)
    assert actions(pair(features=weak), held, cash_fraction=0.9) == ["hold", "hold"]


def test_what_was_just_bought_is_not_sold_for_a_small_change() -> None:
    weak = CALM | {"macd_hist": -0.05}
    assert actions(pair(features=weak, holding_fraction=0.1), cash_fraction=0.9) == ["hold"]


@pytest.mark.parametrize(
    ("holding", "cash"),
    [(0.3, 0.7), (0.295, 0.705), (0.1, 0.2), (0.1, 0.005)],
    ids=["asset full", "asset nearly full", "all full", "no cash"],
)
def test_there_is_no_buy_without_room(holding: float, cash: float) -> None:
    full = pair(features=RISING, holding_fraction=holding)
    assert actions(full, cash_fraction=cash) == ["hold"]


def test_what_cannot_be_traded_or_has_no_figures_is_held() -> None:
    assert actions(pair(features=RISING, tradable=False)) == ["hold"]
    assert actions(pair(features={})) == ["hold"]
    assert actions(pair(features=dict.fromkeys(RISING))) == ["hold"]


def test_nothing_held_is_never_sold() -> None:
    assert actions(pair(features=FALLING), cash_fraction=0.5) == ["hold"]


def test_the_model_counts_only_when_it_says_something() -> None:
    base = decided(pair(features=RISING))[0]["confidence"]
    against = decided(pair(features=RISING, model=chances(None, 0.0)))[0]["confidence"]
    helped = decided(pair(features=RISING, model=chances(1.0, 0.0)))[0]["confidence"]
    assert against < base < helped
    assert "model" not in decided(pair(features=RISING))[0]["rationale"]
    assert "model" in decided(pair(features=RISING, model=chances(0.5)))[0]["rationale"]


def test_an_overbought_pair_scores_less_than_one_that_just_rises() -> None:
    hot = decided(pair(features=RISING | {"rsi_14": 92.0}))[0]["confidence"]
    assert hot < decided(pair(features=RISING))[0]["confidence"]


@pytest.mark.parametrize(
    ("spread", "width", "level"),
    [(1, 1, "low"), (10, 1, "medium"), (1, 5, "medium"), (31, 1, "high"), (1, 11, "high")],
)
def test_the_risk_comes_from_spread_and_volatility(spread: float, width: float, level: str) -> None:
    bands = {"bb_upper": 100 + width / 2, "bb_lower": 100 - width / 2}
    (decision,) = decided(pair(features=CALM | bands, spread_bps=spread))
    assert decision["risk_level"] == level


FIGURE = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "pair": st.sampled_from(["BTC/USD", "ETH/USD"]),
                "price": st.floats(0, 1e12),
                "spread_bps": FIGURE,
                "holding_fraction": st.floats(0, 1),
                "model": st.lists(st.none() | st.floats(0, 1), max_size=3).map(
                    lambda found: chances(*found)
                ),
                "features": st.dictionaries(
                    st.sampled_from([*CALM, "bb_upper", "bb_lower"]), FIGURE
                ),
            }
        ),
        max_size=4,
    ),
    st.floats(0, 1),
)
def test_whatever_the_figures_are_the_answer_is_inside_its_own_schema(
    pairs: list[dict[str, Any]], cash: float
) -> None:
    for asked, decision in zip(
        pairs, decided(*pairs, cash_fraction=cash, pairs=pairs), strict=True
    ):
        assert decision["action"] in {"buy", "sell", "hold"}
        assert 0.5 <= decision["confidence"] <= 0.95
        if decision["action"] == "sell":
            assert asked["holding_fraction"] > 0


class _Asked(dict[str, float | None]):
    """Features that remember which names were asked for."""

    def __init__(self, figures: dict[str, float]) -> None:
        super().__init__(figures)
        self.names: list[str] = []

    def get(self, name: str, default: Any = None) -> Any:
        self.names.append(name)
        return super().get(name, default)


def test_every_figure_that_the_rules_read_is_one_that_the_brain_makes() -> None:
    figures = _Asked(dict.fromkeys(NAMES, 1.0))
    rated = advisor_rules.Pair(pair="BTC/USD", price=100.0, features=figures)
    assert advisor_rules.score(rated).parts.keys() >= {"EMA cross", "MACD", "momentum", "RSI"}
    advisor_rules.risk_level(rated)
    assert set(figures.names) <= set(NAMES)


def test_every_field_that_the_strict_schema_asks_for_is_there_and_no_move_is_made_up() -> None:
    path = ROOT / "tools" / "aggregator_function.json"
    parameters = json.loads(path.read_text())["function"]["parameters"]
    items = parameters["properties"]["decisions"]["items"]
    for decision in decided(pair(features=RISING), pair("ETH/USD", tradable=False)):
        assert set(decision) == set(items["required"])
        assert decision["expected_move_pct"] is None
