"""Reconciliation: each balance from its opening and the ledger, each trade of the ledger booked.

For every asset `balance = opening + ledger + explained`, residual exactly zero (I-13). The opening
is the balance at one moment (`since`) of the world's first start; the ledger is the sum of amount
less fee of every entry stamped after it. Each entry of a trade must meet the legs of a booked fill
of the same ref id, and each fill its entries. What does not agree is a doubt: reports come in any
order and REST lags, so it is told only when a full look begun
`REST_LAG_S` after it has not mended it.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.core.portfolio.balances import REST_LAG_S, legs_of
from simple_trader.domain.fills import Fill, LedgerEntry
from simple_trader.domain.moments import seconds
from simple_trader.domain.money import ZERO
from simple_trader.domain.records import VenueOrderRow
from simple_trader.domain.recovered import LedgerMemory

SLACK_S = 5.0  # the exchange's clock and ours may differ by this much where HALT does not yet come
GRACE_S = 10.0  # between the fill and the ledger entries of one trade
DIGITS = 10  # of an asset that is not known
TRADE = "trade"


class AssetBook(msgspec.Struct):
    """One asset since the opening, in its own units.

    `early` are entries so close to the opening that stamps do not tell whether it holds them;
    `short` is what an operator has accepted to be missing of our lots.
    """

    opening: Decimal = ZERO
    ledger_sum: Decimal = ZERO
    explained: Decimal = ZERO
    short: Decimal = ZERO
    early: list[LedgerEntry] = []
    shift: Decimal = ZERO  # by `early`, of the opening: a total that lagged moves it back

    @property
    def expected(self) -> Decimal:
        """What the balance must be."""
        return self.opening + self.ledger_sum + self.explained


class Legs(msgspec.Struct):
    """What ledger entries less fill of one trade leave over in each asset; empty when they meet.

    `gross` is the same without fees. It decides where the fill is `foreign`: REST names no asset of
    a fee, and only our own orders ask for one in a known asset.
    """

    at: datetime
    left: dict[str, Decimal] = {}
    gross: dict[str, Decimal] = {}
    foreign: bool = False

    @property
    def open(self) -> dict[str, Decimal]:
        """What does not meet."""
        return self.gross if self.foreign else self.left


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that does not agree now; `asset` is what it is told of."""

    asset: str
    detail: str
    residual: Decimal = ZERO
    silent: bool = False  # the ledger tells of a trade that the executions did not


class Doubt(msgspec.Struct):
    """A finding over time; `told` once it was written down as UNEXPLAINED."""

    since: datetime
    subject: str
    finding: Finding
    told: bool = False
    looked: bool = False  # the one look that follows at once was asked for


