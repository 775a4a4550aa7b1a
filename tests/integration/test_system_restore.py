"""The restore drill: yesterday's backup, today's exchange, the real daemon (fault D12)."""

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import books
import programs
import pytest
import system
from system import BUSY, ROOT, Daemon, Place

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(300),
    programs.at_length,
]
SPEED = "240"
_FLAG = re.compile(r"Order (st\S+) is ours and was not in the books")


@pytest.fixture
def where() -> Iterator[Place]:
    with system.place() as found:
        found.configure(**BUSY)
        yield found


def cli(where: Place, *words: str) -> str:
    """A command of the user's; what it said, and it must have gone well."""
    places = ["--config", str(where.config), "--state-dir", str(where.state)]
    ours = {"PYTHONPATH": str(ROOT)}
    done = system.command(where, "-m", "simple_trader", *words, *places, env=ours)
    assert done.returncode == 0, done.stderr
    return done.stdout


def trade(where: Place, fills: int) -> None:
    """Run until that many more fills are booked, then stop cleanly."""
    with Daemon(where, "--speed", SPEED) as daemon:
        daemon.ready()
        system.wait_until(lambda: len(filled(daemon)) >= fills, 60)
        assert daemon.stop() == 0
        assert len(filled(daemon)) >= fills, daemon.text


def filled(daemon: Daemon) -> list[str]:
    """Its lines about fills."""
    return [line for line in daemon.lines if "Filled " in line]


def test_d12_i_02_yesterdays_backup_is_brought_back_and_the_exchange_tells_the_rest(
    where: Place,
) -> None:
    """Missing trades come back once each, orders nobody knows are flagged, no new risk is taken
    until they explain every balance, and no id is ever used again.
    """
    backup = where.folder / "yesterday.dump"
    trade(where, 4)
    cli(where, "db", "backup", str(backup))
    (known,) = system.select(where, "SELECT count(*) AS n FROM trades")
    trade(where, 4)
    theirs = {one["exec_id"]: one["cl_ord_id"] for one in system.truth(where)["trades"]}
    said = cli(where, "db", "restore", str(backup))
    assert "What was there before is kept as schema world_" in said
    before = {row["exec_id"] for row in system.select(where, "SELECT exec_id FROM trades")}
    missing = {name for name in theirs if name not in before}
    lost = {theirs[name] for name in missing}
    assert len(before) == known["n"]
    assert len(missing) >= 4
    with Daemon(where, "--speed", SPEED) as daemon:
        daemon.ready()
        daemon.wait_for(r"INFO +buy .* at ", 60)
        assert system.wait_until(lambda: len(filled(daemon)) >= len(missing) + 4, 60), daemon.text
        assert daemon.stop() == 0
    _flagged_before_it_traded(daemon.lines, lost)
    _compare(where, missing, lost)
    assert books.compare(where).differences == []


def _flagged_before_it_traded(lines: list[str], lost: set[str]) -> None:
    """Each lost order is told as one; while they are taken in nothing is bought."""
    flags = [number for number, line in enumerate(lines) if _FLAG.search(line)]
    assert {_FLAG.search(lines[number])[1] for number in flags} == lost
    run = next(number for number, line in enumerate(lines) if "Trading state RUN" in line)
    held = [line for line in lines[:run] if "Trading state REDUCE" in line]
    assert any("Evidence of an order came after it was taken as over" in line for line in held)
    assert max(flags) < run
    first_buy = next(n for n, line in enumerate(lines) if re.search(r"INFO +buy .* at ", line))
    assert run < first_buy, "no new risk before everything is explained"


def _compare(where: Place, missing: set[str], lost: set[str]) -> None:
    """Each trade of the exchange once, the lost ones with their orders, and no id used twice."""
    real = system.truth(where)
    trades, orders, balances = system.rows(
        where,
        "SELECT * FROM trades",
        "SELECT cl_ord_id, state FROM pending_trades",
        "SELECT asset, balance FROM kraken_balances",
    )
    booked = Counter(row["exec_id"] for row in trades)
    assert booked == Counter(trade["exec_id"] for trade in real["trades"]), "each trade once"
    assert missing <= set(booked)
    assert lost <= {row["cl_ord_id"] for row in orders if row["state"] == "FILLED"}
    by_id = {row["exec_id"]: row for row in trades}
    for trade in real["trades"]:
        for name in ("price", "qty", "cost"):
            assert Decimal(trade[name]) == by_id[trade["exec_id"]][name]
    for asset, balance in real["balances"].items():
        known = {row["asset"]: row["balance"] for row in balances}
        assert known.get(asset, Decimal(0)) == Decimal(balance)
    names = [order["cl_ord_id"] for order in real["orders"]]
    assert len(names) == len(set(names)), "no id went to the exchange twice (I-02)"
    assert {row["cl_ord_id"] for row in orders} - set(names) <= {
        row["cl_ord_id"] for row in orders if row["state"] in {"VOID", "REJECTED", "NOT_ACCEPTED"}
    }
