"""The corpus through the real path: every answer ends as its line says, inside the envelope."""

import json
import re
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
from brain_desk import decisions_of

from hostile import scenes
from hostile.corpus import BTC_PAIR, ETH_PAIR, GOOD, Entry, answer, decision, entries
from hostile.envelope import breaches
from hostile.verdicts import outcomes
from simple_trader.adapters.llm.answers import Unusable, read_answer
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain.reasons import Reason

KINDS = ("content", "tool_call")
TOOL = "aggregator_decision"
ALL = {entry.theme: entry.mode for entry in entries()}
REPLIES = [theme for theme, mode in ALL.items() if mode in {"replies", "fields"}]
TEXTS = [theme for theme, mode in ALL.items() if mode == "texts"]


def of_theme(theme: str) -> list[Entry]:
    return [entry for entry in entries() if entry.theme == theme]


def test_the_corpus_holds_more_than_500_different_answers_and_texts() -> None:
    assert len({(entry.mode, entry.raw, entry.finish) for entry in entries()}) >= 900
    assert len(ALL) >= 15


def ends_as_written(*themes: str) -> None:
    """Each line of these files, as text and as tool arguments, through the whole engine."""
    fresh = scenes.scene("fresh")
    wrong = []
    for entry in (entry for theme in themes for entry in of_theme(theme)):
        for kind in KINDS:
            done = fresh.answered(entry.raw, kind=kind, finish=entry.finish)
            wrong += [f"{entry} {kind}: {one}" for one in breaches(fresh.facts, done)]
            if outcomes(done) != entry.outcome(kind):
                wrong.append(f"{entry} {kind}: {outcomes(done)}")
    assert wrong == []


def test_l03_what_is_cut_wrapped_doubled_or_no_json_is_hold_unless_one_object_is_clear() -> None:
    ends_as_written(
        "01_truncated", "02_prose_and_json", "03_two_objects", "04_think_text", "05_fences",
        "06_marks_and_white_space", "07_syntax",
    )  # fmt: skip


def test_l04_a_field_of_another_type_is_hold() -> None:
    ends_as_written("08_wrong_types")


def test_l05_numbers_that_are_none_or_out_of_range_are_hold() -> None:
    ends_as_written("09_numbers")


def test_l06_sizes_leverage_and_limits_in_an_answer_are_hold() -> None:
    ends_as_written("10_sizes_and_leverage")


def test_l07_look_alikes_strangers_and_other_names_of_a_pair_are_hold() -> None:
    ends_as_written("11_pairs")


def test_l08_duplicates_and_contradictions_are_hold() -> None:
    ends_as_written("12_duplicates_and_contradictions", "16_contradictions_of_prices")


def test_l09_what_is_too_long_too_deep_or_too_many_is_hold() -> None:
    ends_as_written("13_oversize")


def test_l10_json_inside_of_a_string_is_hold() -> None:
    ends_as_written("14_nested_strings")


def test_l11_refusals_and_answers_in_words_of_any_language_are_hold() -> None:
    ends_as_written("15_refusals_and_languages")


def test_every_file_of_answers_has_its_test() -> None:
    called = re.findall(r'"(\d\d_[a-z_]+)"', Path(__file__).read_text(encoding="utf-8"))
    assert set(REPLIES) <= set(called)


@pytest.mark.parametrize("name", scenes.NAMES)
def test_i_37_in_every_state_the_orders_stay_inside_the_envelope(name: str) -> None:
    scene = scenes.scene(name)
    wrong = []
    for entry, kind in zip(answers(), cycle(KINDS), strict=False):
        done = scene.answered(entry.raw, kind=kind, finish=entry.finish)
        wrong += [f"{entry} {kind}: {one}" for one in breaches(scene.facts, done)]
    assert wrong == []


def answers() -> Iterator[Entry]:
    """Whole answers but the megabytes of their limits, which the fresh account meets above."""
    for entry in entries():
        if entry.mode in {"replies", "fields"} and len(entry.raw) < 100_000:
            yield entry


