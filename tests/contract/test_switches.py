"""The contract where the sheet marks it unknown [?]: client and frames survive both readings.

The same behaviours run in three worlds: as usual with responses and events in mixed order, with the
other reading of every switch at once, and with those that are drawn. Section 16 of the sheet.
"""

from collections.abc import Iterator

import pytest
from contract_facts import Driver, Opener, Refused, Told
from contract_raw import RawDriver
from contract_words import accepted, d, fills_of, kinds, limit, market, on_grid, refused
from contract_world import World, world

OTHER = (
    "post_only=cancel", "ioc_remainder=expired", "stp_victim=expired", "final_fields=full",
    "rate_field=rate_counter", "snapshot_exec_type=status", "snapshot_messages=two",
    "amend_priority=never", "qty_min_error=order", "qty_precision_error=order",
    "bad_token=session", "disarmed=now", "key_info=snake", "rest_failure=null", "duplicate=ack",
    "fee_default=documented", "index_down=refuse", "trade_snapshot=true", "ohlc_rows=1",
    "batch_refused=null", "batch_cancel_count=top", "wrong_socket=permission", "idle_by=client",
)  # fmt: skip
DRAWN = ("post_only=both", "rate_field=ratecounter", "snapshot_messages=two")
WORLDS: dict[str, tuple[str, ...]] = {
    "usual": (),
    "other": OTHER,
    "drawn": DRAWN,
}
POST_ONLY = {"usual": {"refused"}, "other": {"canceled"}, "drawn": {"refused", "canceled"}}


@pytest.fixture(scope="module", params=list(WORLDS))
def reading(request: pytest.FixtureRequest) -> str:
    """Which reading of the open questions holds."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def there(reading: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An exchange by that reading; its responses and events come in mixed order."""
    folder = tmp_path_factory.mktemp("contract")
    with world(folder, *WORLDS[reading], mixed_replies=True) as made:
        yield made


def over(event: Told) -> bool:
    """Whether an event says that its order has ended without being filled."""
    return event.status in {"canceled", "expired"} and event.kind == event.status


async def test_a_post_only_order_that_would_take_never_takes(
    trader: Driver, there: World, reading: str
) -> None:
    """Question 1: refused at once, accepted and then canceled, or either of both."""
    seen: set[str] = set()
    for number in range(12):
        _, ask = there.best()
        outcome = await trader.place(limit(f"po-{number}", ask, post_only=True))
        events = await trader.told(f"po-{number}")
        if isinstance(outcome, Refused):
            refused(outcome, "EOrder:Post only order")
            assert events == []
            seen.add("refused")
        else:
            assert over(events[-1])
            assert events[-1].cum_qty == 0
            seen.add("canceled")
        accepted(await trader.place(limit(f"al-{number}", d("30000.0"))))  # draws go by number
    assert await trader.cancel_all() == 12
    assert seen == POST_ONLY[reading]
    assert fills_of(await trader.told()) == []
    assert await trader.open_orders() == []


async def test_responses_and_events_in_any_order_lead_to_the_same_facts(
    trader: Driver, there: World
) -> None:
    """Section 2.3: the response and the events travel independently, either may be first."""
    bid, _ = there.best()
    ids: dict[str, str] = {}
    for number in range(10):
        name = f"mi-{number}"
        ids[name] = accepted(await trader.place(limit(name, on_grid(bid * d("0.9")), "0.001")))
        assert await trader.cancel(name) is None
    for name, order_id in ids.items():
        events = await trader.told(name)
        assert kinds(events) == ["pending_new", "new", "canceled"]
        assert {(e.order_id, e.pair, e.side) for e in events} == {(order_id, "BTC/USD", "buy")}
    if isinstance(trader, RawDriver):
        assert _orders_of_arrival(trader) == {"event first", "response first"}


def _orders_of_arrival(trader: RawDriver) -> set[str]:
    """How the responses to add_order and the first events of their orders came."""
    found: set[str] = set()
    responded: set[str] = set()
    for frame in trader.private.frames:
        if frame.get("method") == "add_order":
            order_id = frame["result"]["order_id"]
            found.add("event first" if f"told {order_id}" in responded else "response first")
        for row in frame.get("data", []):
            if row.get("exec_type") == "pending_new":
                responded.add(f"told {row['order_id']}")
    return found


async def test_an_ioc_remainder_and_a_self_trade_victim_end_as_canceled_or_expired(
    trader: Driver, there: World
) -> None:
    """Section 9: both words are terminal; REST uses the same one."""
    bid, ask = there.best()
    ioc = accepted(await trader.place(limit("io-1", on_grid(bid * d("0.9")), force="ioc")))
    inside = on_grid((bid + ask) / 2)
    old = accepted(await trader.place(limit("old", inside, side="sell")))
    accepted(await trader.place(limit("new", inside, stp="cancel_oldest")))
    for name, order_id in (("io-1", ioc), ("old", old)):
        last = (await trader.told(name))[-1]
        assert over(last)
        (row,) = await trader.orders([order_id])
        assert (row.status, row.filled) == (last.status, 0)
    assert [row.cl_ord_id for row in await trader.open_orders()] == ["new"]


