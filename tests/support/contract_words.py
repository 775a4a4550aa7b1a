"""Short words of the contract's tests: amounts, prices on the grid, kinds of events."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal

from contract_facts import Driver, Fill, Line, Refused, Told, Wanted

TICKS = {"BTC/USD": Decimal("0.1"), "SOL/USD": Decimal("0.01"), "ETH/USD": Decimal("0.01")}
LEDGER_UNIT = Decimal("0.0001")  # of USD (section 7)


def d(text: str) -> Decimal:
    """An amount."""
    return Decimal(text)


def on_grid(price: Decimal, pair: str = "BTC/USD") -> Decimal:
    """The price cut to the pair's tick."""
    tick = TICKS[pair]
    return (price / tick).to_integral_value(ROUND_DOWN) * tick


def kinds(events: Sequence[Told]) -> list[str]:
    """Kinds of events in order, several trades in a row once."""
    out: list[str] = []
    for event in events:
        if event.kind != "trade" or out[-1:] != ["trade"]:
            out.append(event.kind)
    return out


def fills_of(events: Sequence[Told]) -> list[Fill]:
    """The fills among events."""
    return [event.fill for event in events if event.fill is not None]


def accepted(outcome: str | Refused) -> str:
    """The id of an order that must be taken; ids are 6-5-6 characters (section 11.5)."""
    assert isinstance(outcome, str), outcome
    assert outcome[0] == "O"
    assert [len(part) for part in outcome.split("-")] == [6, 5, 6]
    return outcome


def refused(outcome: object, *starts: str) -> str:
    """The error of what must be refused, which begins with one of `starts`."""
    assert isinstance(outcome, Refused), outcome
    assert outcome.error.startswith(starts), outcome.error
    return outcome.error


def limit(name: str, price: Decimal, qty: str = "0.01", **more: object) -> Wanted:
    """A limit order to buy bitcoin."""
    return Wanted(cl_ord_id=name, qty=Decimal(qty), price=price).but(**more)


def market(name: str, qty: str = "0.01", **more: object) -> Wanted:
    """A market order to buy bitcoin."""
    return Wanted(cl_ord_id=name, qty=Decimal(qty), kind="market").but(**more)


async def ended(trader: Driver, name: str, kind: str) -> list[Told]:
    """The events of an order, the last of which must be of a kind."""
    events = await trader.told(name)
    assert events, f"nothing was told of {name}"
    assert events[-1].kind == kind, kinds(events)
    return events


def moved(lines: Sequence[Line], asset: str) -> Decimal:
    """What the lines add to a total: amount less fee (section 7)."""
    return sum((line.amount - line.fee for line in lines if line.asset == asset), Decimal(0))
