"""Every order the client can say, against the sandbox: an independent reading understands it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sandbox_desk import PAIRS, Desk, desk_at
from sandbox_parts import child

from simple_trader.domain.events import CandleSeen, ExecutionReport, OrderAcked, OrderRejected
from simple_trader.domain.money import floor_to_step
from simple_trader.domain.orders import (
    AmendRequest,
    FeePreference,
    OrderType,
    PriceType,
    SelfTrade,
    TimeInForce,
    Trigger,
    TriggerReference,
)
from simple_trader.domain.venue_replies import (
    AmendAcked,
    AmendRejected,
    OrderChecked,
    SwitchArmed,
)
from simple_trader.ports import FeedPlan

pytestmark = pytest.mark.timeout(90)

TICK = Decimal("0.1")


def reports(desk: Desk, cl_ord_id: str) -> list[str]:
    """The kinds of report of one order, in order."""
    return [
        e.exec_type
        for e in desk.events
        if isinstance(e, ExecutionReport) and e.cl_ord_id == cl_ord_id
    ]


def triggered(desk: Desk, number: int, kind: OrderType, **more: Any) -> Any:
    """A purchase that waits far above (stop) or below (take-profit) the market, or trails it."""
    ask = desk.last_quote("BTC/USD").ask
    away = Decimal("0.8") if "take" in kind else Decimal("1.2")
    trigger = Trigger(price=floor_to_step(ask * away, TICK))
    limit = floor_to_step(ask * away, TICK) if kind.has_limit else None
    if kind.trails:
        trigger = Trigger(price=Decimal("20.0"), price_type=PriceType.PCT)
    if kind is OrderType.TRAILING_STOP_LIMIT:
        limit = Decimal("5.0")
        more["limit_price_type"] = PriceType.QUOTE
    order = desk.order(number, ask, order_type=kind, time_in_force=TimeInForce.GTC)
    values = {name: getattr(order, name) for name in order.__struct_fields__}
    return type(order)(**values | {"limit_price": limit, "trigger": trigger} | more)


async def test_every_triggered_order_is_understood_waits_and_is_cancelled() -> None:
    kinds = [kind for kind in OrderType if kind.has_trigger]
    with child() as there:
        async with desk_at(there) as desk:
            await desk.up()
            for number, kind in enumerate(kinds, start=1):
                acked = await desk.place(triggered(desk, number, kind))
                assert isinstance(acked, OrderAcked), (kind, acked)
            rows = {row.cl_ord_id: row.order_type for row in await desk.rest.open_orders()}
            assert rows == {f"st7-{n}": kind.value for n, kind in enumerate(kinds, start=1)}
            assert await desk.venue.cancel_all() == len(kinds)
            await desk.until(lambda: reports(desk, "st7-1")[-1:] == ["canceled"])


async def test_a_stop_fires_when_the_market_is_there() -> None:
    with child() as there:
        async with desk_at(there) as desk:
            await desk.up()
            ask = desk.last_quote("BTC/USD").ask
            trigger = Trigger(price=floor_to_step(ask * Decimal("0.9"), TICK))
            order = triggered(desk, 1, OrderType.STOP_LOSS, trigger=trigger)
            assert isinstance(await desk.place(order), OrderAcked)
            await desk.step(30)
            await desk.until(lambda: "trade" in reports(desk, "st7-1"))
            await desk.until(lambda: reports(desk, "st7-1")[-1] == "filled")


async def test_lifetimes_fees_and_self_trade_rules_are_understood() -> None:
    with child() as there:
        async with desk_at(there) as desk:
            await desk.up()
            low = desk.last_quote("BTC/USD").bid * Decimal("0.9")
            later = (desk.clock.now() + timedelta(hours=1)).replace(microsecond=0)
            gtd = desk.order(
                1, low, time_in_force=TimeInForce.GTD, expire_at=later, stp=SelfTrade.CANCEL_OLDEST
            )
            base = desk.order(
                2, low, time_in_force=TimeInForce.GTC, fee_preference=FeePreference.BASE
            )
            market = desk.order(
                3, low, order_type=OrderType.MARKET, limit_price=None, stp=SelfTrade.CANCEL_BOTH
            )
            for order in (gtd, base, market):
                assert isinstance(await desk.place(order), OrderAcked), order
            await desk.until(lambda: "filled" in reports(desk, "st7-3"))


async def test_an_index_trigger_is_understood_or_refused_with_a_reason() -> None:
    with child() as there:
        async with desk_at(there) as desk:
            await desk.up()
            ask = desk.last_quote("BTC/USD").ask
            trigger = Trigger(
                price=floor_to_step(ask * Decimal("1.2"), TICK), reference=TriggerReference.INDEX
            )
            outcome = await desk.place(triggered(desk, 1, OrderType.STOP_LOSS, trigger=trigger))
            assert isinstance(outcome, OrderAcked | OrderRejected)
            if isinstance(outcome, OrderRejected):
                assert "Index unavailable" in outcome.error


async def test_an_order_is_amended_in_place_and_an_amend_of_nothing_is_refused() -> None:
    with child() as there:
        async with desk_at(there) as desk:
            await desk.up()
            low = desk.last_quote("BTC/USD").bid * Decimal("0.9")
            acked = await desk.place(desk.order(1, low, time_in_force=TimeInForce.GTC))
            assert isinstance(acked, OrderAcked)
            price = floor_to_step(low * Decimal("0.99"), TICK)
            change = AmendRequest(
                cl_ord_id="st7-1",
                pair="BTC/USD",
                order_id=acked.order_id,
                qty=Decimal("0.002"),
                limit_price=price,
                post_only=True,
                deadline=desk.clock.now() + timedelta(seconds=5),
            )
            amended = await desk.venue.amend(change)
            assert isinstance(amended, AmendAcked)
            assert amended.amend_id
            (row,) = await desk.rest.open_orders()
            assert (row.order_id, row.qty, row.limit_price) == (
                acked.order_id,
                Decimal("0.002"),
                price,
            )
            await desk.until(lambda: reports(desk, "st7-1")[-1] == "amended")
            await desk.venue.cancel_all()
            gone = await desk.venue.amend(change)
            assert isinstance(gone, AmendRejected)
            assert gone.error.startswith("EOrder:")


async def test_a_checked_order_is_judged_and_not_made() -> None:
    with child() as there:
        async with desk_at(there) as desk:
            await desk.up()
            price = desk.last_quote("BTC/USD").bid * Decimal("0.9")
            for qty, wanted in ((Decimal("0.001"), OrderChecked), (Decimal(1000), OrderRejected)):
                order = desk.order(1, price, time_in_force=TimeInForce.GTC, qty=qty)
                wire = desk.venue.encode_order(order)
                assert isinstance(await desk.venue.check(order, wire), wanted)
            assert await desk.rest.open_orders() == ()


async def test_the_dead_mans_switch_fires_and_a_disarmed_one_does_not() -> None:
    with child() as there:
        async with desk_at(there) as desk:
            await desk.up()
            low = desk.last_quote("BTC/USD").bid * Decimal("0.9")
            assert isinstance(
                await desk.place(desk.order(1, low, time_in_force=TimeInForce.GTC)), OrderAcked
            )
            armed = await desk.venue.arm_switch(10)
            assert isinstance(armed, SwitchArmed)
            assert armed.trigger_at is not None
            assert armed.current_at is not None
            assert armed.trigger_at - armed.current_at == timedelta(seconds=10)
            disarmed = await desk.venue.arm_switch(0)
            assert isinstance(disarmed, SwitchArmed)
            assert disarmed.trigger_at is None
            await desk.step(12)
            assert len(await desk.rest.open_orders()) == 1
            await desk.venue.arm_switch(5)
            await desk.step(7)
            await desk.until(lambda: reports(desk, "st7-1")[-1] == "canceled")
            assert await desk.rest.open_orders() == ()


async def test_trades_and_several_candle_intervals_arrive_without_a_hole() -> None:
    plan = FeedPlan(pairs=PAIRS, public=True, private=True, book=True, book_depth=1000, trades=True)
    with child() as there:
        async with desk_at(there, plan=plan, candle_minutes=(1, 5, 60)) as desk:
            await desk.up()
            await desk.step(60)
            for pair in PAIRS:
                numbers = [trade.trade_id for trade in desk.trades if trade.pair == pair]
                assert numbers == list(range(int(numbers[0] or 0), int(numbers[-1] or 0) + 1))
                assert len(numbers) > 5
            spans = {e.candle.interval_s for e in desk.events if isinstance(e, CandleSeen)}
            assert spans == {60, 300, 3600}
            assert desk.venue.counts() == {}
