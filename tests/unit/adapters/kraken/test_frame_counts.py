"""Counts of broken frames: every one is counted, the log hears of a kind once a minute."""

import logging

import pytest

from simple_trader.adapters.kraken.frame_counts import Bad, FrameCounts, Odd


def test_each_is_counted_by_connection_and_reason() -> None:
    counts = FrameCounts()
    for _ in range(3):
        counts.add("public", Bad.NOT_JSON, "", "x", 0.0)
    counts.add("private", Bad.GAP, "executions", "x", 0.0)
    counts.add("public", Odd.WORD, "status", "party", 0.0)
    assert counts.counts() == {
        "private.gap": 1,
        "public.not_json": 3,
        "public.unknown_word": 1,
    }
    assert counts.bad_frames == 4  # an unknown word was understood as far as was needed


def test_the_log_hears_of_a_kind_once_a_minute_with_what_it_missed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counts = FrameCounts()
    with caplog.at_level(logging.WARNING):
        for second in range(61):
            counts.add("public", Bad.NOT_JSON, "", "proxy", float(second))
        counts.add("public", Bad.CHECKSUM, "book BTC/USD", "crc", 61.0)
    assert len(caplog.records) == 3
    assert "59 more like it" in caplog.records[1].getMessage()


def test_an_exchange_that_invents_words_does_not_fill_our_memory() -> None:
    counts = FrameCounts()
    for number in range(2000):
        counts.add("public", Bad.UNKNOWN_CHANNEL, f"channel{number}", "x", float(number))
    assert len(counts._said) <= 256
    assert counts.counts() == {"public.unknown_channel": 2000}


def test_a_long_frame_is_not_logged_whole(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        FrameCounts().add("public", Bad.NOT_JSON, "", "x" * 10_000, 0.0)
    assert len(caplog.records[0].getMessage()) < 400
