"""How the generated pairs behave: every pair of the table has a nature, every cross its legs."""

from simple_trader.sandbox.characters import CROSS, FREE, needed_for
from simple_trader.simulator.instruments import DEFAULT_SYMBOLS, INSTRUMENT_BY_SYMBOL


def test_every_pair_of_the_table_is_either_free_or_a_cross() -> None:
    for symbol in INSTRUMENT_BY_SYMBOL:
        assert (symbol in FREE) != (symbol in CROSS), symbol


def test_a_cross_has_its_own_assets_over_dollars_as_legs() -> None:
    for symbol, cross in CROSS.items():
        base, quote = symbol.split("/")
        assert (cross.base, cross.quote) == (f"{base}/USD", f"{quote}/USD")
        assert cross.base in FREE
        assert cross.quote in FREE


def test_legs_come_along_unasked_and_each_once() -> None:
    assert needed_for(["ETH/BTC", "BTC/EUR"]) == ["BTC/USD", "ETH/USD", "EUR/USD"]
    assert needed_for(list(DEFAULT_SYMBOLS)) == list(DEFAULT_SYMBOLS)


def test_the_smallest_order_is_a_few_dollars_at_the_first_price() -> None:
    for symbol, nature in FREE.items():
        pair = INSTRUMENT_BY_SYMBOL.get(symbol)
        if pair is None or pair.status != "online":
            continue
        assert 0.3 < float(pair.qty_min) * nature.price < 30, symbol
