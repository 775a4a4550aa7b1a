"""What the config room hands to this room: the template's text and the tool schema, hashed."""

import hashlib
from typing import Any, Self

import msgspec


class LlmAssets(msgspec.Struct, frozen=True, kw_only=True):
    """Texts of `templates/prompts/aggregator.mustache` and `tools/aggregator_function.json`.

    `template_hash` is the SHA-256 (hex) of the template and the schema in canonical form; it stands
    in `llm_calls` and with it in the trail of every decision.
    """

    template: str
    tool_schema: dict[str, Any]
    template_hash: str

    @classmethod
    def of(cls, template: str, tool_schema: dict[str, Any]) -> Self:
        """Check and hash; raises ValueError with a sentence when the schema is no tool."""
        function_name(tool_schema)
        digest = hashlib.sha256(template.encode())
        digest.update(b"\x00")
        digest.update(msgspec.json.encode(tool_schema, order="sorted"))
        return cls(template=template, tool_schema=tool_schema, template_hash=digest.hexdigest())

    @classmethod
    def from_texts(cls, template: str, tool_text: str | bytes) -> Self:
        """As `of`, from the JSON text of the schema; raises ValueError with a sentence."""
        try:
            schema = msgspec.json.decode(tool_text, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise ValueError(f"the tool schema is not a JSON object: {error}") from error
        return cls.of(template, schema)


def function_name(tool_schema: dict[str, Any]) -> str:
    """The name of the one function in an OpenAI tool; raises ValueError when it is no tool."""
    function = tool_schema.get("function")
    if tool_schema.get("type") != "function" or not isinstance(function, dict):
        raise ValueError('the tool schema needs "type": "function" and an object "function"')
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise ValueError('the tool schema needs a text "function.name"')
    if not isinstance(function.get("parameters"), dict):
        raise ValueError('the tool schema needs an object "function.parameters"')
    return name


def tool_for(tool_schema: dict[str, Any], pairs: tuple[str, ...]) -> dict[str, Any]:
    """The tool with `pair` narrowed to the asked pairs, so that no other can be named.

    A schema without `decisions.items.properties.pair` is passed on as it is.
    """
    node: Any = tool_schema
    path = ("function", "parameters", "properties", "decisions", "items", "properties", "pair")
    for key in path:
        if not isinstance(node, dict) or key not in node:
            return tool_schema
        node = node[key]
    narrowed: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(tool_schema))
    node = narrowed
    for key in path:
        node = node[key]
    node["enum"] = list(pairs)
    return narrowed
