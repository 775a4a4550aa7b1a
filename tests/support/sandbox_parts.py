"""Parts for tests of the sandbox: an exchange in memory, a real child process, a signed client."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec

from simple_trader.sandbox.auth import sign
from simple_trader.sandbox.exchange import Exchange, ExchangeState
from simple_trader.sandbox.opening import open_exchange, plan_of, surface_of
from simple_trader.sandbox.session import Session
from simple_trader.sandbox.settings import (
    DAEMON_CAPITAL,
    DEFAULT_KEY,
    DEFAULT_SIGNING_TEXT,
    SandboxOptions,
)
from simple_trader.sandbox.sources import to_us
from simple_trader.sandbox.sources_generated import GeneratedSource
from simple_trader.simulator.accounts import open_account

# Options that leave the market as it is: the history of one world serves them all.
_OF_THE_SURFACE = {"accounts", "rules", "rest_lag_s", "mixed_replies", "counters"}
ROOT = Path(__file__).resolve().parents[2]
START = datetime(2026, 3, 2, 10, tzinfo=UTC)

_RUN = """
import sys, msgspec
from datetime import datetime
from pathlib import Path
from simple_trader.sandbox.server import run_sandbox
from simple_trader.sandbox.settings import SandboxOptions
values = msgspec.json.decode(sys.argv[1])
for name in ("state", "replay", "accounts"):
    if values.get(name) is not None:
        values[name] = Path(values[name])
if values.get("start") is not None:
    values["start"] = datetime.fromisoformat(values["start"])
sys.exit(run_sandbox(SandboxOptions(**values)))
"""


class Wall:
    """Real time as a test tells it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def exchange(wall: Callable[[], datetime] | None = None, **options: Any) -> Exchange:
    """Open a stepped exchange in this process, by default a fresh one with seed 7."""
    values: dict[str, Any] = {"seed": 7, "stepped": True, "start": START, **options}
    chosen = SandboxOptions(**values)
    if options.keys() <= _OF_THE_SURFACE:
        state = msgspec.msgpack.decode(_fresh_world(), type=ExchangeState)
        source = GeneratedSource(7, to_us(START))
        source.restore(state.source)
        plan = plan_of(chosen)
        accounts = {spec.name: open_account(7, spec) for spec in plan.accounts.values()}
        state.venue.accounts = accounts
        surface = surface_of(chosen, plan, None)
        return Exchange(source, state, wall or Wall(), pairs=source.pairs, surface=surface)
    return open_exchange(chosen, wall or Wall())


@cache
def _fresh_world() -> bytes:
    # Twelve hours of history take half a second: made once, restored for each test.
    return exchange(capital=DAEMON_CAPITAL).save()


def decoded(session: Session) -> list[dict[str, Any]]:
    """Take a session's frames and decode them with exact numbers."""
    return [json.loads(frame, parse_float=Decimal) for frame in session.outgoing()]


def ask(
    session: Session, method: str, req_id: int | None = None, **params: Any
) -> list[dict[str, Any]]:
    """Send one request and take all frames that come of it; Decimals go as bare numbers."""
    message: dict[str, Any] = {"method": method, "params": params}
    if req_id is not None:
        message["req_id"] = req_id
    session.outgoing()
    session.receive(json.dumps(message))
    return decoded(session)


def step(there: Exchange, seconds: int = 1) -> None:
    """Move market time second by second."""
    for _ in range(seconds):
        there.advance(there.now + timedelta(seconds=1))


class Signed:
    """A REST client in this process: signs, counts nonces, opens the envelope."""

    def __init__(
        self, there: Exchange, key: str = DEFAULT_KEY, secret: str = DEFAULT_SIGNING_TEXT
    ) -> None:
        self._there = there
        self._key, self._secret = key, secret
        self._nonce = 1000

    def turn_to(self, there: Exchange) -> None:
        """Go on with another life of the exchange, nonces rising."""
        self._there = there

    def request(self, name: str, **fields: Any) -> tuple[list[str], Any]:
        """Give (errors, result) of a private request with the next nonce, sent as a form."""
        self._nonce += 1
        return self.send(name, urlencode({"nonce": self._nonce, **fields}), self._nonce)

    def posted(self, name: str, fields: dict[str, Any]) -> tuple[list[str], Any]:
        """Give (errors, result) of a private request with the next nonce, sent as JSON."""
        self._nonce += 1
        body = json.dumps({"nonce": self._nonce, **fields})
        return self.send(name, body, self._nonce, "application/json")

    def send(
        self, name: str, text: str, nonce: int, kind: str = "application/x-www-form-urlencoded"
    ) -> tuple[list[str], Any]:
        """Sign and send a body as it is."""
        path, body = f"/0/private/{name}", text.encode()
        headers = {
            "API-Key": self._key,
            "API-Sign": sign(self._secret, path, str(nonce), body),
            "Content-Type": kind,
        }
        status, answer = self._there.rest("POST", path, headers, body)
        assert status == 200
        envelope = json.loads(answer)
        return envelope["error"], envelope.get("result")

    def good(self, name: str, **fields: Any) -> Any:
        """Give the result of a request that must succeed."""
        errors, result = self.request(name, **fields)
        assert errors == [], errors
        return result


def public(there: Exchange, name: str, **fields: Any) -> tuple[list[str], Any]:
    """Give (errors, result) of a public request."""
    status, answer = there.rest("GET", f"/0/public/{name}?{urlencode(fields)}", {}, b"")
    assert status == 200
    envelope = json.loads(answer)
    return envelope["error"], envelope.get("result")


class Child:
    """A real sandbox process and its first line."""

    def __init__(self, process: "subprocess.Popen[bytes]", first_line: bytes) -> None:
        self.process = process
        self.first_line = first_line

    @property
    def announced(self) -> dict[str, Any]:
        """The announcement, as the daemon reads it."""
        answer: dict[str, Any] = json.loads(self.first_line)
        return answer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.announced['port']}"

    def end(self) -> int:
        """End it as the daemon does: by end-of-file on its stdin."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(10)

    def kill(self) -> None:
        """Kill it with no chance to say anything."""
        self.process.kill()
        self.process.wait(10)


@contextmanager
def child(limit_s: float = 60.0, **options: Any) -> Iterator[Child]:
    """Start a sandbox process; by default a stepped child on a free port."""
    values = {"child": True, "stepped": True, "port": 0, **options}
    text = json.dumps({k: str(v) if isinstance(v, Path) else v for k, v in values.items()})
    process = subprocess.Popen(
        [sys.executable, "-c", _RUN, text],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], limit_s)
        assert ready, "the sandbox said nothing"
        yield Child(process, process.stdout.readline())
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
