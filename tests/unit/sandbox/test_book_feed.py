"""The book feed, followed by a client that keeps section 4.2 of the protocol and nothing else."""

import json
import zlib
from datetime import timedelta
from decimal import Decimal
from functools import cache

import pytest
import sandbox_parts as parts

from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.feeds import DEPTHS
from simple_trader.sandbox.regimes import SCRIPTS
from simple_trader.simulator.liquidity import ASK, BID
from simple_trader.simulator.orders import CancelAll, Place

SYMBOL = "BTC/USD"


def token(text: str) -> str:
    return text.replace(".", "").lstrip("0")


class Follower:
    """A client's book: texts as they came, cut to the depth after each message."""

    def __init__(self, depth: int, truncates: bool = True) -> None:
        self.depth = depth
        self.truncates = truncates
        self.bids: dict[str, str] = {}
        self.asks: dict[str, str] = {}
        self.messages = self.deletions = self.wrong = 0

    def take(self, frame: str) -> None:
        message = json.loads(frame, parse_float=str, parse_int=str)
        if message.get("channel") != "book":
            return
        (row,) = message["data"]
        if message["type"] == "snapshot":
            self.bids, self.asks = {}, {}
        for side, entries in ((self.bids, row["bids"]), (self.asks, row["asks"])):
            for entry in entries:
                if Decimal(entry["qty"]) == 0:
                    self.deletions += 1
                    assert side.pop(entry["price"], None) is not None, "deletion of the unknown"
                else:
                    side[entry["price"]] = entry["qty"]
        self.bids = self.cut(self.bids, best_first=True)
        self.asks = self.cut(self.asks, best_first=False)
        self.messages += 1
        self.wrong += self.checksum() != int(row["checksum"])

    def cut(self, side: dict[str, str], best_first: bool) -> dict[str, str]:
        ordered = sorted(side.items(), key=lambda level: Decimal(level[0]), reverse=best_first)
        return dict(ordered[: self.depth] if self.truncates else ordered)

    def checksum(self) -> int:
        levels = [*list(self.asks.items())[:10], *list(self.bids.items())[:10]]
        return zlib.crc32("".join(token(price) + token(qty) for price, qty in levels).encode())


@cache
def saved(regime: str) -> Exchange:
    return parts.exchange(regime=regime, seed=3)


def follow(
    there: Exchange, depth: int, steps: int, truncates: bool = True, symbol: str = SYMBOL
) -> Follower:
    """Follow a book for some steps; each message is compared with the whole book."""
    session = there.open_session(private=False)
    session.outgoing()
    subscribe = {"channel": "book", "symbol": [symbol], "depth": depth}
    session.receive(json.dumps({"method": "subscribe", "params": subscribe}))
    follower = Follower(depth, truncates)
    for step in range(steps):
        if step:
            there.advance(there.now + timedelta(seconds=1))
        for frame in session.outgoing():
            follower.take(frame)
        if truncates and step % 10 == 0:
            same_as_the_book(there, follower, symbol)
    there.close_session(session)
    return follower


def same_as_the_book(there: Exchange, follower: Follower, symbol: str) -> None:
    pair, book = there.pairs[symbol], there.book(symbol)
    for side, held in ((BID, follower.bids), (ASK, follower.asks)):
        levels = [
            (f"{pair.price_of(tick):f}", f"{pair.qty_of(lots):f}")
            for tick, lots in book.top(side, follower.depth)
        ]
        assert list(held.items()) == levels


@pytest.mark.parametrize("regime", list(SCRIPTS))
@pytest.mark.parametrize(("depth", "steps"), [(10, 900), (25, 400), (100, 120)])
def test_every_checksum_holds_in_every_weather(regime: str, depth: int, steps: int) -> None:
    follower = follow(saved(regime), depth, steps)
    assert follower.messages > steps * 0.9
    assert follower.deletions > steps / 10
    assert follower.wrong == 0


@pytest.mark.parametrize("depth", DEPTHS)
def test_every_depth_is_the_whole_book_cut_there(depth: int) -> None:
    follower = follow(saved("mixed"), depth, 40 if depth >= 500 else 200)
    assert follower.wrong == 0
    assert len(follower.bids) == len(follower.asks) == depth


def test_a_side_that_is_shorter_than_the_depth_grows_and_shrinks_by_told_levels() -> None:
    there = saved("thin")
    lengths: set[int] = set()
    session = there.open_session(private=False)
    subscribe = {"channel": "book", "symbol": [SYMBOL], "depth": 25}
    session.receive(json.dumps({"method": "subscribe", "params": subscribe}))
    follower = Follower(25)
    for _ in range(2500):
        there.advance(there.now + timedelta(seconds=1))
        for frame in session.outgoing():
            follower.take(frame)
        lengths.update((len(follower.bids), len(follower.asks)))
    assert follower.wrong == 0
    assert min(lengths) < 10
    assert max(lengths) == 25


def test_a_client_that_does_not_cut_to_the_depth_is_found_out() -> None:
    assert follow(saved("mixed"), 10, 300, truncates=False).wrong > 30


def test_own_orders_and_eaten_levels_are_told_and_checked_like_any_other() -> None:
    there = parts.exchange(seed=3, capital=Decimal(10_000_000))
    session = there.open_session(private=False)
    subscribe = {"channel": "book", "symbol": [SYMBOL], "depth": 10}
    session.receive(json.dumps({"method": "subscribe", "params": subscribe}))
    follower = Follower(10)
    for step in range(400):
        book, pair = there.book(SYMBOL), there.pairs[SYMBOL]
        best = book.top(BID, 1)[0][0]
        order = Place(symbol=SYMBOL, side="buy", order_type="market", qty=Decimal(3))
        if step % 3:
            away = Decimal(step % 60)
            order = Place(
                symbol=SYMBOL,
                side="buy",
                order_type="limit",
                qty=Decimal("0.5"),
                limit_price=pair.price_of(best) - away,
            )
        there.publish(there.execute(order))
        if step % 40 == 39:
            there.publish(there.execute(CancelAll()))
        there.advance(there.now + timedelta(seconds=1))
        for frame in session.outgoing():
            follower.take(frame)
        same_as_the_book(there, follower, SYMBOL)
    assert follower.messages > 480
    assert follower.wrong == 0


def test_a_pair_with_a_coarse_increment_and_one_with_nine_decimals_hold_too() -> None:
    for symbol in ("PAXG/USD", "PEPE/USD", "ETH/BTC", "DAI/USD"):
        there = parts.exchange(seed=3, pairs=(symbol,))
        follower = follow(there, 10, 300, symbol=symbol)
        assert follower.wrong == 0
        assert follower.messages > 100
