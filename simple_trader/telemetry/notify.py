"""Tells systemd READY, WATCHDOG and STOPPING over its datagram socket (sd_notify)."""

import socket
from types import TracebackType
from typing import Self


class Notifier:
    """Sends to the socket named by NOTIFY_SOCKET; without one every call does nothing.

    systemd going away must never end the daemon: a failed send is counted in `failed`.
    """

    def __init__(self, address: str | None) -> None:
        """`address` is the value of NOTIFY_SOCKET: a path, or `@name` for an abstract socket."""
        self.failed = 0
        self._address = "\0" + address[1:] if address and address[0] == "@" else address
        self._socket = (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            if address
            else None
        )
        if self._socket:
            self._socket.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def ready(self, status: str = "") -> None:
        """The daemon does its work from now on."""
        self._send("READY=1", status)

    def watchdog(self) -> None:
        """The event loop and the root tasks are alive."""
        self._send("WATCHDOG=1")

    def stopping(self, status: str = "") -> None:
        """The daemon has begun to stop."""
        self._send("STOPPING=1", status)

    def close(self) -> None:
        """Give the socket back."""
        if self._socket:
            self._socket.close()
            self._socket = None

    def _send(self, state: str, status: str = "") -> None:
        if self._socket is None or self._address is None:
            return
        text = state + (f"\nSTATUS={status.splitlines()[0]}" if status else "")
        try:
            self._socket.sendto(text.encode(), self._address)
        except OSError:
            self.failed += 1
