"""The model of config.yaml and the shipped file say the same."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from simple_trader.config.schema import Settings, marked, walk
from simple_trader.config.sections import RiskMultipliers
from simple_trader.config.yaml_reader import read_yaml

SHIPPED = Path(__file__).resolve().parents[3] / "config.yaml"


def shipped_values() -> dict[str, Any]:
    return read_yaml(SHIPPED.read_text(encoding="utf-8")).values


def leaves(values: dict[str, Any], prefix: str = "") -> list[str]:
    found = []
    for name, value in values.items():
        below = isinstance(value, dict) and bool(value)
        found += leaves(value, f"{prefix}{name}.") if below else [prefix + name]
    return found


def model_leaves() -> list[str]:
    found: list[str] = []
    walk(lambda name, _info: found.append(name))
    return found


def test_the_defaults_are_those_of_the_shipped_file() -> None:
    assert Settings.model_validate(shipped_values()) == Settings()


def test_the_shipped_file_holds_every_key_in_the_order_of_the_model() -> None:
    assert leaves(shipped_values()) == model_leaves()


def test_every_key_of_the_shipped_file_has_a_comment_right_above_it() -> None:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if re.match(r"\s*[a-z_]+:", line):
            assert lines[number - 1].strip().startswith("#"), line


def test_the_comment_of_a_key_says_limit_and_at_start_as_the_model_does() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    for name in model_leaves():
        key = name.rpartition(".")[2]
        found = re.search(rf"((?:^ *#.*\n)+) *{key}:", text, re.MULTILINE)
        assert found, name
        comment = " ".join(found[1].split())
        assert ("At start." in re.sub(r" # ", " ", comment)) == (name in marked("at_start")), name
        assert ("Limit." in comment) == (name in marked("limit")), name


def test_the_shipped_file_ends_with_the_end_mark() -> None:
    assert read_yaml(SHIPPED.read_text(encoding="utf-8")).ended


def test_every_key_has_a_description() -> None:
    def visit(name: str, info: Any) -> None:
        assert info.description, name

    walk(visit)


def test_a_multiplier_may_not_enlarge_an_order() -> None:
    with pytest.raises(ValidationError):
        RiskMultipliers(low=Decimal(2))


def test_a_version_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValidationError):
        Settings().mode = "live"
