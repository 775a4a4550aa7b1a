"""Orders of a client without any opinion, and what it is told of them."""

from decimal import Decimal
from typing import Any

from faulty_sandbox import There

BTC = "BTC/USD"


def price(there: There, part: str = "0.9") -> float:
    """A price at a part of the market's, on BTC's step."""
    market = there.exchange.market(BTC)
    return float((Decimal(market.bid) / 10 * Decimal(part)).quantize(Decimal("0.1")))


def order(kind: str = "market", qty: float = 0.001, **more: Any) -> dict[str, Any]:
    """The parameters of a buy of BTC."""
    return {"order_type": kind, "side": "buy", "symbol": BTC, "order_qty": qty, **more}


def resting(there: There, qty: float = 0.01, **more: Any) -> dict[str, Any]:
    """The parameters of a buy that rests."""
    return order("limit", qty, limit_price=price(there), **more)


def told(frames: list[dict[str, Any]], channel: str = "executions") -> list[dict[str, Any]]:
    """The rows of a channel's frames."""
    return [row for frame in frames if frame.get("channel") == channel for row in frame["data"]]


def kinds(frames: list[dict[str, Any]]) -> list[str]:
    """The exec_types in order of arrival."""
    return [row["exec_type"] for row in told(frames)]


def sequences(frames: list[dict[str, Any]]) -> list[int]:
    """The sequences of the execution frames in order of arrival."""
    return [frame["sequence"] for frame in frames if frame.get("channel") == "executions"]


def orders(there: There) -> list[Any]:
    """All orders as they really are."""
    return list(there.exchange.venue.state.orders.values())
