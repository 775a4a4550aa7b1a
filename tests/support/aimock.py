"""The OpenAI-compatible server aimock (npm @copilotkit/aimock), which we did not write.

`make setup ARGS=clients` and `make test-system` install it, by the hashes of its lock. Without Node
or without it the test is skipped, saying so; under `make test-system` only a missing Node skips.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import aiohttp
import msgspec
import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / ".venv-clients/node/node_modules/@copilotkit/aimock/dist/cli.js"


def need_aimock() -> str:
    """Where Node is; skips the test that calls this where it or aimock is missing."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node here: install the packages nodejs (20.15 or newer) and npm")
    if not PROGRAM.exists():
        sentence = "aimock is not installed: run `make setup ARGS=clients`"
        if os.environ.get("SIMPLE_TRADER_NEED_PROGRAMS"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return node


class Aimock:
    """One running server."""

    def __init__(self, root: str) -> None:
        """It listens at `root`, on loopback."""
        self.root = root
        self.base_url = f"{root}/v1"

    async def asked(self, model: str) -> list[dict[str, Any]]:
        """The bodies of the requests for `model` so far, from its own journal."""
        async with aiohttp.ClientSession() as web, web.get(f"{self.root}/v1/_requests") as reply:
            bodies = [entry["body"] for entry in msgspec.json.decode(await reply.read())]
        return [body for body in bodies if body["model"] == model]


@contextmanager
def running(fixtures: list[dict[str, Any]], folder: Path) -> Iterator[Aimock]:
    """The server with these fixtures (match and response, in its own words)."""
    node = need_aimock()
    path = folder / "fixtures.json"
    path.write_text(json.dumps({"fixtures": fixtures}))
    options = ["-p", "0", "-f", str(path), "--validate-on-load"]
    with subprocess.Popen([node, str(PROGRAM), *options], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        try:
            yield Aimock(_address(server.stdout))
        finally:
            server.kill()


def _address(said: IO[bytes]) -> str:
    for line in said:
        _, found, address = line.decode().strip().partition("listening on ")
        if found:
            return address
    pytest.fail("aimock ended by itself")
