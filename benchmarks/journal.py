"""What the brain and an order cost, from the journal and the log of a real run.

    .venv/bin/python benchmarks/journal.py STATE

Reads `engine_journal` of the database in STATE back (its hashes are checked on the way), gives the
events to a new engine in the same order, and prints microseconds an event. Then it takes from the
log how long an order took from its approval to its first booked fill.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


async def read_events(state_dir: Path) -> list[bytes]:
    from simple_trader.adapters.store.journal_reader import read_journal
    from simple_trader.app import database
    from simple_trader.config.options import RunOptions

    async with database(RunOptions(state_dir=state_dir)) as dsn:
        return [event async for part in read_journal(dsn) for event in part.events]


def think(events: list[bytes]) -> dict[str, list[float]]:
    """Microseconds of each `Engine.process`, by kind of event."""
    import msgspec

    from simple_trader.core.engine import Engine
    from simple_trader.domain.events import Stamped

    decoder = msgspec.json.Decoder(Stamped)
    stamped = [decoder.decode(event) for event in events]
    engine = Engine()
    spent = defaultdict(list)
    for item in stamped:
        began = time.perf_counter_ns()
        engine.process(item)
        spent[type(item.event).__name__].append((time.perf_counter_ns() - began) / 1000)
    return spent


def log_lines(state_dir: Path) -> Iterator[dict[str, str]]:
    folder = state_dir / "logs"
    for path in sorted(folder.glob("trading_system.log*"), reverse=True):
        with path.open(encoding="utf-8") as file:
            yield from (json.loads(line) for line in file)


def order_times(state_dir: Path) -> list[float]:
    """Milliseconds from the note of an approved order to the note of its first fill."""
    approved: dict[str, datetime] = {}
    spans = []
    for line in log_lines(state_dir):
        name, text = line.get("cl_ord_id"), line["message"]
        at = datetime.fromisoformat(line["at"])
        if name and text.startswith(("buy ", "sell ")):
            approved[name] = at
        elif name in approved and text.startswith("Filled "):
            spans.append((at - approved.pop(name)).total_seconds() * 1000)
    return spans


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("state", type=Path)
    state_dir = parser.parse_args().state.absolute()
    sys.path.insert(0, str(ROOT))
    events = asyncio.run(read_events(state_dir))
    rounds = [think(events) for _ in range(3)]
    print(f"{len(events)} events, best of {len(rounds)} rounds, microseconds an event")
    for kind in sorted(rounds[0], key=lambda kind: -len(rounds[0][kind])):
        means = [statistics.mean(spent[kind]) for spent in rounds]
        worst = min(max(spent[kind]) for spent in rounds)
        print(f"  {kind:20} {len(rounds[0][kind]):8} mean {min(means):9.1f}  worst {worst:9.1f}")
    whole = min(sum(sum(spans) for spans in spent.values()) for spent in rounds)
    print(f"  {'all':20} {len(events):8} mean {whole / len(events):9.1f}")
    spans = order_times(state_dir)
    if spans:
        print(
            f"{len(spans)} orders, approval to first booked fill: median "
            f"{statistics.median(spans):.0f} ms, from {min(spans):.0f} to {max(spans):.0f} ms"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
