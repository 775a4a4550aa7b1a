"""Runs a busy daemon for hours with faults on its wire and holds what must stay flat (I-47).

`make soak HOURS=2`: real daemon, PostgreSQL and sandbox at 60 times real time; `--hours` are real
ones. Every ten seconds it samples memory, files, threads, tasks, database connections and queues;
at the end the slope of each over the second half must be below its limit, and the books balance.
"""

import argparse
import asyncio
import json
import random
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
SAMPLE_S = 10.0
WARM_SHARE = 0.4  # caches, models and the first days' partitions fill up
# Growth that is still flat, in units an hour of real time; memory in MiB.
SLOPE_MAX = {
    "rss_mib": 24.0,
    "sandbox_rss_mib": 48.0,
    "files": 2.0,
    "threads": 1.0,
    "tasks": 3.0,
    "connections": 1.0,
}
# What none of them may ever be above.
MOST = {
    "files": 128, "threads": 48, "tasks": 120, "connections": 12, "events_waiting": 2000,
    "batches_waiting": 10_000,
}  # fmt: skip
# Queues come and go: half of the last quarter's samples must find them about empty.
EMPTY = {"events_waiting": 100, "batches_waiting": 500}
# Small orders of a large account: days of fees would else end in the stop for drawdown, and a
# daemon that no longer trades would be watched.
LONG_LIFE: dict[str, object] = {
    "sim": {"initial_capital": 100_000},
    "base_order": 120,  # times a confidence that, once measured, may be a fifth of what is claimed
    "max_notional_per_day": 2_000_000, "max_pair_notional_per_day": 1_000_000,
    "max_notional_per_hour": 100_000, "max_pair_notional_per_hour": 50_000,
}  # fmt: skip
ORDERS_MIN_AN_HOUR = 20  # of market time; below it nothing was soaked
Sample = dict[str, float]


