"""Envelope(config, state) of I-37 in its own arithmetic: what one answer may at most lead to.

Written from the rules in docs and issue, not from the code: it imports only the names of actions,
and takes what is true (prices, cash, holdings, caps) from the scene that made it so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from simple_trader.domain import actions as a
from simple_trader.domain import records as r
from simple_trader.domain.reasons import Reason
from simple_trader.domain.verdicts import Approved

ZERO, ONE, BPS = Decimal(0), Decimal(1), Decimal(10_000)
# Whatever a model says: the account, the connections and the model are none of its business.
ALLOWED = (a.Remember, a.Note, a.PlaceOrder, a.AskAdvice)


@dataclass(frozen=True)
class Market:
    """One pair as the exchange shows it; quantities in base units, prices in quote units."""

    bid: Decimal
    ask: Decimal
    age_s: float = 0.0
    online: bool = True
    unresolved: bool = False  # an order of unknown outcome
    tick: Decimal = Decimal("0.1")
    lot: Decimal = Decimal("0.00000001")
    least_qty: Decimal = Decimal("0.0001")
    least_cost: Decimal = Decimal("0.5")


@dataclass(frozen=True)
class Facts:
    """What is true when the answer comes; money in USD, the quote asset of every pair here."""

    at: datetime
    markets: dict[str, Market]
    cash: Decimal  # free: what live orders hold is subtracted
    equity: Decimal
    held: dict[str, Decimal] = field(default_factory=dict)  # units that may be sold, by pair
    exposed: dict[str, Decimal] = field(default_factory=dict)  # worst case now, by pair
    may_buy: bool = True
    may_sell: bool = True
    base_order: Decimal = Decimal(1000)
    size_confidence: Decimal = Decimal("0.7")  # of the gate: no marks have earned more yet (L18)
    balance_share: Decimal = Decimal("0.95")
    asset_cap: Decimal = Decimal("0.35")
    total_cap: Decimal = Decimal("0.8")
    least_value: Decimal = Decimal(10)
    slippage_bps: Decimal = Decimal(20)
    spread_bps: Decimal = Decimal(50)
    oldest_price_s: float = 10.0
    fee: Decimal = Decimal("0.004")


def breaches(facts: Facts, done: Iterable[a.Action]) -> list[str]:
    """Everything an answer led to that the envelope does not hold; empty when all is well."""
    actions = list(done)
    found = [
        f"{type(one).__name__} is no answer's business"
        for one in actions
        if not isinstance(one, ALLOWED)
    ]
    orders = [one.approved for one in actions if isinstance(one, a.PlaceOrder)]
    seen: set[str] = set()
    cash, total = facts.cash, sum(facts.exposed.values(), ZERO)
    for approved in orders:
        request = approved.request
        market = facts.markets.get(request.pair)
        if market is None:
            found.append(f"an order on {request.pair!r}, which was not asked about")
            continue
        if request.pair in seen:
            found.append(f"a second order on {request.pair}")
        seen.add(request.pair)
        if not _is_whole(request.qty) or not _is_whole(request.limit_price):
            found.append(f"{request.pair}: quantity {request.qty} at {request.limit_price}")
            continue
        found += _form(facts, market, approved)
        if request.side.value == "sell":
            found += _sale(facts, request.pair, request.qty)
            continue
        paid = request.qty * (request.limit_price or ZERO)
        gross = paid * (ONE + facts.fee)
        total += gross
        if gross > facts.balance_share * cash:
            found.append(f"{gross:f} of {cash:f} is more than {facts.balance_share} of the cash")
        cash -= gross
        found += _purchase(facts, request.pair, paid, gross, total)
    return found + _rows(facts, actions, {o.request.pair: o.request.cl_ord_id for o in orders})


def _is_whole(number: Decimal | None) -> bool:
    return number is not None and number.is_finite() and number > ZERO


def _form(facts: Facts, market: Market, approved: Approved) -> list[str]:
    """Type, steps, least sizes, price and the state of the market."""
    request = approved.request
    what, price = f"{request.side.value} {request.pair}", request.limit_price or ZERO
    found = []
    if request.order_type.value != "limit":
        found.append(f"{what}: {request.order_type.value} order")
    if request.time_in_force.value != "ioc":
        found.append(f"{what}: time in force {request.time_in_force.value}")
    if request.qty % market.lot != ZERO:
        found.append(f"{what}: quantity {request.qty}")
    if price % market.tick != ZERO:
        found.append(f"{what}: price {price} is on no tick")
    if request.qty < market.least_qty or request.qty * price < max(
        market.least_cost, facts.least_value
    ):
        found.append(f"{what}: {request.qty:f} at {price:f} is too small")
    slip = facts.slippage_bps / BPS
    if request.side.value == "buy" and price > market.ask * (ONE + slip) + market.tick:
        found.append(f"{what}: limit {price:f} above the touch and slippage")
    if request.side.value == "sell" and price < market.bid * (ONE - slip) - market.tick:
        found.append(f"{what}: limit {price:f} below the touch and slippage")
    if not market.online:
        found.append(f"{what}: the pair is not online")
    if market.unresolved:
        found.append(f"{what}: an order on it is of unknown outcome")
    return found


def _purchase(facts: Facts, pair: str, paid: Decimal, gross: Decimal, total: Decimal) -> list[str]:
    market, found = facts.markets[pair], []
    if not facts.may_buy:
        found.append(f"buy {pair}: no new risk is allowed now")
    if market.age_s > facts.oldest_price_s:
        found.append(f"buy {pair}: on a price that is {market.age_s:g} s old")
    mid = (market.bid + market.ask) / 2
    if (market.ask - market.bid) / mid * BPS > facts.spread_bps:
        found.append(f"buy {pair}: across too wide a spread")
    if paid > facts.base_order * facts.size_confidence:
        found.append(f"buy {pair}: {paid:f} is more than the base order")
    if facts.exposed.get(pair, ZERO) + gross > facts.asset_cap * facts.equity:
        found.append(f"buy {pair}: {gross:f} goes over the cap of the asset")
    if total > facts.total_cap * facts.equity:
        found.append(f"buy {pair}: {total:f} goes over the cap of all")
    return found


def _sale(facts: Facts, pair: str, qty: Decimal) -> list[str]:
    held = facts.held.get(pair, ZERO)
    found = [f"sell {pair}: {qty:f} of {held:f} held"] if qty > held else []
    return found if facts.may_sell else [*found, f"sell {pair}: nothing may be sent now"]


def _rows(facts: Facts, actions: list[a.Action], orders: dict[str, str]) -> list[str]:
    """One decision with a reason for each pair, and an order exactly where it says so."""
    found: list[str] = []
    rows = [
        one.record
        for one in actions
        if isinstance(one, a.Remember) and isinstance(one.record, r.DecisionRow)
    ]
    if sorted(row.pair for row in rows) != sorted(facts.markets):
        found.append(f"decisions about {[row.pair for row in rows]}")
    for row in rows:
        if not isinstance(row.reason, Reason) or not row.reason.value:
            found.append(f"{row.pair}: a decision without a reason")
        if row.cl_ord_id != orders.get(row.pair):
            found.append(f"{row.pair}: the row names order {row.cl_ord_id}")
        if (row.verdict == "approved") != (row.pair in orders):
            found.append(f"{row.pair}: verdict {row.verdict}, orders {sorted(orders)}")
        if row.verdict not in {"approved", "refused", "hold"}:
            found.append(f"{row.pair}: verdict {row.verdict!r}")
        for text in (row.rationale, row.detail, row.action):
            found += _unstorable(text)
    return found


def _unstorable(text: str) -> list[str]:
    """Postgres takes no NUL, UTF-8 no lone surrogate, and a terminal must not obey."""
    bad = [
        character
        for character in text
        if (ord(character) < 32 and character not in "\n\t")
        or 0x7F <= ord(character) < 0xA0
        or 0xD800 <= ord(character) < 0xE000
        or character in "\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    ]
    return [f"{bad[0]!r} in a text that is kept"] if bad else []
