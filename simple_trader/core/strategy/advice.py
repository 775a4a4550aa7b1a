"""Advice: reads what a model answered, strictly; whatever is not plainly right is Unusable.

The model's text is hostile data: nothing in it can change a limit, name a size or trade a pair that
was not asked about (I-37, faults L03-L11). There is no keyword guess and no repair (I-38).

Expected, and nothing else:

    {"decisions": [{"pair": "BTC/USD", "action": "buy", "confidence": 0.8, "risk_level": "low",
                    "rationale": "..."}, ...],
     "rationale": "...", "confidence": 0.7}

`rationale` and the outer `confidence` may be missing. The fields of OPTIONAL_RANGES may stand in a
decision, may be null (tool schemas that are strict ask for every field), and must not contradict
the action: see `contradiction`.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from simple_trader.core.strategy.answer_text import BadNumber, Refusal, clean, only_object
from simple_trader.domain.reasons import Reason

ACTIONS = ("buy", "sell", "hold")
RISK_LEVELS = ("low", "medium", "high")
MAX_RATIONALE = 4_000  # characters
MAX_DECISIONS = 64
OPTIONAL_RANGES: dict[str, tuple[float, float]] = {
    "price_target": (1e-12, 1e12),
    "stop_loss": (1e-12, 1e12),
    "expected_move_pct": (-100.0, 1_000.0),
    "horizon_minutes": (1.0, 525_600.0),
    "bias_allocation": (-1.0, 1.0),
    "sentiment": (-1.0, 1.0),
}
_FARTHEST = Decimal(11)  # a target above it is a move out of the range of expected_move_pct
_FINISHED = ("", "stop", "tool_calls", "function_call", "end_turn", "eos")
_CUT = ("length", "max_tokens", "model_length")
_REFUSED = ("content_filter", "refusal", "safety")


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """One valid decision of the advisor about one asked pair; None: the advisor did not say.

    `price_target` and `stop_loss` are quote units, `expected_move_pct` percent of the price.
    `bias_allocation` is the wanted holding as a share of max_asset_exposure, at or below 0: none.
    """

    pair: str
    action: str  # buy, sell, hold
    confidence: float  # 0..1
    risk_level: str  # low, medium, high
    rationale: str
    price_target: Decimal | None = None
    stop_loss: Decimal | None = None
    expected_move_pct: float | None = None
    horizon_minutes: float | None = None
    bias_allocation: float | None = None
    sentiment: float | None = None


class Unusable(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no advice about a pair: HOLD."""

    reason: Reason
    detail: str


def judge(
    raw: str,
    *,
    kind: str,
    finish_reason: str,
    pairs: tuple[str, ...],
    mids: Mapping[str, Decimal] | None = None,
) -> dict[str, Advice | Unusable]:
    """Exactly one entry for each asked pair, in their order; never raises.

    `kind` is "tool_call" (the whole text must be the object) or "content" (words around one clear
    object are tolerated). What is wrong with the whole answer stands at every pair. `mids` are the
    middle prices that the model was shown: what it says of prices must fit its action there.
    """
    try:
        _check_finish(finish_reason)
        answer = only_object(raw, alone=kind == "tool_call")
        entries = _entries(answer, len(pairs))
    except Refusal as refusal:
        return {pair: Unusable(reason=refusal.reason, detail=refusal.detail) for pair in pairs}
    judged = _for_each(pairs, entries)
    return {pair: _consistent(entry, (mids or {}).get(pair)) for pair, entry in judged.items()}


def contradiction(advice: Advice, mid: Decimal | None) -> str | None:
    """What in a piece of advice speaks against its own action, in words; None: nothing does.

    To buy is to expect a rise: target above the middle, stop-loss below it, a move above 0 and a
    wanted holding. To sell is the mirror of it. Exactly at the middle nothing is contradicted: a
    move of nothing fails at the gate of costs. Hold may say what it likes.
    """
    if advice.action == "hold":
        return None
    buys = advice.action == "buy"
    target, stop = advice.price_target, advice.stop_loss
    against = "below" if buys else "above"
    towards = "above" if buys else "below"
    if target is not None and mid is not None and (target < mid if buys else target > mid):
        return f"{advice.action} with a price_target of {target:f} {against} {mid:f}"
    if stop is not None and mid is not None and (stop > mid if buys else stop < mid):
        return f"{advice.action} with a stop_loss of {stop:f} {towards} {mid:f}"
    if target is not None and stop is not None and (stop >= target if buys else stop <= target):
        return f"{advice.action} with a stop_loss of {stop:f} and a price_target of {target:f}"
    move, bias = advice.expected_move_pct, advice.bias_allocation
    if move is not None and (move < 0 if buys else move > 0):
        return f"{advice.action} with an expected_move_pct of {move!r}"
    if buys and bias is not None and bias < 0:
        return f"buy with a bias_allocation of {bias!r}"
    return None


