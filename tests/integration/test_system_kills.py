"""kill -9 of daemon, sandbox and PostgreSQL at seeded moments; then the books balance."""

import random
import re
import signal
from collections.abc import Iterator

import books
import chaos
import pytest
import system
from programs import at_length
from system import BUSY, Daemon, Place

pytestmark = [pytest.mark.system, pytest.mark.timeout(200)]


@pytest.fixture
def where() -> Iterator[Place]:
    with system.place() as found:
        found.configure(**BUSY)
        yield found


@pytest.mark.parametrize(
    "victim",
    [
        pytest.param(victim, marks=() if victim == "daemon" else at_length)
        for victim in chaos.VICTIMS
    ],
)
def test_p01_p07_i_02_i_04_i_11_the_books_balance_after_kills_of(victim: str, where: Place) -> None:
    """The daemon dies at three crash points of the order path, the others at random moments.

    P07: what the kernel's OOM killer does is SIGKILL, and that is what is done here.
    """
    campaign = chaos.Campaign(where, random.Random(11), victims=(victim,))
    campaign.begin()
    if victim == "daemon":
        for point in ("after_commit_before_send", "after_send_before_ack", "in_execution_commit"):
            campaign.crash_at(point)
        assert not campaign.missed
    else:
        campaign.run(3)
    campaign.trade()
    found = campaign.finish()
    assert found.differences == []
    assert found.fills >= 3
    assert {"buy", "sell"} == {
        row["side"] for row in system.select(where, "SELECT DISTINCT side FROM trades")
    }
    assert not re.search(r"Traceback|CRITICAL", campaign.said)
    sizes = {row["at_most"] for row in system.select(where, _REUSED)}
    assert sizes <= {1}, "a cl_ord_id went to the exchange twice"


_REUSED = (
    "SELECT max(n) AS at_most FROM "
    "(SELECT count(DISTINCT order_id) AS n FROM trades GROUP BY cl_ord_id) AS x"
)


def test_a_restart_over_the_killed_ones_orphans_stays_alone(where: Place) -> None:
    """The sandbox of a killed daemon ends by itself, its server is adopted, nothing is doubled."""
    first = Daemon(where, "--speed", "120").ready()
    sandbox, server = first.sandbox_pid(), system.postmaster_of(where)
    assert sandbox is not None
    first.kill()
    assert system.wait_until(lambda: not system.alive(sandbox), 10)
    assert system.postmaster_of(where) == server
    with Daemon(where, "--speed", "120") as second:
        second.ready()
        assert system.postmaster_of(where) == server, "the running server is adopted"
        assert second.stop(signal.SIGTERM) == 0
    assert system.postmaster_of(where) is None
    assert books.compare(where).differences == []
