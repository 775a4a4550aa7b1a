"""The repeated-execution throttle counts fills of one kind within ten minutes."""

from datetime import timedelta

from brain_desk import T0

from simple_trader.core.risk.repeats import FILLED_MAX, Repeats


def test_pt6_the_thirtieth_fill_of_a_kind_within_ten_minutes_is_one_too_many() -> None:
    repeats = Repeats()
    moments = [T0 + timedelta(seconds=20 * n) for n in range(FILLED_MAX)]
    assert [repeats.note("ai BTC/USD buy", at) for at in moments] == [False] * 29 + [True]


def test_pt6_slower_fills_and_those_of_another_kind_are_no_loop() -> None:
    repeats = Repeats()
    for n in range(200):
        at = T0 + timedelta(seconds=30 * n)
        assert not repeats.note("ai BTC/USD buy", at)
        assert not repeats.note("ai BTC/USD sell", at)
    assert len(repeats.filled["ai BTC/USD buy"]) <= FILLED_MAX


def test_pt6_after_a_resume_it_counts_anew() -> None:
    repeats = Repeats()
    for _ in range(FILLED_MAX - 1):
        repeats.note("k", T0)
    repeats.forget()
    assert not repeats.note("k", T0)
