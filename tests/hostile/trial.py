"""One payload through the reader of bodies, the judge and, for a share, the whole engine."""

import traceback
from collections import Counter
from dataclasses import dataclass, field

from hostile import scenes
from hostile.corpus import BTC_PAIR, ETH_PAIR
from hostile.envelope import breaches
from hostile.payloads import HOLD, MIDS, Payload, payload
from hostile.witness import Said, said
from simple_trader.adapters.llm.answers import Unusable as NoAnswer
from simple_trader.adapters.llm.answers import read_answer
from simple_trader.core.strategy.advice import Advice, Unusable, judge
from simple_trader.domain import actions as a

PAIRS = (BTC_PAIR, ETH_PAIR)
TOOL = "aggregator_decision"
FARTHEST = 11


@dataclass
class Tally:
    """What many payloads came to."""

    ways: Counter[str] = field(default_factory=Counter)
    became: Counter[str] = field(default_factory=Counter)  # of a pair: a reason, or read
    states: Counter[str] = field(default_factory=Counter)  # whole engine, by scene
    orders: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Count another one too."""
        self.ways += other.ways
        self.became += other.became
        self.states += other.states
        self.orders += other.orders
        self.wrong += other.wrong


def run(seed: int, first: int, count: int, share: int) -> Tally:
    """The payloads of these numbers; one of `share` and all that is read goes to an engine."""
    tally = Tally()
    for number in range(first, first + count):
        try:
            found = try_one(payload(seed, number), number, share, tally)
        except Exception:  # whatever it is, it is the finding
            found = ["raised " + traceback.format_exc(limit=-4).strip().replace("\n", " | ")]
        tally.wrong += [f"payload {number} of seed {seed}: {words}" for words in found]
    return tally


def try_one(given: Payload, number: int, share: int, tally: Tally) -> list[str]:
    """What is wrong with the verdict on one payload."""
    tally.ways[given.way] += 1
    raw, kind, finish = given.raw, given.kind, given.finish
    if given.body is not None:
        try:
            answer = read_answer(given.body, expected_function=TOOL)
        except NoAnswer as refusal:
            tally.became[refusal.reason.value] += len(PAIRS)
            return _words(refusal.reason.value, refusal.detail)
        raw, kind, finish = answer.raw, answer.kind, answer.finish_reason
    judged = judge(raw, kind=kind, finish_reason=finish, pairs=PAIRS, mids=MIDS)
    found = [] if tuple(judged) == PAIRS else [f"judged are {tuple(judged)}"]
    reads = False
    for pair, entry in judged.items():
        must = given.must.get(pair)
        if isinstance(entry, Unusable):
            tally.became[entry.reason.value] += 1
            found += _words(entry.reason.value, entry.detail)
            if must not in {None, HOLD}:
                found.append(f"{pair} holds ({entry.reason}: {entry.detail}), must be {must}")
            continue
        reads = True
        tally.became["read"] += 1
        if must == HOLD:
            found.append(f"{pair} was read, must hold")
        found += _witnessed(entry, said(raw, kind=kind, finish=finish, pair=pair), pair)
    if reads or number % share == 0:
        found += _whole(scenes.NAMES[number % len(scenes.NAMES)], raw, kind, finish, tally)
    return found


def _words(reason: str, detail: str) -> list[str]:
    """Each hold has a reason of its family, and words that can be stored."""
    try:
        detail.encode()
    except UnicodeEncodeError:
        return [f"the detail {detail!r} cannot be stored"]
    good = reason.startswith("advice_") and bool(detail) and "\x00" not in detail
    return [] if good else [f"hold for {reason!r}, {detail!r}"]


def _witnessed(entry: Advice, plain: Said | None, pair: str) -> list[str]:
    """What was read stands plainly in the text, and does not speak against itself."""
    if plain is None:
        return [f"{pair} was read as {entry}, but it says nothing plainly"]
    same = (
        entry.pair == pair
        and (entry.action, entry.risk_level) == (plain.action, plain.risk_level)
        and entry.confidence == float(plain.confidence)
        and 0.0 <= entry.confidence <= 1.0
    )
    if not same:
        return [f"{pair} was read as {entry}, but it says {plain}"]
    mid, up = MIDS[pair], 1 if plain.action == "buy" else -1
    target, stop, move = plain.price_target, plain.stop_loss, plain.expected_move_pct
    against = plain.action != "hold" and (
        (target is not None and up * (target - mid) < 0)
        or (stop is not None and up * (mid - stop) < 0)
        or (move is not None and up * move < 0)
    )
    absurd = target is not None and target > FARTHEST * mid
    return [f"{pair} was read as {entry}, which contradicts itself"] if against or absurd else []


def _whole(name: str, raw: str, kind: str, finish: str, tally: Tally) -> list[str]:
    """Through the engine in a state, and what left it against the envelope of that state."""
    scene = scenes.scene(name)
    done = scene.answered(raw, kind=kind, finish=finish)
    tally.states[name] += 1
    tally.orders += sum(isinstance(one, a.PlaceOrder) for one in done)
    return [f"{name}: {words}" for words in breaches(scene.facts, done)]
