"""The contract: what is refused, in which words, and that a refusal changes nothing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from contract_facts import Driver, Opener, Refused, Wanted
from contract_rest import asked
from contract_wire import RawRest
from contract_words import accepted, d, kinds, limit, market, on_grid, refused
from contract_world import World, secret_of

LOW = d("30000.0")  # far below the market

REFUSALS: dict[str, tuple[Wanted, tuple[str, ...]]] = {
    "no funds to buy": (limit("r", LOW, "100"), ("EOrder:Insufficient funds",)),
    "no funds to sell": (
        limit("r", d("300000.0"), "20.5", side="sell"),
        ("EOrder:Insufficient funds",),
    ),
    "no funds at the market": (
        market("r", "20.5", side="sell"),
        ("EOrder:Insufficient funds",),
    ),
    "below the least quantity": (
        limit("r", LOW, "0.00004"),
        ("EGeneral:Invalid arguments:volume minimum", "EOrder:Order minimum not met"),
    ),
    "below the least cost": (limit("r", d("1000.0"), "0.0001"), ("EOrder:Cost minimum not met",)),
    "off the tick": (
        limit("r", d("30000.05")),
        ("EOrder:Tick size check failed", "EOrder:Invalid price"),
    ),
    "a tick that is not a power of ten": (
        limit("r", d("2000.03"), "0.1", pair="PAXG/USD"),
        ("EOrder:Tick size check failed", "EOrder:Invalid price"),
    ),
    "too many decimals of quantity": (
        limit("r", LOW, "0.000100001"),
        ("EGeneral:Invalid arguments", "EOrder:Invalid order"),
    ),
    "an unknown pair": (limit("r", LOW, pair="FOO/USD"), ("Currency pair not supported FOO/USD",)),
    "the old name of a pair": (
        limit("r", LOW, pair="XBT/USD"),
        ("Currency pair not supported XBT/USD",),
    ),
    "a pair that takes cancels only": (
        limit("r", d("0.01"), "5000", pair="ACA/EUR"),
        ("EService:Market in cancel_only mode",),
    ),
    "a pair that takes post-only orders": (
        limit("r", d("0.01"), "5000", pair="MON/USD"),
        ("EService:Market in post_only mode",),
    ),
}


@pytest.mark.parametrize("what", REFUSALS)
async def test_a_bad_order_is_refused_in_the_words_of_the_sheet_and_changes_nothing(
    trader: Driver, what: str
) -> None:
    """Section 9: a synchronous refusal means that no order exists."""
    before = await trader.balances()
    wanted, errors = REFUSALS[what]
    outcome = await trader.place(wanted)
    refused(outcome, *errors)
    assert isinstance(outcome, Refused)
    assert outcome.sure
    assert await trader.told() == []
    assert await trader.open_orders() == []
    assert await trader.closed_orders() == []
    assert await trader.balances() == before


async def test_what_open_orders_hold_is_not_there_for_another(opener: Opener, there: World) -> None:
    """Section 9: balances less holds, with the fee, decide; a cancel gives the funds back."""
    trader = await opener("poor")
    bid, _ = there.best()
    price = on_grid(bid * d("0.5"))
    qty = d(f"{99 / price:.8f}")
    wanted = Wanted(cl_ord_id="fu-1", qty=qty, price=price)
    accepted(await trader.place(wanted))
    refused(await trader.place(wanted.but(cl_ord_id="fu-2")), "EOrder:Insufficient funds")
    assert await trader.cancel("fu-1") is None
    accepted(await trader.place(wanted.but(cl_ord_id="fu-3")))
    assert await trader.cancel("fu-3") is None
    exact = d(f"{100 / price:.8f}")  # the cost alone is there, the fee is not
    refused(
        await trader.place(wanted.but(cl_ord_id="fu-4", qty=exact)),
        "EOrder:Insufficient funds",
    )


async def test_a_key_that_may_not_trade_is_refused_and_may_still_look(opener: Opener) -> None:
    """Section 9: `EGeneral:Permission denied` is definitive."""
    trader = await opener("reader")
    outcome = await trader.place(limit("pe-1", LOW))
    refused(outcome, "EGeneral:Permission denied")
    assert isinstance(outcome, Refused)
    assert outcome.sure
    refused(await trader.cancel("pe-1"), "EGeneral:Permission denied")
    assert await trader.open_orders() == []
    assert (await trader.balances())["USD"] == 1_000_000


async def test_the_orders_of_a_pair_are_limited_and_another_pair_has_room(
    opener: Opener, there: World
) -> None:
    """Section 10: 60 open orders a pair at the lowest tier, then `EOrder:Orders limit exceeded`."""
    trader = await opener("many")
    for number in range(60):
        accepted(await trader.place(limit(f"li-{number}", LOW - number, "0.0005")))
    refused(await trader.place(limit("li-60", LOW)), "EOrder:Orders limit exceeded")
    other = limit("li-61", d("100.00"), "0.1", pair="ETH/USD")
    accepted(await trader.place(other))
    assert await trader.cancel("li-7") is None
    accepted(await trader.place(limit("li-62", LOW, "0.0005")))
    assert await trader.cancel_all() == 61


# -- states of the exchange ---------------------------------------------------------------


@contextmanager
def system(there: World, status: str) -> Iterator[None]:
    """The exchange in another state for a while."""
    there.do("system", status=status)
    try:
        yield
    finally:
        there.do("system", status="online")


async def test_cancel_only_takes_cancels_and_nothing_else(trader: Driver, there: World) -> None:
    """Sections 3.1 and 9: `EService:Market in cancel_only mode`."""
    accepted(await trader.place(limit("st-1", LOW)))
    with system(there, "cancel_only"):
        assert await trader.system() == "cancel_only"
        refused(await trader.place(limit("st-2", LOW)), "EService:Market in cancel_only mode")
        assert await trader.cancel("st-1") is None
    assert await trader.system() == "online"
    assert kinds(await trader.told()) == ["pending_new", "new", "canceled"]


async def test_post_only_takes_post_only_limits_and_cancels(trader: Driver, there: World) -> None:
    """Sections 3.1 and 9: `EService:Market in post_only mode` for all others."""
    with system(there, "post_only"):
        for order in (limit("po-1", LOW), market("po-2")):
            refused(await trader.place(order), "EService:Market in post_only mode")
        accepted(await trader.place(limit("po-3", LOW, post_only=True)))
        assert await trader.cancel("po-3") is None


async def test_maintenance_answers_with_what_proves_nothing(trader: Driver, there: World) -> None:
    """Section 9: `EService:Unavailable` is an unknown outcome; here nothing was done."""
    accepted(await trader.place(limit("ma-1", LOW)))
    with system(there, "maintenance"):
        outcome = await trader.place(limit("ma-2", LOW))
        assert isinstance(outcome, Refused)
        assert not outcome.sure
        assert "EService:Unavailable" in outcome.error
    assert [row.cl_ord_id for row in await trader.open_orders()] == ["ma-1"]


# -- keys and requests by REST ------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "key", "secret", "error"),
    [
        ("balance", "nobody", None, "EAPI:Invalid key"),
        ("balance", "a498", secret_of("other"), "EAPI:Invalid signature"),
        ("ledger", "blind-{via}", None, "EGeneral:Permission denied"),
        ("token", "blind-{via}", None, "EGeneral:Permission denied"),
        ("candles", "a498", None, "EQuery:Unknown asset pair"),
    ],
    ids=["unknown key", "wrong secret", "no ledger permission", "no token permission", "no pair"],
)
async def test_a_bad_request_by_rest_is_refused(
    there: World, via: str, what: str, key: str, secret: str | None, error: str
) -> None:
    """Sections 9 and 11.2: an array of one error and no result."""
    key = key.format(via=via)
    outcome = await asked(via, there, what, key=key, secret=secret)
    refused(outcome, error)


async def test_a_nonce_below_the_highest_is_refused_and_one_above_goes_on(
    there: World, via: str
) -> None:
    """Section 11.1: strictly increasing per key; another program ahead of us is overtaken."""
    key = there.account()
    ahead = RawRest(there, key)
    nonce = time.time_ns() + 2_000_000_000
    try:
        assert (await ahead.ask("Balance", nonce=nonce))["error"] == []
        for old in (nonce, nonce - 1):
            assert (await ahead.ask("Balance", nonce=old))["error"] == ["EAPI:Invalid nonce"]
    finally:
        await ahead.close()
    outcome = await asked(via, there, "balance", key=key)
    if via == "raw":
        refused(outcome, "EAPI:Invalid nonce")  # that is all there is on the wire
    else:
        assert outcome is None  # our client takes a leap once and asks again
