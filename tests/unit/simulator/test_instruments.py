"""Pairs and assets."""

from decimal import Decimal

import pytest

from simple_trader.simulator.instruments import (
    ASSET_BY_NAME,
    INSTRUMENT_BY_SYMBOL,
    INSTRUMENTS,
    assets_of,
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


def test_a_pair_is_found_by_its_v2_name_without_the_slash() -> None:
    assert find_pair("BTCUSD", INSTRUMENT_BY_SYMBOL) is BTC
    assert find_pair("dogeusd", INSTRUMENT_BY_SYMBOL) is INSTRUMENT_BY_SYMBOL["DOGE/USD"]


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


def test_a_price_is_judged_by_the_pair_s_increment_and_not_by_its_decimals() -> None:
    gold = INSTRUMENT_BY_SYMBOL["PAXG/USD"]
    assert gold.price_increment == Decimal("0.05") != gold.tick
    assert gold.ticks_of(Decimal("2648.03")) == 264_803
    assert not gold.allows_price(Decimal("2648.03"))
    assert gold.allows_price(Decimal("2648.05"))
    assert BTC.allows_price(Decimal("61250.5"))
    assert not BTC.allows_price(Decimal("61250.55"))
    assert not BTC.allows_price(Decimal("NaN"))


def test_any_name_of_any_pair_means_that_pair_alone() -> None:
    for pair in INSTRUMENTS:
        for name in (pair.symbol, pair.rest_id, pair.altname, pair.wsname):
            assert find_pair(name, INSTRUMENT_BY_SYMBOL) is pair
            assert find_pair(name.lower(), INSTRUMENT_BY_SYMBOL) is pair


def test_earn_balances_are_assets_of_their_own_but_only_where_asked_for() -> None:
    earning = find_asset("XBT.F")
    assert earning is ASSET_BY_NAME["BTC.F"]
    assert (earning.parent, earning.precision) == ("BTC", 10)
    pairs = {"BTC/USD": BTC}
    assert list(assets_of(pairs)) == ["USD", "BTC"]
    assert list(assets_of(pairs, staked=True)) == ["USD", "BTC", "BTC.F", "BTC.M", "USD.F"]
