"""Events of the market and of the feeds that show it."""

import msgspec

from simple_trader.domain.instruments import PairRules, VenueStatus
from simple_trader.domain.quotes import BookSummary, Candle, Quote


class QuoteSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A ticker message."""

    quote: Quote


class BookSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A throttled summary of a verified book."""

    book: BookSummary


class BookLost(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A book failed or its feed ended: the pair is untrusted until the next BookSeen."""

    pair: str
    detail: str


class CandleSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A running or finished candle; an earlier one is final when a later one arrives."""

    candle: Candle


class InstrumentSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The exchange changed the rules of a pair."""

    rules: PairRules


class VenueStatusSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The exchange said in what state it is."""

    status: VenueStatus


class VenueWarned(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Something about a connection that people should know: late data, a refused subscription.

    `value` is in seconds for `late` and `clock_skew`; `over` says that it has passed.
    """

    feed: str
    kind: str
    detail: str
    value: float | None = None
    over: bool = False


class VenueAnnounced(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The exchange announced a maintenance or an emergency and advises what to do until it is over.

    `action` is reduce, cancel, stop or disconnect, each with all before it.
    """

    action: str
    detail: str


class FeedUp(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A feed is subscribed and delivers: `public`, `private` or `book`."""

    feed: str


class FeedDown(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A feed is gone."""

    feed: str
    detail: str
    disabled: bool = False
