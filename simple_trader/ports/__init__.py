"""Ports: the seams between the asyncio body and the outside world, injected by `app`.

Each is a small Protocol; the real part lives in `adapters`, a virtual twin for deterministic
simulation lives in tests. Spans are transport seconds unless a name says market.
"""

from simple_trader.ports.exchange import (
    Advanced,
    Emit,
    FeedClock,
    FeedPlan,
    Feeds,
    MarketDriver,
    Venue,
    VenueReads,
)
from simple_trader.ports.minds import AdviceHistory, Advisor, Learner, Spent
from simple_trader.ports.store import Batch, Boot, Lane, MarketRows
from simple_trader.ports.world import (
    Clock,
    Dice,
    Http,
    HttpFailed,
    HttpReply,
    OpenWire,
    Wire,
    WireClosed,
)

__all__ = [
    "Advanced",
    "AdviceHistory",
    "Advisor",
    "Batch",
    "Boot",
    "Clock",
    "Dice",
    "Emit",
    "FeedClock",
    "FeedPlan",
    "Feeds",
    "Http",
    "HttpFailed",
    "HttpReply",
    "Lane",
    "Learner",
    "MarketDriver",
    "MarketRows",
    "OpenWire",
    "Spent",
    "Venue",
    "VenueReads",
    "Wire",
    "WireClosed",
]
