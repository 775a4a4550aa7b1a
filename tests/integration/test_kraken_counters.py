"""Our models of both rate counters against an exchange that counts by itself (I-22)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from rest_parts import rest_on
from sandbox_desk import Desk, desk_at
from sandbox_parts import Child, child

from simple_trader.adapters.kraken.http_client import HttpClient
from simple_trader.adapters.kraken.key_info import NEEDED
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.app.key_safety import require_safe_key
from simple_trader.domain.actions import CancelOrder
from simple_trader.domain.errors import ModeError
from simple_trader.domain.events import OrderAcked, OrderRejected
from simple_trader.domain.instruments import VenueStatus
from simple_trader.domain.orders import TimeInForce
from simple_trader.domain.reasons import Reason

pytestmark = pytest.mark.timeout(90)

ACCOUNTS = """
accounts:
  main: {balances: {USD: 10000}, tier: pro, counters: on}
keys:
  - {key: trader, secret: c2FuZGJveC1zZWNyZXQ=, account: main}
  - key: rich
    secret: c2FuZGJveC1zZWNyZXQ=
    account: main
    permissions: [query-funds, withdraw-funds]
"""


async def rest_order(desk: Desk, number: int, lives: TimeInForce = TimeInForce.GTC) -> object:
    """An order that rests far below the market, or is over at once as it finds nobody."""
    price = desk.last_quote("BTC/USD").bid / 2
    return await desk.place(desk.order(number, price, time_in_force=lives))


async def cancel(desk: Desk, number: int) -> None:
    action = CancelOrder(
        cl_ord_id=f"st7-{number}", order_id=None, pair="BTC/USD", reason=Reason.OPERATOR
    )
    await desk.venue.cancel(action)


def room(desk: Desk, *, new_risk: bool) -> bool:
    asked = desk.order(0, desk.last_quote("BTC/USD").bid)
    return desk.venue.no_room(asked, new_risk=new_risk) is None


async def test_i22_the_model_follows_the_engines_counter_and_is_never_below_it() -> None:
    with child(counters=True) as there:
        async with desk_at(there) as desk:
            await desk.up()
            await desk.step(2)
            counter = desk.venue.counter
            assert counter.tier.limit == 125
            pauses = [0, 3, 1, 7, 0, 0, 12, 2, 0, 30, 0, 1]
            for number, pause in enumerate(pauses):
                assert isinstance(await rest_order(desk, number), OrderAcked)
                await desk.step(pause)
                if number % 3:
                    await cancel(desk, number - 1)
                await desk.step(1)
            assert counter.told > len(pauses), "the exchange told its value with each report"
            assert counter.higher_there == 0


async def test_pt6_new_risk_stops_at_its_share_and_the_exchange_never_has_to_refuse() -> None:
    with child(counters=True) as there:
        async with desk_at(there) as desk:
            await desk.up()
            await desk.step(2)
            number = 0
            while room(desk, new_risk=True):
                number += 1
                lives = TimeInForce.GTC if number <= 5 else TimeInForce.IOC
                assert isinstance(await rest_order(desk, number, lives), OrderAcked)
            assert 80 <= number <= 87  # 70 percent of 125
            assert room(desk, new_risk=False), "an exit still fits"
            counter = desk.venue.counter
            for victim in range(1, 6):
                await cancel(desk, victim)  # 8 each: the rest of the counter is for these
            assert counter.higher_there == 0
            await desk.step(60)
            assert room(desk, new_risk=True), "it decays"


async def test_x18_without_the_model_the_exchange_refuses_and_says_so() -> None:
    with child(counters=True) as there:
        async with desk_at(there) as desk:
            await desk.up()
            await desk.step(2)
            refused: list[str] = []
            for number in range(1, 40):
                answer = await rest_order(desk, number)
                if isinstance(answer, OrderRejected):
                    refused.append(answer.error)
                await cancel(desk, number)
            assert "EOrder:Rate limit exceeded" in refused
            assert not room(desk, new_risk=False), "our model knew"


@asynccontextmanager
async def rest_of(there: Child, key: str, tier: str | None = "pro") -> AsyncIterator[KrakenRest]:
    http = HttpClient("simple-trader/test")
    try:
        yield rest_on(http, url=there.url, key=key, tier=tier)
    finally:
        await http.close()


def accounts(folder: Path) -> str:
    path = folder / "accounts.yaml"
    path.write_text(ACCOUNTS)
    return str(path)


async def test_reads_paced_by_our_model_never_fill_the_exchanges_rest_counter(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with child(stepped=False, counters=True, accounts=accounts(tmp_path)) as there:
        async with rest_of(there, "trader") as rest:
            await asyncio.gather(
                *(rest.trades(None) for _ in range(3)),
                *(rest.ledgers(None) for _ in range(3)),
                *(rest.balances() for _ in range(3)),
            )
    assert "Rate limit exceeded" not in caplog.text


async def test_every_read_the_product_makes_is_answered_by_the_sandbox(tmp_path: Path) -> None:
    with child(accounts=accounts(tmp_path)) as there:
        async with rest_of(there, "trader", "none") as rest:
            assert await rest.system_status() is VenueStatus.ONLINE
            await rest.server_time()
            assert {rules.asset for rules in await rest.assets()} >= {"BTC", "USD"}
            pairs = {rules.pair: rules for rules in await rest.pairs()}
            assert all(rules.qty_min > 0 and rules.cost_min > 0 for rules in pairs.values())
            assert len(await rest.candles("BTC/USD", 60, 100)) == 100
            assert Decimal((await rest.balances())["USD"]) == 10000
            (fees,) = await rest.fees(["BTC/USD"])
            assert Decimal(0) <= fees.maker < fees.taker < Decimal("0.01")
            assert await rest.open_orders() == ()
            assert await rest.closed_orders(None) == ()
            assert await rest.trades(None) == ()
            await rest.ledgers(None)
            assert await rest.token()
            armed = await rest.cancel_all_after(60)
            assert armed.current_at is not None
            assert armed.trigger_at == armed.current_at + timedelta(seconds=60)
            assert (await rest.cancel_all_after(0)).trigger_at is None
            assert await rest.cancel_all() == 0


@pytest.mark.parametrize("names", ["camel", "snake"])
async def test_a_key_says_what_it_may_do_under_either_field_names(
    tmp_path: Path, names: str
) -> None:
    rules = [f"key_info={names}"]
    with child(accounts=accounts(tmp_path), rules=rules) as there:
        async with rest_of(there, "trader", "none") as rest:
            info = await rest.key_info()
            assert not info.may_withdraw
            assert info.missing == ()
            await require_safe_key(rest, allowed=False)
        async with rest_of(there, "rich", "none") as rest:
            info = await rest.key_info()
            assert info.may_withdraw
            assert set(info.missing) == set(NEEDED) - {"query funds"}
            with pytest.raises(ModeError, match="may withdraw"):
                await require_safe_key(rest, allowed=False)
