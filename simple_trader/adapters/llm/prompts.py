"""Renders the prompt of one decision cycle from a Mustache template, strictly and without secrets.

Every prompt ends with one fenced JSON block of the same data, added here and not by the template.
"""

import hashlib
import math
import re
from decimal import Decimal
from typing import Any

import msgspec

from simple_trader.adapters.llm.assets import LlmAssets, function_name
from simple_trader.domain.actions import AskAdvice, PairBrief
from simple_trader.domain.moments import to_rfc3339
from simple_trader.domain.money import plain

NOT_AVAILABLE = "n/a"
MAX_TEMPLATE_CHARS = 100_000
_JSON = msgspec.json.Encoder(decimal_format="number")
_OPENS = re.compile(r"\{\{\s*[#^]\s*([^}]+?)\s*\}\}")
_CLOSES = re.compile(r"\{\{\s*/\s*([^}]+?)\s*\}\}")
_SIGNIFICANT = 8  # digits of a feature in the block: enough for any rule, few enough for tokens


class PromptError(Exception):
    """The template cannot be rendered; the text says which name or tag is at fault (C09)."""


class Prompt(msgspec.Struct, frozen=True):
    """What is sent, with the SHA-256 (hex) of itself and of the template it came from."""

    text: str
    prompt_hash: str
    template_hash: str


def render(assets: LlmAssets, ask: AskAdvice, *, is_function_calling: bool = True) -> Prompt:
    """The prompt of `ask`; raises PromptError when a variable, a partial or a tag is wrong."""
    if len(assets.template) > MAX_TEMPLATE_CHARS:
        raise PromptError(f"the template is longer than {MAX_TEMPLATE_CHARS} characters")
    context = _context(ask)
    context["is_function_calling"] = is_function_calling
    context["function_name"] = function_name(assets.tool_schema)
    written = _mustache(assets.template, context).rstrip()
    text = f"{written}\n\n```json\n{data_block(ask)}\n```"
    return Prompt(
        text=text,
        prompt_hash=hashlib.sha256(text.encode()).hexdigest(),
        template_hash=assets.template_hash,
    )


def data_block(ask: AskAdvice) -> str:
    """The cycle as one line of JSON: fractions of equity, prices with the exchange's digits."""
    data = {
        "as_of": to_rfc3339(ask.as_of),
        "cycle_id": ask.cycle_id,
        "cash_fraction": _short(ask.cash_fraction),
        "max_asset_exposure": _short(ask.max_asset_exposure),
        "max_total_exposure": _short(ask.max_total_exposure),
        "min_confidence": _short(ask.min_confidence),
        "pairs": [_pair_data(brief) for brief in ask.briefs],
    }
    return _JSON.encode(data).decode()


def _pair_data(brief: PairBrief) -> dict[str, Any]:
    return {
        "pair": brief.pair,
        "price": brief.mid,
        "bid": brief.bid,
        "ask": brief.ask,
        "spread_bps": _short(brief.spread_bps),
        "holding_fraction": _short(brief.holding_fraction),
        "unrealised_pct": _short(brief.unrealised_pct),
        "probability_up": _short(brief.probability),
        "probability_skill": brief.probability_skill,
        "model_horizon_s": brief.model_horizon_s,
        "tradable": brief.tradable,
        "features": {name: _short(brief.features[name]) for name in sorted(brief.features)},
    }


def _short(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(value, _SIGNIFICANT - 1 - math.floor(math.log10(abs(value)))) if value else 0.0


# -- the reader's side: every value is text, so a template cannot meet None (pystache prints it) --


def _context(ask: AskAdvice) -> dict[str, Any]:
    return {
        "cycle_id": ask.cycle_id,
        "as_of": to_rfc3339(ask.as_of, digits=0),
        "cash_share": _percent(ask.cash_fraction),
        "invested_share": _percent(1.0 - ask.cash_fraction),
        "max_asset_exposure": _percent(ask.max_asset_exposure),
        "max_total_exposure": _percent(ask.max_total_exposure),
        "min_confidence": f"{ask.min_confidence:.2f}",
        "pair_names": ", ".join(brief.pair for brief in ask.briefs),
        "pairs": [_pair_context(brief) for brief in ask.briefs],
    }


def _pair_context(brief: PairBrief) -> dict[str, Any]:
    return {
        "pair": brief.pair,
        "price": _price(brief.mid),
        "bid": _price(brief.bid),
        "ask": _price(brief.ask),
        "spread": f"{brief.spread_bps:.1f} bps"
        if math.isfinite(brief.spread_bps)
        else NOT_AVAILABLE,
        "tradable_text": "" if brief.tradable else "Not tradable at the moment: answer hold.",
        "holding_share": _percent(brief.holding_fraction),
        "unrealised": NOT_AVAILABLE
        if brief.unrealised_pct is None
        else f"{brief.unrealised_pct:+.2f} %",
        "probability_text": _probability(brief),
        "features": [
            {"name": name, "value": _figure(brief.features[name])}
            for name in sorted(brief.features)
        ],
    }


def _probability(brief: PairBrief) -> str:
    if brief.probability is None or not math.isfinite(brief.probability):
        return "no probability (it has not learned enough or did not answer)."
    span = _span(brief.model_horizon_s)
    percent = _percent(brief.probability)
    return f"{percent} for a higher price in {span} (skill: {brief.probability_skill})."


def _span(seconds: int) -> str:
    for unit_s, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit_s and seconds % unit_s == 0:
            count = seconds // unit_s
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} seconds"


def _percent(fraction: float) -> str:
    return f"{fraction * 100:.1f} %" if math.isfinite(fraction) else NOT_AVAILABLE


def _spread(bps: float) -> str:
    return f"{bps:.1f} bps" if math.isfinite(bps) else NOT_AVAILABLE


def _price(value: Decimal) -> str:
    whole, dot, decimals = plain(value).partition(".")
    return f"{Decimal(whole):,}{dot}{decimals}"


def _figure(value: float | None) -> str:
    return NOT_AVAILABLE if value is None or not math.isfinite(value) else f"{value:,.6g}"


def _mustache(template: str, context: dict[str, Any]) -> str:
    """Strict: an unknown name or partial is an error; nothing is escaped, the reader is no page."""
    from pystache.common import PystacheError
    from pystache.parser import ParsingError
    from pystache.renderer import Renderer

    opened = _OPENS.findall(template)
    if sorted(opened) != sorted(_CLOSES.findall(template)):
        # pystache would silently drop all that follows an open section.
        raise PromptError("the template opens a section ({{#name}} or {{^name}}) it does not close")
    renderer = Renderer(escape=_as_it_is, missing_tags="strict", partials={})
    try:
        written = str(renderer.render(template, context))
    except (PystacheError, ParsingError, IndexError, ValueError) as error:
        raise PromptError(f"the template cannot be rendered: {error}") from error
    if "{{" in written:
        raise PromptError("the template holds a tag that is not finished: {{ without }}")
    return written


def _as_it_is(text: str) -> str:
    return text
