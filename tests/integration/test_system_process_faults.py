"""One daemon through the faults of family P that need real processes; then the books balance.

Where a fault cannot be made as an ordinary user, the nearest that can: P07 (the kernel's OOM
killer) is SIGKILL, in test_system_kills; P12 is starts that die one after the other (StartLimit
is held in tests/architecture/test_deploy); P14 (power loss) is every process killed in one
instant, which leaves the disk's own cache out: commits are fsynced, the sandbox's journal is not.
"""

import random
import resource
import signal
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import books
import pytest
import system
from chaos import ASKED_AGAIN_S, BACK, NEW_ORDER, PAUSE_S, Campaign
from checker.record import WireEntry, load_record
from programs import at_length
from system import BUSY, Daemon, Place

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

FILES = 64
LOOKS = ("/OpenOrders", "/TradesHistory", "/Ledgers", "/Balance")


@pytest.fixture(scope="module")
def where() -> Iterator[Place]:
    """One place for all tests of this file: each goes on with the world of the one before."""
    with system.place() as found:
        found.configure(**BUSY)
        yield found


def test_p02_p03_p08_i_27_i_28_few_files_a_pause_a_kill_switch_and_sigterm_in_one_life(
    where: Place,
) -> None:
    record = where.folder / "wire.jsonl"
    with Daemon(where, "--speed", "120", "--record", str(record)) as daemon:
        daemon.ready()
        url = urlsplit(daemon.wait_for("health: ", 10).split("health: ")[1])
        # P08: few files, and many who ask: people are refused first, trading goes on, and an
        # exchange that went away is connected to again.
        resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (FILES, FILES))
        crowd = [socket.create_connection((url.hostname, url.port), 5) for _ in range(100)]
        daemon.wait_for("health refuses connections", 20)
        sandbox = daemon.sandbox_pid()
        assert sandbox is not None
        since = len(daemon.lines)
        system.signal_process(sandbox, signal.SIGKILL)
        daemon.wait_for("Filled ", 60, since=since)
        assert _files(daemon) <= FILES
        for line in crowd:
            line.close()

        # P03, I-27: longer asleep than the loop may stand still; nothing that waited goes out.
        since = len(daemon.lines)
        daemon.wait_for(NEW_ORDER, 60, since=since)
        daemon.process.send_signal(signal.SIGSTOP)
        time.sleep(PAUSE_S)
        since = len(daemon.lines)
        continued = datetime.now(UTC)
        daemon.process.send_signal(signal.SIGCONT)
        daemon.wait_for("stood still for .* reconciling before new orders", 20, since=since)
        daemon.wait_for(BACK, 60, since=since)
        daemon.wait_for("Filled ", 60, since=since)
        before = daemon.lines[:since]

        # I-28: the kill switch in the middle of orders, and a resume.
        daemon.wait_for(NEW_ORDER, 60, since=len(daemon.lines))
        pressed = datetime.now(UTC)
        daemon.process.send_signal(signal.SIGUSR1)
        daemon.wait_for("HALT", 20, since=since)
        time.sleep(0.5)  # a market minute: two cycles
        resumed, since = datetime.now(UTC), len(daemon.lines)
        Campaign(where, random.Random(1)).ask("resume")
        daemon.wait_for("Resumed by", 20, since=since)

        # P02: at any moment, within ten seconds, exit code 0.
        time.sleep(random.Random(2).random())
        began = time.monotonic()
        assert daemon.stop(signal.SIGTERM) == 0
        assert time.monotonic() - began < system.PROMISED_STOP_S
    assert "Traceback" not in daemon.text
    found = books.compare(where)
    assert found.differences == []
    assert found.fills >= 2
    wire = load_record(record)
    _judge_pause(wire, continued, before)
    _judge_kill_switch(wire, pressed, resumed)


def _judge_pause(wire: list[WireEntry], continued: datetime, before: list[str]) -> None:
    """I-27 by what reached the exchange: the market stood with the daemon, so by real time."""
    after = [entry for entry in wire if entry.real > continued]
    orders = [entry for entry in after if entry.way == "in" and '"add_order"' in entry.text]
    assert orders, "it trades on"
    looks = [entry for entry in after if entry.n < orders[0].n and entry.path.endswith(LOOKS)]
    assert {entry.status for entry in looks} == {200}, "the account was looked at first"
    told = "\n".join(before)
    waited = [entry.frame()["params"]["cl_ord_id"] for entry in orders]
    assert not [name for name in waited if f"({name}," in told], "what waited has fallen"


def _judge_kill_switch(wire: list[WireEntry], pressed: datetime, resumed: datetime) -> None:
    """By order alone, as a crowded machine has no clock; `kill_switch.py` measures the figures."""
    seen = [entry for entry in wire if entry.way == "in" and pressed < entry.real < resumed]
    words = [entry.frame().get("method") for entry in seen]
    assert "cancel_all" in words
    assert "add_order" not in words[words.index("cancel_all") :]


@at_length
def test_p12_p14_a_power_loss_then_a_crash_loop_and_the_halt_is_still_there(where: Place) -> None:
    dark = Daemon(where, "--speed", "120", "--crash-at", "commit_in_flight:2").ready()
    sandbox, server = dark.sandbox_pid(), system.postmaster_of(where)
    assert sandbox is not None
    assert server is not None
    assert system.wait_until(lambda: dark.process.poll() is not None, 60), dark.text
    for pid in (server, sandbox):
        system.signal_process(pid, signal.SIGKILL)
    assert dark.wait(10) == -signal.SIGKILL

    campaign = Campaign(where, random.Random(1))
    campaign.ask("halt")
    for point in ("in_recovery_mirrored", "in_recovery_epoch_taken", "in_recovery_mirrored"):
        with Daemon(where, "--speed", "120", "--crash-at", point) as loop:
            assert loop.wait(60) == -signal.SIGKILL
        assert not [line for line in loop.lines if line.endswith("ready")]
    with Daemon(where, "--speed", "120") as daemon:
        daemon.ready()
        daemon.wait_for("HALT", 20)
        since = len(daemon.lines)
        time.sleep(1)  # two market minutes: four cycles that may not trade
        assert not [line for line in daemon.lines[since:] if "Filled " in line]
        assert system.wait_until(lambda: resumed(campaign, daemon, since), 90), daemon.text
        daemon.wait_for("Filled ", 60, since=since)
        assert daemon.stop(signal.SIGTERM) == 0
    assert books.compare(where).differences == []
    (row,) = system.select(where, "SELECT count(DISTINCT epoch) AS lives FROM engine_journal")
    assert row["lives"] >= 2  # lives that die before their first event leave none


def resumed(campaign: Campaign, daemon: Daemon, since: int) -> bool:
    """Ask as a person does: again while an order is in doubt, for then a resume is refused."""
    campaign.ask("resume")
    return system.wait_until(
        lambda: any("Resumed by" in line for line in daemon.lines[since:]), ASKED_AGAIN_S
    )


def _files(daemon: Daemon) -> int:
    return len(list(Path(f"/proc/{daemon.process.pid}/fd").iterdir()))
