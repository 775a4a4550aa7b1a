"""Recorded days: a real engine trades at a desk, and a real lane writes what it did to Postgres."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from answered import arrived
from brain_desk import BTC, T0, Desk, advice_text, say, started
from store_story import running

from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.prompts import render
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.assets import asset_path
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain.records import BookMetricsRow, PriceRow
from simple_trader.ports import Batch
from simple_trader.runtime.snapshots import SnapshotKeeper

TEXTS = {
    name: asset_path(name).read_text("utf-8")
    for name in ("templates/prompts/aggregator.mustache", "tools/aggregator_function.json")
}
OTHER_TEXTS = {
    name: text if name.endswith(".json") else "Think twice.\n" + text
    for name, text in TEXTS.items()
}
DAY_1, DAY_2 = T0.date(), (T0 + timedelta(days=1)).date()


class Shelf:
    """Where the keeper of snapshots puts them until the journal is written."""

    def __init__(self) -> None:
        self.kept: list[tuple[int, datetime, bytes, str]] = []

    async def snapshot(self, seq: int, at: datetime, state: bytes, why: str) -> None:
        """Keep one."""
        self.kept.append((seq, at, state, why))


class RecordedDesk(Desk):
    """A desk that keeps states as the daemon does and asks with prompts that are rendered."""

    def __init__(self, at: datetime = T0, seq: int = 0) -> None:
        super().__init__(at)
        self.seq = seq
        self.shelf = Shelf()
        self.keeper = SnapshotKeeper(self.engine, self.shelf)
        self.texts = TEXTS
        self._newest = at

    def do(self, event: e.Event, *, after_s: float = 0.0) -> list[a.Action]:
        """Process an event as the engine loop does, with the keeper before and after."""
        at = self.at + timedelta(seconds=after_s)
        if self.log:
            self.keeper.before(self.seq, self._newest, at)
        actions = super().do(event, after_s=after_s)
        self._newest = at
        self.keeper.after(self.seq, at, event)
        return actions

    def start(self, **changes: Any) -> list[a.Action]:
        """Start with the texts of the configuration."""
        texts = {"source": "mode: sim\n", "texts": self.texts, "program": "test 1"}
        return self.do(started(**{**texts, **changes}))

    def answer(self, asked: a.AskAdvice, raw: str, finish_reason: str = "stop") -> list[a.Action]:
        """Answer a question whose prompt was rendered as the daemon renders it."""
        prompt = render(LlmAssets.from_texts(*self.texts.values()), asked)
        return self.do(
            arrived(
                asked.question.question_id,
                raw,
                prompt=prompt.text,
                prompt_hash=prompt.prompt_hash,
                template_hash=prompt.template_hash,
                finish_reason=finish_reason,
            )
        )

    def trade(self, exec_id: str) -> str:
        """Buy and be filled; the client order id."""
        request = self.place(BTC)
        self.do(e.OrderAcked(cl_ord_id=request.cl_ord_id, order_id=f"O-{exec_id}"))
        self.fill(request, exec_id, order_id=f"O-{exec_id}", trade_id=self.seq)
        self.settle()
        return request.cl_ord_id

    async def write(self, dsn: str, *, boot_seconds: int = 1000) -> None:
        """Write journal, rows and states, a few events to a transaction."""
        await self.keeper.write(self.seq)
        async with running(dsn, boot_seconds=boot_seconds) as (lane, ticks, recovered):
            assert recovered.last_seq == self.log[0][0].seq - 1
            for stamped, actions in self.log:
                lane.put(_batch(stamped, actions))
                if stamped.seq % 5 == 0:
                    lane.flush()
                    await ticks.reach(stamped.seq)
            lane.flush()
            await ticks.reach(self.seq)
            await lane.close()
        store = Recovery(dsn, boot_seconds=boot_seconds)
        for seq, at, state, why in self.shelf.kept:
            await store.snapshot(seq, at, state, why)


def _batch(stamped: e.Stamped, actions: list[a.Action]) -> Batch:
    """What the engine loop hands to the lane."""
    records = [
        action.record
        for action in actions
        if isinstance(action, a.Remember)
        and not isinstance(action.record, PriceRow | BookMetricsRow)
    ]
    event = msgspec.json.encode(stamped)
    return Batch(stamped.seq, stamped.at, event, tuple(records), urgent=True)


def two_days() -> RecordedDesk:
    """A life over midnight: purchases, holds, a new version of configuration and templates."""
    desk = RecordedDesk()
    desk.open()
    desk.trade("E1")
    desk.next_candle()
    desk.advise(say(BTC, "buy", 0.2), say("ETH/USD", "hold"))
    desk.at += timedelta(hours=13, minutes=43)  # a minute before midnight
    desk.quotes("51000", "2010")
    asked = desk.ask()
    desk.at = desk.at.replace(hour=0, minute=0) + timedelta(days=1)
    desk.quotes("51010", "2011")
    desk.answer(asked, advice_text(say(BTC, "hold"), say("ETH/USD", "hold")))
    desk.texts = OTHER_TEXTS
    desk.do(
        e.SettingsChanged(
            settings=desk.engine.state.settings,
            config_hash="d" * 64,
            before="{}",
            after="{}",
            source="mode: sim # again\n",
            texts=OTHER_TEXTS,
        )
    )
    desk.calm()
    desk.next_candle()
    desk.trade("E2")
    desk.do(e.Stopping(reason="asked to stop"))
    return desk


def next_life(before: RecordedDesk) -> RecordedDesk:
    """A start an hour later, with an epoch of its own."""
    desk = RecordedDesk(before.at + timedelta(hours=1), before.seq)
    desk.texts = OTHER_TEXTS
    desk.open(epoch=101, config_hash="d" * 64)
    desk.trade("E3")
    return desk
