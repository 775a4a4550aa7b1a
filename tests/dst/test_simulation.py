"""A few seeds of the campaign, and what makes it one: the same seed is the same run, everywhere."""

import asyncio
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from checker import history
from virtual_time import VirtualLoop, run_virtually

from dst.lives import Lives
from dst.plan import draw
from dst.run import Result, run_seed

ROOT = Path(__file__).resolve().parents[2]
ONE_SEED = """
import sys
sys.path[:0] = sys.argv[4:]
from dst.run import run_seed
result, _ = run_seed(int(sys.argv[2]), float(sys.argv[3]), sys.argv[1], calm_s=15.0)
print(result.chain, result.sent, result.wire, result.faults.total())
"""


def kept(dsn: str) -> str:
    """A database whose history the checker sees."""
    asyncio.run(history.install(dsn))
    return dsn


@pytest.mark.parametrize("seed", [101, 112])
def test_i_01_to_i_52_hold_through_faults_of_n_x_d_p_and_l(databases, seed: int) -> None:
    result, _ = run_seed(seed, 3.0, kept(databases()))
    assert result.violations == []
    assert result.faults.total() >= 3
    assert result.sent >= 1


def test_i_52_the_same_seed_gives_the_same_journal_hash(databases) -> None:
    first, second = (run_seed(106, 1.5, kept(databases()), calm_s=15.0)[0] for _ in range(2))
    assert first.sent > 0
    assert first.faults.total() > 0
    assert told(first) == told(second)


def test_i_48_a_read_given_up_for_a_cancel_lands_and_counts_as_cut(tmp_path: Path) -> None:
    """Its nonce may arrive after that of the cancel (X18, I-28): it was given out before."""

    async def scene(loop: VirtualLoop) -> None:
        lives = Lives(loop, draw(1, 1.0), "", tmp_path)
        asks = [
            lives.venue.request(
                "POST", "http://virtual/0/private/Balance", headers={}, body=body, timeout_s=10
            )
            for body in (b"nonce=5", b"nonce=6")
        ]
        given_up, kept = (asyncio.ensure_future(ask) for ask in asks)
        await asyncio.sleep(0)
        given_up.cancel()
        assert (await kept).status == 200
        await asyncio.sleep(1.0)
        lives.nested.stop()
        rest = {e.body: e.status for e in lives.venue.log.entries if e.way == "rest"}
        assert rest == {"nonce=5": 0, "nonce=6": 200}

    run_virtually(scene)


def told(result: Result) -> tuple[str, int, int, int]:
    """What must not differ."""
    return result.chain, result.sent, result.wire, result.faults.total()


def test_p15_the_order_of_hashes_and_the_time_zone_change_nothing(databases) -> None:
    folders = [str(ROOT / name) for name in (".", "tests", "tests/support")]
    said = []
    for hashes, zone in (("1", "UTC"), ("2", "Asia/Kathmandu")):
        dsn = kept(databases())
        command = [sys.executable, "-c", ONE_SEED, dsn, "106", "1.0", *folders]
        surroundings = {**os.environ, "PYTHONHASHSEED": hashes, "TZ": zone}
        run = subprocess.run(
            command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=True
        )
        said.append(run.stdout.strip())
    assert said[0] == said[1]
    assert said[0].split()[0]


def test_a_seed_decides_everything_and_every_family_comes() -> None:
    assert draw(7, 20) == draw(7, 20) != draw(8, 20)
    drawn = [draw(seed, 20) for seed in range(100)]
    assert {planned.family for one in drawn for planned in one.faults} == set("NXDPL")
    assert min(one.interval_s for one in drawn) <= 6
    assert max(one.interval_s for one in drawn) >= 100
    moments = [[p.at_s for p in one.faults if p.family != "L"] for one in drawn]
    close = [sum(b - a <= 10 for a, b in itertools.pairwise(m)) for m in moments]
    assert min(close) >= 5  # pairs of faults within 10 s
