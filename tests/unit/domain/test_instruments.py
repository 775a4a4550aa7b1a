"""Pairs are told apart by their v2 names; unknown words of the exchange are no permission."""

import pytest

from simple_trader.domain.instruments import PairStatus, VenueStatus, base_of, quote_of


@pytest.mark.parametrize(
    ("pair", "base", "quote"), [("BTC/USD", "BTC", "USD"), ("ETH/BTC", "ETH", "BTC")]
)
def test_a_pair_names_base_and_quote(pair: str, base: str, quote: str) -> None:
    assert (base_of(pair), quote_of(pair)) == (base, quote)


@pytest.mark.parametrize("kind", [PairStatus, VenueStatus])
def test_there_is_a_word_for_what_we_do_not_know(kind: type[PairStatus | VenueStatus]) -> None:
    assert kind("unknown") is kind.UNKNOWN
    assert kind.UNKNOWN is not kind.ONLINE
