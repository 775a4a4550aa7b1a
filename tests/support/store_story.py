"""A story in records, the same for every store test, and a running lane that it is told to."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal

from store_parts import AT, PAIR, ROOM, asked, booked, decided, moment, order

from simple_trader.adapters.store.lane_connection import AsyncpgLedgerConnection
from simple_trader.adapters.store.ledger_lane import LaneLimits, LedgerLane
from simple_trader.adapters.store.recovery import Recovery
from simple_trader.domain import records as r
from simple_trader.domain.instruments import AssetRules
from simple_trader.domain.orders import Side
from simple_trader.domain.predictions import ModelSkill
from simple_trader.domain.recovered import Recovered
from simple_trader.ports import Batch

BLOB = b"a model"
SKILL = ModelSkill(
    pair="BTC/USD",
    horizon_cycles=1,
    horizon_s=900,
    scored=120,
    ups=61,
    brier=30.5,
    base_brier=30.1,
    recent_scored=120,
    quarantined_at=AT,
    quarantined_for="model_unskilled",
)


def opening() -> tuple[r.LedgerRecord, ...]:
    """What stands there once: mirrors, model, configuration, audit."""
    return (
        r.AssetRow(
            rules=AssetRules(
                asset="BTC",
                rest_id="XXBT",
                altname="XBT",
                precision=10,
                display_precision=5,
                status="enabled",
            )
        ),
        r.PairRow(rules=PAIR),
        r.SkillRow(skill=SKILL),
        r.ModelRow(
            model_id="m0",
            kind="trained",
            basis="",
            trained_at=AT,
            sha256=hashlib.sha256(BLOB).hexdigest(),
            blob=BLOB,
            rows=100,
            metrics={"brier": 0.24},
        ),
        r.ConfigRow(
            config_hash="h", at=AT, source="mode: sim\n", texts={"templates/a.mustache": "{{pair}}"}
        ),
        r.ReconciliationRow(
            at=AT,
            cause="operator",
            state="explained",
            subject="BTC",
            detail="ann: found in the ledger of last year",
            asset="BTC",
            since=AT,
            opening=Decimal(0),
            ledger_sum=Decimal(0),
            explained=Decimal("0.5"),
            short=Decimal(0),
            balance=Decimal("0.5"),
            residual=Decimal(0),
        ),
        r.AuditRow(
            at=AT,
            actor="daemon",
            origin="engine",
            action="start",
            object="daemon",
            before="",
            after="",
            result="done",
        ),
        r.VenueOrderRow(
            order_id="OF",
            cl_ord_id=None,
            pair="BTC/USD",
            side=Side.SELL,
            order_type="limit",
            status="open",
            qty=Decimal(1),
            filled_qty=Decimal(0),
            cost=Decimal(0),
            fee=Decimal(0),
            limit_price=Decimal("200.0"),
            avg_price=None,
            opened_at=AT,
            closed_at=None,
            reason="",
        ),
        r.ReconciliationRow(
            at=AT,
            cause="start",
            state="clean",
            subject="USD",
            asset="USD",
            since=AT,
            opening=Decimal("1000.00"),
            ledger_sum=Decimal(0),
            explained=Decimal(0),
        ),
    )


def story(cycles: int, epoch: int, *, first: int = 1) -> Iterator[tuple[r.LedgerRecord, ...]]:
    """Three batches a cycle: what was asked, the intent, the fill; then scores and refusals."""
    if first == 1:
        yield opening()
    for number in range(first, first + cycles):
        yield asked(number)
        if number % 3 == 0:
            yield (decided(number, "refused"),)
        else:
            yield (
                decided(number),
                r.IntentRow(order=order(number), epoch=epoch, cap_asset=ROOM, cap_total=ROOM),
            )
            yield booked(number)
        yield (
            r.PredictionScoreRow(
                prediction_id=f"p{number}",
                outcome=1,
                brier=0.140625,
                log_loss=0.470004,
                mid=Decimal("133.0"),
                scored_at=moment(number + 900),
            ),
        )


def batches(
    parts: Sequence[tuple[r.LedgerRecord, ...]], after_seq: int = 0, *, urgent: bool = True
) -> list[Batch]:
    """Batches numbered after `after_seq`, one for each part."""
    return [
        Batch(
            seq=seq,
            at=moment(seq),
            event=b'{"seq":%d}' % seq,
            records=records,
            urgent=urgent,
        )
        for seq, records in enumerate(parts, after_seq + 1)
    ]


class Ticks:
    """Commits as they are told."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.changed = asyncio.Event()

    def __call__(self, seq: int) -> None:
        self.seqs.append(seq)
        self.changed.set()

    async def reach(self, seq: int) -> None:
        """Wait until event `seq` is committed."""
        while not self.seqs or self.seqs[-1] < seq:
            self.changed.clear()
            await self.changed.wait()


@asynccontextmanager
async def running(
    dsn: str,
    *,
    connection: AsyncpgLedgerConnection | None = None,
    limits: LaneLimits | None = None,
    boot_seconds: int = 1000,
) -> AsyncIterator[tuple[LedgerLane, Ticks, Recovered]]:
    """A recovered, running lane; it is not closed at the end, as after a crash."""
    session = connection or AsyncpgLedgerConnection(dsn)
    await session.connect(None)
    recovered = await Recovery(dsn, boot_seconds=boot_seconds).recover()
    ticks = Ticks()
    loop = asyncio.get_running_loop()
    lane = LedgerLane(
        session,
        epoch=recovered.epoch,
        last_seq=recovered.last_seq,
        chain=recovered.chain,
        on_commit=ticks,
        monotonic=loop.time,
        limits=limits,
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(lane.run())
        yield lane, ticks, recovered
        task.cancel()
