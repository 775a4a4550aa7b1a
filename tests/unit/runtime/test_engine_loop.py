"""The engine loop numbers events, splits rows by lane, and holds what is visible until commit."""

import asyncio
from decimal import Decimal

import msgspec
from runtime_parts import T0, HandClock, ListLane, approved, quote

from simple_trader.domain.actions import Note, PlaceOrder, Remember
from simple_trader.domain.events import FeedUp, QuoteSeen, Stamped
from simple_trader.domain.records import BalanceRow, PriceRow
from simple_trader.runtime.engine_loop import EngineLoop
from simple_trader.runtime.inbox import Inbox


class ScriptedBrain:
    """Answers every event with the same actions."""

    def __init__(self, actions: list) -> None:
        self.actions, self.seen = actions, []

    def process(self, stamped: Stamped) -> list:
        self.seen.append(stamped)
        return self.actions


class Ear:
    """Notes what a dispatcher is told."""

    def __init__(self) -> None:
        self.held, self.obeyed = [], []

    def hold(self, seq, action) -> None:
        self.held.append((seq, action))

    def now(self, action) -> None:
        self.obeyed.append(action)


def loop_with(actions: list, *, last_at=None, clock=None):
    parts = {
        "brain": ScriptedBrain(actions),
        "inbox": Inbox(),
        "lane": ListLane(),
        "market": ListLane(),
        "dispatcher": Ear(),
        "clock": clock or HandClock(),
    }
    told: list = []
    loop = EngineLoop(**parts, last_seq=41, last_at=last_at, after=told.append)
    return loop, parts, told


def price_row() -> PriceRow:
    q = quote()
    return PriceRow(
        pair=q.pair, ts=T0, last=q.last, bid=q.bid, ask=q.ask, volume=q.volume, vwap=q.vwap
    )


def test_an_event_is_numbered_stamped_and_journaled_even_if_it_causes_nothing() -> None:
    loop, parts, told = loop_with([])
    loop.handle(QuoteSeen(quote=quote()))
    (batch,) = parts["lane"].batches
    assert (batch.seq, batch.at, batch.records, batch.urgent) == (42, T0, (), False)
    assert msgspec.json.decode(batch.event, type=Stamped) == parts["brain"].seen[0]
    assert told == [QuoteSeen(quote=quote())]


def test_market_rows_go_to_the_market_lane_and_ledger_rows_into_the_batch() -> None:
    balance = BalanceRow(asset="USD", balance=Decimal(1), at=T0, cause="trade")
    loop, parts, _ = loop_with([Remember(record=price_row()), Remember(record=balance)])
    loop.handle(FeedUp(feed="public"))
    assert parts["market"].batches == [price_row()]
    assert parts["lane"].batches[0].records == (balance,)


def test_an_order_is_held_for_its_commit_and_makes_the_batch_urgent() -> None:
    order = PlaceOrder(approved=approved())
    note = Note(level="info", text="buying")
    loop, parts, _ = loop_with([order, note])
    loop.handle(FeedUp(feed="private"))
    assert parts["dispatcher"].held == [(42, order)]
    assert parts["dispatcher"].obeyed == [note]
    assert parts["lane"].batches[0].urgent


def test_market_time_never_goes_back_not_even_across_a_restart() -> None:
    later = T0.replace(hour=11)
    loop, parts, _ = loop_with([], last_at=later)
    loop.handle(FeedUp(feed="public"))
    assert parts["brain"].seen[0].at == later


async def test_i_47_d02_a_full_lane_takes_no_more_quotes_and_the_newest_comes_after() -> None:
    """No quote is processed while nothing can be written; what is about money always is."""
    loop, parts, _ = loop_with([])
    lane, inbox = parts["lane"], parts["inbox"]
    lane.full = True
    for last in range(5000):
        inbox.put(QuoteSeen(quote=quote(str(60000 + last))))
        inbox.put(QuoteSeen(quote=quote(str(3000 + last), pair="ETH/USD")))
    inbox.put(FeedUp(feed="private"))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(loop.run())
        while not inbox.idle:
            await asyncio.sleep(0)
        assert [one.event for one in parts["brain"].seen] == [FeedUp(feed="private")]
        assert (len(lane.batches), inbox.kept, len(inbox)) == (1, 2, 0)
        lane.full = False
        inbox.put(QuoteSeen(quote=quote("70000")))
        while not inbox.idle:
            await asyncio.sleep(0)
        task.cancel()
    newest = [QuoteSeen(quote=quote("64999")), QuoteSeen(quote=quote("7999", pair="ETH/USD"))]
    assert [one.event for one in parts["brain"].seen][1:] == [
        *newest,
        QuoteSeen(quote=quote("70000")),
    ]
    assert len(lane.batches) == 4
