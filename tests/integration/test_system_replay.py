"""Real recorded markets through the whole daemon: what is stored is what the file says."""

import csv
import gzip
import subprocess
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import books
import pytest
import system
from system import Daemon, Place

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]

PRICES = "SELECT pair, ts, last FROM price_history ORDER BY ts"
COUNTS = (
    "SELECT count(*) AS n FROM model_predictions",
    "SELECT count(*) AS n FROM ai_decisions",
    "SELECT count(*) AS n FROM ai_snapshots WHERE newest_event_at > as_of",
    "SELECT decision_id FROM v_decision_audit WHERE verdict = 'approved' AND cl_ord_id IS NULL",
)


@pytest.fixture
def where() -> Iterator[Place]:
    with system.place() as found:
        yield found


def bars(path: Path) -> dict[datetime, tuple[float, float]]:
    """Low and high by the moment each bar begins."""
    found: dict[datetime, tuple[float, float]] = {}
    with gzip.open(path, "rt", newline="") as file:
        for row in csv.reader(file):
            try:
                stamp = float(row[0])
            except ValueError:
                try:
                    begin = datetime.fromisoformat(row[0]).replace(tzinfo=UTC)
                except ValueError:
                    continue  # the headline
            else:
                begin = datetime.fromtimestamp(stamp, UTC)
            found[begin] = (float(row[3]), float(row[2]))
    return found


def outside(
    rows: list[dict], wanted: dict[datetime, tuple[float, float]], span: timedelta
) -> list[str]:
    """Stored prices that lie in no bar of the file, or outside the low and high of theirs."""
    begins = sorted(wanted)
    wrong: list[str] = []
    for row in rows:
        at = bisect_right(begins, row["ts"]) - 1
        begin = begins[at] if at >= 0 else None
        if begin is None or row["ts"] >= begin + span:
            wrong.append(f"{row['ts']} is in no bar of the file")
            continue
        low, high = wanted[begin]
        if not low <= row["last"] <= high:
            wrong.append(f"{row['last']} at {row['ts']} is outside {low}..{high}")
    return wrong


def replayed(where: Place) -> subprocess.CompletedProcess[str]:
    """All of the journal again, by the command."""
    places = ("--config", str(where.config), "--state-dir", str(where.state))
    words = ("-m", "simple_trader", "replay", "--day", "all", *places)
    return system.command(where, *words, env={"PYTHONPATH": str(system.ROOT)}, timeout_s=120)


def test_i_43_a_minute_file_is_traded_and_all_of_it_made_again_from_the_journal(
    where: Place, shared_data: Path
) -> None:
    path = shared_data / "market" / "BTCPERP_1m_2022-01.csv.gz"
    flags = ("--mode", "sim", "--replay", str(path), "--replay-pair", "BTC/USD")
    where.configure(traded_pairs=["BTC/USD"])
    with Daemon(where, *flags, "--speed", "max", "--for-market", "1h") as daemon:
        daemon.ready()
        assert daemon.wait(100) == 0
    assert "Traceback" not in daemon.text
    prices, predictions, decisions, late, lost = system.rows(where, PRICES, *COUNTS)
    assert len(prices) > 100
    assert {row["pair"] for row in prices} == {"BTC/USD"}
    assert outside(prices, bars(path), timedelta(minutes=1)) == []
    assert decisions[0]["n"] >= 1
    assert predictions[0]["n"] >= 1
    assert late[0]["n"] == 0
    assert lost == []
    found = books.compare(where)
    assert found.differences == []
    assert found.fills >= 1
    again = replayed(where)
    assert again.returncode == 0, again.stdout + again.stderr
    assert f"compared   {decisions[0]['n']} decisions" in again.stdout
    assert "every record is the same, byte for byte" in again.stdout


def test_an_hourly_kraken_file_runs_as_fast_as_it_can_and_says_how_fast(
    where: Place, shared_data: Path
) -> None:
    path = shared_data / "market" / "XBTUSD_60.csv.gz"
    flags = ("--replay", str(path), "--replay-pair", "BTC/USD")
    where.configure(traded_pairs=["BTC/USD"])
    with Daemon(where, *flags, "--speed", "max", "--for-market", "6h") as daemon:
        daemon.ready()
        assert daemon.wait(100) == 0
    said = daemon.wait_for(r"reached [\d.]+ times real time \(speed asked: max\)", 0)
    assert float(said.split("reached ")[1].split()[0]) > 10, said  # the learner starts first
    prices = system.select(where, PRICES)
    assert len(prices) > 10
    assert outside(prices, bars(path), timedelta(hours=1)) == []
    assert books.compare(where).differences == []
