"""The table of pairs: large enough, consistent, and with the odd ones that clients must survive."""

from collections import Counter
from decimal import Decimal

from simple_trader.simulator.fees import FEE_TABLES
from simple_trader.simulator.instruments import ASSETS, INSTRUMENTS


def test_the_table_holds_at_least_thirty_real_pairs_in_seven_quotes() -> None:
    assert len(INSTRUMENTS) >= 36
    assert len({pair.symbol for pair in INSTRUMENTS}) == len(INSTRUMENTS)
    assert len({pair.rest_id for pair in INSTRUMENTS}) == len(INSTRUMENTS)
    quotes = Counter(pair.quote for pair in INSTRUMENTS)
    assert set(quotes) == {"USD", "EUR", "GBP", "USDT", "USDC", "BTC", "ETH"}
    assert len({asset.rest_id for asset in ASSETS}) == len(ASSETS)


def test_names_are_kraken_s_old_and_new() -> None:
    named = {pair.symbol: pair for pair in INSTRUMENTS}
    wanted = {
        "BTC/USD": ("XXBTZUSD", "XBTUSD", "XBT/USD"),
        "DOGE/USDT": ("XDGUSDT", "XDGUSDT", "XDG/USDT"),
        "ETH/BTC": ("XETHXXBT", "ETHXBT", "ETH/XBT"),
        "SOL/BTC": ("SOLXBT", "SOLXBT", "SOL/XBT"),
        "USDT/USD": ("USDTZUSD", "USDTUSD", "USDT/USD"),
        "EUR/USD": ("ZEURZUSD", "EURUSD", "EUR/USD"),
    }
    for symbol, names in wanted.items():
        pair = named[symbol]
        assert (pair.rest_id, pair.altname, pair.wsname) == names


def test_every_row_is_usable() -> None:
    for pair in INSTRUMENTS:
        assert pair.increment_ticks >= 1
        assert pair.price_increment == pair.tick * pair.increment_ticks
        assert pair.qty_min > 0
        assert pair.cost_min > 0
        assert pair.fee_table in FEE_TABLES
        assert not pair.marginable


def test_some_pairs_do_not_trade_freely_and_one_asset_takes_deposits_only() -> None:
    odd = {pair.symbol: pair.status for pair in INSTRUMENTS if pair.status != "online"}
    assert odd == {
        "ACA/EUR": "cancel_only",
        "MON/USD": "post_only",
        "KTA/USD": "limit_only",
        "XMR/EUR": "reduce_only",
    }
    assert {asset.status for asset in ASSETS} >= {"enabled", "depositonly", "withdrawalonly"}


def test_stablecoins_and_currencies_have_a_lower_fee_table_of_their_own() -> None:
    stable = {pair.symbol for pair in INSTRUMENTS if pair.fee_table == "stable"}
    assert stable >= {"USDT/USD", "USDC/USD", "EUR/USD", "GBP/USD", "USDC/USDT"}
    assert FEE_TABLES["stable"][0].taker_pct < FEE_TABLES["crypto"][0].taker_pct
    assert FEE_TABLES["crypto"][0].maker_pct == Decimal("0.25")
