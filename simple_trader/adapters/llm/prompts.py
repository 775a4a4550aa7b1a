"""Renders the prompt of one decision cycle from a Mustache template, strictly and without secrets.

Every prompt ends with one fenced JSON block of the same data, added here and not by the template.
"""

import hashlib
import json
import math
import re
from decimal import Decimal
from typing import Any

import msgspec

from simple_trader.adapters.llm import figures
from simple_trader.adapters.llm.assets import LlmAssets, function_name
from simple_trader.core.strategy.answer_text import clean
from simple_trader.domain.actions import AskAdvice, PairBrief
from simple_trader.domain.moments import to_rfc3339
from simple_trader.domain.money import plain
from simple_trader.domain.predictions import HorizonView
from simple_trader.domain.shown import MAX_SOURCE, MAX_TEXT, MAX_TEXTS

MAX_TEMPLATE_CHARS = 100_000
_SHOWN_ABOVE = frozenset({"spread_bps"})  # beside the price
TEXTS = "texts_of_others"  # the one place of the block for words that are not ours
_FENCE_BREAKERS = frozenset("`<>")
_JSON = msgspec.json.Encoder()
_OPENS = re.compile(r"\{\{\s*[#^]\s*([^}]+?)\s*\}\}")
_CLOSES = re.compile(r"\{\{\s*/\s*([^}]+?)\s*\}\}")
_SIGNIFICANT = 6  # digits of a feature in the block: many tokenizers take a token for each


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
    """The cycle as one line of JSON: fractions of equity, prices with the exchange's digits.

    The only place for words that are not ours. No character in it can end the fence, open a tag or
    turn the reading direction: such a character stands as its escape.
    """
    data = {
        "as_of": to_rfc3339(ask.as_of),
        "cycle_id": ask.cycle_id,
        "cash_fraction": _short(ask.cash_fraction),
        "max_asset_exposure": _short(ask.max_asset_exposure),
        "max_total_exposure": _short(ask.max_total_exposure),
        "min_confidence": _short(ask.min_confidence),
        "max_risk_level": ask.max_risk_level,
        "min_expected_move_pct": _short(ask.min_expected_move_pct),
        "pairs": [_pair_data(brief) for brief in ask.briefs],
    }
    return _guarded(_JSON.encode(data).decode())


def _pair_data(brief: PairBrief) -> dict[str, Any]:
    return {
        "pair": brief.pair,
        "price": _number(brief.mid),
        "bid": _number(brief.bid),
        "ask": _number(brief.ask),
        "spread_bps": _short(brief.spread_bps),
        "round_trip_pct": _short(brief.cost_pct),
        "holding_fraction": _short(brief.holding_fraction),
        "unrealised_pct": _short(brief.unrealised_pct),
        "tradable": brief.tradable,
        "model": [_chance_data(view) for view in brief.probabilities],
        "features": {name: _short(brief.features[name]) for name in sorted(brief.features)},
        TEXTS: [
            {"source": clean(item.source, MAX_SOURCE), "text": clean(item.text, MAX_TEXT)}
            for item in brief.texts[:MAX_TEXTS]
        ],
    }


def _chance_data(view: HorizonView) -> dict[str, Any]:
    return {
        "horizon_s": view.horizon_s,
        "probability_up": None if view.quarantined else _short(view.probability),
        "skill": figures.skill(view)
        if view.quarantined or view.skill is None
        else _short(view.skill),
        "scored": view.scored,
    }


def _short(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return round(value, _SIGNIFICANT - 1 - math.floor(math.log10(abs(value)))) if value else 0.0


def _number(value: Decimal) -> msgspec.Raw:
    """A Decimal as a JSON number without exponent, its digits kept."""
    return msgspec.Raw(plain(value).encode())


def _guarded(text: str) -> str:
    """JSON text in which whatever could break out of the fence stands as an escape."""
    return "".join(
        mark
        if mark.isprintable() and mark not in _FENCE_BREAKERS
        else json.dumps(mark)[1:-1]
        if not mark.isascii() or not mark.isprintable()
        else f"\\u{ord(mark):04x}"
        for mark in text
    )


# -- the reader's side: every value is text, so a template cannot meet None (pystache prints it) --


def _context(ask: AskAdvice) -> dict[str, Any]:
    return {
        "cycle_id": ask.cycle_id,
        "as_of": to_rfc3339(ask.as_of, digits=0),
        "cash_share": figures.share(ask.cash_fraction),
        "invested_share": figures.share(1.0 - ask.cash_fraction),
        "max_asset_exposure": figures.share(ask.max_asset_exposure),
        "max_total_exposure": figures.share(ask.max_total_exposure),
        "min_confidence": f"{ask.min_confidence:.2f}",
        "max_risk_level": ask.max_risk_level,
        "min_expected_move": f"{ask.min_expected_move_pct:g} %",
        "next_question": figures.span(ask.interval_s) if ask.interval_s else "",
        "texts_key": TEXTS,
        "pair_names": ", ".join(brief.pair for brief in ask.briefs),
        "pairs": [_pair_context(brief) for brief in ask.briefs],
    }


def _pair_context(brief: PairBrief) -> dict[str, Any]:
    return {
        "pair": brief.pair,
        "price": figures.price(brief.mid),
        "bid": figures.price(brief.bid),
        "ask": figures.price(brief.ask),
        "spread": f"{brief.spread_bps:.1f} bps"
        if math.isfinite(brief.spread_bps)
        else figures.NOT_AVAILABLE,
        "round_trip": figures.NOT_AVAILABLE
        if brief.cost_pct is None
        else f"{brief.cost_pct:.2f} %",
        "tradable_text": "" if brief.tradable else "Not tradable at the moment: answer hold.",
        "holding_share": figures.share(brief.holding_fraction),
        "unrealised": figures.signed_percent(brief.unrealised_pct),
        "probability_text": "; ".join(figures.chance(view) for view in brief.probabilities)
        or "no probability (it has not learned enough or did not answer)",
        "groups": [
            {"name": group, "figures": _figures(names, brief)}
            for group, names in figures.grouped(brief.features.keys() - _SHOWN_ABOVE)
        ],
    }


def _figures(names: list[str], brief: PairBrief) -> str:
    """The known figures of a group in one line, then the names of those that are not known yet."""
    decimals = figures.decimals_of(brief.bid, brief.ask)
    known = {
        name: figures.figure(name, brief.features[name], pair=brief.pair, decimals=decimals)
        for name in names
    }
    parts = [f"{name} {text}" for name, text in known.items() if text != figures.NOT_AVAILABLE]
    missing = [name for name, text in known.items() if text == figures.NOT_AVAILABLE]
    if missing:
        parts.append(f"{figures.NOT_AVAILABLE}: {', '.join(missing)}")
    return "; ".join(parts)


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
