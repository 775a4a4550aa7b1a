"""The inbox keeps order, coalesces market events under load only, and never drops money."""

import asyncio

from runtime_parts import T0, quote

from simple_trader.domain.events import FeedUp, QuoteSeen, TimerFired
from simple_trader.runtime.inbox import COALESCE_ABOVE, Inbox


async def take_all(inbox: Inbox) -> list:
    taken = []
    while len(inbox):
        taken.append(await inbox.get())
        inbox.done()
    return taken


async def test_events_come_out_in_the_order_they_were_put() -> None:
    inbox = Inbox()
    events = [FeedUp(feed=str(n)) for n in range(5)]
    for event in events:
        inbox.put(event)
    assert await take_all(inbox) == events


async def test_without_load_every_quote_is_seen() -> None:
    inbox = Inbox()
    for n in range(10):
        inbox.put(QuoteSeen(quote=quote(str(n + 1))))
    assert len(await take_all(inbox)) == 10
    assert inbox.coalesced == 0


async def test_under_load_a_newer_quote_replaces_the_waiting_one_of_its_pair() -> None:
    inbox = Inbox()
    for n in range(COALESCE_ABOVE + 1):
        inbox.put(TimerFired(name=str(n), due=T0))
    inbox.put(QuoteSeen(quote=quote("1")))
    inbox.put(QuoteSeen(quote=quote("2")))
    inbox.put(QuoteSeen(quote=quote("3", pair="ETH/USD")))
    taken = await take_all(inbox)
    seen = [(e.quote.pair, str(e.quote.last)) for e in taken if isinstance(e, QuoteSeen)]
    assert seen == [("BTC/USD", "2"), ("ETH/USD", "3")]
    assert inbox.coalesced == 1


async def test_under_load_other_events_are_never_dropped_or_merged() -> None:
    inbox = Inbox()
    events = [TimerFired(name="same", due=T0) for _ in range(COALESCE_ABOVE * 2)]
    for event in events:
        inbox.put(event)
    assert len(await take_all(inbox)) == COALESCE_ABOVE * 2


async def test_a_waiting_consumer_wakes_up_and_counts_as_busy_until_done() -> None:
    inbox = Inbox()
    getting = asyncio.ensure_future(inbox.get())
    await asyncio.sleep(0)
    inbox.put(FeedUp(feed="public"))
    assert await getting == FeedUp(feed="public")
    assert not inbox.idle
    inbox.done()
    assert inbox.idle
