"""Prompts and replies as files below logs/llm/, masked, for whoever asks for them."""

import logging
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

log = logging.getLogger("simple_trader.advisor")

KEPT_FILES = 2_000
KEPT_BYTES = 268_435_456  # 256 MiB
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")


class CallFiles:
    """One JSON file for each attempt; the newest stay, 2000 of them and 256 MiB at most."""

    def __init__(self, folder: Path, mask: Callable[[str], str]) -> None:
        """Write into `folder`; `mask` takes secrets out of a text."""
        self._folder = folder
        self._mask = mask
        self._told = False
        self._one_at_a_time = threading.Lock()  # shadows are asked beside the trading advisor

    def write(self, name: str, call: Mapping[str, Any]) -> None:
        """Write `call` as `name`.json; trouble is logged once and stops nothing."""
        masked = {k: self._mask(v) if isinstance(v, str) else v for k, v in call.items()}
        path = self._folder / f"{_NOT_IN_NAMES.sub('_', name)}.json"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            text = msgspec.json.format(msgspec.json.encode(masked), indent=1)
            with self._one_at_a_time:
                path.write_bytes(text + b"\n")
                path.chmod(0o600)
                self._prune()
        except OSError as error:
            if not self._told:
                log.warning("%s: calls cannot be written there (%s).", self._folder, error.strerror)
            self._told = True

    def _prune(self) -> None:
        """Take the oldest away, whichever bound they are beyond; the newest always stays."""
        files = [(path.stat(), path) for path in self._folder.glob("*.json")]
        files.sort(key=lambda file: file[0].st_mtime_ns, reverse=True)
        size = 0
        for number, (stat, path) in enumerate(files):
            size += stat.st_size
            if number and (number >= KEPT_FILES or size > KEPT_BYTES):
                path.unlink(missing_ok=True)
