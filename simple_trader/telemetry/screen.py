"""A terminal that is drawn on in place, and that can neither block nor end the daemon.

rich's own Live would wait on a terminal that is held (Ctrl-S), replace stderr, and end the process
when the terminal is closed; this draws frames only.
"""

import errno
import os
from typing import TextIO

_UP_AND_CLEAR = "\r\x1b[{}A\x1b[J"
_CLEAR_BELOW = "\r\x1b[J"


class ScreenGone(Exception):
    """The terminal is closed."""


class Screen:
    """Draws frames over each other; a frame that finds the terminal held is skipped."""

    def __init__(self, stream: TextIO) -> None:
        """Open the terminal of `stream` once more, for writes that never wait.

        A stream without a terminal of its own (a test's) is written to as it is.
        """
        self._stream = stream
        self._handle: int | None = None
        self._height = 0
        self.size = (100, 40)  # columns, lines; until the terminal says
        try:
            name = os.ttyname(stream.fileno())
            # A descriptor of our own: O_NONBLOCK on the shared one would hit the shell as well.
            self._handle = os.open(name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            pass  # no terminal, or one of another user: plain writes to the stream instead

    def draw(self, text: str) -> None:
        """Show `text`, whole lines, in the place of the frame before. Raises ScreenGone."""
        _, rows = self._measure()
        lines = text.rstrip("\n").split("\n")[: rows - 1]
        start = _UP_AND_CLEAR.format(self._height) if self._height else _CLEAR_BELOW
        if self._write(start + "\n".join(lines) + "\n"):
            self._height = len(lines)

    def close(self) -> None:
        """Give the terminal back; the last frame stays."""
        if self._handle is not None:
            handle, self._handle = self._handle, None
            os.close(handle)

    def _measure(self) -> tuple[int, int]:
        if self._handle is not None:
            try:
                found = os.get_terminal_size(self._handle)
                # A terminal that has not been told its size says zero.
                self.size = (found.columns or 100, found.lines or 40)
            except OSError as error:
                raise ScreenGone(error.strerror) from error
        return self.size

    def _write(self, text: str) -> bool:
        """Whether the text was taken."""
        try:
            if self._handle is None:
                self._stream.write(text)
                self._stream.flush()
                return True
            os.write(self._handle, text.encode("utf-8", "replace"))
        except BlockingIOError:
            return False  # held with Ctrl-S: the next frame draws over whatever came through
        except (OSError, ValueError) as error:
            if getattr(error, "errno", None) == errno.EINTR:
                return False
            raise ScreenGone(str(error)) from error
        return True
