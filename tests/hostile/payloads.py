"""Payloads for the fuzzer: each is a function of a seed and its number, by one of some ways.

`valid` answers must be read as they say; `spoilt` ones hold at a known place; `wild` ones are trees
of JSON, `mutant` ones corpus and answers with cuts, copies and odd tokens, `bytes` the same below
the level of characters, `body` and `torn body` whole HTTP bodies.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache

from hostile.corpus import BTC_PAIR, ETH_PAIR, GOOD, Entry, entries, good
from hostile.mutations import mutate_bytes, mutate_text, odd_text

MIDS = {BTC_PAIR: Decimal(50_000), ETH_PAIR: Decimal(2_000)}
PAIRS = (BTC_PAIR, ETH_PAIR)
HOLD, READ = "hold", "read"
Fields = dict[str, str]
_STRANGERS = ("LUNA/USD", "XBT/USD", "btc/usd", "BTC/USDT", "", "DOGE/USD")
_ENDS = ("stop", "tool_calls", "function_call", "", "STOP", "end_turn", "eos")
_WRONG_ENDS = ("length", "max_tokens", "content_filter", "refusal", "error", "stopped", "\x00")
_LONGEST = 100_000
_OF_PRICES = "16_contradictions_of_prices"  # they speak against a purchase of BTC/USD at its middle


@dataclass(frozen=True)
class Payload:
    """One reply; `must` says what is known to become of a pair: `hold`, or `read` as it is."""

    way: str
    raw: str = ""
    kind: str = "content"
    finish: str = "stop"
    body: bytes | None = None
    must: dict[str, str] = field(default_factory=dict)


def payload(seed: int, number: int) -> Payload:
    """The payload of a number; the same for ever."""
    dice = random.Random(f"{seed} {number}")
    return dice.choices(_WAYS, _WEIGHTS)[0](dice)


# --- answers that are right -----------------------------------------------------------------------


def valid(dice: random.Random) -> Payload:
    """An answer as a good model writes it, in any order and form that is allowed."""
    kind = dice.choice(("content", "tool_call"))
    decisions = [_written(dice, fields_of(dice, pair)) for pair in PAIRS]
    decisions += [
        json.dumps({"pair": name, "action": "buy", "leverage": 100})
        for name in dice.sample(_STRANGERS, dice.choice((0, 0, 0, 1, 2)))
    ]
    dice.shuffle(decisions)
    raw = _around(dice, decisions)
    if kind == "content":
        raw = _wrapped(dice, raw)
    return Payload("valid", raw, kind, dice.choice(_ENDS), must=dict.fromkeys(PAIRS, READ))


def fields_of(dice: random.Random, pair: str) -> Fields:
    """The fields of a decision that says nothing against itself, as JSON literals."""
    action = dice.choice(("buy", "sell", "hold"))
    made = {
        "pair": json.dumps(pair),
        "action": json.dumps(action),
        "confidence": _confidence(dice),
        "risk_level": json.dumps(dice.choice(("low", "medium", "high"))),
    }
    if dice.random() < 0.7:
        made["rationale"] = _told(dice)
    up = 1 if action == "buy" else -1
    near = dice.uniform(0.001, 0.4)
    mid = float(MIDS[pair])
    optional = {
        "price_target": mid * (1 + up * near),
        "stop_loss": mid * (1 - up * dice.uniform(0.001, 0.4)),
        "expected_move_pct": up * dice.uniform(0.0, 90.0),
        "horizon_minutes": dice.uniform(1.0, 500_000.0),
        "bias_allocation": dice.uniform(0.0, 1.0) if action != "hold" else dice.uniform(-1, 1),
        "sentiment": dice.uniform(-1.0, 1.0),
    }
    for name in dice.sample(sorted(optional), dice.choice((0, 0, 1, 3, 6))):
        made[name] = "null" if dice.random() < 0.2 else f"{optional[name]:.6f}"
        if made[name].startswith("-0.000000"):
            made[name] = "0"
    return made


def _confidence(dice: random.Random) -> str:
    value = dice.choice((0.0, 1.0, 0.7, 0.9, dice.random(), dice.random(), dice.random()))
    form = dice.choice(("{!r}", "{:.3f}", "{:.12f}", "{:.6e}"))
    written = form.format(value)
    return "0" if float(written) == 0 else written


def _told(dice: random.Random) -> str:
    text = dice.choice(_texts()) if dice.random() < 0.5 else odd_text(dice, 60)
    return json.dumps(text[:4_000], ensure_ascii=dice.random() < 0.5)


@cache
def _texts() -> tuple[str, ...]:
    return tuple(entry.raw for entry in entries("texts"))


def _written(dice: random.Random, fields: Fields) -> str:
    names = list(fields)
    dice.shuffle(names)
    comma, colon = dice.choice(((", ", ": "), (",", ":"), (" ,\n ", "\t:\r\n"), (",\n", ": ")))
    return "{" + comma.join(f"{json.dumps(name)}{colon}{fields[name]}" for name in names) + "}"


def _around(dice: random.Random, decisions: list[str]) -> str:
    fields = {"decisions": "[" + ", ".join(decisions) + "]"}
    if dice.random() < 0.7:
        fields["rationale"] = _told(dice)
    if dice.random() < 0.7:
        fields["confidence"] = _confidence(dice)
    return _written(dice, fields)


def _wrapped(dice: random.Random, raw: str) -> str:
    return dice.choice(
        (
            "{}", "{}", "{}", " \n{}\t", "\ufeff{}", "```json\n{}\n```", "<think>a {{b}}</think>{}",
            "Here it is: {}", "{} Good luck!", "<think>[</think>\n\n{}", "答え: {}。",
        )
    ).format(raw)  # fmt: skip


# --- answers that are wrong at a known place ------------------------------------------------------


def spoilt(dice: random.Random) -> Payload:
    """A good answer with one thing wrong."""
    return dice.choice((_spoilt_field, _spoilt_field, _spoilt_field, _spoilt_whole))(dice)


@cache
def _spoils() -> tuple[Entry, ...]:
    return tuple(
        entry
        for entry in entries("fields")
        if entry.content[BTC_PAIR] != GOOD and len(entry.literal) < _LONGEST
    )


def _spoilt_field(dice: random.Random) -> Payload:
    """A field of the corpus in an answer that is drawn: its own pair holds, or both."""
    entry = dice.choice(_spoils())
    fields = {pair: fields_of(dice, pair) for pair in PAIRS}
    decisions = "[" + ", ".join(_written(dice, fields[pair]) for pair in PAIRS) + "]"
    if entry.field.startswith("outer "):
        outer = {"decisions": decisions, entry.field.removeprefix("outer "): entry.literal}
        must = {pair: HOLD for pair in PAIRS if entry.content[pair] != GOOD}
    else:
        about = dice.choice(PAIRS)
        if entry.theme == _OF_PRICES:
            about = BTC_PAIR
            optional = ("price_target", "stop_loss", "expected_move_pct", "bias_allocation")
            fields[about] = {k: v for k, v in fields[about].items() if k not in optional}
            fields[about]["action"] = '"buy"'
        fields[about][entry.field] = entry.literal
        outer = {"decisions": "[" + ", ".join(_written(dice, fields[p]) for p in PAIRS) + "]"}
        must = {about: HOLD}
        if entry.content[ETH_PAIR] != GOOD:
            must = dict.fromkeys(PAIRS, HOLD)
    kind = dice.choice(("content", "tool_call"))
    return Payload("spoilt", _written(dice, outer), kind, "stop", must=must)


def _spoilt_whole(dice: random.Random) -> Payload:
    """Cut, doubled, wrapped, quoted, or said to be no whole answer."""
    raw = _around(dice, [_written(dice, fields_of(dice, pair)) for pair in PAIRS])
    finish = "stop"
    match dice.randrange(8):
        case 0:
            raw = raw[: dice.randrange(len(raw))]
        case 1:
            raw = raw + dice.choice(("", "\n", " or ", ",")) + raw
        case 2:
            raw = f"[{raw}]"
        case 3:
            raw = json.dumps(raw)
        case 4:
            finish = dice.choice(_WRONG_ENDS)
        case 5:
            raw = "<think>" + raw
        case 6:
            raw = raw + dice.choice("{}[]")
        case _:
            raw = raw[:-1] + dice.choice((",}", ';"x":1}', ' "size": 1}', ', "size": 1}'))
    kind = dice.choice(("content", "tool_call"))
    return Payload("spoilt", raw, kind, finish, must=dict.fromkeys(PAIRS, HOLD))


# --- answers of which nothing is known ------------------------------------------------------------

_NAMES = (
    *("decisions", "rationale", "confidence", "pair", "action", "risk_level", "price_target"),
    *("stop_loss", "expected_move_pct", "horizon_minutes", "bias_allocation", "sentiment"),
    *("size", "leverage", "", "Decisions"),
)
_VALUES: tuple[object, ...] = (
    *("buy", "sell", "hold", "low", "medium", "high", BTC_PAIR, ETH_PAIR, "XBT/USD", "0.9"),
    *(0, 1, -1, 0.9, 0.7, 1e300, 10**30, True, False, None, "", [], {}),
)


def wild(dice: random.Random) -> Payload:
    """A tree of JSON out of the words of the answer."""
    tree: object = {"decisions": [_branch(dice, 3) for _ in range(dice.randrange(4))]}
    if dice.random() < 0.2:
        tree = _branch(dice, 4)
    raw = json.dumps(tree, ensure_ascii=dice.random() < 0.5, allow_nan=True)
    return Payload("wild", raw, dice.choice(("content", "tool_call")), dice.choice(_ENDS))


def _branch(dice: random.Random, depth: int) -> object:
    chance = dice.random()
    if depth == 0 or chance < 0.15:
        return dice.choice((*_VALUES, float("nan"), odd_text(dice, 8), dice.uniform(-2, 2)))
    if chance < 0.3:
        return [_branch(dice, depth - 1) for _ in range(dice.randrange(3))]
    made: dict[str, object] = {}
    if chance < 0.85:  # nearly a decision
        made = {"pair": dice.choice(PAIRS), "action": dice.choice(("buy", "sell", "hold"))}
        made |= {"confidence": round(dice.random(), 3), "risk_level": "low"}
    for _ in range(dice.randrange(3)):
        made[dice.choice(_NAMES)] = _branch(dice, depth - 1)
    return made


def mutant(dice: random.Random) -> Payload:
    """The corpus, or a good answer, with some mutations."""
    raw = _stock(dice)
    for _ in range(dice.choice((1, 1, 1, 2, 3, 6))):
        raw = mutate_text(dice, raw, _stock)
    kind, finish = dice.choice(("content", "tool_call")), dice.choice(_ENDS)
    return Payload("mutant", raw, kind, finish if dice.random() < 0.9 else odd_text(dice, 12))


@cache
def _short_entries() -> tuple[str, ...]:
    return tuple(entry.raw for entry in entries() if len(entry.raw) < 3_000)


def _stock(dice: random.Random) -> str:
    if dice.random() < 0.3:
        return dice.choice(_short_entries())
    return good() if dice.random() < 0.1 else valid(dice).raw


def torn(dice: random.Random) -> Payload:
    """Mutated below the level of characters, then read as somebody might."""
    data = mutate_bytes(dice, _stock(dice).encode("utf-8", "surrogatepass"))
    way = dice.choice(("replace", "surrogateescape", "ignore"))
    raw = data.decode("latin-1") if dice.random() < 0.2 else data.decode("utf-8", way)
    return Payload("bytes", raw, dice.choice(("content", "tool_call")), dice.choice(_ENDS))


def body(dice: random.Random) -> Payload:
    """A provider's body around an answer of any of the other ways."""
    inner = dice.choice((valid, spoilt, wild, mutant))(dice)
    name = "aggregator_decision"
    if dice.random() < 0.15:
        name = dice.choice(("transfer_funds", "", "Aggregator_Decision", odd_text(dice, 12)))
    message: dict[str, object] = {"role": "assistant"}
    calls = [{"function": {"name": name, "arguments": inner.raw}}]
    if inner.kind == "content":
        message["content"] = inner.raw
    else:
        message["tool_calls"] = calls * dice.choice((1, 1, 1, 1, 2))
    choice = {"message": message, "finish_reason": inner.finish}
    completion = {"choices": [choice] * dice.choice((1, 1, 1, 1, 1, 1, 2)), "model": "m"}
    written = json.dumps(completion).encode()
    if dice.random() < 0.4:
        return Payload("torn body", body=mutate_bytes(dice, written))
    return Payload("body", body=written)


_WAYS: tuple[Callable[[random.Random], Payload], ...] = (
    valid, spoilt, wild, mutant, torn, body,
)  # fmt: skip
_WEIGHTS = (12, 22, 14, 28, 12, 12)
