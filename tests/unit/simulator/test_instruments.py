"""Pairs and assets."""

from decimal import Decimal

import pytest

from simple_trader.simulator.instruments import (
    ASSET_BY_NAME,
    INSTRUMENT_BY_SYMBOL,
    INSTRUMENTS,
    find_asset,
    find_pair,
)

BTC = INSTRUMENT_BY_SYMBOL["BTC/USD"]


@pytest.mark.parametrize("name", ["XXBTZUSD", "XBTUSD", "XBT/USD", "BTC/USD", "btc/usd"])
def test_a_pair_is_found_by_each_of_kraken_s_names(name: str) -> None:
    assert find_pair(name, INSTRUMENT_BY_SYMBOL) is BTC


@pytest.mark.parametrize("name", ["XXBT", "XBT", "BTC"])
def test_an_asset_is_found_by_each_of_kraken_s_names(name: str) -> None:
    assert find_asset(name) is ASSET_BY_NAME["BTC"]


def test_a_stranger_is_not_found() -> None:
    assert find_pair("NOPE", INSTRUMENT_BY_SYMBOL) is None
    assert find_asset("NOPE") is None


def test_prices_and_quantities_become_whole_numbers_or_nothing() -> None:
    assert BTC.ticks_of(Decimal("61250.5")) == 612_505
    assert BTC.ticks_of(Decimal("61250.55")) is None
    assert BTC.lots_of(Decimal("0.00000001")) == 1
    assert BTC.lots_of(Decimal("0.000000001")) is None
    for hostile in ("NaN", "Infinity", "1E+400", "1E-400"):
        assert BTC.ticks_of(Decimal(hostile)) is None


def test_ticks_and_lots_go_there_and_back_with_all_digits() -> None:
    assert str(BTC.price_of(452_810)) == "45281.0"
    assert str(BTC.qty_of(100_000)) == "0.00100000"


def test_every_ledger_can_hold_every_lot_of_its_pair_exactly() -> None:
    for pair in INSTRUMENTS:
        assert ASSET_BY_NAME[pair.base].precision >= pair.qty_precision
        assert pair.lots_of(pair.qty_min) is not None
