"""`arm` as a person uses it, on a sandbox that stands in for Kraken; `disarm`; the last refusal."""

import asyncio
import io
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from sandbox_parts import child

from simple_trader.adapters.kraken.auth import Credentials, FileHighWater
from simple_trader.adapters.kraken.http_client import HttpClient
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.app.account_facts import ask_account
from simple_trader.app.arming import arm_path, fingerprint_of
from simple_trader.app.key_safety import require_armed
from simple_trader.app.live_rules import NO_EXITS
from simple_trader.app.places import read_setup
from simple_trader.app.worlds import World
from simple_trader.cli.arm import arm_account, disarm
from simple_trader.config.env import Secret
from simple_trader.config.options import RunOptions
from simple_trader.domain.errors import LockHeld, ModeError, VenueRefused
from simple_trader.runtime.clocks import SystemClock
from simple_trader.telemetry.presence import present

pytestmark = pytest.mark.timeout(90)

LLM = "https://api.openai.com/v1"
SECRET = "c2FuZGJveC1zZWNyZXQ="
ACCOUNTS = f"""
accounts:
  main: {{balances: {{USD: 1000}}}}
  other: {{balances: {{USD: 1000}}}}
  empty: {{balances: {{}}}}
keys:
  - {{key: trader, secret: {SECRET}, account: main}}
  - {{key: rich, secret: {SECRET}, account: main, permissions: [query-funds, withdraw-funds]}}
  - {{key: looker, secret: {SECRET}, account: main,
     permissions: [query-funds, query-open-trades, query-closed-trades, query-ledger]}}
  - {{key: stranger, secret: {SECRET}, account: other}}
  - {{key: nothing, secret: {SECRET}, account: empty}}
"""


class Place:
    """A live set-up whose Kraken is a sandbox."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.options = RunOptions(
            config_path=folder / "config.yaml", env_file=folder / ".env", state_dir=folder / "state"
        )
        values = {"mode": "live", "place_live_orders": True, "openai_base_url": LLM}
        (folder / "config.yaml").write_text(yaml.safe_dump(values, explicit_end=True))
        (folder / "config.yaml").chmod(0o644)

    def use(self, key: str) -> World:
        env = self.folder / ".env"
        env.write_text(f"KRAKEN_API_KEY={key}\nKRAKEN_SECRET_API_KEY={SECRET}\n")
        env.chmod(0o600)
        socket = self.url.replace("http", "ws")
        return World(
            rest_url=self.url,
            public_url=f"{socket}/v2",
            private_url=f"{socket}/auth/v2",
            key=Secret(key),
            secret=Secret(SECRET),
            identity=f"kraken {key}",
            detail=f"Kraken account of {key}",
        )

    async def arm(self, key: str, typed: str = "arm {}") -> Path:
        """`simple-trader arm`, with a person who types what is asked for, or something else."""
        world = self.use(key)
        facts = await ask_account(world, self.folder / "state", SystemClock())
        word = fingerprint_of(world.key, facts.origin)[:8]
        there, sys.stdin = sys.stdin, io.StringIO(typed.format(word) + "\n")
        try:
            return await arm_account(self.options, timedelta(days=7), stand_in=world)
        finally:
            sys.stdin = there

    async def start(self, key: str) -> None:
        """What a start does before it would place: everything up to the last refusal."""
        world = self.use(key)
        addresses = (world.rest_url, world.public_url, world.private_url)
        async with self._client(world) as client:
            setup = read_setup(self.options)
            await require_armed(setup, world, KrakenRest(client), SystemClock(), addresses)

    async def trade_once(self, key: str) -> None:
        """The account's first ledger entries, made by hand."""
        order = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.001"}
        async with self._client(self.use(key)) as client:
            await client.private("AddOrder", order, read=False)

    @asynccontextmanager
    async def _client(self, world: World) -> AsyncIterator[RestClient]:
        http = HttpClient("test")
        try:
            yield RestClient(
                url=world.rest_url,
                http=http,
                clock=SystemClock(),
                dice=_Even(),
                credentials=Credentials(world.key, world.secret),
                high_water=FileHighWater(self.folder / "state" / "nonce"),
            )
        finally:
            await http.close()


class _Even:
    def random(self) -> float:
        return 0.5

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def test_i_44_a_person_arms_one_account_and_a_start_takes_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accounts = tmp_path / "accounts.yaml"
    accounts.write_text(ACCOUNTS)
    (tmp_path / "state").mkdir(mode=0o755)
    with child(accounts=str(accounts), stepped=False, counters=False) as there:
        place = Place(tmp_path, there.url)

        async def story() -> None:
            await place.trade_once("trader")
            await place.trade_once("stranger")
            with pytest.raises(ModeError, match="this account is not armed"):
                await place.start("trader")
            with pytest.raises(ModeError, match="what was typed is not"):
                await place.arm("trader", "yes")
            assert not arm_path(tmp_path / "state").exists()
            path = await place.arm("trader")
            assert path.stat().st_mode & 0o777 == 0o600
            said = capsys.readouterr().out
            assert "Limit        daily_loss_limit: 0.05" in said
            assert "BTC/USD, ETH/USD, SOL/USD" in said
            with pytest.raises(ModeError) as last:
                await place.start("trader")
            assert str(last.value) == NO_EXITS
            for key, refusal in (
                ("stranger", "armed for kraken trader, and this is kraken stranger"),
                ("rich", "may withdraw"),
                ("looker", "create and modify orders"),
                ("nothing", "deposit first"),
            ):
                with pytest.raises(ModeError, match=refusal):
                    await place.start(key)
                if key != "stranger":
                    with pytest.raises(ModeError, match=refusal):
                        await place.arm(key)
            with pytest.raises(VenueRefused, match="Invalid key"):
                await place.start("nobody")
            with (
                present(tmp_path / "state"),
                pytest.raises(LockHeld, match="stop it, arm, start it again"),
            ):
                await place.arm("trader")
            with pytest.raises(ModeError, match="at most 30 days"):
                await arm_account(place.options, timedelta(days=31), stand_in=place.use("trader"))

        asyncio.run(story())
        disarm(place.options.config_path, place.options.env_file, place.options.state_dir)
        assert "Disarmed." in capsys.readouterr().out
        with pytest.raises(ModeError, match="this account is not armed"):
            asyncio.run(place.start("trader"))
    assert SECRET not in capsys.readouterr().out
