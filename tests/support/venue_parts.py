"""A venue on the bench: two accounts and a market at 65,000.0 / 65,001.0, and short commands."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from simple_trader.simulator.accounts import AccountSpec, holds
from simple_trader.simulator.fill_model import Print
from simple_trader.simulator.instruments import INSTRUMENT_BY_SYMBOL
from simple_trader.simulator.liquidity import ASK, BID
from simple_trader.simulator.orders import Place, Trigger
from simple_trader.simulator.reports import Closed, Opened, Refused, Report
from simple_trader.simulator.rules import VenueRules
from simple_trader.simulator.venue import Venue, VenueState, new_state

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BID_TICK, ASK_TICK = 650_000, 650_010
_Kind = TypeVar("_Kind")


def accounts(*names: str, usd: str = "100000", btc: str = "2", **more: Any) -> list[AccountSpec]:
    """Accounts of the same means; `more` goes to each `AccountSpec`."""
    opening = {"USD": Decimal(usd), "BTC": Decimal(btc)}
    return [AccountSpec(name=name, opening=opening, **more) for name in names]


def venue(
    specs: Sequence[AccountSpec] | None = None, rules: VenueRules | None = None, seed: int = 7
) -> Venue:
    """A venue with one step of BTC/USD behind it; by default accounts `main` and `other`."""
    opened = new_state(seed, accounts("main", "other") if specs is None else specs)
    there = Venue(opened, dict(INSTRUMENT_BY_SYMBOL), rules)
    there.on_market("BTC/USD", NOON, BID_TICK, ASK_TICK, ())
    return there


def place(
    side: str = "buy", qty: str | None = "0.01", price: str | None = None, **more: Any
) -> Place:
    """An order of BTC/USD: limit with a price, else market, unless `more` says otherwise."""
    fields: dict[str, Any] = {
        "symbol": "BTC/USD",
        "side": side,
        "order_type": "market" if price is None else "limit",
        "qty": None if qty is None else Decimal(qty),
        "limit_price": None if price is None else Decimal(price),
    }
    return Place(**{**fields, **more})


def stop(
    side: str, kind: str, price: str, *, limit: str | None = None, qty: str = "0.01", **more: Any
) -> Place:
    """A triggered order; `price_type` and `reference` in `more` go to its trigger."""
    words = {name: more.pop(name) for name in ("price_type", "reference") if name in more}
    trigger = Trigger(price=Decimal(price), **words)
    return place(side, qty, limit, order_type=kind, trigger=trigger, **more)


def sold(tick: int, lots: int = 10**10) -> Print:
    """One trade of the tape, by a seller."""
    return Print(tick, lots, buy=False, market=True)


def bought(tick: int, lots: int = 10**10) -> Print:
    """One trade of the tape, by a buyer."""
    return Print(tick, lots, buy=True, market=True)


def step(there: Venue, bid: int, *prints: Print, at: datetime = NOON) -> list[Report]:
    """One market step with the ask ten ticks above the bid."""
    return there.on_market("BTC/USD", at, bid, bid + 10, prints)


def kinds(reports: Sequence[Report]) -> list[str]:
    """The names of the reports."""
    return [type(report).__name__ for report in reports]


def refusal(reports: Sequence[Report]) -> str:
    """The words of the one refusal."""
    (only,) = reports
    assert isinstance(only, Refused)
    return only.error


def opened(reports: Sequence[Report]) -> str:
    """The id of the order that came in."""
    return one(reports, Opened).order.order_id


def one(reports: Sequence[Report], kind: type[_Kind]) -> _Kind:
    """The first report of a kind."""
    for report in reports:
        if isinstance(report, kind):
            return report
    raise AssertionError(f"no {kind.__name__} in {kinds(reports)}")


def ends(reports: Sequence[Report]) -> list[tuple[str, str | None]]:
    """Status and reason of every order that ended."""
    return [(r.order.status, r.order.reason) for r in reports if isinstance(r, Closed)]


def frozen(there: Venue) -> bytes:
    """The whole state as bytes."""
    return msgspec.msgpack.encode(there.state)


def check(there: Venue) -> None:
    """What must hold after every command and every step."""
    for name in there.state.accounts:
        check_account(there, name)
    for order in there.state.orders.values():
        assert order.cum_qty <= order.qty or order.reason is not None
        assert (order.status == "filled") <= (order.cum_qty == order.qty)
        fills = [t for t in there.state.trades if t.order_id == order.order_id]
        assert sum((t.qty for t in fills), Decimal(0)) == order.cum_qty
        assert sum((t.cost for t in fills), Decimal(0)) == order.cum_cost
        assert sum((t.fee for t in fills), Decimal(0)) == order.fee
    for book in there.books.values():
        bid, ask = book.best(BID), book.best(ASK)
        assert bid is None or ask is None or bid[0] < ask[0]
        for side in (BID, ASK):
            for level in book.own[side]:
                pair = there.pairs[level.order.symbol]
                assert pair.qty_of(level.lots + level.hidden) == level.order.open_qty
                assert level.lots > 0


def check_account(there: Venue, name: str) -> None:
    """Ledger exact to the last unit, holds covered, client ids unique."""
    account = there.state.accounts[name]
    for asset in {*account.balances, *account.opening}:
        entries = [entry for entry in account.ledger if entry.asset == asset]
        moved = sum((entry.amount - entry.fee for entry in entries), Decimal(0))
        assert account.balances[asset] == account.opening.get(asset, 0) + moved
    mine = there.open_of(name)
    for asset, held in holds(mine, there.pairs).items():
        assert account.balances.get(asset, Decimal(0)) >= held >= 0, asset
    named = [order.cl_ord_id for order in mine if order.cl_ord_id is not None]
    assert len(named) == len(set(named))


def again(there: Venue) -> Venue:
    """The venue as it comes up after a restart from its state."""
    state = msgspec.msgpack.decode(frozen(there), type=VenueState)
    return Venue(state, dict(INSTRUMENT_BY_SYMBOL), there.rules)
