"""The contract: the trading counter of an account and pair (I-22), with time in exact steps."""

from decimal import Decimal

import pytest
from contract_facts import Change, Driver, Opener
from contract_words import accepted, d, limit, on_grid, refused
from contract_world import World

DECAY = d("2.34")  # a second, at the tier of `slow`
LOW = d("30000.0")


async def holds(trader: Driver, there: World, due: str) -> None:
    """The exchange counts `due`, and this side takes it for that or for a little more (I-22)."""
    truth = Decimal(there.truth(trader.account)["rate_counts"]["BTC/USD"])
    assert truth == d(due)
    believed = await trader.rate_count("BTC/USD")
    assert truth <= believed <= truth + DECAY + d("0.001")


async def test_the_counter_follows_the_worked_example(opener: Opener, there: World) -> None:
    """Section 10: an add costs 1, an amend after 7 s 1+2, a cancel 36 s after that 4."""
    trader = await opener("slow")
    accepted(await trader.place(limit("co-1", LOW)))
    await holds(trader, there, "1")
    await trader.step(7)
    assert await trader.amend(Change(cl_ord_id="co-1", price=on_grid(LOW - 1))) is None
    await holds(trader, there, "3")
    await trader.step(36)
    assert await trader.cancel("co-1") is None
    await holds(trader, there, "4")


@pytest.mark.parametrize(
    ("age_s", "cost"), [(1, 8), (7, 6), (12, 5), (30, 4), (60, 2), (200, 1), (302, 0)]
)
async def test_a_cancel_costs_by_the_age_of_its_order(
    opener: Opener, there: World, age_s: int, cost: int
) -> None:
    """Section 10: 8 below 5 s, 6, 5, 4, 2, 1 and nothing from 300 s on."""
    trader = await opener("slow")
    await trader.step(60)  # what earlier orders of this account left has decayed
    accepted(await trader.place(limit("ag-1", LOW)))
    await trader.step(age_s)
    assert await trader.cancel("ag-1") is None
    left = max(d("0"), 1 - age_s * DECAY)
    await holds(trader, there, str(left + cost))


async def test_a_burst_decays(opener: Opener, there: World) -> None:
    """Section 10: 50 adds, then 10 s at the middle tier, leave 26.6; one more makes 27.6."""
    trader = await opener("slow")
    await trader.step(60)
    for number in range(50):
        accepted(await trader.place(limit(f"bu-{number}", LOW - number, "0.0005")))
    await trader.step(10)
    accepted(await trader.place(limit("bu-50", LOW, "0.0005")))
    await holds(trader, there, "27.6")


async def test_a_full_counter_refuses_until_it_has_decayed(opener: Opener, there: World) -> None:
    """Sections 9 and 10: `EOrder:Rate limit exceeded`, charged even so; room comes with time."""
    trader = await opener("starter")
    for number in range(60):
        accepted(await trader.place(limit(f"fu-{number}", LOW, "0.0005", force="ioc")))
    refused(await trader.place(limit("fu-60", LOW, force="ioc")), "EOrder:Rate limit exceeded")
    assert await trader.told("fu-60") == []
    await trader.step(30)
    accepted(await trader.place(limit("fu-61", LOW, "0.0005", force="ioc")))


async def test_a_refused_order_is_counted_as_well(opener: Opener, there: World) -> None:
    """Section 10: the fixed part is charged on receipt, even if validation fails."""
    trader = await opener("slow")
    await trader.step(120)
    refused(await trader.place(limit("re-1", LOW, "0.00001")), "EGeneral:Invalid arguments")
    counts = there.truth(trader.account)["rate_counts"]
    assert Decimal(counts["BTC/USD"]) == 1
