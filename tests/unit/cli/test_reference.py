"""docs/reference is what the code says now."""

from pathlib import Path

import pytest

from simple_trader.cli.reference import exit_codes_page, pages
from simple_trader.config.env import names
from simple_trader.domain.errors import TraderError
from simple_trader.domain.reasons import Reason

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_page_is_current(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == pages()[name], "run: make docs"


def test_every_reason_and_variable_is_described() -> None:
    assert all(f"`{reason.value}`" in pages()["reasons.md"] for reason in Reason)
    assert all(f"`{name}`" in pages()["config.md"] for name in names())


def below(kind: type[TraderError]) -> set[type[TraderError]]:
    return {kind}.union(*(below(one) for one in kind.__subclasses__()))


def test_every_error_of_the_domain_has_its_exit_code_in_the_page() -> None:
    rows = exit_codes_page().splitlines()
    for kind in below(TraderError):
        if kind.__module__ == "simple_trader.domain.errors":
            row = next(r for r in rows if f"`{kind.__name__}`" in r)
            assert row.startswith(f"| {kind.exit_code} |")
