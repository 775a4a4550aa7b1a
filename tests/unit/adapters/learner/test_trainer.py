"""Training: labels come from later rows only, and scores from a model that never saw them."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from simple_trader.adapters.learner.rows import TrainingRow
from simple_trader.adapters.learner.trainer import TooFewRows, clean, label, train

START = datetime(2026, 3, 2, tzinfo=UTC)
FAR = START + timedelta(days=30)


def row(minute: float, mid: str, pair: str = "BTC/USD", **features: float | None) -> TrainingRow:
    at = START + timedelta(minutes=minute)
    return TrainingRow(pair=pair, as_of=at, mid=Decimal(mid), features=features)


def labelled(
    rows: list[TrainingRow], horizon_s: int = 300, until: datetime = FAR
) -> list[tuple[float, int, float]]:
    """(minute of the row, outcome, minute at which it was known), in order."""
    by_pair, _ = clean(rows, since=START, until=until)
    found = label(by_pair, cycles=1, cycle_s=horizon_s)
    minute = timedelta(minutes=1)
    return sorted(
        ((it.row.as_of - START) / minute, it.outcome, (it.known_at - START) / minute)
        for it in found
    )


def planted(count: int, share: float = 0.9, pair: str = "BTC/USD") -> list[TrainingRow]:
    """A market whose next move is told by `signal` in `share` of the cases."""
    dice = random.Random(5)
    mid, rows = Decimal(1000), []
    for number in range(count):
        rises = dice.random() < 0.5
        signal = 1.0 if (rises if dice.random() < share else not rises) else -1.0
        rows.append(
            row(number, str(mid), pair, roc_1_pct=signal, rsi_14=dice.random(), adx_14=None)
        )
        mid += 1 if rises else -1
    return rows


def test_a_row_is_labelled_by_the_first_row_at_or_after_its_horizon() -> None:
    rows = [row(0, "100"), row(4.9, "50"), row(5, "101"), row(6, "99"), row(12, "98")]
    assert labelled(rows) == [(0, 1, 5), (4.9, 1, 12), (5, 0, 12), (6, 0, 12)]


def test_a_price_long_after_the_horizon_is_no_answer() -> None:
    assert labelled([row(0, "100"), row(10, "101")]) == [(0, 1, 10)]
    assert labelled([row(0, "100"), row(10.1, "101")]) == []


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = planted(40)
    shuffled = list(rows)
    random.Random(1).shuffle(shuffled)
    assert labelled(shuffled) == labelled(rows)


def test_an_equal_mid_is_not_higher_whatever_its_digits() -> None:
    assert labelled([row(0, "100.10"), row(5, "100.1")]) == [(0, 0, 5)]


def test_digits_beyond_a_float_decide_too() -> None:
    low, high = "100.00000000000000001", "100.00000000000000002"
    assert labelled([row(0, low), row(5, high)]) == [(0, 1, 5)]


def test_pairs_are_not_mixed() -> None:
    rows = [row(0, "100"), row(5, "2000", "ETH/USD"), row(6, "99"), row(11, "1999", "ETH/USD")]
    assert labelled(rows) == [(0, 0, 6), (5, 0, 11)]


def test_no_row_or_outcome_outside_the_asked_span_is_used() -> None:
    rows = [row(-1, "1"), row(0, "100"), row(5, "101"), row(6, "102"), row(11, "103")]
    until = START + timedelta(minutes=11)
    assert labelled(rows, until=until) == [(0, 1, 5)]


def test_m02_a_row_that_knew_its_future_is_neither_learned_nor_an_outcome() -> None:
    at = START + timedelta(minutes=5)
    leak = TrainingRow(
        pair="BTC/USD",
        as_of=at,
        mid=Decimal(200),
        features={"a": 1.0},
        newest_event_at=at + timedelta(microseconds=1),
    )
    rows = [row(0, "100"), leak, row(6, "99"), row(11, "98")]
    by_pair, leaked = clean(rows, since=START, until=FAR)
    found = label(by_pair, cycles=1, cycle_s=300)
    assert leaked == 1
    assert leak not in {it.row.as_of: it.row for it in found}.values()
    assert labelled(rows) == [(0, 0, 6), (6, 0, 11)]


def test_m02_a_price_from_before_the_row_is_no_outcome_and_begins_none() -> None:
    silent = TrainingRow(
        pair="BTC/USD",
        as_of=START + timedelta(minutes=5),
        mid=Decimal(100),
        features={"a": 1.0},
        newest_event_at=START,
    )
    assert labelled([row(0, "100"), silent]) == []
    assert labelled([silent, row(10, "101")]) == []
    seen = msgspec.structs.replace(silent, newest_event_at=silent.as_of - timedelta(seconds=20))
    assert labelled([row(0, "100"), seen]) == [(0, 0, 5)]


def test_m05_of_two_rows_at_one_moment_one_counts() -> None:
    assert labelled([row(0, "100"), row(0, "100"), row(5, "101")]) == [(0, 1, 5)]


def test_a_planted_signal_is_found_and_beats_climatology() -> None:
    rows = planted(600)
    training = train(rows, since=START, until=FAR, horizons=(1,), cycle_s=60, min_rows=100)
    assert training.rows == 599
    metrics = training.metrics
    assert metrics["brier_skill"] > 0.2
    assert metrics["log_loss"] < metrics["log_loss_climatology"]
    up = training.predictor.predict_one("BTC/USD", 60, {"roc_1_pct": 1.0, "rsi_14": 0.5})
    assert up is not None
    assert up > 0.6
    assert metrics["brier_skill_60s"] == metrics["brier_skill"]


def test_noise_shows_no_skill() -> None:
    training = train(
        planted(600, 0.5), since=START, until=FAR, horizons=(1,), cycle_s=60, min_rows=100
    )
    assert training.metrics["brier_skill"] < 0.02


def test_a_row_is_scored_before_any_outcome_at_its_moment_or_later_is_learned() -> None:
    """With a horizon as long as the history nothing can be learned before the last prediction."""
    rows = planted(101)
    training = train(rows, since=START, until=FAR, horizons=(1,), cycle_s=60 * 50, min_rows=10)
    long = train(rows[:52], since=START, until=FAR, horizons=(1,), cycle_s=60 * 50, min_rows=1)
    assert long.rows == 2
    assert long.metrics["brier"] == 0.25, "both were predicted by a model that knew nothing"
    assert training.rows == 51


def test_too_few_rows_are_said_in_numbers() -> None:
    with pytest.raises(TooFewRows) as error:
        train(planted(50), since=START, until=FAR, horizons=(1,), cycle_s=60, min_rows=50)
    assert str(error.value) == "49 of 50 snapshots have an outcome, 50 are needed"
    with pytest.raises(TooFewRows):
        train([], since=START, until=FAR, horizons=(1,), cycle_s=60, min_rows=0)


def test_a_run_ends_when_the_daemon_is_gone() -> None:
    with pytest.raises(TooFewRows):
        train(
            planted(50),
            since=START,
            until=FAR,
            horizons=(1,),
            cycle_s=60,
            min_rows=1,
            go_on=lambda: False,
        )


def test_the_same_history_gives_the_same_model() -> None:
    one, two = (
        train(
            planted(200), since=START, until=FAR, horizons=(1,), cycle_s=60, min_rows=1
        ).predictor.to_blob()
        for _ in range(2)
    )
    assert one == two
