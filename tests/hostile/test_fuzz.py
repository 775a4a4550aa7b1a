"""A slice of `make fuzz`, and that the fuzzer replays exactly and finds readers that are lax."""

import json
import re
from collections.abc import Callable

import pytest

from hostile import trial
from hostile.corpus import entries
from hostile.payloads import PAIRS, payload
from hostile.trial import run
from hostile.witness import said
from simple_trader.core.strategy.advice import judge

SLICE = 3_000
SEED = 20_261_121
pytestmark = pytest.mark.timeout(300)


def test_i_37_i_38_no_payload_of_a_slice_raises_or_leaves_the_envelope() -> None:
    tally = run(SEED, 0, SLICE, share=8)
    assert tally.wrong == []
    assert sum(tally.ways.values()) == SLICE
    assert len(tally.ways) == 7
    assert tally.became["read"] > SLICE / 20
    assert tally.became["advice_malformed"] > SLICE / 4
    assert {"advice_duplicate", "advice_unknown_pair", "advice_out_of_range"} <= set(tally.became)
    assert tally.orders > SLICE / 200
    assert len(tally.states) == 9


def test_a_payload_is_a_function_of_seed_and_number() -> None:
    assert [payload(7, n) for n in range(200)] == [payload(7, n) for n in range(200)]
    assert payload(7, 1) != payload(8, 1)
    assert run(3, 17, 1, 1) == run(3, 17, 1, 1)


Reader = Callable[..., dict]


def lower_case(raw: str, **how) -> dict:
    """Reads BUY as buy."""
    return judge(re.sub(r'"(BUY|Buy|SELL|LOW|Low)"', lambda m: m[0].lower(), raw), **how)


def last_one_counts(raw: str, **how) -> dict:
    """Reads a key that is named twice as the standard library does."""
    try:
        raw = json.dumps(json.loads(raw))
    except (ValueError, RecursionError):
        pass
    return judge(raw, **how)


def repairs(raw: str, **how) -> dict:
    """Takes the commas away that are one too many."""
    return judge(re.sub(r",\s*([}\]])", r"\1", raw), **how)


def never_looks_at_the_end(raw: str, **how) -> dict:
    """Reads answers that were cut."""
    return judge(raw, **how | {"finish_reason": "stop"})


def knows_other_names(raw: str, **how) -> dict:
    """Takes XBT for BTC."""
    return judge(raw.replace("XBT/USD", "BTC/USD"), **how)


def never_doubts_prices(raw: str, **how) -> dict:
    """Believes targets that speak against the action."""
    how.pop("mids")
    return judge(raw, **how)


def forgets_a_pair(raw: str, **how) -> dict:
    """Says nothing about the second pair."""
    return {pair: entry for pair, entry in judge(raw, **how).items() if pair != PAIRS[1]}


def raises(raw: str, **how) -> dict:
    """Cannot read what no UTF-8 can hold."""
    raw.encode()
    return judge(raw, **how)


@pytest.mark.parametrize(
    "lax",
    [
        lower_case, last_one_counts, repairs, never_looks_at_the_end, knows_other_names,
        never_doubts_prices, forgets_a_pair, raises,
    ],
    ids=lambda reader: reader.__name__,
)  # fmt: skip
def test_the_fuzzer_finds_a_reader_that_is_lax(
    lax: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "judge", lax)
    found: list[str] = []
    for first in range(0, 40_000, 1_000):
        found = run(SEED, first, 1_000, share=10**9).wrong
        if found:
            break
    assert found


PLAIN = {"malformed", "duplicate", "unknown_pair", "missing_pair", "truncated", "refused_by_model"}


def test_the_witness_and_the_corpus_are_of_one_mind() -> None:
    """What a line says is good, the second reader reads; what has no plain answer, it does not."""
    wrong = []
    for entry in entries():
        if entry.mode not in {"replies", "fields"} or len(entry.raw) > 100_000:
            continue
        for kind in ("content", "tool_call"):
            for pair, outcome in entry.outcome(kind).items():
                plain = said(entry.raw, kind=kind, finish=entry.finish, pair=pair)
                holds = outcome.removeprefix("advice_") in PLAIN
                if (plain is None and outcome == "good") or (plain is not None and holds):
                    wrong.append(f"{entry} {kind} {pair}: {outcome}, {plain}")
    assert wrong == []