@pytest.mark.parametrize("theme", TEXTS)
def test_i_37_l12_words_of_strangers_are_read_as_words_or_not_at_all(theme: str) -> None:
    """A hijacked model may write them anywhere: each place has one outcome, and no limit moves."""
    fresh = scenes.scene("fresh")
    before = scenes.rules_of_config(fresh.after(""))
    wrong = []
    for entry in of_theme(theme):
        for place, raw, expected in places(entry.raw):
            done = fresh.answered(raw)
            wrong += [f"{entry} {place}: {one}" for one in breaches(fresh.facts, done)]
            if outcomes(done) != expected:
                wrong.append(f"{entry} {place}: {outcomes(done)}")
        if scenes.rules_of_config(fresh.after(places(entry.raw)[0][1])) != before:
            wrong.append(f"{entry} changed a setting")
    assert wrong == []


def places(text: str) -> list[tuple[str, str, dict[str, str]]]:
    """Everywhere a text can stand, the whole answer with it, and what becomes of that."""
    told = json.dumps(text)
    eth = decision(ETH_PAIR)

    def inside(**literals: str) -> str:
        return answer(decision(BTC_PAIR, **literals), eth)

    def btc(outcome: str) -> dict[str, str]:
        return {BTC_PAIR: outcome, ETH_PAIR: GOOD}

    def both(outcome: str) -> dict[str, str]:
        return {BTC_PAIR: outcome, ETH_PAIR: outcome}

    good = answer(decision(BTC_PAIR), eth)
    around = both("advice_malformed" if any(sign in text for sign in "{}[]") else GOOD)
    return [
        ("rationale", inside(rationale=told), both(GOOD)),
        ("rationale around", answer(decision(BTC_PAIR), eth, rationale=told), both(GOOD)),
        ("pair", inside(pair=told), btc("advice_unknown_pair")),
        ("action", inside(action=told), btc("advice_malformed")),
        ("risk_level", inside(risk_level=told), btc("advice_malformed")),
        ("confidence", inside(confidence=told), btc("advice_wrong_type")),
        ("price_target", inside(price_target=told), btc("advice_wrong_type")),
        ("unknown field", inside(note=told), btc("advice_malformed")),
        ("field's name", inside(**{text: "1"}), btc("advice_malformed")),
        ("name around", answer(decision(BTC_PAIR), eth, **{text: "1"}), both("advice_malformed")),
        ("words before", f"{text} {good}", around),
        ("words behind", f"{good} {text}", around),
    ]


@pytest.mark.parametrize("theme", TEXTS)
def test_i_38_words_alone_are_hold_with_a_reason(theme: str) -> None:
    fresh = scenes.scene("fresh")
    for entry in of_theme(theme):
        for kind in KINDS:
            done = fresh.answered(entry.raw, kind=kind)
            assert breaches(fresh.facts, done) == [], str(entry)
            assert not any(isinstance(one, a.PlaceOrder) for one in done), str(entry)
            rows = decisions_of(done).values()
            assert all(row.reason.value.startswith("advice_") for row in rows), str(entry)


def test_l10_l11_each_body_of_a_provider_ends_as_its_line_says() -> None:
    fresh = scenes.scene("fresh")
    wrong = []
    for entry in entries("bodies"):
        found = body_outcome(fresh, entry.raw.encode("utf-8", "surrogateescape"))
        if found != entry.content:
            wrong.append(f"{entry}: {found}")
    assert wrong == []


def body_outcome(scene: scenes.Scene, body: bytes) -> dict[str, str]:
    """Read a body and let the brain judge what is in it; a refusal of the reader is for all."""
    try:
        found = read_answer(body, expected_function=TOOL)
    except Unusable as refusal:
        return dict.fromkeys(scene.pairs, refusal.reason.value)
    done = scene.answered(found.raw, kind=found.kind, finish=found.finish_reason)
    assert breaches(scene.facts, done) == []
    return outcomes(done)


@pytest.mark.parametrize("reason", [r for r in Reason if r.name.startswith("ADVICE_")])
def test_i_38_a_failure_of_any_kind_is_hold_for_that_reason(reason: Reason) -> None:
    scene = scenes.scene("holding")
    failed = e.AdviceFailed(
        question_id=scene.asked.question.question_id, reason=reason, detail="none came"
    )
    done = scene.told(failed)
    assert breaches(scene.facts, done) == []
    assert {row.reason for row in decisions_of(done).values()} == {reason}
    assert not any(isinstance(one, a.PlaceOrder) for one in done)
