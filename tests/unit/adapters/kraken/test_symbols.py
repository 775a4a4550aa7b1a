"""Names: XBT is BTC and XDG is DOGE, whichever of four worlds a name comes from."""

import pytest
from kraken_parts import symbols

from simple_trader.adapters.kraken.symbols import Symbols, modern, modern_pair


@pytest.mark.parametrize("name", ["XXBTZUSD", "XBTUSD", "XBT/USD", "BTC/USD"])
def test_every_name_of_the_bitcoin_pair_is_one_pair(name: str) -> None:
    assert symbols().pair(name) == "BTC/USD"


@pytest.mark.parametrize("name", ["XDGUSD", "XDG/USD", "DOGE/USD"])
def test_every_name_of_the_dogecoin_pair_is_one_pair(name: str) -> None:
    assert symbols().pair(name) == "DOGE/USD"


@pytest.mark.parametrize(
    ("name", "asset"),
    [
        ("XXBT", "BTC"),
        ("XBT", "BTC"),
        ("BTC", "BTC"),
        ("ZUSD", "USD"),
        ("XXDG", "DOGE"),
        ("XBT.F", "BTC"),
        ("XXBT.F", "BTC"),
        ("USD.HOLD", "USD.HOLD"),
        ("XBT.S", "BTC.S"),
        ("SOL", "SOL"),
        ("SOL.F", "SOL"),
        ("ETH2.S", "ETH2.S"),
    ],
)
def test_assets_keep_their_meaning(name: str, asset: str) -> None:
    assert symbols().asset(name) == asset


def test_nothing_is_stripped_by_rule() -> None:
    assert Symbols().asset("ZRX") == "ZRX"
    assert Symbols().asset("XTZ") == "XTZ"


def test_legacy_names_are_modernised_without_a_map() -> None:
    assert modern("XBT") == "BTC"
    assert modern("XBT.M") == "BTC.M"
    assert modern_pair("ETH/XBT") == "ETH/BTC"
    assert Symbols().pair("XBT/EUR") == "BTC/EUR"


def test_rest_is_asked_by_altname_where_it_is_known() -> None:
    assert symbols().altname("BTC/USD") == "XBTUSD"
    assert symbols().altname("SOL/USD") == "SOL/USD"
