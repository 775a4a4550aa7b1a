"""`logs`: shows and follows the JSON log lines in readable form."""

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from simple_trader.telemetry.logs import FIELDS, MAIN_LOG
from simple_trader.telemetry.masking import one_line

LEVELS = ("debug", "info", "warning", "error", "critical")
_SHOWN = 1000
_LOOK_EVERY_S = 0.25


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which lines: at least this level, about this pair, of this decision."""

    level: str = "debug"
    pair: str | None = None
    decision: str | None = None

    def line(self, raw: str) -> str | None:
        """The readable form of a JSON line, or None when it is not wanted.

        A line that is no JSON (torn by a full disk) is shown as it is when nothing is filtered.
        """
        try:
            found = json.loads(raw)
            level = str(found["level"])
            at, message = str(found["at"]), str(found["message"])
        except (ValueError, KeyError, TypeError):
            plain = self.pair is None and self.decision is None and self.level == "debug"
            return one_line(raw) if plain and raw.strip() else None
        if level in LEVELS and LEVELS.index(level) < LEVELS.index(self.level):
            return None
        if self.pair is not None and found.get("pair") != self.pair:
            return None
        if self.decision is not None and found.get("decision") != self.decision:
            return None
        extra = "".join(f"  {name}={found[name]}" for name in FIELDS if found.get(name))
        text = f"{at} {level.upper():<8} {message}{extra}"
        if found.get("exception"):
            text += "\n" + str(found["exception"]).rstrip()
        return text


def rotated(path: Path) -> Iterator[Path]:
    """The log and its older parts, oldest first."""
    numbered = [p for p in path.parent.glob(f"{path.name}.*") if p.suffix[1:].isdigit()]
    yield from sorted(numbered, key=lambda p: -int(p.suffix[1:]))
    if path.exists():
        yield path


def last_lines(directory: Path, wanted: Wanted) -> list[str]:
    """The last thousand wanted lines."""
    kept: deque[str] = deque(maxlen=_SHOWN)
    for path in rotated(directory / MAIN_LOG):
        with path.open(encoding="utf-8", errors="replace") as file:
            kept.extend(text for raw in file if (text := wanted.line(raw.rstrip("\n"))))
    return list(kept)


async def follow(directory: Path, wanted: Wanted, show: Callable[[str], None]) -> None:
    """Show wanted lines as they are written, across rotation, until cancelled."""
    path = directory / MAIN_LOG
    tail = _Tail(path)
    tail.skip_to_end()
    while True:
        for raw in tail.read():
            text = wanted.line(raw)
            if text:
                show(text)
        await asyncio.sleep(_LOOK_EVERY_S)


class _Tail:
    """Reads what is appended to a file that may be rotated away or not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None
        self._rest = b""

    def skip_to_end(self) -> None:
        """Begin after what is there now."""
        if self._open():
            assert self._handle is not None
            os.lseek(self._handle, 0, os.SEEK_END)

    def read(self) -> Iterator[str]:
        """Whole lines that came since the last read."""
        while self._handle is not None or self._open():
            assert self._handle is not None
            data = os.read(self._handle, 65_536)
            if not data:
                if not self._moved():
                    return
                os.close(self._handle)
                self._handle = None
                continue
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                yield line.decode("utf-8", "replace")

    def _open(self) -> bool:
        try:
            self._handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        return True

    def _moved(self) -> bool:
        """Whether the name now means another file."""
        assert self._handle is not None
        try:
            there, ours = self._path.stat(), os.fstat(self._handle)
        except FileNotFoundError:
            return False
        return (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino)
