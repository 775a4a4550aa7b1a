"""A pooler in transaction mode is found and refused; one in session mode is fine."""

import asyncio
from pathlib import Path

import pytest
from pool_proxy import PoolProxy
from typer.testing import CliRunner

from simple_trader.adapters.store.lane_connection import AsyncpgLedgerConnection
from simple_trader.adapters.store.pooler import pooler_trouble
from simple_trader.cli import app
from simple_trader.domain.errors import StoreSetupError


async def test_i_26_a_session_of_the_server_itself_stays_ours(database: str) -> None:
    assert await pooler_trouble(database) is None


async def test_i_26_a_pool_in_session_mode_is_no_trouble(database: str, state_dir: Path) -> None:
    state_dir.mkdir(parents=True)
    async with PoolProxy(database, state_dir, keep=True) as proxy:
        assert await pooler_trouble(proxy.dsn) is None
        session = AsyncpgLedgerConnection(proxy.dsn)
        await session.connect(None)
        assert session.connected
        session.abort()


@pytest.mark.parametrize("sessions", [2, 4, 7])
async def test_i_26_a_pool_in_transaction_mode_is_refused_in_one_sentence(
    database: str, state_dir: Path, sessions: int
) -> None:
    state_dir.mkdir(parents=True)
    async with PoolProxy(database, state_dir, sessions=sessions) as proxy:
        assert await pooler_trouble(proxy.dsn) is not None
        with pytest.raises(
            StoreSetupError, match=r"pooler in transaction mode.*POSTGRES_DSN"
        ) as no:
            await AsyncpgLedgerConnection(proxy.dsn).connect(None)
        assert "\n" not in str(no.value)


async def test_doctor_names_the_pooler_and_what_to_do(
    database: str, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state_dir.mkdir(parents=True)
    async with PoolProxy(database, state_dir) as proxy:
        monkeypatch.setenv("POSTGRES_DSN", proxy.dsn)
        words = ["doctor", "--state-dir", str(state_dir)]
        found = await asyncio.to_thread(CliRunner().invoke, app, words)
    assert found.exit_code == 1
    assert "FAIL  database: a connection pooler in transaction mode" in found.output
    assert "fix: POSTGRES_DSN=" in found.output
