"""Runs a client program of tests/clients/programs against a real sandbox process."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "tests" / "clients" / "programs"
ENVIRONMENT = ROOT / ".venv-clients"
PATIENCE_S = 90.0
ACCOUNTS = ROOT / "tests" / "clients" / "accounts.yaml"
SANDBOX = ("--port", "0", "--seed", "5", "--speed", "10", "--accounts", str(ACCOUNTS))
FEW_PAIRS = ("BTC/USD", "ETH/USD", "LTC/USD", "SOL/USD", "DOT/USD")

Told = Callable[[str], Any]


@contextmanager
def sandbox_process(pairs: Sequence[str] = FEW_PAIRS) -> Iterator[str]:
    """Run `simple-trader sandbox` as a person would, with all its pairs for (); gives its URL."""
    chosen = ("--pairs", ",".join(pairs)) if pairs else ()
    command = [sys.executable, "-m", "simple_trader", "sandbox", *SANDBOX, *chosen]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            yield next(word.rstrip(",") for word in words if word.startswith("http://"))
        finally:
            process.terminate()
            process.wait(10)


class Program:
    """A running client program that acts a scenario out when a test asks what came of it."""

    def __init__(self, command: list[str], settings: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._told: dict[str, dict[str, Any]] = {}
        self._lines: queue.Queue[str] = queue.Queue()
        self._noise: list[str] = []
        self._threads = [
            threading.Thread(target=self._read_told, daemon=True),
            threading.Thread(target=self._read_noise, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _read_told(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _read_noise(self) -> None:
        assert self._process.stderr is not None
        self._noise.extend(self._process.stderr)

    def __call__(self, scenario: str) -> Any:
        """Give what a scenario saw, which runs once; its failure fails the test that asks."""
        if scenario not in self._told:
            self._told[scenario] = self._ask(scenario)
        told = self._told[scenario]
        if "error" in told:
            pytest.fail(told["error"])
        return told["result"]

    def _ask(self, scenario: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{scenario}\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=PATIENCE_S)
        except BrokenPipeError:
            line = ""
        if not line:
            pytest.fail(f"{scenario} was never told:\n{''.join(self._noise)}")
        told: dict[str, Any] = json.loads(line)
        return told

    def end(self) -> None:
        """End it, finished or not."""
        self._process.kill()
        self._process.wait(10)
        for thread in self._threads:
            thread.join(10)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()


@contextmanager
def running(command: list[str], settings: dict[str, str] | None = None) -> Iterator[Program]:
    """Run a client program until the block ends."""
    program = Program(command, settings or {})
    try:
        yield program
    finally:
        program.end()
