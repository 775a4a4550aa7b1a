"""python-kraken-sdk's own command line asks the sandbox."""

import ast
import subprocess
from pathlib import Path

from simple_trader.sandbox.settings import DEFAULT_KEY, DEFAULT_SIGNING_TEXT


def ask(python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `kraken spot` as a person would."""
    command = [str(Path(python).with_name("kraken")), "spot", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_public_endpoint_is_read_by_its_url(clients_python: str, sandbox: str) -> None:
    answer = ask(clients_python, "-X", "GET", f"{sandbox}/0/public/Time")
    assert answer.returncode == 0, answer.stderr
    assert ast.literal_eval(answer.stdout)["unixtime"] > 1_700_000_000


def test_a_private_endpoint_is_signed_with_the_given_keys(
    clients_python: str, sandbox: str
) -> None:
    keys = ["--api-key", DEFAULT_KEY, "--secret-key", DEFAULT_SIGNING_TEXT]
    answer = ask(clients_python, "-X", "POST", *keys, f"{sandbox}/0/private/Balance")
    assert answer.returncode == 0, answer.stderr
    assert "ZUSD" in ast.literal_eval(answer.stdout)


def test_a_refusal_ends_it_with_an_error(clients_python: str, sandbox: str) -> None:
    keys = ["--api-key", "fake", "--secret-key", "ZmFrZQ=="]
    answer = ask(clients_python, "-X", "POST", *keys, f"{sandbox}/0/private/Balance")
    assert answer.returncode == 1
    assert "EAPI:Invalid key" in answer.stderr