async def test_a_filled_order_is_complete_whatever_its_last_event_carries(
    trader: Driver, there: World
) -> None:
    """Question 2: `filled` with few fields or many; completion is by quantity (section 6.1)."""
    bid, _ = there.best()
    accepted(await trader.place(limit("fi-1", bid, "0.1")))
    there.do("fill", account=trader.account, cl_ord_id="fi-1", parts=2)
    events = await trader.told("fi-1")
    assert kinds(events) == ["pending_new", "new", "trade", "filled"]
    assert (events[-1].cum_qty, events[-1].pair, events[-1].side) == (d("0.1"), "BTC/USD", "buy")
    assert sum(fill.qty for fill in fills_of(events)) == d("0.1")


async def test_a_snapshot_in_one_message_or_two_tells_orders_and_fills(
    opener: Opener, there: World
) -> None:
    """Section 6 and question 3: one or two messages, open orders with exec_type new or status."""
    first = await opener()
    bid, _ = there.best()
    accepted(await first.place(limit("sn-1", bid, "0.1")))
    there.do("fill", account=first.account, cl_ord_id="sn-1", share=0.5)
    accepted(await first.place(market("sn-2", "0.001")))
    told = {fill.exec_id for fill in fills_of(await first.told())}
    second = await opener(first.account)
    events = [event for event in await second.told() if event.snapshot]
    (order,) = [event for event in events if event.fill is None]
    assert (order.cl_ord_id, order.status, order.cum_qty) == (
        "sn-1",
        "partially_filled",
        d("0.05"),
    )
    assert {fill.exec_id for fill in fills_of(events)} == told
    assert await second.cancel("sn-1") is None
    assert over((await second.told("sn-1"))[-1])


async def test_the_counter_is_read_under_each_of_its_names(opener: Opener, there: World) -> None:
    """Question 4: no copy of the documentation names the field."""
    trader = await opener("slow")
    accepted(await trader.place(limit("co-1", d("30000.0"))))
    assert 1 <= await trader.rate_count("BTC/USD") <= d("3.35")


async def test_a_disarmed_switch_is_disarmed_whatever_its_trigger_time_says(
    trader: Driver, there: World
) -> None:
    """Section 8.6: what triggerTime holds after a disarm is not documented."""
    accepted(await trader.place(limit("sw-1", d("30000.0"))))
    assert await trader.arm_switch(30) == 30
    assert await trader.arm_switch(0) is None
    await trader.step(60)
    assert len(await trader.open_orders()) == 1


async def test_small_and_overprecise_orders_are_refused_in_either_category(
    trader: Driver,
) -> None:
    """Section 9 and question 12: EGeneral:Invalid arguments or EOrder, definitive both."""
    for number, qty in enumerate(("0.00001", "0.000100001")):
        outcome = await trader.place(limit(f"sm-{number}", d("30000.0"), qty))
        refused(outcome, "EGeneral:Invalid arguments:volume", "EOrder:")
        assert isinstance(outcome, Refused)
        assert outcome.sure


async def test_permissions_are_read_from_either_field_names(opener: Opener) -> None:
    """Section 11.5: the field names of GetApiKeyInfo are not established."""
    for key, may_withdraw in (("", False), ("rich", True)):
        trader = await opener(key)
        permissions = await trader.permissions()
        assert "modify-trades" in permissions
        assert ("withdraw-funds" in permissions) == may_withdraw


async def test_money_adds_up_by_every_reading(trader: Driver, there: World) -> None:
    """Sections 7 and 13: fills by socket, by history and in the ledger are the same money."""
    bid, _ = there.best()
    before = await trader.totals_told()
    accepted(await trader.place(market("mo-1", "0.02")))
    accepted(await trader.place(market("mo-2", "0.01", side="sell", fee="base")))
    accepted(await trader.place(limit("mo-3", bid, "0.05")))
    there.do("fill", account=trader.account, cl_ord_id="mo-3", share=0.5)
    lines = await trader.lines()
    after = await trader.balances()
    for asset, total in after.items():
        moved = sum((x.amount - x.fee for x in lines if x.asset == asset), d("0"))
        assert total == before[asset] + moved
    assert after == await trader.totals_told()
    told = {fill.exec_id: fill.qty for fill in fills_of(await trader.told())}
    assert {fill.exec_id: fill.qty for fill in await trader.fills()} == told
