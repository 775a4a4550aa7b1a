"""sd_notify over a real datagram socket."""

import socket
from pathlib import Path

import pytest

from simple_trader.telemetry.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> socket.socket:
    """A socket where systemd would listen."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(tmp_path / "notify"))
    listener.settimeout(5)
    return listener


def test_the_three_states_arrive(manager: socket.socket) -> None:
    with Notifier(manager.getsockname()) as notifier:
        notifier.ready("sim\nsecond line")
        assert manager.recv(1000) == b"READY=1\nSTATUS=sim"
        notifier.watchdog()
        assert manager.recv(1000) == b"WATCHDOG=1"
        notifier.stopping()
        assert manager.recv(1000) == b"STOPPING=1"
        assert notifier.failed == 0
    manager.close()


def test_an_abstract_socket_is_understood(tmp_path: Path) -> None:
    name = f"simple-trader-test-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + name)
        listener.settimeout(5)
        with Notifier("@" + name) as notifier:
            notifier.ready()
        assert listener.recv(1000) == b"READY=1"


def test_without_systemd_nothing_happens() -> None:
    with Notifier(None) as notifier:
        notifier.ready()
        notifier.watchdog()
        assert notifier.failed == 0


def test_a_manager_that_is_gone_is_counted_and_no_error(tmp_path: Path) -> None:
    with Notifier(str(tmp_path / "nobody")) as notifier:
        notifier.ready()
        assert notifier.failed == 1
