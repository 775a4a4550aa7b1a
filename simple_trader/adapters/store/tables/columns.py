"""The kinds of columns our tables are made of: money, observations, moments, words, JSON."""

from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Text,
    and_,
    column,
    func,
    literal_column,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.elements import ColumnElement

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def money(name: str, comment: str, *, nullable: bool = False) -> Column[Any]:
    """Exact money or quantity: NUMERIC without a limit, so that the wire's digits are kept."""
    return Column(name, Numeric(), nullable=nullable, comment=comment)


def observation(name: str, comment: str, *, nullable: bool = False) -> Column[Any]:
    """A market observation or a statistic: double precision."""
    return Column(name, Double(), nullable=nullable, comment=comment)


def words(name: str, comment: str, *, key: bool = False, nullable: bool = False) -> Column[Any]:
    """Text; `key` makes it (part of) the primary key."""
    return Column(name, Text(), primary_key=key, nullable=nullable, comment=comment)


def moment(name: str, comment: str, *, key: bool = False, nullable: bool = False) -> Column[Any]:
    """A moment: timestamptz; `key` makes it (part of) the primary key."""
    return Column(
        name, DateTime(timezone=True), primary_key=key, nullable=nullable, comment=comment
    )


def count(name: str, comment: str, *, nullable: bool = False) -> Column[Any]:
    """A whole number that stays small."""
    return Column(name, Integer(), nullable=nullable, comment=comment)


def flag(name: str, comment: str) -> Column[Any]:
    """True or false."""
    return Column(name, Boolean(), nullable=False, comment=comment)


def document(name: str, comment: str) -> Column[Any]:
    """JSON, for what has no fixed columns."""
    return Column(name, JSONB(), nullable=False, comment=comment)


def blob(name: str, comment: str) -> Column[Any]:
    """Bytes."""
    return Column(name, LargeBinary(), nullable=False, comment=comment)


def single_row() -> Column[Any]:
    """The key of a table of one row."""
    return Column(
        "one",
        Boolean(),
        primary_key=True,
        server_default=true(),
        comment="Always true: there is one row.",
    )


def at() -> Column[Any]:
    """Market time of the event that caused the row."""
    return moment("at", "Market time of the event that caused this row.")


def recorded_at() -> Column[Any]:
    """Wall time of the transaction: only a stamp, order is by the journal."""
    return Column(
        "recorded_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=func.now(),
        comment="Wall time at which the database wrote this row (a stamp, not an order).",
    )


def positive(name: str) -> CheckConstraint:
    """`name` is above zero, and neither NaN nor infinite (which SQL sorts above all numbers)."""
    value: ColumnElement[Any] = column(name)
    return CheckConstraint(and_(value > 0, value < _endless()), name=name + "_positive")


def not_negative(name: str) -> CheckConstraint:
    """`name` is zero or more, and neither NaN nor infinite."""
    value: ColumnElement[Any] = column(name)
    return CheckConstraint(and_(value >= 0, value < _endless()), name=name + "_not_negative")


def at_most(name: str, other: str) -> CheckConstraint:
    """`name` is not above `other`."""
    low: ColumnElement[Any] = column(name)
    return CheckConstraint(low <= column(other), name=name + "_at_most_" + other)


def fraction(name: str) -> CheckConstraint:
    """`name` is in [0, 1]."""
    value: ColumnElement[Any] = column(name)
    return CheckConstraint(and_(value >= 0, value <= 1), name=name + "_fraction")


def one_of(name: str, choices: tuple[str, ...]) -> CheckConstraint:
    """`name` is one of `choices`."""
    value: ColumnElement[Any] = column(name)
    return CheckConstraint(value.in_(choices), name=name + "_known")


def sha256_hex(name: str) -> CheckConstraint:
    """`name` has the length of a SHA-256 in hex."""
    return CheckConstraint(func.length(column(name)) == 64, name=name + "_is_sha256")


def counted(name: str) -> CheckConstraint:
    """The whole number `name` is zero or more."""
    value: ColumnElement[Any] = column(name)
    return CheckConstraint(value >= 0, name=name + "_counted")


def _endless() -> ColumnElement[Any]:
    return literal_column("'Infinity'::numeric")
