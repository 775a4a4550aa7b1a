"""Editing config.yaml while the whole daemon runs: rows, orders and feeds follow, or do not."""

from collections.abc import Iterator

import books
import pytest
import system
from system import BUSY, Daemon, Place

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]

REFUSED = (
    "SELECT DISTINCT config_hash FROM ai_decisions "
    "WHERE verdict = 'refused' AND reason = 'confidence_too_low'"
)
VERSIONS = "SELECT config_hash, source FROM config_versions ORDER BY recorded_at"
CYCLES_LATER = r"cycles \| last: "


@pytest.fixture
def where() -> Iterator[Place]:
    with system.place() as found:
        found.configure(**BUSY)
        yield found


def test_an_edit_changes_the_next_cycle_and_a_broken_one_is_told_once(where: Place) -> None:
    with Daemon(where, "--speed", "120") as daemon:
        daemon.ready()
        daemon.wait_for("Filled ", 60)
        where.configure(**BUSY, min_confidence=0.99)
        daemon.wait_for("configuration changed", 20)
        told = system.wait_until(lambda: bool(system.select(where, REFUSED)), 40)
        assert told, daemon.text
        where.configure(**BUSY, min_confidence=7)
        refusal = daemon.wait_for("configuration was not changed", 20)
        assert "min_confidence" in refusal
        text = where.config.read_text()
        where.write_config(text[: text.index("min_confidence")])  # another trouble: cut short
        daemon.wait_for("configuration was not changed", 20, since=daemon.lines.index(refusal) + 1)
        system.wait_until(lambda: False, 4)  # longer than the watcher's poll: no word comes twice
        assert daemon.stop() == 0
    refusals = [line for line in daemon.lines if "configuration was not changed" in line]
    assert len(refusals) == 2, refusals
    versions = system.select(where, VERSIONS)
    assert len(versions) == 2
    old, new = versions
    assert "min_confidence: 0.99" in new["source"]
    assert system.select(where, REFUSED) == [{"config_hash": new["config_hash"]}]
    hashes = system.select(
        where,
        "SELECT DISTINCT o.config_hash, d.config_hash AS decided FROM pending_trades o "
        "JOIN ai_decisions d ON d.cl_ord_id = o.cl_ord_id",
    )
    assert {"config_hash": old["config_hash"], "decided": old["config_hash"]} in hashes
    entries = system.select(
        where,
        "SELECT 1 FROM pending_trades WHERE origin = 'ai' AND side = 'buy' "
        f"AND config_hash = '{new['config_hash']}'",
    )
    assert entries == [], "an entry under the new version"
    assert books.compare(where).differences == []


def test_c04_a_removed_pair_gets_no_entry_and_its_lots_and_prices_go_on(where: Place) -> None:
    patient = BUSY | {"stop_loss_percent": 0, "take_profit_percent": 0}
    where.configure(**patient)
    with Daemon(where, "--speed", "120") as daemon:
        daemon.ready()
        pair = daemon.wait_for("Filled ", 60).split("  pair=")[1].split()[0]
        rest = [p for p in ("BTC/USD", "ETH/USD", "SOL/USD") if p != pair]
        where.configure(**patient, traded_pairs=rest)
        daemon.wait_for("configuration changed", 20)
        since = len(daemon.lines)
        assert system.wait_until(lambda: len(system.select(where, VERSIONS)) == 2, 10)
        new = system.select(where, VERSIONS)[1]["config_hash"]
        newest = f"SELECT max(ts) AS ts FROM price_history WHERE pair = '{pair}'"
        assert system.wait_until(lambda: system.select(where, newest)[0]["ts"] is not None, 10)
        before = system.select(where, newest)[0]["ts"]
        daemon.wait_for(CYCLES_LATER, 30, since=since)
        daemon.wait_for(CYCLES_LATER, 30, since=len(daemon.lines))
        assert system.select(where, newest)[0]["ts"] > before, "its prices are no longer seen"
        assert daemon.stop() == 0
    entries, lots, decisions = system.rows(
        where,
        "SELECT at FROM pending_trades "
        f"WHERE pair = '{pair}' AND side = 'buy' AND config_hash = '{new}'",
        f"SELECT left_qty FROM v_open_lots WHERE pair = '{pair}'",
        f"SELECT DISTINCT pair FROM ai_decisions WHERE config_hash = '{new}'",
    )
    assert entries == []
    assert lots, "its lots are gone"
    assert {row["pair"] for row in decisions} == set(rest)
    assert books.compare(where).differences == []

    with Daemon(where, "--speed", "120", "--for", "3s") as again:
        again.ready()
        assert again.wait(60) == 0
    rows = system.select(where, newest)
    assert rows[0]["ts"] > before, "after a restart its prices are no longer seen"
    assert books.compare(where).differences == []


def test_c10_a_change_of_mode_is_ignored_while_it_runs(where: Place) -> None:
    with Daemon(where, "--speed", "60") as daemon:
        daemon.ready()
        where.configure(**BUSY, mode="live")
        said = daemon.wait_for("mode: the change from sim to live is ignored", 20)
        assert "--mode live" in said
        daemon.wait_for("Filled ", 60, since=len(daemon.lines))
        assert daemon.stop() == 0
    assert system.select(where, "SELECT mode FROM world") == [{"mode": "sim"}]
    assert books.compare(where).differences == []
