"""Events of the account: balances, ledger, fees, comparison with the exchange."""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.domain.fills import LedgerEntry
from simple_trader.domain.instruments import FeeRates
from simple_trader.domain.records import VenueOrderRow


class BalancesSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A full snapshot of balances (totals, holds not subtracted)."""

    balances: dict[str, Decimal]
    source: str
    split: tuple[str, ...] = ()  # assets whose total is the sum of several wallets


class LedgerSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """One ledger entry from the balances channel or REST."""

    entry: LedgerEntry


class FeesSeen(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The account's fee tier for a pair."""

    fees: FeeRates


class Reconciled(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """A look at the exchange was completed: open orders, recent fills and balances are in."""

    open_cl_ord_ids: tuple[str, ...]
    foreign_open_orders: int
    looked_from: datetime
    clean: bool
    detail: str
    foreign: tuple[VenueOrderRow, ...] = ()  # open, and not ours
    question_id: str = ""  # of the question that it answers


class OperatorExplained(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Someone answers for what differs of one asset: what is missing now is booked as explained."""

    asset: str
    actor: str
    detail: str