class Reconciliation(msgspec.Struct):
    """Everything the comparison remembers."""

    since: datetime | None = None
    assets: dict[str, AssetBook] = {}
    trades: dict[str, Legs] = {}  # by ref id: only those that do not meet yet
    lost_fills: dict[str, str] = {}  # fills of ours that no order of ours explains: base asset
    lost_orders: tuple[str, ...] = ()  # open at the exchange with our id, and not in our books
    foreign: dict[str, VenueOrderRow] = {}  # open orders of others at the newest look
    doubts: dict[str, Doubt] = {}
    looked_from: datetime | None = None  # begin of the newest clean full look
    looks: int = 0  # clean full looks of this run
    written: dict[str, Decimal] = {}  # the balance that the newest row of an asset tells
    recycle: bool = False  # the look under way was asked for because the executions were silent

    def begin(self, memory: LedgerMemory, at: datetime) -> None:
        """Go on from the rows of an earlier run: what stood UNEXPLAINED stands so again."""
        self.since, self.looked_from = memory.since, memory.looked_from
        self.assets = {
            known.asset: AssetBook(known.opening, known.ledger_sum, known.explained, known.short)
            for known in memory.assets
        }
        for entry in memory.early:
            self.book_of(entry.asset).early.append(entry)
        for unmet in memory.unmet:
            legs = self.trades.setdefault(unmet.ref_id, Legs(unmet.at, foreign=unmet.foreign))
            _add(legs.left, unmet.asset, unmet.amount)
            _add(legs.gross, unmet.asset, unmet.gross)
        self.lost_fills = dict(memory.lost_fills)
        for stood in memory.doubts:
            finding = Finding(asset=stood.asset, detail=stood.detail, residual=stood.residual)
            self.doubts[stood.subject] = Doubt(at, stood.subject, finding, told=True, looked=True)

    # -- what comes in

    def open(self, balances: Mapping[str, Decimal], at: datetime) -> None:
        """Take a snapshot of the stream as the opening; once in the life of a world."""
        self.since = at
        self.assets = {asset: AssetBook(opening=total) for asset, total in balances.items()}

    def book_of(self, asset: str) -> AssetBook:
        """The book of an asset; one that was not there at the opening was empty then."""
        return self.assets.setdefault(asset, AssetBook())

    def on_entry(self, entry: LedgerEntry) -> None:
        """Count a ledger entry that was not seen before."""
        if self.since is None or entry.at + seconds(SLACK_S) < self.since:
            return
        book = self.book_of(entry.asset)
        if entry.at > self.since:
            book.ledger_sum += entry.change
        if abs((entry.at - self.since).total_seconds()) <= SLACK_S:
            book.early.append(entry)
        if entry.kind == TRADE:
            legs = self.trades.setdefault(entry.ref_id, Legs(entry.at))
            _add(legs.left, entry.asset, entry.change)
            _add(legs.gross, entry.asset, entry.amount)
            self._met(entry.ref_id)

    def on_fill(self, fill: Fill, *, foreign: bool) -> None:
        """Count a fill that was not booked before, ours or `foreign`."""
        if self.since is None or fill.venue_at + seconds(SLACK_S) < self.since:
            return
        legs = self.trades.setdefault(fill.exec_id, Legs(fill.venue_at))
        legs.foreign = foreign
        for asset, change in legs_of(fill).items():
            _add(legs.left, asset, -change)
        for asset, change in legs_of(msgspec.structs.replace(fill, fees=())).items():
            _add(legs.gross, asset, -change)
        self._met(fill.exec_id)

    def correct_fee(self, exec_id: str, asset: str, more: Decimal) -> None:
        """A booked fill cost `more` of an asset than was counted."""
        if exec_id in self.trades:
            _add(self.trades[exec_id].left, asset, more)
            self._met(exec_id)

    def _met(self, ref_id: str) -> None:
        if not self.trades[ref_id].open:
            del self.trades[ref_id]

    # -- what is found

    def residual(self, asset: str, balance: Decimal) -> Decimal:
        """Balance less what it must be; an early entry that the opening held is taken out of it."""
        book = self.book_of(asset)
        left = balance - book.expected
        if left != ZERO and book.early and self.since is not None:
            shift = _held_by_opening(book.early, left + book.shift, self.since)
            if shift == left + book.shift:
                book.opening += left
                book.shift, left = shift, ZERO
                self.written.pop(asset, None)  # its row must tell the new opening
        return left

    def agrees(self, balances: Mapping[str, Decimal]) -> bool:
        """Whether each balance is what the books say, at this very moment and to the last digit."""
        if self.since is None:
            return True
        books = {asset: book.expected for asset, book in self.assets.items()}
        return all(
            balances.get(asset, ZERO) == books.get(asset, ZERO) for asset in {*books, *balances}
        )

    def findings(
        self,
        balances: Mapping[str, Decimal],
        at_most: Mapping[str, Decimal],
        lots: Mapping[str, Decimal],
        digits: Mapping[str, int],
        at: datetime,
    ) -> dict[str, Finding]:
        """Everything that does not agree, by subject.

        `at_most` are the balances with what is pending (I-15 is about what must come), `lots` what
        our lots hold of each base asset, `digits` the decimals that the exchange books with.
        """
        found: dict[str, Finding] = {}
        for asset in sorted({*self.assets, *balances}) if self.since is not None else ():
            balance = balances.get(asset, ZERO)
            left = self.residual(asset, balance)
            book = self.book_of(asset)
            if left == ZERO and self.since is not None and at > self.since + seconds(REST_LAG_S):
                book.early = []  # the opening is sure: nothing later may hide behind it
            if left != ZERO:
                text = f"balance {balance:f}, books {book.expected:f}, difference {left:f}"
                found[asset] = Finding(asset=asset, detail=text, residual=left)
        self._find_trades(found, digits, at)
        self._find_short(found, at_most, lots)
        for exec_id, asset in self.lost_fills.items():
            text = f"fill {exec_id} is of an order of ours that is not in the books"
            found[f"fill {exec_id}"] = Finding(asset=asset, detail=text)
        for cl_ord_id in self.lost_orders:
            text = f"order {cl_ord_id} of ours is open at the exchange and not in the books"
            found[f"order {cl_ord_id}"] = Finding(asset="", detail=text)
        return found

    def _find_trades(
        self, found: dict[str, Finding], digits: Mapping[str, int], at: datetime
    ) -> None:
        since = self.since
        for ref_id, legs in list(self.trades.items()):
            apart = {
                asset: left
                for asset, left in legs.open.items()
                if abs(left) > Decimal(1).scaleb(-digits.get(asset, DIGITS))
            }
            if not apart:
                del self.trades[ref_id]  # the ledger rounds a cost or fee to its own last digit
                continue
            is_new = legs.at + seconds(GRACE_S) > at
            if is_new or since is None or abs((legs.at - since).total_seconds()) <= SLACK_S:
                continue
            asset, left = next(iter(apart.items()))
            text = f"trade {ref_id}: ledger less fill leaves {left:f} {asset}"
            found[f"trade {ref_id}"] = Finding(asset=asset, detail=text, silent=True)

    def _find_short(
        self,
        found: dict[str, Finding],
        at_most: Mapping[str, Decimal],
        lots: Mapping[str, Decimal],
    ) -> None:
        for asset, held in lots.items():
            there = at_most.get(asset, ZERO)
            book = self.assets.get(asset)
            if held - (ZERO if book is None else book.short) > there:
                text = f"our lots hold {held:f}, the account {there:f}"
                found[f"lots {asset}"] = Finding(asset=asset, detail=text)

    # -- doubts

    def doubt(self, found: Mapping[str, Finding], at: datetime) -> tuple[list[Doubt], list[Doubt]]:
        """Follow the findings: which doubts are now to be told, and which told ones are over."""
        over = [doubt for name, doubt in self.doubts.items() if name not in found and doubt.told]
        self.doubts = {name: doubt for name, doubt in self.doubts.items() if name in found}
        due: list[Doubt] = []
        for name, finding in found.items():
            doubt = self.doubts.setdefault(name, Doubt(at, name, finding))
            doubt.finding = finding
            looked = self.looked_from
            if (
                not doubt.told
                and looked is not None
                and looked >= doubt.since + seconds(REST_LAG_S)
            ):
                doubt.told = True
                due.append(doubt)
        return due, over

    @property
    def told(self) -> str:
        """The first thing that stands unexplained, or empty."""
        for name, doubt in self.doubts.items():
            if doubt.told:
                return f"{doubt.finding.asset or name}: {doubt.finding.detail}"
        return ""

    def look_due(self, at: datetime) -> bool:
        """Whether a doubt is old enough for the look that decides it, and has not had one."""
        for doubt in self.doubts.values():
            decided = doubt.since + seconds(REST_LAG_S)
            if not doubt.told and at >= decided and (self.looked_from or doubt.since) < decided:
                return True
        return False

    def accept(self, asset: str, balance: Decimal, missing: Decimal) -> Decimal:
        """Book what differs of an asset now as explained; gives the residual that was accepted.

        `missing` is what our lots hold more than the account. Trades that are just being told stay:
        the other half of them will come.
        """
        book = self.book_of(asset)
        left = self.residual(asset, balance)
        book.explained += left
        book.short = max(book.short, missing)
        for ref_id, legs in list(self.trades.items()):
            if f"trade {ref_id}" not in self.doubts:
                continue
            legs.left.pop(asset, None)
            legs.gross.pop(asset, None)
            if not legs.open:
                del self.trades[ref_id]
        self.lost_fills = {name: base for name, base in self.lost_fills.items() if base != asset}
        return left


def _add(sums: dict[str, Decimal], asset: str, change: Decimal) -> None:
    """Add to a sum; one that becomes zero goes."""
    total = sums.pop(asset, ZERO) + change
    if total != ZERO:
        sums[asset] = total


def _held_by_opening(early: list[LedgerEntry], left: Decimal, since: datetime) -> Decimal:
    """How the opening must move if the first of these entries (by stamp) were in the snapshot and
    the others were not; zero where no such cut explains the difference.

    Counted so far is an entry stamped after `since`. The opening then is exactly the balance at
    `since` by the exchange's stamps, so that it can be checked with plain SQL.
    """
    entries = sorted(early, key=lambda entry: entry.at)
    for cut in range(len(entries) + 1):
        held = sum((entry.change for entry in entries[:cut] if entry.at > since), ZERO)
        missed = sum((entry.change for entry in entries[cut:] if entry.at <= since), ZERO)
        if missed - held == left:
            return missed - held
    return ZERO
