"""`init` writes files that load, private and never over somebody's work."""

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from simple_trader.cli import app
from simple_trader.cli.setup import quoted, replaced
from simple_trader.config.env import read_environment
from simple_trader.config.loader import load
from simple_trader.domain.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = (ROOT / "config.yaml").read_text(encoding="utf-8")
runner = CliRunner()


def init(folder: Path, *arguments: str, typed: str = "") -> Result:
    paths = ["--config", str(folder / "config.yaml"), "--env-file", str(folder / ".env")]
    return runner.invoke(app, ["init", *paths, *arguments], input=typed)


def test_yes_takes_the_shipped_defaults_and_makes_the_env_file_private(tmp_path: Path) -> None:
    assert init(tmp_path, "--yes").exit_code == 0
    assert (tmp_path / "config.yaml").read_text() == SHIPPED
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert load(tmp_path / "config.yaml").settings.mode == "sim"
    assert not read_environment(tmp_path / ".env", environ={}).secrets.values()


def test_what_was_answered_stands_in_the_files(tmp_path: Path) -> None:
    typed = (
        "live\nbtc/usd, sol/usd\nkey-one\nsecret'two\\x\n\nllm key three\npostgresql://u:p@h/d\n"
    )
    result = init(tmp_path, typed=typed)
    assert result.exit_code == 0, result.output
    settings = load(tmp_path / "config.yaml").settings
    assert settings.mode == "live"
    assert settings.traded_pairs == ("BTC/USD", "SOL/USD")
    secrets = read_environment(tmp_path / ".env", environ={}).secrets
    assert secrets.kraken_api_key.reveal() == "key-one"
    assert secrets.kraken_secret_api_key.reveal() == "secret'two\\x"
    assert secrets.openai_api_key.reveal() == "llm key three"
    assert secrets.postgres_dsn.reveal() == "postgresql://u:p@h/d"
    for hidden in ("key-one", "secret'two", "llm key", "u:p@h"):
        assert hidden not in result.output


def test_existing_files_are_refused_without_force(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mode: paper\n")
    result = init(tmp_path, "--yes")
    assert isinstance(result.exception, ConfigError)
    assert "--force" in str(result.exception)
    assert (tmp_path / "config.yaml").read_text() == "mode: paper\n"
    assert init(tmp_path, "--yes", "--force").exit_code == 0
    again = init(tmp_path, "--yes")
    assert isinstance(again.exception, ConfigError)
    assert ".env" in str(again.exception)


def test_a_key_is_replaced_with_its_comments_kept() -> None:
    text = replaced(SHIPPED, "traded_pairs", "\n  - BTC/USD")
    assert "traded_pairs:\n  - BTC/USD\n\n" in text
    assert text.count("#") == SHIPPED.count("#")
    with pytest.raises(ConfigError):
        replaced(SHIPPED, "no_such_key", "1")


@pytest.mark.parametrize(
    "value", ["plain", "a b", "it's", 'say "x"', "back\\slash", "#no", "$HOME", "é"]
)
def test_a_quoted_value_is_read_back_as_it_was(tmp_path: Path, value: str) -> None:
    path = tmp_path / ".env"
    path.write_text(f"OPENAI_API_KEY={quoted(value)}\n", encoding="utf-8")
    assert read_environment(path, environ={}).secrets.openai_api_key.reveal() == value


def test_a_key_with_a_line_end_is_refused() -> None:
    with pytest.raises(ConfigError):
        quoted("a\nKRAKEN_API_KEY=b")


def test_config_check_says_valid_with_the_version(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("mode: sim\n")
    arguments = ["config", "check", "--config", str(path), "--state-dir", str(tmp_path)]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert load(path).hash[:12] in result.output
    assert "not an LLM" in result.output
    assert "warning" not in result.output
    path.write_text("take_profit_percent: 0.5\n")
    warned = runner.invoke(app, arguments)
    assert warned.exit_code == 0, warned.output
    assert "warning: take_profit_percent: 0.5 percent is less than the fees" in warned.output
    path.write_text("mode: demo\n")
    broken = runner.invoke(app, arguments)
    assert isinstance(broken.exception, ConfigError)


def test_config_check_names_the_providers_and_the_key_that_one_lacks(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        "providers: [{name: a, base_url: 'http://127.0.0.1:9/v1', model: one},"
        " {name: b, base_url: 'http://127.0.0.1:9/v1', model: two, key_variable: B_API_KEY}]\n"
    )
    env_file = tmp_path / ".env"
    env_file.touch(0o600)
    arguments = ["config", "check", "--config", str(path), "--state-dir", str(tmp_path)]
    lacking = runner.invoke(app, arguments)
    assert "Advisor: a (one), then b (two)." in lacking.output
    assert "warning: providers: b has no key; put B_API_KEY into .env" in lacking.output
    env_file.write_text("B_API_KEY=some-key\n")
    assert "warning" not in runner.invoke(app, arguments).output
