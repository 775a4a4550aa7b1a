"""Our own exchange is on this machine and gets our own key, whatever key the user has (I-44)."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import yaml

from simple_trader.app import worlds
from simple_trader.app.places import read_setup
from simple_trader.app.worlds import open_world
from simple_trader.config.options import RunOptions
from simple_trader.sandbox.settings import DEFAULT_KEY, DEFAULT_SIGNING_TEXT

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("mode", ["sim", "paper"])
def test_i_44_sim_and_paper_send_no_request_of_theirs_to_any_other_host(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with a real key in .env: neither an address nor a key of it is in their world, nor in
    what the sandbox is started with.
    """
    given: list[str] = []

    class Child:
        announcement = None

        def __init__(self, command, log) -> None:
            given.extend(command(0))

        async def start(self) -> SimpleNamespace:
            return SimpleNamespace(port=4711, world="a world")

    class Line:
        def __init__(self, url) -> None:
            assert urlsplit(url()).hostname == "127.0.0.1"

        async def hello(self):
            return SimpleNamespace(at=None)

    monkeypatch.setattr(worlds, "SandboxChild", Child)
    monkeypatch.setattr(worlds, "ControlLine", Line)
    config, env = tmp_path / "config.yaml", tmp_path / ".env"
    values = yaml.safe_load((ROOT / "config.yaml").read_text()) | {"mode": mode}
    config.write_text(yaml.safe_dump(values, explicit_end=True))
    env.write_text("KRAKEN_API_KEY=a-real-key\nKRAKEN_SECRET_API_KEY=cmVhbA==\n")
    env.chmod(0o600)
    setup = read_setup(RunOptions(config_path=config, env_file=env, state_dir=tmp_path / "state"))
    world = asyncio.run(open_world(setup))
    for url in (world.rest_url, world.public_url, world.private_url):
        assert urlsplit(url).hostname == "127.0.0.1"
    assert (world.key.reveal(), world.secret.reveal()) == (DEFAULT_KEY, DEFAULT_SIGNING_TEXT)
    assert not [text for text in given if "a-real-key" in text or "cmVhbA" in text]
