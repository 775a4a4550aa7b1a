"""Secrets are read once, trimmed, and never shown."""

import copy
import json
import pickle
from pathlib import Path

import pytest

from simple_trader.config.env import (
    Secret,
    Secrets,
    names,
    password_of,
    read_environment,
)
from simple_trader.domain.errors import ConfigError

TEMPLATE = Path(__file__).resolve().parents[3] / ".env.template"
CANARY = "canary-3f9a81"


def env_file(folder: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = folder / ".env"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def test_a_secret_never_shows_its_value() -> None:
    secret = Secret(CANARY)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>20}",
        json.dumps({"a": secret}, default=str),
        repr(pickle.dumps(secret)),
        repr(Secrets(openai_api_key=secret)),
        repr([secret]),
    ]
    assert not [text for text in shown if CANARY in text]
    assert pickle.loads(pickle.dumps(secret)).reveal() == "***"
    assert copy.deepcopy(secret).reveal() == CANARY
    with pytest.raises(TypeError):
        json.dumps({"a": secret})


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    path = env_file(tmp_path, "OPENAI_API_KEY=from-file\nKRAKEN_API_KEY=file-only\n")
    found = read_environment(path, environ={"OPENAI_API_KEY": "from-environment"})
    assert found.secrets.openai_api_key.reveal() == "from-environment"
    assert found.secrets.kraken_api_key.reveal() == "file-only"


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    path = env_file(tmp_path, "OPENAI_API_KEY=from-file\n")
    found = read_environment(path, environ={"OPENAI_API_KEY": "  "})
    assert found.secrets.openai_api_key.reveal() == "from-file"
    assert not found.secrets.kraken_api_key


def test_nothing_in_the_file_is_expanded(tmp_path: Path) -> None:
    path = env_file(tmp_path, "OPENAI_API_KEY='a${HOME}b'\n")
    assert read_environment(path, environ={}).secrets.openai_api_key.reveal() == "a${HOME}b"


def test_a_line_that_is_no_assignment_is_named_without_its_text(tmp_path: Path) -> None:
    path = env_file(tmp_path, f"OPENAI_API_KEY=x\n{CANARY}\n")
    with pytest.raises(ConfigError) as refused:
        read_environment(path, environ={})
    assert "line 2" in str(refused.value)
    assert CANARY not in str(refused.value)


def test_the_template_lists_exactly_what_is_read_each_with_a_comment_and_no_value() -> None:
    lines = TEMPLATE.read_text(encoding="utf-8").splitlines()
    listed = [line for line in lines if line and not line.startswith("#")]
    assert listed == [f"{name}=" for name in names()]
    for line in listed:
        assert lines[lines.index(line) - 1].startswith("#")


def test_the_values_for_the_mask_hold_the_password_of_the_dsn() -> None:
    secrets = Secrets(postgres_dsn=Secret("postgresql://u:p%40ss@h/d"))
    assert "p%40ss" in secrets.values()


@pytest.mark.parametrize(
    ("dsn", "password"),
    [
        ("postgresql://u:pw@h:5432/d", "pw"),
        ("postgresql://u@h/d", ""),
        ("postgresql:///d?host=/run", ""),
        ("", ""),
        ("postgresql://u:a@b@h/d", "a@b"),
    ],
)
def test_the_password_of_a_dsn_is_found(dsn: str, password: str) -> None:
    assert password_of(dsn) == password
