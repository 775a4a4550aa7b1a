"""Replay of the real files: every price inside its bar, bars rebuilt exactly, data's stamps."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sandbox_parts as parts

from simple_trader.sandbox.replay_files import bars_of, scan
from simple_trader.sandbox.replay_rows import Bar
from simple_trader.sandbox.sources import SECOND, to_us

MINUTE_FILE = "BTCPERP_1m_2022-01.csv.gz"
HOUR_FILE = "XBTUSD_60.csv.gz"
NAMES = ("open", "high", "low", "close")


@pytest.mark.parametrize(
    ("name", "history_bars", "span"),
    [(MINUTE_FILE, 720, timedelta(hours=4)), (HOUR_FILE, 900, timedelta(days=5))],
)
def test_every_price_lies_inside_the_bar_of_its_stamp_and_bars_come_out_as_they_went_in(
    shared_data: Path, name: str, history_bars: int, span: timedelta
) -> None:
    path = shared_data / "market" / name
    file = scan(path)
    bars = {bar.at: bar for bar in bars_of(file)}
    minutes = file.interval // 60
    there = parts.exchange(replay=path, history_bars=history_bars, seed=11)
    assert to_us(there.now) == list(bars)[history_bars]
    session = there.open_session(private=False)
    parts.ask(session, "subscribe", channel="ticker", symbol=["BTC/USD"], event_trigger="bbo")
    history = parts.ask(session, "subscribe", channel="ohlc", symbol=["BTC/USD"], interval=minutes)
    candles = {row["interval_begin"]: row for row in history[1]["data"]}
    end, seen = there.now + span, 0
    while there.now < end:
        there.advance(min(end, there.now + timedelta(seconds=600)))
        for frame in parts.decoded(session):
            row = frame["data"][0]
            if frame["channel"] == "ohlc":
                candles[row["interval_begin"]] = row
                continue
            at = to_us(datetime.fromisoformat(row["timestamp"]))
            bar = bars[at // (file.interval * SECOND) * file.interval * SECOND]
            assert bar.low <= row["last"] <= bar.high, row
            assert row["bid"] < row["last"] < row["ask"]
            seen += 1
    assert seen > 10_000
    closed = list(candles.values())[:-1]
    assert len(closed) >= 720
    for row in closed:
        begin = datetime.fromisoformat(row["interval_begin"][:19]).replace(tzinfo=UTC)
        _same(row, bars[to_us(begin)])


def _same(row: dict[str, Decimal], bar: Bar) -> None:
    assert tuple(row[name] for name in NAMES) == tuple(bar[1:5])
    assert abs(row["volume"] - bar.volume) < Decimal("0.00000012")


def test_the_file_s_hash_is_the_world(shared_data: Path) -> None:
    path = shared_data / "market" / MINUTE_FILE
    there = parts.exchange(replay=path, history_bars=10)
    assert there.world == f"replay {scan(path).digest}"
    frame = json.loads(there.open_session(private=False).outgoing()[0])
    assert frame["channel"] == "status"
    errors, rows = parts.public(there, "AssetPairs")
    assert errors == []
    assert list(rows) == ["XXBTZUSD"]
