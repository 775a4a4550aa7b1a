"""A case for the rules before an order that every rule agrees with, and its intent."""

from typing import Any

from brain_desk import BTC, T0, D, quote, rules, settings

from simple_trader.core.risk.case import Case
from simple_trader.core.risk.exposure import Exposure
from simple_trader.domain.instruments import VenueStatus
from simple_trader.domain.orders import Intent, OrderType, Origin, Side, TimeInForce
from simple_trader.domain.reasons import Reason


def intent(side: str = "buy", **changes: Any) -> Intent:
    """An intent for 0.002 BTC near 50000, with changes."""
    values: dict[str, Any] = {
        "origin": Origin.AI,
        "owner": "ai",
        "pair": BTC,
        "side": Side(side),
        "order_type": OrderType.LIMIT,
        "qty": D("0.002"),
        "price": D("50010.0"),
        "time_in_force": TimeInForce.IOC,
        "post_only": False,
        "reason": Reason.BIAS_BUY,
        "mid": D(50000),
    }
    return Intent(**{**values, **changes})


def case(side: str = "buy", **changes: Any) -> Case:
    """A case that every rule agrees with, with changes; `intent__x` changes the intent."""
    wanted = {key[8:]: changes.pop(key) for key in list(changes) if key.startswith("intent__")}
    values: dict[str, Any] = {
        "intent": intent(side, **wanted),
        "at": T0,
        "settings": settings(),
        "trading_state": "RUN",
        "causes": (),
        "stopping": False,
        "day_stopped": False,
        "rules": rules(BTC),
        "venue": VenueStatus.ONLINE,
        "quote": quote(BTC, "49999.5", "50000.5", T0),
        "book_trusted": True,
        "unknown_order": None,
        "guarded_since": None,
        "candle_begin": T0,
        "taker": D("0.004"),
        "quote_rate": D(1),
        "spendable_base": D(1),
        "spendable_quote": D(1000),
        "exposure": Exposure({}, ()),
        "equity": D(1000),
        "reference": D(50000),
    }
    return Case(**{**values, **changes})