def _consistent(entry: Advice | Unusable, mid: Decimal | None) -> Advice | Unusable:
    """The entry, or why what it says of prices cannot be meant."""
    if isinstance(entry, Unusable):
        return entry
    words = contradiction(entry, mid)
    if words is not None:
        return Unusable(reason=Reason.ADVICE_CONTRADICTORY, detail=words)
    target = entry.price_target
    if target is not None and mid is not None and target > _FARTHEST * mid:
        detail = f"price_target {target:f} is more than {_FARTHEST} times {mid:f}"
        return Unusable(reason=Reason.ADVICE_OUT_OF_RANGE, detail=detail)
    return entry


def _check_finish(finish_reason: str) -> None:
    """Only an answer that says it is complete may be read."""
    word = finish_reason.strip().lower()
    if word in _FINISHED:
        return
    detail = f"finish_reason {clean(finish_reason, 40)!r}"
    if word in _CUT:
        raise Refusal(Reason.ADVICE_TRUNCATED, detail)
    if word in _REFUSED:
        raise Refusal(Reason.ADVICE_REFUSED_BY_MODEL, detail)
    raise Refusal(Reason.ADVICE_MALFORMED, f"unknown {detail}")


def _entries(answer: dict[str, object], asked: int) -> list[tuple[str, dict[str, object]]]:
    """The decisions of an answer with the pair each names; raises Refusal for the whole."""
    for name, value in answer.items():
        if name == "decisions":
            continue
        _OUTER.get(name, _unknown)(name, value)
    decisions = answer.get("decisions")
    if decisions is None:
        raise Refusal(Reason.ADVICE_MALFORMED, "the answer has no decisions")
    if not isinstance(decisions, list):
        raise Refusal(Reason.ADVICE_WRONG_TYPE, "decisions is not a list")
    if len(decisions) > max(MAX_DECISIONS, 2 * asked):
        raise Refusal(Reason.ADVICE_TOO_LONG, f"{len(decisions)} decisions")
    found: list[tuple[str, dict[str, object]]] = []
    for decision in decisions:
        if not isinstance(decision, dict):
            raise Refusal(Reason.ADVICE_WRONG_TYPE, "a decision is not an object")
        pair = decision.get("pair")
        if not isinstance(pair, str):
            raise Refusal(Reason.ADVICE_WRONG_TYPE, "a decision names no pair")
        found.append((pair, decision))
    return found


def _for_each(
    pairs: tuple[str, ...], entries: list[tuple[str, dict[str, object]]]
) -> dict[str, Advice | Unusable]:
    """Give each asked pair its one decision, or the reason why it has none."""
    by_pair: dict[str, list[dict[str, object]]] = {pair: [] for pair in pairs}
    strangers: list[str] = []
    for pair, decision in entries:
        if pair in by_pair:
            by_pair[pair].append(decision)
        else:
            strangers.append(clean(pair, 40))
    judged: dict[str, Advice | Unusable] = {}
    for pair, decisions in by_pair.items():
        if len(decisions) == 1:
            judged[pair] = _decision(pair, decisions[0])
        elif decisions:
            judged[pair] = Unusable(
                reason=Reason.ADVICE_DUPLICATE, detail=f"{len(decisions)} decisions about {pair}"
            )
        elif strangers:
            judged[pair] = Unusable(
                reason=Reason.ADVICE_UNKNOWN_PAIR,
                detail=f"no decision about {pair}, but one about {strangers[0]!r}",
            )
        else:
            judged[pair] = Unusable(
                reason=Reason.ADVICE_MISSING_PAIR, detail=f"no decision about {pair}"
            )
    return judged


