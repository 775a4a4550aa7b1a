"""Balances: the channel gives totals, fills say what to expect, spendable is the lower minus holds.

A trade comes as a fill and, apart from it, as one ledger entry for each asset, in any order. What
one of the two has said and the other not yet is `pending`: expected = total + pending. So the two
legs of a trade always move together in `expected`, and a transient never looks like a loss.
"""

from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.domain.fills import Fill, LedgerEntry
from simple_trader.domain.instruments import base_of, quote_of
from simple_trader.domain.moments import EPOCH, seconds
from simple_trader.domain.money import ZERO
from simple_trader.domain.orders import Side

PENDING_LIFE_S = 90.0  # market seconds after which the channel's total alone is believed
REST_LAG_S = 75.0  # what REST shows may be that much older than the stream (reliability 0.4)
SNAPSHOT_SLACK_S = 2.0  # a ledger entry older than the snapshot by more than this is in it
MAX_SEEN = 20_000

_NO_FLOWS = frozenset({"trade", "margin", "rollover", "settled"})


def is_flow(kind: str) -> bool:
    """Whether a ledger entry of this kind (section 7) is money that came or went without a trade:
    deposit, withdrawal, transfer, staking, reward and all others, neither gain nor loss.
    """
    return kind not in _NO_FLOWS


class Pending(msgspec.Struct):
    """Legs of one trade that the totals do not hold yet (or hold before the fill came)."""

    at: datetime
    legs: dict[str, Decimal]


def legs_of(fill: Fill) -> dict[str, Decimal]:
    """What a fill changes in each asset, fees included."""
    base, quote = base_of(fill.pair), quote_of(fill.pair)
    sign = 1 if fill.side is Side.BUY else -1
    legs = {base: sign * fill.qty, quote: -sign * fill.cost}
    for fee in fill.fees:
        legs[fee.asset] = legs.get(fee.asset, ZERO) - fee.qty
    return legs


