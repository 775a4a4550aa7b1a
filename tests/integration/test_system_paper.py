"""Mode paper: the whole daemon on the relay of a second sandbox that plays Kraken."""

import signal
from collections.abc import Iterator

import books
import pytest
import sandbox_parts
import system
from programs import at_length
from system import BUSY, Daemon, Place

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.fixture
def kraken() -> Iterator[sandbox_parts.Child]:
    """A sandbox on the wall clock whose market runs fast: what the relay takes for Kraken."""
    with sandbox_parts.child(stepped=False, seed=11, speed=60.0, regime="chop") as child:
        yield child


@pytest.fixture
def where(kraken: sandbox_parts.Child) -> Iterator[Place]:
    with system.place() as found:
        port = kraken.announced["port"]
        found.configure(
            **BUSY | {"aggregator_interval_seconds": 10},
            paper={
                "rest_url": f"http://127.0.0.1:{port}",
                "public_url": f"ws://127.0.0.1:{port}/v2",
                "latency_low_ms": 20,
                "latency_high_ms": 60,
            },
        )
        yield found


def certain(seen: books.Books) -> list[str]:
    """Differences but those of orders in doubt: until their deadline and the lag of REST are over
    an order on its way at a kill, or whose reply a busy machine missed, is UNKNOWN.
    """
    in_doubt = "is UNKNOWN here and not at the exchange"
    return [line for line in seen.differences if in_doubt not in line]


def test_paper_decides_orders_and_fills_on_relayed_prices_and_goes_on(where: Place) -> None:
    with Daemon(where, "--mode", "paper") as first:
        first.ready()
        line = first.wait_for("mode paper, world: ", 10)
        assert "prices of Kraken's live feed, fills simulated, no market impact" in line
        first.wait_for("Filled ", 120)
        assert first.stop(signal.SIGINT) == 0
    assert "Traceback" not in first.text
    assert "ERROR" not in first.text
    (world,) = system.select(where, "SELECT mode, identity FROM world")
    assert world["mode"] == "paper"
    assert world["identity"].startswith("paper account of ")
    fills = system.select(
        where, "SELECT exec_id FROM executions WHERE exec_id IS NOT NULL ORDER BY exec_id"
    )
    assert fills
    before = books.compare(where)
    assert certain(before) == []
    assert before.fills >= 1

    with Daemon(where, "--mode", "paper") as second:
        second.ready()
        since = len(second.lines)
        second.wait_for(r"cycles \| last: .* at ", 60, since=since)
        assert second.stop(signal.SIGTERM) == 0
    assert "Traceback" not in second.text
    assert certain(books.compare(where)) == []
    again = system.select(
        where, "SELECT exec_id FROM executions WHERE exec_id IS NOT NULL ORDER BY exec_id"
    )
    assert [row for row in again if row in fills] == fills
    (same,) = system.select(where, "SELECT mode, identity FROM world")
    assert same == world


@at_length
def test_a_killed_relay_and_a_lost_kraken_cost_paper_nothing_but_time(
    where: Place, kraken: sandbox_parts.Child
) -> None:
    with Daemon(where, "--mode", "paper") as daemon:
        daemon.ready()
        daemon.wait_for("Filled ", 120)
        relay = daemon.sandbox_pid()
        assert relay is not None
        since = len(daemon.lines)
        system.signal_process(relay, signal.SIGKILL)
        daemon.wait_for("the sandbox ended", 20, since=since)
        daemon.wait_for("Trading state RUN", 60, since=since)
        assert daemon.sandbox_pid() not in {None, relay}

        since = len(daemon.lines)
        port = kraken.announced["port"]
        kraken.kill()
        daemon.wait_for(r"Trading state REDUCE.*public", 60, since=since)
        with sandbox_parts.child(stepped=False, seed=12, speed=60.0, port=port):
            daemon.wait_for("Trading state RUN", 90, since=since)
            assert daemon.stop(signal.SIGINT) == 0
    assert "Traceback" not in daemon.text
    seen = books.compare(where)
    assert certain(seen) == []
    assert seen.fills >= 1
