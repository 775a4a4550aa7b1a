"""A version is read whole, hashed over all its parts, and refused in one sentence."""

import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from simple_trader.config.env import Secret, Secrets
from simple_trader.config.loader import (
    PROMPT_TEMPLATE,
    TOOL_SCHEMA,
    Config,
    find_config,
    find_env_file,
    load,
    trading_settings,
    uses_stand_in,
)
from simple_trader.domain.errors import ConfigError, ModeError

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with its own config, templates and tools."""
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    write(tmp_path, "mode: sim\n")
    return tmp_path


def write(place: Path, text: str) -> Path:
    path = place / "config.yaml"
    path.write_text(text + "templates_dir: templates\ntools_dir: tools\n", encoding="utf-8")
    return path


def at(place: Path) -> Config:
    return load(place / "config.yaml")


def test_the_shipped_configuration_loads() -> None:
    config = load(ROOT / "config.yaml")
    assert config.settings.mode == "sim"
    assert PROMPT_TEMPLATE in config.templates
    assert TOOL_SCHEMA in config.tools
    assert len(config.hash) == 64


def test_a_change_of_any_part_changes_the_hash(place: Path) -> None:
    seen = {at(place).hash}
    write(place, "mode: sim\nbase_order: 50\n")
    seen.add(at(place).hash)
    template = place / "templates" / PROMPT_TEMPLATE
    template.write_text(template.read_text() + "more\n")
    seen.add(at(place).hash)
    tool = place / "tools" / TOOL_SCHEMA
    tool.write_text(tool.read_text() + "\n")
    seen.add(at(place).hash)
    seen.add(load(place / "config.yaml", overrides={"sim.seed": 7}).hash)
    assert len(seen) == 5
    assert at(place).hash == at(place).hash


def test_overrides_are_checked_like_the_file(place: Path) -> None:
    config = load(place / "config.yaml", overrides={"sim.speed": 600.0, "mode": "paper"})
    assert config.settings.sim.speed == 600
    assert config.settings.mode == "paper"
    assert config.base.mode == "sim"
    with pytest.raises(ConfigError, match="from the command line: mode"):
        load(place / "config.yaml", overrides={"mode": "demo"})


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda p: (p / "templates" / PROMPT_TEMPLATE).unlink(), "the file is missing"),
        (lambda p: (p / "tools" / TOOL_SCHEMA).unlink(), "the file is missing"),
        (lambda p: (p / "tools" / TOOL_SCHEMA).write_text("{"), "is not JSON"),
        (lambda p: (p / "tools" / TOOL_SCHEMA).write_text("[]"), "must be a JSON object"),
        (lambda p: (p / "templates" / PROMPT_TEMPLATE).write_text(" "), "is empty"),
        (lambda p: (p / "templates" / PROMPT_TEMPLATE).write_text("{{a"), "not closed"),
        (lambda p: (p / "templates" / PROMPT_TEMPLATE).write_bytes(b"\xff"), "not UTF-8"),
        (lambda p: (p / "config.yaml").unlink(), "is missing"),
        (lambda p: (p / "config.yaml").write_bytes(b"a: \xff"), "not UTF-8"),
        (lambda p: shutil.rmtree(p / "tools"), "no directory"),
    ],
)
def test_a_missing_or_broken_part_is_refused_in_one_sentence(
    place: Path, break_it: object, words: str
) -> None:
    assert callable(break_it)
    break_it(place)
    with pytest.raises(ConfigError) as refused:
        at(place)
    sentence = str(refused.value)
    assert words in sentence
    assert str(place) in sentence
    assert "\n" not in sentence


def test_an_unknown_key_names_the_one_that_was_meant(place: Path) -> None:
    write(place, "agregator_interval_seconds: 900\n")
    with pytest.raises(ConfigError, match=r"line 1: agregator.*mean aggregator_interval_seconds\?"):
        at(place)


def test_a_password_in_the_file_is_refused_and_not_repeated(place: Path) -> None:
    write(place, "database: {dsn: 'postgresql://u:hunter22@h/d'}\n")
    with pytest.raises(ConfigError) as refused:
        at(place)
    assert "POSTGRES_DSN" in str(refused.value)
    assert "hunter22" not in str(refused.value)


def test_the_brain_gets_money_as_decimals_and_spans_in_seconds(place: Path) -> None:
    write(place, "base_order: 0.1\naggregator_interval_seconds: 60\n")
    settings = trading_settings(at(place))
    assert settings.base_order == Decimal("0.1")
    assert isinstance(settings.max_asset_exposure, Decimal)
    assert settings.aggregator_interval_s == 60
    assert settings.may_place


@pytest.mark.parametrize(
    ("text", "armed", "may_place"),
    [
        ("mode: sim\n", False, True),
        ("mode: paper\n", False, True),
        ("mode: live\n", True, False),
        ("mode: live\nplace_live_orders: true\n", False, False),
        ("mode: live\nplace_live_orders: true\n", True, True),
        ("mode: sim\nplace_live_orders: false\n", False, True),
    ],
)
def test_only_live_needs_leave_to_place(
    place: Path, text: str, armed: bool, may_place: bool
) -> None:
    write(place, text)
    assert trading_settings(at(place), armed=armed).may_place is may_place


def test_who_advises_in_which_mode(place: Path) -> None:
    none, key = Secrets(), Secrets(openai_api_key=Secret("k" * 8))
    url = "openai_base_url: http://127.0.0.1:1/v1\n"

    def stand_in(text: str, secrets: Secrets) -> bool:
        write(place, text)
        return uses_stand_in(at(place).settings, secrets)

    assert stand_in("mode: sim\n", none)
    assert stand_in("mode: sim\n", key)
    assert not stand_in("mode: sim\n" + url, none)
    assert stand_in("mode: paper\n", none)
    assert not stand_in("mode: paper\n", key)
    assert not stand_in("mode: live\n", key)
    with pytest.raises(ModeError, match="OPENAI_API_KEY"):
        stand_in("mode: live\n", none)


def test_the_file_is_found_here_before_the_shipped_one(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    assert find_config(None) == place / "config.yaml"
    (place / "config.yaml").unlink()
    assert find_config(None) == ROOT / "config.yaml"
    assert find_config(Path("x.yaml")) == Path("x.yaml")


def test_a_named_env_file_must_exist(place: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        find_env_file(place / "nothing", place / "config.yaml")
    (place / ".env").write_text("")
    assert find_env_file(None, place / "config.yaml") == place / ".env"
