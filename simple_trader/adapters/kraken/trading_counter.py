"""Our model of the matching engine's rate counter, one for each pair (protocol section 10).

Pure: time comes in as data, in market time, in which the exchange counts. The model must never be
below the exchange's own value (I-22), so a request counts from its send and `worst` adds what may
have decayed here while it was under way.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from simple_trader.adapters.kraken.parse import KnownOrders
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Order


class TradingTier(msgspec.Struct, frozen=True):
    """Most that the counter of a pair may hold, and how much of it decays in a second."""

    limit: float
    decay_per_s: float


TIERS = (TradingTier(60, 1.0), TradingTier(125, 2.34), TradingTier(180, 3.75))
NEW_RISK_SHARE = 0.7  # PT6: the rest is for exits and cancels
LAG_S = 1.0  # longest way of a request there and of its count back that the model allows for
_CANCELLED = (OrderState.CANCELED, OrderState.PENDING_CANCEL)
_COUNT_MAX = 10_000.0  # what is above is no count

# Seconds since the order was made or last amended, and what each transaction costs below them.
_AGES_S = (5.0, 10.0, 15.0, 45.0, 90.0, 300.0)
_FIXED: Mapping[str, float] = {"add": 1, "amend": 1, "edit": 1, "cancel": 0}
_BY_AGE: Mapping[str, tuple[float, ...]] = {
    "add": (0, 0, 0, 0, 0, 0, 0),
    "amend": (3, 2, 1, 0, 0, 0, 0),
    "edit": (6, 5, 4, 2, 1, 0, 0),
    "cancel": (8, 6, 5, 4, 2, 1, 0),
}


def cost_of(transaction: str, age_s: float | None = None) -> float:
    """Cost of an `add`, `amend`, `edit` or `cancel`; an order of unknown age costs the most."""
    band = 0 if age_s is None else bisect_right(_AGES_S, age_s)
    return _FIXED[transaction] + _BY_AGE[transaction][band]


class CountData(msgspec.Struct):
    """The counter in an element of `executions`; no copy of the docs names the field."""

    order_id: str
    symbol: str | None = None
    ratecounter: float | None = None
    ratecount: float | None = None
    rate_counter: float | None = None
    rate_count: float | None = None


_TOLD = msgspec.json.Decoder(CountData, strict=False)


def told_count(raw: bytes, known: KnownOrders) -> tuple[str, float] | None:
    """(pair, value) of the counter that an element of `executions` tells, if it does."""
    try:
        data = _TOLD.decode(raw)
    except (msgspec.DecodeError, UnicodeError):
        return None
    values = (data.ratecounter, data.ratecount, data.rate_counter, data.rate_count)
    value = next((value for value in values if value is not None), None)
    pair = data.symbol or known.get(data.order_id).pair
    if value is None or pair is None or not 0 <= value <= _COUNT_MAX:
        return None
    return pair, value


class _Count(msgspec.Struct):
    value: float
    at: datetime


class TradingCounter:
    """The counters of one account; until the exchange names the tier, the lowest one holds."""

    def __init__(self) -> None:
        """All counters at zero."""
        self.tier = TIERS[0]
        self.told = 0  # values that the exchange told
        self.higher_there = 0  # how often the exchange's value was above ours
        self._counts: dict[str, _Count] = {}
        self._young: OrderedDict[str, tuple[str, datetime]] = OrderedDict()  # cl_ord_id -> since

    def learn_limit(self, limit: int) -> None:
        """`maxratecount` of the executions ack tells the tier; a new one decays as the one below.

        A limit below all known tiers is taken as it is.
        """
        known = [tier for tier in TIERS if tier.limit <= limit] or [TIERS[0]]
        self.tier = TradingTier(float(max(1, limit)), known[-1].decay_per_s)

    # -- what we send --------------------------------------------------------------------

    def placed(self, cl_ord_id: str, pair: str, at: datetime) -> None:
        """An order leaves; its age counts from here."""
        self._charge(pair, cost_of("add"), at)
        self._made(cl_ord_id, pair, at)

    def amended(self, cl_ord_id: str, pair: str, at: datetime) -> None:
        """An amend leaves; the order is young again."""
        self._charge(pair, cost_of("amend", self._age_s(cl_ord_id, at)), at)
        self._made(cl_ord_id, pair, at)

    def cancelled(self, cl_ord_id: str, pair: str, at: datetime) -> None:
        """A cancel leaves; the order may live on, so its age stays known."""
        self._charge(pair, cost_of("cancel", self._age_s(cl_ord_id, at)), at)

    def cancelled_all(self, at: datetime) -> None:
        """A cancel of everything leaves: each order that is young enough to cost is counted."""
        for cl_ord_id, (pair, _) in list(self._young.items()):
            self.cancelled(cl_ord_id, pair, at)

    def remember(self, orders: Iterable[Order]) -> None:
        """Go on from the orders of the life before: what they cost has not all decayed (I-22).

        One that was cancelled is charged for it at its last change, whoever cancelled it.
        """
        for order in sorted(orders, key=lambda order: order.approved_at):
            self.placed(order.cl_ord_id, order.request.pair, order.approved_at)
            ended = order.changed_at
            if ended is not None and order.state in _CANCELLED:
                self.cancelled(order.cl_ord_id, order.request.pair, ended)

    # -- what is left --------------------------------------------------------------------

    def worst(self, pair: str, at: datetime) -> float:
        """The most that the exchange's counter can hold now; 0 for a pair without a request."""
        value = self._value(pair, at)
        return 0.0 if pair not in self._counts else value + LAG_S * self.tier.decay_per_s

    def objection(self, pair: str, at: datetime, *, new_risk: bool) -> str | None:
        """Why an order must not leave now, or None: new risk leaves room for exits and cancels."""
        share = NEW_RISK_SHARE if new_risk else 1.0
        after, most = self.worst(pair, at) + cost_of("add"), self.tier.limit * share
        if after <= most:
            return None
        return f"{pair}: the order would bring the counter to {after:.1f} of {most:.1f}"

    # -- what the exchange says ----------------------------------------------------------

    def seen(self, pair: str, value: float, at: datetime) -> bool:
        """The exchange told its value: one above ours replaces it, is counted, and gives True.

        That happens when somebody else trades on this account, or when the model is wrong.
        """
        self.told += 1
        if value <= self.worst(pair, at):
            return False
        self.higher_there += 1
        self._counts[pair] = _Count(value, at)
        return True

    # -- parts ---------------------------------------------------------------------------

    def _value(self, pair: str, at: datetime) -> float:
        count = self._counts.get(pair)
        if count is None:
            return 0.0
        passed_s = max(0.0, (at - count.at).total_seconds())
        value = max(0.0, count.value - passed_s * self.tier.decay_per_s)
        if passed_s * self.tier.decay_per_s > count.value + LAG_S * self.tier.decay_per_s:
            del self._counts[pair]  # whatever was under way has decayed there too
        return value

    def _charge(self, pair: str, cost: float, at: datetime) -> None:
        value = self._value(pair, at)
        before = self._counts.get(pair)
        # A clock that steps back must not let the same seconds decay twice.
        since = at if before is None else max(at, before.at)
        self._counts[pair] = _Count(value + cost, since)

    def _made(self, cl_ord_id: str, pair: str, at: datetime) -> None:
        self._young[cl_ord_id] = (pair, at)
        self._young.move_to_end(cl_ord_id)
        free_at = at - timedelta(seconds=_AGES_S[-1] + LAG_S)
        while self._young and next(iter(self._young.values()))[1] < free_at:
            self._young.popitem(last=False)

    def _age_s(self, cl_ord_id: str, at: datetime) -> float | None:
        """Its age at the exchange is less than ours by the way there: the safe side."""
        made = self._young.get(cl_ord_id)
        return None if made is None else max(0.0, (at - made[1]).total_seconds() - LAG_S)
