"""The books check: for each asset, balance against opening and ledger, and lots against balance."""

from collections import Counter, defaultdict
from decimal import Decimal

import msgspec

from simple_trader.adapters.store.db_manager import READER_PATIENCE, session
from simple_trader.adapters.store.named_sql import named
from simple_trader.domain.money import ZERO


class AssetBooks(msgspec.Struct, frozen=True, kw_only=True):
    """One asset, in its own units, tolerance zero.

    `opening` is the balance before the first ledger entry, `ledger` the sum of all of them
    (amount - fee), `lots` what our open lots hold, `external` the rest. `gaps` counts ledger
    entries that do not follow another one.
    """

    asset: str
    balance: Decimal
    opening: Decimal
    ledger: Decimal
    lots: Decimal
    external: Decimal
    gaps: int

    @property
    def balanced(self) -> bool:
        """Whether the balance is explained and covers the lots."""
        explained = self.balance == self.opening + self.ledger
        return explained and self.gaps == 0 and self.external >= ZERO


async def check_books(dsn: str) -> tuple[AssetBooks, ...]:
    """Read balances, lots and ledger in one snapshot and compare them (I-13, I-15)."""
    doing = "the books could not be read from the database"
    async with (
        session(
            dsn, application="simple-trader books", doing=doing, settings=READER_PATIENCE
        ) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        assets = await connection.fetch(named("books_assets"))
        entries = await connection.fetch(named("books_ledger"))
    steps: dict[str, list[tuple[Decimal, Decimal, Decimal]]] = defaultdict(list)
    for entry in entries:
        steps[entry["asset"]].append((entry["before"], entry["balance"], entry["change"]))
    return tuple(
        _compared(row["asset"], row["balance"], row["held"], steps[row["asset"]]) for row in assets
    )


def _compared(
    asset: str, balance: Decimal, held: Decimal, steps: list[tuple[Decimal, Decimal, Decimal]]
) -> AssetBooks:
    """Entries of one moment have no order, so the chain is checked as a set of links.

    Each balance after an entry is the one before another; only the opening has no entry before
    it and only the closing none after it.
    """
    before = Counter(step[0] for step in steps)
    after = Counter(step[1] for step in steps)
    starts = list((before - after).elements())
    opening = starts[0] if starts else (steps[0][0] if steps else balance)
    return AssetBooks(
        asset=asset,
        balance=balance,
        opening=opening,
        ledger=sum((step[2] for step in steps), ZERO),
        lots=held,
        external=balance - held,
        gaps=max(0, len(starts) - 1),
    )
