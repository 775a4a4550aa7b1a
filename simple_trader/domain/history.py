"""Public market history: trades of the tape, and spans of time that are known without a hole."""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.domain.orders import Side


class PublicTrade(msgspec.Struct, frozen=True, kw_only=True):
    """One trade of the public tape; `side` is the taker's.

    Kraken's download files name neither id nor side nor order type: these are None then.
    """

    pair: str
    at: datetime
    price: Decimal
    qty: Decimal
    side: Side | None = None
    market: bool | None = None
    trade_id: int | None = None


class Span(msgspec.Struct, frozen=True, order=True):
    """Time from `begin` on, `end` excluded."""

    begin: datetime
    end: datetime

    @property
    def empty(self) -> bool:
        """Whether no moment lies in it."""
        return self.begin >= self.end

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end - self.begin).total_seconds()
