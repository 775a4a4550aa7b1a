"""Which pairs a new generated world has."""

from simple_trader.app.worlds import generated_pairs
from simple_trader.simulator.instruments import DEFAULT_SYMBOLS


def test_a_traded_pair_beyond_the_usual_eight_gets_a_market_beside_them() -> None:
    assert generated_pairs(("BTC/USD", "AVAX/USD")) == (*DEFAULT_SYMBOLS, "AVAX/USD")


def test_the_usual_eight_need_no_naming_and_a_pair_nobody_knows_gets_no_market() -> None:
    assert generated_pairs(("BTC/USD", "ETH/USD")) == ()
    assert generated_pairs(("BTC/USD", "NIX/USD")) == ()
