"""The tool schema: strict as providers want it, narrowed to the asked pairs, or refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from simple_trader.adapters.llm.assets import LlmAssets, function_name, tool_for

ROOT = Path(__file__).resolve().parents[4]
SCHEMA_TEXT = (ROOT / "tools/aggregator_function.json").read_text()
SCHEMA: dict[str, Any] = json.loads(SCHEMA_TEXT)


def objects(node: Any) -> list[dict[str, Any]]:
    """All object schemas below `node`."""
    if isinstance(node, list):
        return [found for item in node for found in objects(item)]
    if not isinstance(node, dict):
        return []
    below = [found for item in node.values() for found in objects(item)]
    return [node, *below] if node.get("type") == "object" else below


def test_the_shipped_schema_is_strict_everywhere() -> None:
    assert function_name(SCHEMA) == "aggregator_decision"
    assert SCHEMA["function"]["strict"] is True
    found = objects(SCHEMA["function"]["parameters"])
    assert len(found) == 2
    for node in found:
        assert node["additionalProperties"] is False
        # Strict mode wants every property required; what may be left out may be null instead.
        assert sorted(node["required"]) == sorted(node["properties"])


def test_only_the_asked_pairs_can_be_named_and_the_schema_stays_as_it_was() -> None:
    narrowed = tool_for(SCHEMA, ("BTC/USD", "ETH/USD"))
    items = narrowed["function"]["parameters"]["properties"]["decisions"]["items"]
    assert items["properties"]["pair"]["enum"] == ["BTC/USD", "ETH/USD"]
    assert json.loads(SCHEMA_TEXT) == SCHEMA


def test_a_schema_of_another_shape_is_passed_on_as_it_is() -> None:
    other = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    assert tool_for(other, ("BTC/USD",)) == other


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "JSON object"),
        ("[]", "JSON object"),
        ('{"type": "function"', "JSON object"),
        ("{}", '"type"'),
        ('{"type": "function", "function": {}}', "function.name"),
        ('{"type": "function", "function": {"name": "f"}}', "function.parameters"),
    ],
)
def test_a_broken_schema_is_refused_with_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError) as error:
        LlmAssets.from_texts("x", text)
    assert said in str(error.value)
