"""The prompt desk: answers `simple-trader prompt` with the prompt that would be sent now.

The command puts `prompt-<its process>.json` into STATE/control; the desk answers beside it, in
`prompt-<its process>.answer`, and takes the request away. Nothing of it reaches the brain.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2


class PromptDesk:
    """Looks for requests until cancelled; what goes wrong is told to who asked."""

    def __init__(self, folder: Path, answer: Callable[[str], bytes]) -> None:
        """`folder` is STATE/control; `answer` makes the reply for a pair, empty: for all."""
        self._folder, self._answer = folder, answer

    def look(self) -> None:
        """Answer every request that lies there; raises OSError where a file cannot be written."""
        for request in sorted(self._folder.glob("prompt-*.json")):
            pair = _pair_of(request)
            reply = request.with_suffix(".answer")
            whole = request.with_suffix(".writing")
            whole.touch(mode=0o600)
            whole.write_bytes(self._answer(pair))
            whole.replace(reply)
            request.unlink(missing_ok=True)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                self.look()
            except OSError as error:
                log.warning("a request for the prompt cannot be answered: %s", error)
            await asyncio.sleep(LOOK_EVERY_S)


def _pair_of(request: Path) -> str:
    """The pair that a request names; empty for a request that cannot be read."""
    try:
        return str(json.loads(request.read_text(encoding="utf-8")).get("pair", ""))
    except (OSError, ValueError, AttributeError):
        return ""
