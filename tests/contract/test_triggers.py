"""The contract: orders that wait for a trigger, how they fire, and what becomes of them then."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from contract_facts import Change, Driver, Wanted
from contract_words import accepted, d, ended, fills_of, kinds, on_grid, refused
from contract_world import World

WICK_S = 12


@dataclass(frozen=True)
class Case:
    """An order, all prices as parts of the best price, and the wick that fires it, in percent."""

    kind: str
    side: str
    trigger: str
    limit: str | None
    wick: int


CASES = [
    Case("stop-loss", "sell", "0.98", None, -5),
    Case("stop-loss", "buy", "1.02", None, 5),
    Case("stop-loss-limit", "sell", "0.98", "0.9", -5),
    Case("stop-loss-limit", "buy", "1.02", "1.1", 5),
    Case("take-profit", "sell", "1.02", None, 5),
    Case("take-profit", "buy", "0.98", None, -5),
    Case("take-profit-limit", "sell", "1.02", "1.01", 5),
    Case("take-profit-limit", "buy", "0.98", "0.99", -5),
]


def waiting(case: Case, name: str, there: World) -> Wanted:
    """The order of a case, priced from the market as it stands."""
    bid, _ = there.best()
    return Wanted(
        cl_ord_id=name,
        qty=d("0.001"),
        side=case.side,
        kind=case.kind,
        trigger=on_grid(bid * d(case.trigger)),
        price=None if case.limit is None else on_grid(bid * d(case.limit)),
    )


async def wick(there: World, trader: Driver, percent: int) -> None:
    """The price moves and comes back; the market is at rest afterwards."""
    there.do("wick", pair="BTC/USD", percent=percent, lasts_s=WICK_S)
    for _ in range(WICK_S + 2):
        await trader.step()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.side} {case.kind}")
async def test_a_triggered_order_waits_fires_and_fills(
    trader: Driver, there: World, case: Case
) -> None:
    """Sections 6.1 and 8.1: pending_new, new, a status when it fires, then as limit or market."""
    order_id = accepted(await trader.place(waiting(case, "t-1", there)))
    await trader.step()
    assert kinds(await trader.told("t-1")) == ["pending_new", "new"]
    (row,) = await trader.open_orders()
    assert (row.order_id, row.kind, row.status) == (order_id, case.kind, "open")
    await wick(there, trader, case.wick)
    events = await ended(trader, "t-1", "filled")
    assert kinds(events) == ["pending_new", "new", "status", "trade", "filled"]
    fills = fills_of(events)
    assert sum(fill.qty for fill in fills) == d("0.001")
    wanted = waiting(case, "t-1", there)
    assert wanted.trigger is not None
    fell = case.wick < 0
    for fill in fills:  # at prices of the wick, on the far side of the trigger
        assert (fill.price < wanted.trigger * d("1.01")) == fell
    (row,) = await trader.orders([order_id])
    assert (row.status, row.filled) == ("closed", d("0.001"))


@pytest.mark.parametrize("side", ["sell", "buy"])
@pytest.mark.parametrize("kind", ["trailing-stop", "trailing-stop-limit"])
async def test_a_trailing_stop_follows_the_market_and_fires_when_it_turns(
    trader: Driver, there: World, kind: str, side: str
) -> None:
    """Section 8.1: the trigger of a trailing order is a distance behind the best price so far."""
    limited = kind == "trailing-stop-limit"
    order_id = accepted(
        await trader.place(
            Wanted(
                cl_ord_id="t-2",
                qty=d("0.001"),
                side=side,
                kind=kind,
                trigger=d("2"),
                trigger_type="pct",
                price=d("10.0") if limited else None,
                price_type="quote" if limited else "static",
            )
        )
    )
    assert kinds(await trader.told("t-2")) == ["pending_new", "new"]
    assert [row.kind for row in await trader.open_orders()] == [kind]
    bid, ask = there.best()
    late = there.at + timedelta(seconds=90)
    await wick(there, trader, 5 if side == "sell" else -5)
    events = await trader.told("t-2")
    assert "status" in kinds(events)
    if limited:  # the limit stands at the trigger: worked now, and never beyond its price
        assert events[-1].kind in {"status", "filled"}
    else:
        while kinds(await trader.told("t-2"))[-1] == "status" and there.at < late:
            await trader.step()  # until a print shows that the price is back
        (fill,) = fills_of(await ended(trader, "t-2", "filled"))
        near = bid if side == "sell" else ask
        assert abs(fill.price - near) < near / 50  # it fired when the wick was over
    rows = await trader.orders([order_id])
    assert [row.kind for row in rows] == [kind]


@pytest.mark.parametrize("kind", ["stop-loss", "take-profit", "trailing-stop"])
async def test_a_waiting_order_is_cancelled_like_any_other(
    trader: Driver, there: World, kind: str
) -> None:
    """Sections 8.4 and 8.5: untriggered orders are cancelled, too."""
    trails = kind == "trailing-stop"
    bid, _ = there.best()
    away = {"stop-loss": "0.5", "take-profit": "2"}.get(kind, "1")
    wanted = Wanted(
        cl_ord_id="t-3",
        qty=d("0.001"),
        side="sell",
        kind=kind,
        trigger=d("20") if trails else on_grid(bid * d(away)),
        trigger_type="pct" if trails else "static",
    )
    accepted(await trader.place(wanted))
    assert await trader.cancel("t-3") is None
    events = await ended(trader, "t-3", "canceled")
    assert events[-1].reason == "User requested"
    assert await trader.open_orders() == []


async def test_the_trigger_of_a_waiting_order_is_amended(trader: Driver, there: World) -> None:
    """Section 8.2: trigger_price changes in place; the order fires at the new one."""
    bid, _ = there.best()
    case = Case("stop-loss", "sell", "0.5", None, -5)
    accepted(await trader.place(waiting(case, "t-4", there)))
    change = Change(cl_ord_id="t-4", trigger=on_grid(bid * d("0.98")))
    assert await trader.amend(change) is None
    await wick(there, trader, -5)
    events = await ended(trader, "t-4", "filled")
    assert kinds(events) == ["pending_new", "new", "amended", "status", "trade", "filled"]


async def test_an_index_trigger_is_taken_or_refused_in_the_words_of_the_sheet(
    trader: Driver, there: World
) -> None:
    """Sections 8.1 and 9: the index falls back to last, or `Index unavailable`."""
    case = Case("stop-loss", "sell", "0.5", None, -5)
    outcome = await trader.place(waiting(case, "t-5", there).but(reference="index"))
    if not isinstance(outcome, str):
        refused(outcome, "EGeneral:Invalid arguments:Index unavailable")


async def test_a_trigger_off_the_grid_is_refused(trader: Driver, there: World) -> None:
    """Section 9: prices stand on the pair's tick, triggers as well."""
    case = Case("stop-loss", "sell", "0.5", None, -5)
    wanted = waiting(case, "t-6", there)
    assert wanted.trigger is not None
    outcome = await trader.place(wanted.but(trigger=wanted.trigger + d("0.01")))
    refused(outcome, "EOrder:Tick size check failed", "EOrder:Invalid price")