def main() -> int:
    """Run it; 0 when all is flat and the books balance."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--hours", type=float, default=2.0)
    asked.add_argument("--speed", default="60")
    asked.add_argument("--seed", type=int, default=5)
    asked.add_argument("--out", type=Path, help="write samples and figures there as JSON")
    options = asked.parse_args()
    sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support"), str(ROOT / "tests")]
    import chaos
    import system

    faults: list[str] = []
    for text in STEADY_FAULTS:
        faults += ["--fault", text]
    with system.place() as where:
        where.configure(**system.BUSY | LONG_LIFE)
        daemon = system.Daemon(
            where, "--speed", options.speed, "--seed", str(options.seed), *faults
        ).ready()
        url = daemon.wait_for("health: ", 10).split("health: ")[1]
        samples, wrong = _watch(daemon, url, options.hours * 3600.0)
        if wrong:
            daemon.kill()
        elif (code := daemon.stop()) != 0:
            wrong.append(f"it ended with {code}:\n{daemon.text[-3000:]}")
        if "Traceback" in daemon.text:
            wrong.append("a traceback was shown")
        dice = random.Random(options.seed)
        campaign = chaos.Campaign(where, dice, flags=("--seed", str(options.seed)))
        found = campaign.finish()
        wrong += found.differences
        market_h = samples[-1]["market_h"]
        if market_h > 1 and found.orders < ORDERS_MIN_AN_HOUR * market_h:
            wrong.append(f"only {found.orders} orders in {market_h:.1f} market hours")
    wrong += judge(samples)
    figures = {
        "hours": round(samples[-1]["at_h"], 3),
        "market_hours": round(samples[-1]["market_h"], 1),
        "samples": len(samples),
        "orders": found.orders,
        "fills": found.fills,
        "faults": list(STEADY_FAULTS),
        "table": table(samples),
        "violations": wrong,
    }
    if options.out is not None:
        options.out.write_text(json.dumps({**figures, "raw": samples}, indent=1) + "\n")
    _print(figures)
    return 1 if wrong else 0


# Each comes back all the time; none stops trading for good or moves money from outside. A lost
# answer (X01, X10) costs 8 s of real time in which the market stands: few of them, or a soak of
# hours is one of waiting.
STEADY_FAULTS = (
    "X01 chance=0.01 count=all", "X04 chance=0.1 count=all", "X05 chance=0.1 count=all",
    "X06 chance=0.05 count=all", "X10 chance=0.005 count=all", "N05 chance=0.01 count=all",
    "N01 chance=0.0005 count=all on=private", "N13 how=channel chance=0.0005 count=all",
    "X13 chance=0.0005 count=all",
)  # fmt: skip


def _watch(daemon: object, url: str, span_s: float) -> tuple[list[Sample], list[str]]:
    """Samples until the time is over or the daemon ended, and what went wrong."""
    import system

    assert isinstance(daemon, system.Daemon)
    began, market_began, samples = time.monotonic(), 0.0, []
    while True:
        try:
            sample, market = _sample(daemon, url)
        except OSError as error:
            system.wait_until(lambda: daemon.process.poll() is not None, 20)
            code = daemon.process.poll()
            after = f"no sample after {time.monotonic() - began:.0f} s ({error})"
            return samples, [f"{after}; its code is {code}, and it said:\n{daemon.text[-6000:]}"]
        market_began = market_began or market
        sample["at_h"] = (time.monotonic() - began) / 3600.0
        sample["market_h"] = (market - market_began) / 3600.0
        samples.append(sample)
        if len(daemon.lines) > 20_000:
            del daemon.lines[:10_000]
        if time.monotonic() - began >= span_s:
            return samples, []
        time.sleep(min(SAMPLE_S, max(0.1, span_s / 20)))


def _sample(daemon: object, url: str) -> tuple[Sample, float]:
    import system

    assert isinstance(daemon, system.Daemon)
    health = _health(url)
    sandbox = daemon.sandbox_pid()
    pid = daemon.process.pid
    sample: Sample = {
        "rss_mib": _rss_mib(pid),
        "sandbox_rss_mib": _rss_mib(sandbox) if sandbox is not None else 0.0,
        "files": float(len(list(Path(f"/proc/{pid}/fd").iterdir()))),
        "threads": float(_status(pid, "Threads")),
        "connections": float(asyncio.run(_connections(daemon.where))),
    }
    for name, value in health["gauges"].items():
        sample[name] = float(value)
    from datetime import datetime

    return sample, datetime.fromisoformat(health["market_at"]).timestamp()


def _health(url: str) -> dict[str, object]:
    """The health document, whatever its status code."""
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def _status(pid: int, name: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)
    assert found is not None
    return int(found[1])


def _rss_mib(pid: int) -> float:
    return _status(pid, "VmRSS") / 1024.0


async def _connections(where: object) -> int:
    """Sessions of the daemon at the server, this look not counted."""
    import asyncpg
    import system

    from simple_trader.adapters.store.embedded_postgres import EmbeddedPostgres

    assert isinstance(where, system.Place)
    async with EmbeddedPostgres(where.state) as server:
        connection = await asyncpg.connect(server.dsn)
        try:
            return int(
                await connection.fetchval(
                    "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' "
                    "AND pid <> pg_backend_pid()"
                )
            )
        finally:
            await connection.close()


def slope(samples: Sequence[Sample], name: str) -> float:
    """Growth an hour over what follows the warm-up, by least squares."""
    kept = samples[int(len(samples) * WARM_SHARE) :]
    hours, values = [one["at_h"] for one in kept], [one[name] for one in kept]
    mean_h, mean_v = sum(hours) / len(kept), sum(values) / len(kept)
    spread = sum((h - mean_h) ** 2 for h in hours)
    if spread == 0:
        return 0.0
    return sum((h - mean_h) * (v - mean_v) for h, v in zip(hours, values, strict=True)) / spread


def judge(samples: Sequence[Sample]) -> list[str]:
    """Everything that grew faster than its limit, or was ever above its bound (I-47)."""
    wrong = []
    for name, limit in SLOPE_MAX.items():
        grew = slope(samples, name)
        kept = [one[name] for one in samples[int(len(samples) * WARM_SHARE) :]]
        # In a short run noise has a slope: what it comes to over the run must matter too.
        came_to = grew * (samples[-1]["at_h"] - samples[0]["at_h"]) * (1 - WARM_SHARE)
        if grew > limit and came_to > max(2.0, 0.05 * min(kept)):
            wrong.append(f"I-47: {name} grew by {grew:.1f} an hour, above {limit:g}")
    for name, most in EMPTY.items():
        usual = median(one[name] for one in samples[len(samples) * 3 // 4 :])
        if usual > most:
            wrong.append(f"I-47: {name} was usually {usual:g} at the end, above {most}")
    for name, most in MOST.items():
        highest = max(one[name] for one in samples)
        if highest > most:
            wrong.append(f"I-47: {name} was {highest:g}, above {most}")
    return wrong


def table(samples: Sequence[Sample]) -> dict[str, dict[str, float]]:
    """First, highest and last value of each, and its slope after the warm-up."""
    return {
        name: {
            "first": round(samples[0][name], 1),
            "highest": round(max(one[name] for one in samples), 1),
            "last": round(samples[-1][name], 1),
            "an_hour": round(slope(samples, name), 2),
            "limit": limit,
        }
        for name, limit in {**SLOPE_MAX, **dict.fromkeys(EMPTY, 0.0)}.items()
    }


def _print(figures: dict[str, object]) -> None:
    rows = figures["table"]
    assert isinstance(rows, dict)
    print(f"{'':>16} {'first':>8} {'highest':>8} {'last':>8} {'an hour':>8} {'limit':>8}")
    for name, row in rows.items():
        print(f"{name:>16} " + " ".join(f"{value:>8g}" for value in row.values()))
    for name in ("hours", "market_hours", "samples", "orders", "fills", "violations"):
        print(f"{name:>16} {figures[name]}")


if __name__ == "__main__":
    sys.exit(main())
