"""Last advice: at, below and above each bound of its second use, and of its first."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from market_parts import BTC, ETH, T0, settings

from simple_trader.core.strategy.last_advice import LastAdvice, Shown, asks_anew, is_late, moved
from simple_trader.domain.marks import MarkSource

MIDS = {BTC: Decimal(50_000), ETH: Decimal(2_000)}
SHOWN = Shown(as_of=T0, config_hash="c", mids=MIDS)
LAST = LastAdvice(
    call_id="q1",
    answered_at=T0 + timedelta(seconds=5),
    shown=SHOWN,
    raw="{}",
    kind="content",
    finish_reason="stop",
    label="m",
    source=MarkSource(provider="p", model="m", template_hash="t"),
    fills=3,
)
LIMITS = settings(advice_reuse_s=900)


def anew(after_s: float = 60, *, fills: int = 3, **changes: Any) -> str | None:
    """Why one asks anew, so many seconds after what was shown."""
    now = msgspec.structs.replace(SHOWN, as_of=T0 + timedelta(seconds=after_s), **changes)
    return asks_anew(LAST, now, fills=fills, settings=LIMITS)


def test_an_answer_about_the_same_market_is_used_again() -> None:
    assert anew() is None


@pytest.mark.parametrize(("after_s", "again"), [(899.999, True), (900, False), (900.001, False)])
def test_i_38_no_answer_is_used_again_at_or_past_its_time(after_s: float, again: bool) -> None:
    assert (anew(after_s) is None) is again


def test_i_38_a_time_of_zero_never_uses_an_answer_again() -> None:
    off = settings(advice_reuse_s=0)
    assert asks_anew(LAST, SHOWN, fills=3, settings=off) is not None


@pytest.mark.parametrize(
    ("mid", "again"),
    [("50125", True), ("50125.01", False), ("49875", True), ("49874.99", False)],
)
def test_a_move_above_a_quarter_percent_asks_anew(mid: str, again: bool) -> None:
    said = anew(mids={**MIDS, BTC: Decimal(mid)})
    assert (said is None) is again
    assert again or BTC in (said or "")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fills": 4}, "filled"),
        ({"config_hash": "d"}, "configuration"),
        ({"mids": {**MIDS, "SOL/USD": Decimal(1)}}, "pairs"),
        ({"mids": {BTC: MIDS[BTC], "SOL/USD": Decimal(1)}}, "pairs"),
    ],
)
def test_whatever_else_changed_asks_anew(changes: dict[str, Any], words: str) -> None:
    assert words in (anew(**changes) or "")


def test_a_pair_that_has_no_price_now_asks_nothing_anew_about_the_others() -> None:
    assert anew(mids={BTC: MIDS[BTC]}) is None


def test_there_is_nothing_to_use_before_the_first_answer() -> None:
    assert asks_anew(None, SHOWN, fills=0, settings=LIMITS) is not None


@pytest.mark.parametrize(
    ("mid", "change"), [("50250", "0.005"), ("49750", "0.005"), ("50000", "0")]
)
def test_a_move_is_a_fraction_of_what_was_shown(mid: str, change: str) -> None:
    assert moved(MIDS, BTC, Decimal(mid)) == Decimal(change)
    assert moved({}, BTC, Decimal(mid)) == 0


@pytest.mark.parametrize(("after_s", "late"), [(29.9, False), (30, False), (30.001, True)])
def test_l15_an_answer_is_late_after_its_deadline(after_s: float, late: bool) -> None:
    assert is_late(T0, T0 + timedelta(seconds=after_s), settings(advice_deadline_s=30)) is late
