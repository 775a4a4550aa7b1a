"""kraken-api 1.0 of the Node world runs on the sandbox; skipped where there is no Node."""

import shutil
from collections.abc import Iterator

import pytest
from clients_parts import ENVIRONMENT, ROOT, Told, running

from simple_trader.sandbox.settings import DEFAULT_KEY, DEFAULT_SIGNING_TEXT


@pytest.fixture(scope="module")
def told(sandbox: str) -> Iterator[Told]:
    """What the Node program saw, by scenario."""
    node, folder = shutil.which("node"), ENVIRONMENT / "node" / "node_modules"
    if node is None:
        pytest.skip("no Node here: install the package nodejs and npm, then `make test-clients`")
    if not folder.is_dir():
        pytest.skip("the Node clients are not set up: with npm, `make test-clients` does it")
    program = ROOT / "tests" / "clients" / "node" / "kraken_api.js"
    command = [node, "--no-deprecation", str(program), sandbox, DEFAULT_KEY, DEFAULT_SIGNING_TEXT]
    with running(command, {"NODE_PATH": str(folder)}) as there:
        yield there


def test_public_calls_sent_as_posts_are_answered(told: Told) -> None:
    seen = told("public_calls")
    assert seen["pairs"]["XXBTZUSD"]["altname"] == "XBTUSD"
    assert [len(seen["book"]["XXBTZUSD"][side]) for side in ("bids", "asks")] == [5, 5]
    assert isinstance(seen["trades"]["last"], str)


def test_an_order_is_placed_and_cancelled(told: Told) -> None:
    seen = told("an_order_is_placed_and_cancelled")
    (txid,) = seen["placed"]["txid"]
    assert txid in seen["open"]["open"]
    assert seen["cancelled"] == {"count": 1}
    assert "ZUSD" in seen["balance"]


def test_an_error_is_thrown_with_kraken_s_text(told: Told) -> None:
    assert told("an_error_is_thrown_without_its_e") == {"thrown": "Order:Unknown order"}
