"""Shown: what a prompt told of limits and of the words of others is kept, and never used."""

import re
from pathlib import Path

import msgspec

from simple_trader.domain.shown import MAX_SOURCE, MAX_TEXT, MAX_TEXTS, OutsideText, ShownLimits

CORE = Path(__file__).resolve().parents[3] / "simple_trader" / "core"


def test_limits_and_texts_come_back_from_json_as_they_were() -> None:
    limits = ShownLimits(
        min_confidence=0.1 + 0.2,
        max_risk_level="medium",
        min_expected_move_pct=0.02,
        max_asset_exposure=1 / 3,
        max_total_exposure=0.8,
        interval_s=900,
    )
    text = OutsideText(source="news", text='a "quoted"\n``` \U0001f600 word')
    for value in (limits, text):
        assert msgspec.json.decode(msgspec.json.encode(value), type=type(value)) == value


def test_texts_are_bounded_so_that_a_row_and_a_prompt_stay_small() -> None:
    assert MAX_TEXTS * (MAX_TEXT + MAX_SOURCE) < 5_000


def test_l21_nothing_of_the_brain_reads_back_what_was_shown() -> None:
    """Limits and texts are made in two places; sizes, gates and risk never see them."""
    users = {
        str(path.relative_to(CORE))
        for path in CORE.rglob("*.py")
        if re.search(r"domain\.shown|ShownLimits|\.limits\.", path.read_text(encoding="utf-8"))
    }
    assert users == {"strategy/aggregator.py", "reactions/cycle.py"}
