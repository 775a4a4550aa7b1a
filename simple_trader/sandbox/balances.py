"""The balances channel: totals with their wallets, and one event for each ledger entry."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from simple_trader.sandbox import wire
from simple_trader.sandbox.names import precision_of
from simple_trader.simulator.orders import Entry, EntryKind

Event = dict[str, Any]

# Suffix of an asset name to the type and id of its wallet (protocol sections 7 and 12).
_WALLETS = {
    "S": ("earn", "bonded"), "B": ("earn", "bonded"), "M": ("earn", "flex"), "F": ("earn", "flex"),
}  # fmt: skip
_CATEGORIES: dict[EntryKind, str] = {
    "trade": "trade", "deposit": "deposit", "withdrawal": "withdrawal",
    "staking": "staking-rewards",
}  # fmt: skip


def balance_snapshot(balances: Mapping[str, Decimal]) -> list[Event]:
    """Give every balance with its wallet (protocol section 7)."""
    rows = []
    for asset, balance in balances.items():
        text = wire.decimal(balance, precision_of(asset))
        kind, wallet_id = _wallet(asset)
        wallet = {"type": kind, "id": wallet_id, "balance": text}
        rows.append(
            {"asset": asset, "asset_class": "currency", "wallets": [wallet], "balance": text}
        )
    return rows


def balance_updates(entries: Iterable[Entry]) -> list[Event]:
    """Give one event for each ledger entry."""
    rows = []
    for entry in entries:
        precision = precision_of(entry.asset)
        kind, wallet_id = _wallet(entry.asset)
        moved = "deposit" if entry.amount >= 0 else "withdrawal"
        rows.append(
            {
                "ledger_id": entry.ledger_id,
                "ref_id": entry.ref_id,
                "timestamp": wire.moment_text(entry.at),
                "type": entry.kind,
                "asset": entry.asset,
                "asset_class": "currency",
                "category": _CATEGORIES.get(entry.kind, moved),
                "wallet_type": kind,
                "wallet_id": wallet_id,
                "amount": wire.decimal(entry.amount, precision),
                "fee": wire.decimal(entry.fee, precision),
                "balance": wire.decimal(entry.balance, precision),
            }
        )
    return rows


def _wallet(asset: str) -> tuple[str, str]:
    return _WALLETS.get(asset.partition(".")[2], ("spot", "main"))
