"""Calibration: what confidence was worth, counted mark by mark."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.core.scoring.calibration import (
    MAX_SOURCES,
    MIN_MARKS,
    Calibration,
    Tally,
    bin_of,
    read_off,
    source_key,
)
from simple_trader.domain.marks import MarkSource, MarkTally

SOURCE = MarkSource(provider="openai", model="m", template_hash="t")
marks = st.lists(st.tuples(st.integers(0, 100), st.booleans()), max_size=400)


def learned(count: int, confidence: float, right: int) -> Calibration:
    """A calibration of `count` marks of one confidence, `right` of them right."""
    found = Calibration()
    for number in range(count):
        found.learn(SOURCE, confidence, is_right=number < right)
    return found


def test_without_marks_the_threshold_of_the_gate_sizes() -> None:
    assert Calibration().size_confidence(SOURCE, 0.95, 0.7) == 0.7


def test_below_200_marks_the_threshold_sizes_at_200_what_was_seen() -> None:
    assert MIN_MARKS == 200
    few, enough = learned(199, 0.9, 100), learned(200, 0.9, 100)
    assert few.size_confidence(SOURCE, 0.9, 0.7) == 0.7
    assert enough.size_confidence(SOURCE, 0.9, 0.7) == 0.5


def test_a_confidence_is_never_raised_above_what_was_said() -> None:
    assert learned(300, 0.7, 300).size_confidence(SOURCE, 0.72, 0.7) == 0.72
    assert Calibration().size_confidence(SOURCE, 0.65, 0.7) == 0.65


def test_sources_differ_by_provider_model_and_prompt_but_not_by_who_asked() -> None:
    found = learned(200, 0.9, 50)
    shadow = msgspec.structs.replace(SOURCE, advisor="shadow")
    assert found.size_confidence(shadow, 0.9, 0.7) == 0.25
    for other in ({"provider": "x"}, {"model": "x"}, {"template_hash": "x"}):
        assert found.size_confidence(msgspec.structs.replace(SOURCE, **other), 0.9, 0.7) == 0.7


def test_neighbours_in_the_wrong_order_are_pooled() -> None:
    tally = Tally()
    tally.add(70, 100, 60)
    tally.add(80, 100, 40)
    tally.add(90, 100, 80)
    assert tally.blocks() == [(70, 0.5), (90, 0.8)]
    assert tally.calibrated(0.70) == 0.5
    assert tally.calibrated(0.85) == 0.5
    assert tally.calibrated(0.95) == 0.8
    assert tally.calibrated(0.10) == 0.5


def test_nothing_is_known_without_marks() -> None:
    assert Tally().calibrated(0.9) == 0.0
    assert read_off([], 0.9) == 0.0


@pytest.mark.parametrize(("confidence", "index"), [(0.0, 0), (0.709, 70), (0.99, 99), (1.0, 100)])
def test_bins_are_hundredths_rounded_down(confidence: float, index: int) -> None:
    assert bin_of(confidence) == index


@given(marks)
def test_the_fit_rises_and_keeps_the_number_that_was_right(items: list[tuple[int, bool]]) -> None:
    tally = Tally()
    for index, right in items:
        tally.add(index, 1, int(right))
    rates = [rate for _, rate in tally.blocks()]
    assert rates == sorted(rates)
    fitted = sum(
        count * tally.calibrated(index / 100 + 0.001) for index, count in tally.marks.items()
    )
    assert fitted == pytest.approx(sum(right for _, right in items))


@given(marks, st.floats(0, 1), st.floats(0, 1))
def test_taken_up_from_rows_it_sizes_as_if_it_had_never_stopped(
    items: list[tuple[int, bool]], raw: float, threshold: float
) -> None:
    lived = Calibration()
    for index, right in items:
        lived.learn(SOURCE, index / 100 + 0.001 * (index < 100), is_right=right)
    rows = tuple(
        MarkTally(source=SOURCE, bin=index, marks=count, right=tally.right[index])
        for tally in lived.tallies.values()
        for index, count in tally.marks.items()
    )
    again = Calibration()
    again.begin(rows)
    assert again.size_confidence(SOURCE, raw, threshold) == lived.size_confidence(
        SOURCE, raw, threshold
    )
    assert again.marks(SOURCE) == lived.marks(SOURCE) == len(items)


@given(marks, st.floats(0, 1), st.floats(0, 1))
def test_i_37_no_marks_can_size_above_what_was_said(
    items: list[tuple[int, bool]], raw: float, threshold: float
) -> None:
    found = Calibration()
    for index, right in items:
        found.learn(SOURCE, index / 100, is_right=right)
    assert 0.0 <= found.size_confidence(SOURCE, raw, threshold) <= raw


def test_a_key_cannot_be_taken_for_another() -> None:
    assert source_key(SOURCE) == "openai\nm\nt"


def test_l16_ever_new_names_of_models_neither_fill_the_state_nor_move_a_size() -> None:
    found = learned(200, 0.9, 50)
    for number in range(3 * MAX_SOURCES):
        found.learn(msgspec.structs.replace(SOURCE, model=f"m-{number}"), 0.9, is_right=True)
    assert len(found.tallies) == MAX_SOURCES
    assert found.size_confidence(SOURCE, 0.9, 0.7) == 0.25
    newest = msgspec.structs.replace(SOURCE, model=f"m-{3 * MAX_SOURCES - 1}")
    assert found.marks(newest) == 1