class Balances(msgspec.Struct):
    """Totals by asset as the exchange says them, and what is pending."""

    totals: dict[str, Decimal] = {}
    pending: dict[str, Pending] = {}
    seen_ledgers: dict[str, bool] = {}
    ledger_at: dict[str, datetime] = {}
    snapshot_at: datetime = EPOCH
    stream_at: datetime = EPOCH  # the newest snapshot of the stream
    split: dict[str, bool] = {}  # assets held in several wallets: entries tell of one of them

    def total(self, asset: str) -> Decimal:
        """The exchange's total."""
        return self.totals.get(asset, ZERO)

    def expected(self, asset: str) -> Decimal:
        """The total as it must become when all that is known has arrived."""
        return self.total(asset) + sum(
            (item.legs[asset] for item in self.pending.values() if asset in item.legs), ZERO
        )

    def all_expected(self) -> dict[str, Decimal]:
        """Expected balances of every known asset."""
        assets = dict.fromkeys(self.totals)
        for item in self.pending.values():
            assets.update(dict.fromkeys(item.legs))
        return {asset: self.expected(asset) for asset in assets}

    def at_least(self, asset: str) -> Decimal:
        """The lower of total and expected: what may be spent of it, holds not subtracted."""
        return min(self.total(asset), self.expected(asset))

    def at_most(self, asset: str) -> Decimal:
        """The higher of total and expected: what counts as held for exposure."""
        return max(self.total(asset), self.expected(asset))

    def on_snapshot(
        self, balances: dict[str, Decimal], at: datetime, *, live: bool = True
    ) -> dict[str, Decimal]:
        """Take a full snapshot; returns the totals that changed.

        Pending legs that the snapshot already holds are settled: the longest run of them, oldest
        first, that explains the new total; all of them where none does, as the exchange is right.
        One that is not `live` (REST) may lag: it says nothing of assets of which the stream spoke
        lately, or a purchase just made would vanish from the exposure.
        """
        changed: dict[str, Decimal] = {}
        gone = {asset: ZERO for asset in self.totals if asset not in balances}
        for asset, total in {**balances, **gone}.items():
            if not live and self._heard_lately(asset, at):
                continue
            self._settle_by(asset, total)
            if self.totals.get(asset) != total:
                self.totals[asset] = total
                changed[asset] = total
        if live:
            self.snapshot_at = self.stream_at = at
        self._sweep()
        return changed

    def _heard_lately(self, asset: str, at: datetime) -> bool:
        heard_at = max(self.stream_at, self.ledger_at.get(asset, EPOCH))
        return heard_at + seconds(REST_LAG_S) > at

    def _settle_by(self, asset: str, total: Decimal) -> None:
        waiting = [item for item in self.pending.values() if asset in item.legs]
        reached = self.total(asset)
        match = 0 if reached == total else None
        for count, item in enumerate(waiting, start=1):
            reached += item.legs[asset]
            if reached == total:
                match = count
        for item in waiting[: len(waiting) if match is None else match]:
            del item.legs[asset]

    def on_ledger(self, entry: LedgerEntry, *, booked: bool) -> bool:
        """Take one ledger entry; false when it was seen before. `booked`: its trade is booked."""
        if entry.ledger_id in self.seen_ledgers:
            return False
        self.seen_ledgers[entry.ledger_id] = True
        if len(self.seen_ledgers) > MAX_SEEN:
            del self.seen_ledgers[next(iter(self.seen_ledgers))]
        newest = self.ledger_at.get(entry.asset, EPOCH)
        covered = entry.at + seconds(SNAPSHOT_SLACK_S) < self.snapshot_at
        if entry.wallet:
            self.split[entry.asset] = True
        if entry.asset in self.split and not covered:
            self.ledger_at[entry.asset] = max(newest, entry.at)
            self.totals[entry.asset] = self.total(entry.asset) + entry.change
            self._match_trade(entry, booked=booked)
            return True
        # Of one moment (an order that met two others) REST tells the newest first.
        older = entry.at == newest and entry.balance - entry.change != self.total(entry.asset)
        if entry.at < newest or older or covered:
            self._match_trade(entry, booked=booked)  # the newer total holds it already
            return True
        self.ledger_at[entry.asset] = entry.at
        self.totals[entry.asset] = entry.balance
        self._match_trade(entry, booked=booked)
        return True

    def _match_trade(self, entry: LedgerEntry, *, booked: bool) -> None:
        item = self.pending.get(entry.ref_id)
        if item is not None and entry.asset in item.legs:
            del item.legs[entry.asset]
        elif entry.kind == "trade" and not booked:
            item = self.pending.setdefault(entry.ref_id, Pending(entry.at, {}))
            item.legs[entry.asset] = entry.fee - entry.amount
        self._sweep()

    def on_fill(self, fill: Fill, at: datetime) -> None:
        """Expect what a fill will do to the totals, or agree with what they already hold."""
        item = self.pending.setdefault(fill.exec_id, Pending(at, {}))
        for asset, change in legs_of(fill).items():
            if asset in item.legs:
                del item.legs[asset]
            elif change != ZERO:
                item.legs[asset] = change
        self._sweep()

    def correct_fee(self, exec_id: str, asset: str, change: Decimal) -> None:
        """A booked fill costs `change` more than was told: expect it where its leg is pending."""
        item = self.pending.get(exec_id)
        if item is not None and asset in item.legs:
            item.legs[asset] -= change

    def settle(self, at: datetime, *, older_than_s: float = PENDING_LIFE_S) -> None:
        """Forget what has been pending for longer: the totals are believed as they stand."""
        limit = at - seconds(older_than_s)
        self.pending = {ref: item for ref, item in self.pending.items() if item.at > limit}

    def _sweep(self) -> None:
        empty = [ref for ref, item in self.pending.items() if not item.legs]
        for ref in empty:
            del self.pending[ref]
