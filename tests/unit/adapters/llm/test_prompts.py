"""Prompts: strict templates, numbers for a reader, one block of data at the end, no secrets."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.prompts import PromptError, data_block, render
from simple_trader.domain.actions import AskAdvice, PairBrief, Question

ROOT = Path(__file__).resolve().parents[4]
TEMPLATE = (ROOT / "templates/prompts/aggregator.mustache").read_text()
SCHEMA = json.loads((ROOT / "tools/aggregator_function.json").read_text())
ASSETS = LlmAssets.of(TEMPLATE, SCHEMA)
AT = datetime(2026, 3, 2, 10, 15, tzinfo=UTC)
NUMBERS_OF_THE_HOUSE = ("config-canary", "question-canary", "snapshot-canary")


def brief(**changes: Any) -> PairBrief:
    given: dict[str, Any] = {
        "pair": "BTC/USD",
        "snapshot_id": "snapshot-canary",
        "mid": Decimal("1234567.050"),
        "bid": Decimal("1234567.00"),
        "ask": Decimal("1234567.10"),
        "spread_bps": 0.81,
        "features": {"rsi_14": 55.123456789012, "sma_50": None, "macd": -0.0000123456789},
        "holding_fraction": 0.125,
        "unrealised_pct": -1.5,
        "probability": 0.5312,
        "probability_skill": "unproven",
        "model_horizon_s": 900,
        "tradable": True,
    }
    return PairBrief(**(given | changes))


def ask(*briefs: PairBrief) -> AskAdvice:
    return AskAdvice(
        question=Question(
            question_id="question-canary",
            kind="advice",
            subject="all",
            asked_at=AT,
            deadline_s=20,
            config_hash="config-canary",
        ),
        cycle_id="cycle-9",
        as_of=AT,
        briefs=briefs or (brief(),),
        cash_fraction=0.875,
        max_asset_exposure=0.3,
        max_total_exposure=0.8,
        min_confidence=0.7,
    )


def block_of(text: str) -> dict[str, Any]:
    fence = "```"
    assert text.endswith(fence)
    block = text.rsplit(f"{fence}json\n", maxsplit=1)[-1]
    loaded: dict[str, Any] = json.loads(block.removesuffix(fence))
    return loaded


@pytest.mark.parametrize("is_function_calling", [True, False])
def test_the_shipped_template_renders_and_ends_with_the_block(is_function_calling: bool) -> None:
    prompt = render(ASSETS, ask(), is_function_calling=is_function_calling)
    assert block_of(prompt.text) == json.loads(data_block(ask()))
    assert prompt.text.count("```") == 2
    assert ("Call the function aggregator_decision" in prompt.text) is is_function_calling
    assert ("one JSON object and nothing else" in prompt.text) is not is_function_calling


def test_the_block_holds_the_cycle_exactly() -> None:
    data = json.loads(data_block(ask()), parse_float=Decimal)
    assert list(data) == [
        "as_of",
        "cycle_id",
        "cash_fraction",
        "max_asset_exposure",
        "max_total_exposure",
        "min_confidence",
        "pairs",
    ]
    pair = data["pairs"][0]
    assert str(pair["price"]) == "1234567.050"
    assert pair["probability_up"] == Decimal("0.5312")
    assert pair["probability_skill"] == "unproven"
    assert pair["features"] == {
        "macd": Decimal("-0.000012345679"),
        "rsi_14": Decimal("55.123457"),
        "sma_50": None,
    }
    assert pair["tradable"] is True


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_a_figure_that_is_none_is_na_for_people_and_null_for_machines(value: Any) -> None:
    text = render(ASSETS, ask(brief(features={"rsi_14": value}, unrealised_pct=None))).text
    assert "- rsi_14: n/a" in text
    assert "None" not in text
    assert "nan" not in text.lower().replace("finance", "")
    assert block_of(text)["pairs"][0]["features"]["rsi_14"] is None


def test_numbers_are_written_for_a_reader() -> None:
    text = render(ASSETS, ask()).text
    assert "Price 1,234,567.050 (bid 1,234,567.00, ask 1,234,567.10, spread 0.8 bps)" in text
    assert "Holding: 12.5 % of equity. Unrealised result: -1.50 %" in text
    assert "53.1 % for a higher price in 15 minutes (skill: unproven)" in text
    assert "Cash: 87.5 % of equity. Invested: 12.5 % of equity." in text
    assert "2026-03-02T10:15:00Z" in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3_600, "1 hour"), (7_200, "2 hours"), (86_400, "1 day"), (90, "90 seconds")],
)
def test_the_horizon_is_written_in_words(seconds: int, words: str) -> None:
    assert f"price in {words} (" in render(ASSETS, ask(brief(model_horizon_s=seconds))).text


def test_without_a_probability_the_prompt_says_so() -> None:
    text = render(ASSETS, ask(brief(probability=None))).text
    assert "no probability" in text
    assert block_of(text)["pairs"][0]["probability_up"] is None


def test_a_pair_that_cannot_be_traded_is_marked() -> None:
    text = render(ASSETS, ask(brief(), brief(pair="ETH/USD", tradable=False))).text
    assert text.count("Not tradable at the moment") == 1
    assert "BTC/USD, ETH/USD" in text


def test_nothing_of_the_house_that_is_no_market_data_is_in_the_prompt() -> None:
    text = render(ASSETS, ask()).text
    assert not [word for word in NUMBERS_OF_THE_HOUSE if word in text]


def test_nothing_is_escaped_as_if_for_a_page() -> None:
    assets = LlmAssets.of("{{pair_names}}", SCHEMA)
    assert render(assets, ask(brief(pair='A&B"/<USD>'))).text.startswith('A&B"/<USD>\n')


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{balance}}", "balance"),
        ("{{#pairs}}{{account}}{{/pairs}}", "account"),
        ("{{#nobody}}x{{/nobody}}", "nobody"),
        ("{{cycle_id.__class__}}", "__class__"),
        ("{{> other}}", "other"),
        ("{{#pairs}}", "does not close"),
        ("{{^pairs}}x", "does not close"),
        ("{{/pairs}}", "does not close"),
        ("{{#pairs}}{{/others}}", "does not close"),
        ("{{cycle_id", "not finished"),
        ("{{}}", "not finished"),
        ("x" * 100_001, "longer than"),
    ],
)
def test_c09_a_broken_template_is_refused_with_what_is_wrong(template: str, said: str) -> None:
    with pytest.raises(PromptError) as error:
        render(LlmAssets.of(template, SCHEMA), ask())
    assert said in str(error.value)


def test_hashes_name_the_text_and_the_assets() -> None:
    one, same = render(ASSETS, ask()), render(ASSETS, ask())
    assert one == same
    assert one.template_hash == ASSETS.template_hash
    assert render(ASSETS, ask(brief(spread_bps=0.9))).prompt_hash != one.prompt_hash
    assert LlmAssets.of(TEMPLATE + " ", SCHEMA).template_hash != ASSETS.template_hash
    changed = SCHEMA | {"function": SCHEMA["function"] | {"description": "other"}}
    assert LlmAssets.of(TEMPLATE, changed).template_hash != ASSETS.template_hash
