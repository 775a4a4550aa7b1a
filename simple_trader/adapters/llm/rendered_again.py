"""Renders a recorded question again, from the texts that its version of the configuration kept."""

from collections.abc import Mapping

from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.prompts import PromptError, render
from simple_trader.domain.actions import AskAdvice


def assets_by_hash(texts: Mapping[str, str]) -> dict[str, LlmAssets]:
    """Every template with every tool schema of one version, by the hash that calls are stored with.

    The hash alone says which of them a call used, so a shadow's own template needs no other name.
    """
    found: dict[str, LlmAssets] = {}
    templates = [text for name, text in texts.items() if name.endswith(".mustache")]
    tools = [text for name, text in texts.items() if name.endswith(".json")]
    for template in templates:
        for tool in tools:
            try:
                assets = LlmAssets.from_texts(template, tool)
            except ValueError:
                continue  # no schema of a tool of ours: no call can have used it
            found[assets.template_hash] = assets
    return found


def renderings(assets: LlmAssets, ask: AskAdvice) -> tuple[str, ...]:
    """The prompts that this question can have been asked with: for tools, and for plain answers."""
    found: list[str] = []
    for is_function_calling in (True, False):
        try:
            found.append(render(assets, ask, is_function_calling=is_function_calling).text)
        except PromptError:
            continue  # a template that cannot be rendered sent no prompt
    return tuple(found)
