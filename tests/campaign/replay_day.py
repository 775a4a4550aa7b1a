"""A simulated day is recorded, replayed whole, then once more for each place with a flipped bit.

A real daemon trades a generated market, or a file, as fast as it can, in two lives with a change of
configuration between them. `simple-trader replay --day all` must make every decision, order, row,
state and prompt again; then one bit of the journal, of a decision, an order, a prompt and a kept
state is flipped, each alone, and each time it must be named.
"""

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 6 * 3600.0


@dataclass(frozen=True)
class Spot:
    """Where a bit is flipped, and the words that must tell it."""

    table: str
    column: str
    row: str
    told: str
    is_text: bool = False

    @property
    def statement(self) -> str:
        """Flips the bit, and flips it back."""
        bits = f"convert_to({self.column}, 'UTF8')" if self.is_text else self.column
        at = "8" if self.is_text else f"8 * (length({self.column}) / 2)"
        flipped = f"set_bit({bits}, {at}, 1 - get_bit({bits}, {at}))"
        value = f"convert_from({flipped}, 'UTF8')" if self.is_text else flipped
        return f"UPDATE {self.table} SET {self.column} = {value} WHERE {self.row}"


MIDDLE = "{0} = (SELECT {0} FROM {1} ORDER BY {0} OFFSET (SELECT count(*) / 2 FROM {1}) LIMIT 1)"
SPOTS = (
    Spot("engine_journal", "payload", MIDDLE.format("last_seq", "engine_journal"), "damaged"),
    Spot(
        "ai_decisions",
        "rationale",
        "decision_id = (SELECT max(decision_id) FROM ai_decisions WHERE length(rationale) > 1)",
        "rationale: recorded",
        is_text=True,
    ),
    Spot(
        "pending_trades",
        "params_hash",
        MIDDLE.format("cl_ord_id", "pending_trades"),
        "params_hash: recorded",
        is_text=True,
    ),
    Spot("llm_calls", "prompt", MIDDLE.format("call_id", "llm_calls"), "prompt: recorded", True),
    Spot("engine_snapshots", "state", MIDDLE.format("id", "engine_snapshots"), "state kept at"),
)


def main() -> int:
    """Record, replay, flip; 0 when the day came again and each flipped bit was named."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--hours", type=float, default=24.0, help="market hours to record")
    asked.add_argument("--decisions", type=int, default=200, help="that there must be at least")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--replay-file", default="", help="a market file instead of the seed's")
    options = asked.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "support")]
    import system

    with system.place() as where:
        record(where, options)
        code, said, seconds = replayed(where)
        print(said, flush=True)
        counts = system.rows(where, *(f"SELECT count(*) AS n FROM {t}" for t in COUNTED))
        made = {table: rows[0]["n"] for table, rows in zip(COUNTED, counts, strict=True)}
        print("stored: " + ", ".join(f"{n} {table}" for table, n in made.items()))
        print(f"the command took {seconds:.1f} s")
        if code or made["ai_decisions"] < options.decisions:
            print(f"FAILED: exit code {code}, {made['ai_decisions']} decisions")
            return 1
        missed = [spot for spot in SPOTS if not is_named(where, spot)]
    print("every flipped bit was named" if not missed else f"FAILED: {len(missed)} were not named")
    return 1 if missed else 0


COUNTED = ("ai_decisions", "pending_trades", "llm_calls", "model_predictions", "decision_marks")


def record(where: Any, options: argparse.Namespace) -> None:
    """Two lives of half the time each; a limit of the configuration changes between them."""
    import system

    market = ("--seed", str(options.seed))
    busy = dict(system.BUSY, aggregator_interval_seconds=300)
    if options.replay_file:
        market = ("--replay", options.replay_file, "--replay-pair", "BTC/USD")
        busy["traded_pairs"] = ["BTC/USD"]
    half = f"{options.hours * 1800:.0f}"
    for number, order in enumerate((60, 70)):
        where.configure(**dict(busy, base_order=order))
        began = time.perf_counter()
        flags = (*market, "--speed", "max", "--for-market", half)
        with system.Daemon(where, *flags) as daemon:
            assert daemon.wait(WITHIN_S) == 0, daemon.text[-3000:]
        reached = [line for line in daemon.lines if "times real time" in line][-1]
        took = time.perf_counter() - began
        print(f"life {number + 1}: {took:.0f} s, {reached.split('INFO')[-1].strip()}", flush=True)


def replayed(where: Any) -> tuple[int, str, float]:
    """The command as people use it: its exit code, its words and how long it took."""
    import system

    began = time.perf_counter()
    done = system.command(
        where,
        "-m",
        "simple_trader",
        "replay",
        "--day",
        "all",
        "--config",
        str(where.config),
        "--state-dir",
        str(where.state),
        env={"PYTHONPATH": str(ROOT)},
        timeout_s=WITHIN_S,
    )
    return done.returncode, done.stdout + done.stderr, time.perf_counter() - began


def is_named(where: Any, spot: Spot) -> bool:
    """Flip one bit, replay, flip it back."""
    run(where, spot.statement)
    code, said, _ = replayed(where)
    run(where, spot.statement)
    told = next((line for line in said.splitlines() if spot.told in line), "")
    print(f"one bit of {spot.table}.{spot.column}: exit {code}: {told[:160]}", flush=True)
    return code != 0 and bool(told)


def run(where: Any, statement: str) -> None:
    """Change a row as no program of ours can: without triggers."""
    import asyncpg

    from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres

    async def work() -> None:
        async with EmbeddedPostgres(where.state) as server:
            connection = await asyncpg.connect(server.dsn)
            try:
                await connection.execute("SET session_replication_role = replica")
                assert await connection.execute(statement) == "UPDATE 1", statement
            finally:
                await connection.close()

    asyncio.run(work())


if __name__ == "__main__":
    sys.exit(main())
