"""A log file that outlives a full disk, a removed directory and a logrotate (C07)."""

import logging
import os
import sys
from pathlib import Path


class SturdyFile(logging.Handler):
    """Appends lines to `path` and rotates by size; what cannot be written goes to stderr.

    `lost` counts the lines that did not reach the file. Every line tries anew, so that the file
    goes on as soon as it can be written again.
    """

    def __init__(self, path: Path, *, max_bytes: int = 10_000_000, keep: int = 5) -> None:
        """Rotate to `path`.1 ... `path`.`keep` before a line would pass `max_bytes`."""
        super().__init__()
        self.path = path
        self.lost = 0
        self._max_bytes = max_bytes
        self._keep = keep
        self._handle: int | None = None
        self._torn = False  # the last write ended inside a line

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; never raises."""
        line = self.format(record)
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        try:
            self._write(data)
        except OSError as error:
            self.lost += 1
            self._drop_handle()
            tell_stderr(f"[{self.path.name}: {error.strerror}] {line}")

    def close(self) -> None:
        """Give the file back."""
        self._drop_handle()
        super().close()

    def _write(self, data: bytes) -> None:
        handle = self._current()
        size = os.fstat(handle).st_size
        if size and size + len(data) > self._max_bytes:
            self._rotate()
            handle = self._current()
        if self._torn:
            data = b"\n" + data
        done = os.write(handle, data)
        self._torn = done < len(data)
        if self._torn:
            raise OSError(28, "No space left on device")

    def _current(self) -> int:
        """The open file, opened anew when it was moved or removed behind our back."""
        if self._handle is not None:
            try:
                there = self.path.stat()
                ours = os.fstat(self._handle)
                if (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino):
                    return self._handle
            except FileNotFoundError:
                pass  # made anew below
            self._drop_handle()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._handle = os.open(self.path, flags, 0o640)
        self._torn = False
        return self._handle

    def _rotate(self) -> None:
        self._drop_handle()
        for number in range(self._keep - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        if self._keep:
            self.path.replace(self._numbered(1))
        else:
            self.path.unlink()

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    def _drop_handle(self) -> None:
        if self._handle is not None:
            try:
                os.close(self._handle)
            except OSError:
                pass  # a full disk may say so only now; the line was counted already
            self._handle = None


def tell_stderr(line: str) -> None:
    """Say it on stderr, where that still exists: a log must never end the daemon."""
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass  # stderr is closed as well: nobody is left to tell
