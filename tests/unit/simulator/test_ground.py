"""What the venue stands on."""

from collections.abc import Iterator
from decimal import Decimal

import venue_parts as parts
from venue_parts import NOON, place, sold, stop

from simple_trader.simulator.accounts import AccountSpec
from simple_trader.simulator.instruments import INSTRUMENT_BY_SYMBOL
from simple_trader.simulator.liquidity import ASK, BID
from simple_trader.simulator.venue import Venue, new_state


class Feed:
    """A followed book of one level a side that remembers what was eaten."""

    def __init__(self) -> None:
        self.levels = {BID: (650_000, 5_000_000), ASK: (650_010, 5_000_000)}

    def market_levels(self, side: int) -> Iterator[tuple[int, int]]:
        """Walk a side."""
        tick, lots = self.levels[side]
        if lots:
            yield tick, lots

    def queue_at(self, side: int, tick: int) -> int:
        """Give the lots at a price."""
        return self.levels[side][1] if tick == self.levels[side][0] else 0

    def eat(self, side: int, tick: int, lots: int) -> None:
        """Take lots out of a level."""
        self.levels[side] = (tick, self.levels[side][1] - lots)


def followed() -> tuple[Venue, Feed]:
    feed = Feed()
    there = Venue(new_state(3, parts.accounts("main")), dict(INSTRUMENT_BY_SYMBOL))
    there.use_book("BTC/USD", feed)
    return there, feed


def test_a_book_from_outside_is_walked_and_eaten_like_the_generated_one() -> None:
    there, feed = followed()
    reports = there.apply(place(qty="0.06"), NOON)
    assert parts.kinds(reports) == ["Opened", "Traded", "Closed"]
    assert there.state.trades[0].qty == Decimal("0.05")
    assert feed.levels[ASK] == (650_010, 0)
    parts.check(there)


def test_an_order_behind_a_followed_level_moves_forward_by_trades_at_its_price_only() -> None:
    there, feed = followed()
    order_id = parts.opened(there.apply(place(qty="0.01", price="65000.0"), NOON))
    assert there.open[order_id].queue_lots == 5_000_000
    feed.levels[BID] = (650_000, 1)
    assert there.on_prints("BTC/USD", NOON, ()) == []
    assert there.on_prints("BTC/USD", NOON, (sold(650_000, 4_999_999),)) == []
    filled = there.on_prints("BTC/USD", NOON, (sold(650_000, 500_001),))
    assert parts.kinds(filled) == ["Traded"]
    feed.levels[ASK] = (649_990, 10**9)
    crossed = there.on_prints("BTC/USD", NOON, ())
    assert parts.kinds(crossed) == ["Traded", "Closed"]
    assert there.state.trades[-1].price == Decimal("65000.0")


def test_an_order_rests_on_when_its_book_is_handed_in_again() -> None:
    there, _ = followed()
    there.apply(place(qty="0.01", price="65000.0"), NOON)
    there.apply(stop("sell", "stop-loss", "64000.0"), NOON)
    again = parts.again(there)
    assert "BTC/USD" not in again.books
    again.use_book("BTC/USD", Feed())
    assert again.books["BTC/USD"].best_own(BID) == 650_000
    assert len(again.waiting["BTC/USD"]) == 1


def test_the_last_price_is_that_of_the_tape_and_the_index_that_of_the_quotes() -> None:
    there = parts.venue()
    assert there.reference("BTC/USD", "last") == Decimal("65000.5")
    parts.step(there, 650_100, sold(650_070), sold(650_080))
    assert there.reference("BTC/USD", "last") == Decimal("65008.0")
    assert there.reference("BTC/USD", "index") == Decimal("65010.5")
    assert there.reference("ETH/USD", "index") is None


def test_a_dollar_rate_comes_from_the_shell_the_books_or_is_one() -> None:
    told = {"EUR": Decimal("1.08")}
    state = new_state(3, [AccountSpec()])
    there = Venue(state, dict(INSTRUMENT_BY_SYMBOL), usd_rate=told.get)
    assert there.usd_rate("EUR") == Decimal("1.08")
    assert there.usd_rate("USD") == there.usd_rate("GBP") == 1
    there.on_market("GBP/USD", NOON, 127_000, 127_002, ())
    assert there.usd_rate("GBP") == Decimal("1.27001")


def test_accounts_see_only_what_is_theirs() -> None:
    there = parts.venue()
    mine = parts.opened(there.apply(place(price="60000.0", cl_ord_id="a"), NOON))
    theirs = parts.opened(there.apply(place(price="60000.0", cl_ord_id="a", account="other"), NOON))
    assert [order.order_id for order in there.open_of("main")] == [mine]
    assert [order.order_id for order in there.orders_of("other")] == [theirs]
    found = there.find_open("other", "a")
    assert found is not None
    assert found.order_id == theirs
    assert there.available("main", "USD") == there.available("other", "USD") < 100_000
    assert there.max_rate_count("main") == 125
