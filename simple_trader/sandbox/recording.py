"""The wire as it was: every frame and REST request, in and out, one JSON line each.

The format is documented in docs/SANDBOX.md ("Recording"). Lines are handed to the operating system
before the frame or answer they tell of leaves the process. Tokens and signatures stand as a hash.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import datetime
from io import BufferedWriter
from pathlib import Path
from typing import Any

import msgspec

from simple_trader.sandbox.settings import SandboxError
from simple_trader.sandbox.sources import to_moment

FORMAT = 1
MAX_BYTES = 256 * 1024 * 1024
KEPT_FILES = 16
_TOKEN = re.compile(r'("token"\s*:\s*)"([^"]*)"')
_LINE = msgspec.json.Encoder()


def hashed(secret: str) -> str:
    """Give what stands for a secret: equal secrets stay equal, none can be read back."""
    return "sha256:" + hashlib.sha256(secret.encode()).hexdigest()[:16]


def without_tokens(text: str) -> str:
    """Replace every token of a frame or body."""
    if '"token"' not in text:
        return text
    return _TOKEN.sub(lambda found: f'{found[1]}"{hashed(found[2])}"', text)


class Recorder:
    """Appends to a file; at `max_bytes` it goes on in a new one and keeps the last few."""

    def __init__(
        self,
        path: Path,
        wall: Callable[[], datetime],
        market_us: Callable[[], int],
        *,
        world: str,
        max_bytes: int = MAX_BYTES,
        kept_files: int = KEPT_FILES,
    ) -> None:
        self.path = path
        self.lines = 0
        self._wall = wall
        self._market_us = market_us
        self._world = world
        self._max_bytes = max_bytes
        self._kept_files = kept_files
        self._keys: dict[str, str] = {}
        self._of: dict[int, str] = {}
        self._size = 0
        self._file = self._open()

    def _open(self) -> BufferedWriter:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = self.path.open("ab")
        except OSError as error:
            raise SandboxError(
                f"the record {self.path} cannot be written ({error.strerror}): name another file "
                "with --record."
            ) from error
        self._size = file.tell()
        self._file = file
        self._add({"kind": "begin", "format": FORMAT, "world": self._world})
        return file

    def _add(self, row: dict[str, Any]) -> None:
        self.lines += 1
        head = {
            "n": self.lines,
            "real": _text(self._wall()),
            "market": _text(to_moment(self._market_us())),
        }
        self._size += self._file.write(_LINE.encode({**head, **row}) + b"\n")

    def opened(self, connection: int, on: str) -> None:
        """Note a new connection."""
        self._add({"kind": "ws", "way": "open", "connection": str(connection), "on": on})

    def closed(self, connection: int) -> None:
        """Note the end of a connection, as the server sees it."""
        self._add({"kind": "ws", "way": "close", "connection": str(connection)})
        self._of.pop(connection, None)
        self.flush()

    def frame(self, connection: int, way: str, frame: str | bytes) -> None:
        """Note one frame (`in` or `out`); raw bytes stand as base64 of all that was written."""
        row: dict[str, Any] = {"kind": "ws", "way": way, "connection": str(connection)}
        if isinstance(frame, bytes):
            row["raw"] = base64.b64encode(frame).decode()
        else:
            if way == "in":
                self._learn(connection, frame)
            row["text"] = without_tokens(frame)
        key = self._of.get(connection)
        if key is not None:
            row["key"] = key
        self._add(row)

    def _learn(self, connection: int, text: str) -> None:
        found = _TOKEN.search(text)
        if found is not None and found[2] in self._keys:
            self._of[connection] = self._keys[found[2]]

    def request(
        self, method: str, path: str, headers: dict[str, str], body: bytes, status: int,
        answer: bytes,
    ) -> None:  # fmt: skip
        """Note a REST request and its answer; status 0: the connection was cut instead."""
        lower = {name.lower(): value for name, value in headers.items()}
        key = lower.get("api-key", "")
        text = answer.decode(errors="replace")
        if key and path.endswith("/GetWebSocketsToken"):
            found = _TOKEN.search(text)
            if found is not None:
                self._keys[found[2]] = key
        row: dict[str, Any] = {"kind": "rest", "method": method, "path": path}
        if key:
            row |= {"key": key, "sign": hashed(lower.get("api-sign", ""))}
        row |= {
            "body": without_tokens(body.decode(errors="replace")),
            "status": status,
            "answer": without_tokens(text),
        }
        self._add(row)
        self.flush()

    def fault(self, told: object) -> None:
        """Note that a fault acted."""
        self._add({"kind": "fault", "fault": told})

    def flush(self) -> None:
        """Hand everything to the operating system; goes on in a new file where one is full."""
        try:
            self._file.flush()
            if self._size >= self._max_bytes:
                self._turn()
        except OSError as error:
            raise SandboxError(
                f"the record {self.path} cannot be written ({error.strerror}): make room, or start "
                "without --record."
            ) from error

    def _turn(self) -> None:
        self._file.close()
        for number in range(self._kept_files - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.rename(self._numbered(number + 1))
        self.path.rename(self._numbered(1))
        self._numbered(self._kept_files).unlink(missing_ok=True)
        self._open()

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    def close(self) -> None:
        """Write what is left and let go of the file."""
        try:
            self._file.close()
        except OSError as error:
            raise SandboxError(f"the end of {self.path} was not written: {error}.") from error


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
