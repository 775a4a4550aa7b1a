"""The connections of the exchange: who listens to what, and how a market moment reaches them."""

from typing import Any

from simple_trader.sandbox import feeds
from simple_trader.sandbox.market import TapeTrade
from simple_trader.sandbox.moment import PairMoment, Told
from simple_trader.sandbox.session import Session
from simple_trader.simulator.dice import stream_key
from simple_trader.simulator.reports import PairChanged, Report, SystemChanged


class Hall:
    """All open connections; feeds and frames that several share are made once."""

    def __init__(self, floor: Told, key: int) -> None:
        self._floor = floor
        self._key = key
        self._opened = 0
        self._sessions: dict[int, Session] = {}
        self._feeds: dict[tuple[str, int], feeds.BookFeed] = {}

    @property
    def sessions(self) -> list[Session]:
        """The open connections, oldest first."""
        return list(self._sessions.values())

    def open(self, *, private: bool) -> Session:
        """Open a connection; its id is beyond 2**63."""
        self._opened += 1
        number = (1 << 63) | (stream_key(self._key, self._opened) >> 2)
        session = Session(self._floor, number, private=private)
        self._sessions[number] = session
        return session

    def close(self, session: Session) -> None:
        """Forget a connection."""
        self._sessions.pop(session.connection_id, None)

    def beat(self, now: float) -> None:
        """Let every connection's heart beat; `now` in seconds."""
        for session in self._sessions.values():
            session.beat(now)

    def announce(self, **notice: Any) -> None:
        """Tell every connection the status, with more fields than usual."""
        for session in self._sessions.values():
            session.tell_status(**notice)

    def feed(self, symbol: str, depth: int) -> feeds.BookFeed:
        """Give the shared book feed of a pair and depth."""
        feed = self._feeds.get((symbol, depth))
        if feed is None:
            floor = self._floor
            pair, book = floor.pairs[symbol], floor.book(symbol)
            feed = feeds.BookFeed(pair, depth, book, floor.now_us())
            self._feeds[symbol, depth] = feed
        return feed

    def tell_report(self, report: Report) -> None:
        """Tell the connections whom a report concerns."""
        if isinstance(report, SystemChanged):
            self.announce()
        elif isinstance(report, PairChanged):
            for session in self._sessions.values():
                session.on_pair(report.symbol)
        else:
            for session in self._sessions.values():
                if session.private:
                    session.on_report(report)

    def tell_market(self, symbol: str, trades: list[TapeTrade]) -> None:
        """Tell the followers of a pair what one moment changed."""
        listening = [s for s in self._sessions.values() if s.follows(symbol)]
        if not listening:
            self._drop_feeds(symbol, set())
            return
        moment = PairMoment(self._floor, symbol, self._floor.now_us(), trades)
        for session in listening:
            session.on_moment(moment)
        self._floor.told[symbol] = moment.told()
        self._drop_feeds(symbol, {session.books.get(symbol) for session in listening})

    def _drop_feeds(self, symbol: str, wanted: set[int | None]) -> None:
        # A feed that nobody follows would fall behind its book: the next subscriber gets a new one.
        for key in [key for key in self._feeds if key[0] == symbol and key[1] not in wanted]:
            del self._feeds[key]
