"""One real run without faults, for tests that corrupt it: rows, wire record, truth and facts."""

import asyncio
import copy
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from checker import history
from checker.check import judge
from checker.evidence import Evidence
from checker.record import Facts, Violation, WireEntry
from checker.rows import Rows, read
from checker.truth import read_truth
from checker.wire import read_wire
from dst.lives import Lives
from dst.plan import draw
from dst.simulate import execute
from virtual_time import run_virtually

SEED, MINUTES = 7, 3.0


@dataclass
class Run:
    """What a run left: everything may be changed, as each test has a copy of its own."""

    rows: Rows
    wire: list[WireEntry]
    truth: dict[str, Any]
    facts: Facts

    def judged(self, *only: str) -> list[Violation]:
        """The verdict on it as it is now; of some ids only, where they are named."""
        evidence = Evidence(read_wire(self.wire), read_truth(self.truth), self.rows, self.facts)
        return judge(evidence, only=only)

    def order(self, **wanted: Any) -> dict[str, Any]:
        """The first row of pending_trades with these values."""
        return next(
            row
            for row in self.rows.orders
            if all(row[name] == value for name, value in wanted.items())
        )

    def sends_of(self, cl_ord_id: str) -> list[int]:
        """Where in the record an order's frames stand, as handed over and as arrived."""
        return [
            index
            for index, entry in enumerate(self.wire)
            if entry.way in ("sent", "in") and f'"{cl_ord_id}"' in entry.text
            and '"add_order"' in entry.text
        ]  # fmt: skip

    def rewrite(self, cl_ord_id: str, old: str, new: str) -> None:
        """Change the text of an order's frames."""
        for index in self.sends_of(cl_ord_id):
            entry = self.wire[index]
            assert old in entry.text, entry.text
            self.wire[index] = dataclasses.replace(entry, text=entry.text.replace(old, new))

    def add(self, entry: WireEntry) -> None:
        """One more thing on the wire, at the place its moment gives it."""
        self.wire.append(entry)
        self.wire.sort(key=lambda one: one.at)
        self.wire[:] = [
            dataclasses.replace(one, n=number) for number, one in enumerate(self.wire, 1)
        ]


@pytest.fixture(scope="session")
def recorded_run(
    postgres_server: Any, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    """The whole daemon for some virtual minutes, in calm; its database as it was at the end."""
    server = postgres_server.dsn
    execute(server, f'CREATE DATABASE "checked" TEMPLATE "{migrated_template}"')
    dsn = server.replace("@/simple_trader?", "@/checked?")
    asyncio.run(history.install(dsn))
    scenario = dataclasses.replace(
        draw(SEED, MINUTES),
        faults=(),
        pairs=("BTC/USD", "ETH/USD"),
        interval_s=8,
        candle_minutes=1,
        counters=False,
        base_order=Decimal(3000),
        regime="chop",
    )
    folder = Path(tmp_path_factory.mktemp("control"))
    made: list[Lives] = []

    def begin(loop: Any) -> Any:
        made.append(Lives(loop, scenario, dsn, folder))
        return made[0].run()

    run_virtually(begin)
    lives = made[0]
    yield Run(read(dsn), list(lives.venue.log.entries), lives.exchange.truth(), lives.facts())
    execute(server, 'DROP DATABASE "checked" WITH (FORCE)')


@pytest.fixture
def run(recorded_run: Run) -> Run:
    """A copy of the run to corrupt."""
    return Run(
        copy.deepcopy(recorded_run.rows),
        list(recorded_run.wire),
        copy.deepcopy(recorded_run.truth),
        recorded_run.facts,
    )