def _decision(pair: str, decision: dict[str, object]) -> Advice | Unusable:
    """One decision with every field checked."""
    try:
        for name, value in decision.items():
            _INNER.get(name, _unknown)(name, value)
        return Advice(
            pair=pair,
            action=_word("action", decision.get("action"), ACTIONS),
            confidence=_number("confidence", decision.get("confidence"), 0.0, 1.0),
            risk_level=_word("risk_level", decision.get("risk_level"), RISK_LEVELS),
            rationale=clean(_text("rationale", decision.get("rationale", "")), MAX_RATIONALE),
            price_target=_price(decision, "price_target"),
            stop_loss=_price(decision, "stop_loss"),
            expected_move_pct=_optional(decision, "expected_move_pct"),
            horizon_minutes=_optional(decision, "horizon_minutes"),
            bias_allocation=_optional(decision, "bias_allocation"),
            sentiment=_optional(decision, "sentiment"),
        )
    except Refusal as refusal:
        return Unusable(reason=refusal.reason, detail=refusal.detail)


# -- single fields -------------------------------------------------------------------------


def _unknown(name: str, value: object) -> None:
    """No field may be there that is not known: a size or a leverage would be meant to matter."""
    raise Refusal(Reason.ADVICE_MALFORMED, f"unknown field {clean(name, 40)!r}")


def _missing(name: str, value: object) -> None:
    if value is None:
        raise Refusal(Reason.ADVICE_WRONG_TYPE, f"{name} is missing or null")


def _text(name: str, value: object) -> str:
    """A text of bounded length."""
    _missing(name, value)
    if not isinstance(value, str):
        raise Refusal(Reason.ADVICE_WRONG_TYPE, f"{name} is not a text")
    if len(value) > MAX_RATIONALE:
        raise Refusal(Reason.ADVICE_TOO_LONG, f"{name} has {len(value)} characters")
    return value


def _word(name: str, value: object, allowed: tuple[str, ...]) -> str:
    """One of the allowed words, exactly."""
    text = _text(name, value)
    if text not in allowed:
        raise Refusal(
            Reason.ADVICE_MALFORMED, f"{name} {clean(text, 40)!r} is none of {', '.join(allowed)}"
        )
    return text


def _number(name: str, value: object, low: float, high: float) -> float:
    """A JSON number within [low, high]; a bool or a text is no number."""
    _missing(name, value)
    if isinstance(value, BadNumber):
        raise Refusal(Reason.ADVICE_OUT_OF_RANGE, f"{name} is {value.literal}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal(Reason.ADVICE_WRONG_TYPE, f"{name} is not a number")
    if not low <= value <= high:
        raise Refusal(Reason.ADVICE_OUT_OF_RANGE, f"{name} {value!r} is not in {low}..{high}")
    return float(value)


def _optional(decision: dict[str, object], name: str) -> float | None:
    """A number within its range of OPTIONAL_RANGES; None where it is missing or null."""
    value = decision.get(name)
    return None if value is None else _number(name, value, *OPTIONAL_RANGES[name])


def _price(decision: dict[str, object], name: str) -> Decimal | None:
    """A price as the shortest decimal text of its number."""
    value = _optional(decision, name)
    return None if value is None else Decimal(repr(value))


_Check = Callable[[str, object], object]


def _ranged(low: float, high: float, *, nullable: bool = False) -> _Check:
    """The check of a number within [low, high], or null where that is an answer."""

    def check(name: str, value: object) -> object:
        return None if nullable and value is None else _number(name, value, low, high)

    return check


def _among(allowed: tuple[str, ...]) -> _Check:
    """The check of a word out of `allowed`."""

    def check(name: str, value: object) -> object:
        return _word(name, value, allowed)

    return check


_EXTRA: dict[str, _Check] = {
    name: _ranged(*span, nullable=True) for name, span in OPTIONAL_RANGES.items()
}
_OUTER: dict[str, _Check] = {"rationale": _text, "confidence": _ranged(0.0, 1.0)}
_INNER: dict[str, _Check] = {
    **_OUTER,
    **_EXTRA,
    "pair": _text,
    "action": _among(ACTIONS),
    "risk_level": _among(RISK_LEVELS),
}
