"""The independent checker's verdict on a place whose daemon was stopped."""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import yaml
from chaos import Campaign
from checker import history
from checker.check import check
from checker.record import Caps, Facts, Life, Span, WireEntry, load_record
from checker.wire import read_wire
from system import Place, truth

from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres

# A request of an operator is a file: the daemon looks ten times a second.
TAKEN_WITHIN = timedelta(seconds=0.5)


@dataclass
class Verdict:
    """What the checker found, and how many orders went over the wire."""

    sent: int = 0
    wrong: list[str] = field(default_factory=list)


def watch(where: Place) -> None:
    """Keep every version of orders and risk rows from now on, by the checker's own triggers."""

    async def work() -> None:
        async with EmbeddedPostgres(where.state) as server:
            await history.install(server.dsn)

    asyncio.run(work())


def judge(campaign: Campaign, record: Path) -> Verdict:
    """Judge wire record, exchange's truth and database of a campaign whose daemon was stopped."""
    entries = load_record(record)
    settings = yaml.safe_load(campaign.where.config.read_text())
    clock = _MarketClock(entries)
    facts = Facts(
        started_at=entries[0].at,
        ended_at=entries[-1].at,
        lives=tuple(Life(clock.at(a), clock.at(b), how) for a, b, how in campaign.lives),
        pauses=tuple(Span(clock.at(a), clock.at(b), "SIGSTOP") for a, b in campaign.pauses),
        halts=tuple((clock.at(when + TAKEN_WITHIN), what) for when, what in campaign.halts),
        caps=Caps(
            asset=Decimal(str(settings["max_asset_exposure"])),
            total=Decimal(str(settings["max_total_exposure"])),
        ),
        pairs=tuple(settings["traded_pairs"]),
        commit_stamps=True,
    )
    real = truth(campaign.where)

    async def work() -> list[str]:
        async with EmbeddedPostgres(campaign.where.state) as server:
            found = await asyncio.to_thread(check, server.dsn, entries, real, facts)
            return [str(violation) for violation in found]

    return Verdict(sent=len(read_wire(entries).orders), wrong=asyncio.run(work()))


class _MarketClock:
    """Market time at a real moment, as the wire record tells it."""

    def __init__(self, entries: Sequence[WireEntry]) -> None:
        self._real = [entry.real for entry in entries]
        self._market = [entry.at for entry in entries]

    def at(self, real: datetime) -> datetime:
        return self._market[max(0, bisect_right(self._real, real) - 1)]
