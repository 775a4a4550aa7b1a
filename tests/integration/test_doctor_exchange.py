"""`doctor` asks the exchange what the key of mode live may do, and says the fix."""

from pathlib import Path

import pytest
from sandbox_parts import child

from simple_trader.cli.doctor_exchange import examine_key
from simple_trader.cli.findings import Finding
from simple_trader.config.env import read_environment
from simple_trader.config.schema import Settings

pytestmark = pytest.mark.timeout(90)

SECRET = "c2FuZGJveC1zZWNyZXQ="
ACCOUNTS = f"""
accounts:
  main: {{balances: {{USD: 10}}}}
keys:
  - {{key: trader, secret: {SECRET}, account: main}}
  - {{key: rich, secret: {SECRET}, account: main, permissions: [query-funds, withdraw-funds]}}
"""


async def findings(
    folder: Path, key: str, *, runs: bool = False, url: str | None = None, **keys: object
) -> list[Finding]:
    env = folder / ".env"
    env.write_text(f"KRAKEN_API_KEY={key}\nKRAKEN_SECRET_API_KEY={SECRET}\n")
    env.chmod(0o600)
    settings = Settings.model_validate({"mode": "live", **keys})
    return await examine_key(settings, read_environment(env), folder, runs=runs, url=url)


async def test_each_key_is_judged_and_each_trouble_has_its_fix(tmp_path: Path) -> None:
    path = tmp_path / "accounts.yaml"
    path.write_text(ACCOUNTS)
    with child(accounts=str(path)) as there:
        (good,) = await findings(tmp_path, "trader", url=there.url)
        assert (good.level, good.text) == ("ok", "it cannot withdraw")

        rich, *lacks = await findings(tmp_path, "rich", url=there.url)
        assert rich.level == "fail"
        assert "may withdraw" in rich.text
        assert "allow_withdrawal_key" in rich.fix
        assert len(lacks) == 6
        assert {finding.level for finding in lacks} == {"warn"}

        allowed, *_ = await findings(tmp_path, "rich", url=there.url, allow_withdrawal_key=True)
        assert allowed.level == "warn"

        (wrong,) = await findings(tmp_path, "nobody", url=there.url)
        assert wrong.level == "fail"
        assert "Invalid key" in wrong.text
        assert SECRET not in wrong.text + wrong.fix


async def test_a_running_daemon_is_not_disturbed_and_other_modes_ask_nothing(
    tmp_path: Path,
) -> None:
    nowhere = "http://127.0.0.1:9"
    (busy,) = await findings(tmp_path, "trader", runs=True, url=nowhere)
    assert busy.level == "ok"
    assert await findings(tmp_path, "trader", url=nowhere, mode="sim") == []
    assert await findings(tmp_path, "", url=nowhere) == []


async def test_an_exchange_that_does_not_answer_is_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from simple_trader.adapters.kraken import rest_client

    monkeypatch.setattr(rest_client, "_FIRST_PAUSE_S", 0.0)
    (found,) = await findings(tmp_path, "trader", url="http://127.0.0.1:9")
    assert found.level == "warn"
    assert "not known" in found.text
