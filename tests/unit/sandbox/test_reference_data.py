"""What a market tells of its pairs and its past, on the instrument channel and over REST."""

import json
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
import sandbox_parts as parts

from simple_trader.sandbox import feeds
from simple_trader.sandbox.candles import INTERVALS
from simple_trader.sandbox.exchange import Exchange
from simple_trader.simulator.instruments import INSTRUMENT_BY_SYMBOL

ODD = ("PAXG/USD", "ACA/EUR", "MON/USD", "KTA/USD", "XMR/EUR", "ETH/BTC", "USDT/USD", "BTC/USD")
SECOND, MINUTE = 1_000_000, 60_000_000


@cache
def odd_world() -> Exchange:
    return parts.exchange(seed=5, pairs=ODD)


def told(text: str) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(text, parse_float=str)
    return message


def test_the_instrument_channel_tells_each_pair_s_own_step_status_and_minimums() -> None:
    data = told(feeds.instruments(INSTRUMENT_BY_SYMBOL))["data"]
    rows = {row["symbol"]: row for row in data["pairs"]}
    assert len(rows) >= 36
    gold = rows["PAXG/USD"]
    assert (gold["price_precision"], gold["price_increment"], gold["tick_size"]) == (
        2,
        "0.05",
        "0.05",
    )
    assert rows["ETH/BTC"]["cost_min"] == "0.00002"
    assert rows["BTC/USD"]["cost_min"] == "0.50"
    assert rows["BTC/USD"]["qty_min"] == "0.00005000"
    assert {rows[name]["status"] for name in ODD} == {
        "online",
        "cancel_only",
        "post_only",
        "limit_only",
        "reduce_only",
    }
    assert not any(row["marginable"] for row in rows.values())
    assets = {row["id"]: row for row in data["assets"]}
    assert assets["MON"]["status"] == "depositonly"
    assert (assets["USD"]["precision"], assets["BTC"]["precision"]) == (4, 10)
    assert "BTC.F" not in assets
    assert {row["base"] for row in rows.values()} <= set(assets)


def test_an_instrument_update_carries_only_what_changed_at_its_present_status() -> None:
    pair = INSTRUMENT_BY_SYMBOL["BTC/USD"]
    message = told(feeds.instruments({"BTC/USD": pair}, lambda _: "post_only", "update"))
    assert message["type"] == "update"
    assert message["data"]["assets"] == []
    (row,) = message["data"]["pairs"]
    assert (row["symbol"], row["status"]) == ("BTC/USD", "post_only")


def test_asset_pairs_tell_step_status_and_the_fee_table_of_each_pair() -> None:
    _, rows = parts.public(odd_world(), "AssetPairs")
    assert rows["PAXGUSD"]["tick_size"] == "0.05"
    assert rows["ACAEUR"]["status"] == "cancel_only"
    assert rows["XETHXXBT"]["costmin"] == "0.00002"
    assert rows["XETHXXBT"]["cost_decimals"] == 10
    assert rows["XXBTZUSD"]["fees"][0] == [0, 0.40]
    assert rows["USDTZUSD"]["fees"][0] == rows["USDTZUSD"]["fees_maker"][0] == [0, 0.20]


def test_assets_tell_their_status_and_the_earn_balances() -> None:
    _, rows = parts.public(odd_world(), "Assets")
    assert rows["MON"]["status"] == "depositonly"
    assert rows["XBT.F"]["altname"] == "XBT.F"
    _, one = parts.public(odd_world(), "Assets", asset="XBT.F")
    assert list(one) == ["XBT.F"]


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize("pair", ["XBTUSD", "KTAUSD", "ACAEUR"])
def test_ohlc_is_without_holes_and_ends_with_the_running_candle(interval: int, pair: str) -> None:
    there = odd_world()
    errors, result = parts.public(there, "OHLC", pair=pair, interval=interval)
    assert errors == []
    (rows,) = (value for key, value in result.items() if key != "last")
    if pair == "ACAEUR":
        assert rows == []  # nothing was ever matched there
        return
    begins = [row[0] for row in rows]
    now = int(there.now.timestamp())
    assert begins == list(range(begins[0], begins[-1] + 1, interval * 60))
    assert begins[-1] == now // (interval * 60) * interval * 60
    assert 1 <= len(rows) <= 720
    if len(rows) > 1:
        assert result["last"] == begins[-2]
    for _, opened, high, low, close, vwap, volume, count in rows:
        prices = [Decimal(text) for text in (opened, high, low, close)]
        assert min(prices) == Decimal(low)
        assert max(prices) == Decimal(high)
        if count == 0:
            assert (vwap, volume) == ("0.0", "0.00000000")
            assert len(set(prices)) == 1
        else:
            assert Decimal(low) <= Decimal(vwap) <= Decimal(high)


def test_a_quiet_pair_has_flat_rows_and_since_gives_what_is_new() -> None:
    there = odd_world()
    _, result = parts.public(there, "OHLC", pair="KTAUSD", interval=1)
    rows = result["KTAUSD"]
    assert any(row[7] == 0 for row in rows[:-1])
    assert any(row[7] > 0 for row in rows)
    middle = rows[300][0]
    _, newer = parts.public(there, "OHLC", pair="KTAUSD", interval=1, since=middle)
    assert newer["KTAUSD"] == rows[301:]


def pages(there: Exchange, since: int, count: int) -> Iterator[list[Any]]:
    for _ in range(2000):
        _, result = parts.public(there, "Trades", pair="XBTUSD", since=since, count=count)
        yield from result["XXBTZUSD"]
        if not result["XXBTZUSD"]:
            return
        since = int(result["last"])


@pytest.mark.parametrize("count", [1, 2, 7, 1000])
def test_pages_of_trades_join_without_a_hole_or_a_double(count: int) -> None:
    there = parts.exchange(seed=5, regime="chop")
    parts.step(there, 30)
    tape = list(there.market("BTC/USD").tape)[-60:]
    assert len({entry.at for entry in tape}) < len(tape)  # several trades share a moment
    got = [row[6] for row in pages(there, (tape[0].at - 1) * 1000, count)]
    assert got == [entry.trade_id for entry in there.market("BTC/USD").tape][-len(got) :]
    assert len(got) >= 60


def test_trades_without_since_are_the_newest() -> None:
    there = odd_world()
    _, result = parts.public(there, "Trades", pair="XBTUSD", count=5)
    newest = [entry.trade_id for entry in there.market("BTC/USD").tape][-5:]
    assert [row[6] for row in result["XXBTZUSD"]] == newest
    assert isinstance(result["last"], str)
