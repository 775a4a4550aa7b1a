"""Database addresses: what people write becomes what the driver takes, without the password."""

import pytest

from simple_trader.adapters.store.dsn import describe_dsn, normalise_dsn, with_database
from simple_trader.domain.errors import StoreSetupError


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("postgresql://u:p@h:5432/db", "postgresql://u:p@h:5432/db"),
        (" postgres://u@h/db\n", "postgresql://u@h/db"),
        ("postgresql+asyncpg://u:p@h/db", "postgresql://u:p@h/db"),
        ("postgresql+asyncpg://u:p@/db?host=/run/st", "postgresql://u:p@/db?host=/run/st"),
    ],
)
def test_an_address_is_brought_into_one_form(written: str, taken: str) -> None:
    assert normalise_dsn(written) == taken


@pytest.mark.parametrize(
    "written",
    [
        "",
        "db",
        "mysql://u:hush@h/db",
        "postgresql://u:hush@h",
        "postgresql://u:hush@h:x/db",
        "postgresql://u:hush@:5432/db",
        "postgresql://[u:hush@h/db",
    ],
)
def test_what_is_no_address_is_refused_without_the_password(written: str) -> None:
    with pytest.raises(StoreSetupError, match="postgresql://user") as refusal:
        normalise_dsn(written)
    assert "hush" not in str(refusal.value)


def test_an_address_is_described_without_its_password() -> None:
    assert describe_dsn("postgresql://u:hush@h:6000/db") == "u@h:6000/db"
    assert describe_dsn("postgresql://u:hush@/db?host=/run/st") == "u@/run/st/db"


def test_another_database_of_the_same_server() -> None:
    assert with_database("postgresql://u:p@/a?host=/r", "b") == "postgresql://u:p@/b?host=/r"
