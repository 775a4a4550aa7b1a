"""Lots: a FIFO fold over fills as the exchange counts them, so any order of arrival gives the same.

Keyed (owner, base, quote). Quantities in base units; cost and PnL in quote units, at the exact
digits of the exchange, divided shares at 10 decimals. A fee in the base asset changes the quantity,
a fee in the quote asset the cost; a fee in a third asset is booked by the balances alone.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

import msgspec

from simple_trader.domain.fills import Fill, Lot
from simple_trader.domain.instruments import base_of, quote_of
from simple_trader.domain.money import ZERO
from simple_trader.domain.orders import Side

EXTERNAL = "external"
_SHARE = Decimal("1E-10")
KEEP_MOST = 600  # fills kept for one key before the older ones become its base
KEEP_LEAST = 300


def key_of(owner: str, pair: str) -> str:
    """The key of a book: owner, base and quote in one string, as dict keys must be encodable."""
    return f"{owner} {pair}"


def lot_id_of(exec_id: str) -> str:
    """The id of the lot that a fill opens."""
    return f"lot-{exec_id}"


def share(whole: Decimal, part: Decimal, of: Decimal) -> Decimal:
    """`whole * part / of`, rounded down at 10 decimals, exact when `part` is all of it.

    Shares are taken as differences of this function, so they always add up to `whole`.
    """
    if part >= of:
        return whole
    return (whole * part / of).quantize(_SHARE, ROUND_FLOOR)


def cost_left(lot: Lot) -> Decimal:
    """What the part of the lot still held has cost, buy fee included, in quote units."""
    return lot.cost - share(lot.cost, lot.qty - lot.left_qty, lot.qty)


class Folded(msgspec.Struct, frozen=True):
    """What a fold makes: lots in order of opening, PnL and unmatched base units per sell."""

    lots: tuple[Lot, ...]
    realised: dict[str, Decimal]
    oversold: dict[str, Decimal]


def fold(base: tuple[Lot, ...], fills: list[Fill]) -> Folded:
    """Fold `fills`, in the order of `_place`, onto the lots open before them."""
    lots = list(base)
    realised: dict[str, Decimal] = {}
    oversold: dict[str, Decimal] = {}
    for fill in fills:
        if fill.side is Side.BUY:
            lot = _opened(fill)
            if lot is not None:
                lots.append(lot)
        else:
            pnl, rest = _sold(lots, fill)
            realised[fill.exec_id] = pnl
            if rest > ZERO:
                oversold[fill.exec_id] = rest
    return Folded(tuple(lots), realised, oversold)


def _opened(fill: Fill) -> Lot | None:
    base, quote = base_of(fill.pair), quote_of(fill.pair)
    qty = fill.qty - fill.fee_in(base)
    if qty <= ZERO:
        return None
    return Lot(
        lot_id=lot_id_of(fill.exec_id),
        owner=fill.owner,
        pair=fill.pair,
        base=base,
        quote=quote,
        opened_exec_id=fill.exec_id,
        opened_at=fill.venue_at,
        qty=qty,
        left_qty=qty,
        price=fill.price,
        cost=fill.cost + fill.fee_in(quote),
    )


def _sold(lots: list[Lot], fill: Fill) -> tuple[Decimal, Decimal]:
    """Take a sale out of the lots, oldest first; PnL net of both fees, and what no lot covers."""
    whole = fill.qty + fill.fee_in(base_of(fill.pair))
    proceeds = fill.cost - fill.fee_in(quote_of(fill.pair))
    sold = ZERO
    pnl = ZERO
    for index, lot in enumerate(lots):
        if sold >= whole:
            break
        taken = min(lot.left_qty, whole - sold)
        if taken <= ZERO:
            continue
        income = share(proceeds, sold + taken, whole) - share(proceeds, sold, whole)
        left = lot.left_qty - taken
        after = msgspec.structs.replace(lot, left_qty=left)
        gain = income - (cost_left(lot) - cost_left(after))
        lots[index] = msgspec.structs.replace(
            after,
            realised_pnl=lot.realised_pnl + gain,
            closed_at=fill.venue_at if left == ZERO else None,
        )
        sold += taken
        pnl += gain
    return pnl, whole - sold


class KeyBook(msgspec.Struct):
    """The book of one key: the lots before the kept fills, the kept fills, and their fold."""

    base: tuple[Lot, ...] = ()
    fills: list[Fill] = []
    folded: Folded = msgspec.field(default_factory=lambda: Folded((), {}, {}))


class Booked(msgspec.Struct, frozen=True):
    """What one fill changed: lots to write, lots that are gone, fills whose PnL is now different.

    `realised` is the PnL of the fill itself; `delta` the change of the PnL of all fills together.
    """

    changed: tuple[Lot, ...]
    deleted: tuple[Lot, ...]
    corrected: tuple[tuple[Fill, Decimal], ...]
    realised: Decimal
    delta: Decimal


def _place(fill: Fill) -> tuple[int, datetime, str]:
    """The exchange's own order of trades of a pair: it counts them (protocol section 3.3).

    Not its moments: where its clock is put back, a sale would stand before its purchase.
    """
    return (fill.trade_id, fill.venue_at, fill.exec_id)


def _by_id(lots: Iterable[Lot]) -> dict[str, Lot]:
    return {lot.lot_id: lot for lot in lots}


class LotBook(msgspec.Struct):
    """All lots of all owners; `others` are trades of someone else, kept for their fees alone."""

    keys: dict[str, KeyBook] = {}
    others: dict[str, Fill] = {}

    def begin(self, lots: tuple[Lot, ...], fills: tuple[Fill, ...]) -> None:
        """Take over what the rows say.

        Where the fills alone fold to the very lots, they are kept, so that a late fill can still be
        put in its place; else the lots are the base that later fills are folded onto. Lots come in
        the order of the trades that opened them.
        """
        self.keys, self.others = {}, {}
        for fill in fills:
            if fill.owner == EXTERNAL:
                self.keep_other(fill)
        fills = tuple(fill for fill in fills if fill.owner != EXTERNAL)
        open_lots = [lot for lot in lots if lot.left_qty > ZERO]
        owned: list[Lot | Fill] = [*open_lots, *fills]
        for key in sorted(dict.fromkeys(key_of(one.owner, one.pair) for one in owned)):
            standing = tuple(lot for lot in open_lots if key_of(lot.owner, lot.pair) == key)
            kept = sorted((f for f in fills if key_of(f.owner, f.pair) == key), key=_place)
            folded = fold((), kept)
            if _by_id(lot for lot in folded.lots if lot.left_qty > ZERO) == _by_id(standing):
                self.keys[key] = KeyBook((), kept, folded)
            else:
                self.keys[key] = KeyBook(standing, [], fold(standing, []))

    def book(self, fill: Fill) -> Booked:
        """Book a fill that was not booked before, wherever in time it belongs."""
        book = self.keys.setdefault(key_of(fill.owner, fill.pair), KeyBook())
        before = book.folded
        book.fills = sorted([*book.fills, fill], key=_place)
        book.folded = fold(book.base, book.fills)
        booked = _difference(fill, book.fills, before, book.folded)
        _shorten(book)
        return booked

    def keep_other(self, fill: Fill) -> None:
        """Remember a trade of someone else: what it cost may be told later (X26)."""
        self.others[fill.exec_id] = fill
        if len(self.others) > KEEP_MOST:
            del self.others[next(iter(self.others))]

    def booked(self, exec_id: str) -> Fill | None:
        """A fill that is kept for the fold; None for one that was never booked or is too old."""
        if exec_id in self.others:
            return self.others[exec_id]
        for book in self.keys.values():
            for fill in reversed(book.fills):
                if fill.exec_id == exec_id:
                    return fill
        return None

    def correct(self, fill: Fill) -> Booked:
        """Put a booked fill's better version in its place and fold again (X26)."""
        if fill.exec_id in self.others:
            self.others[fill.exec_id] = fill
            return Booked((), (), (), ZERO, ZERO)
        book = self.keys[key_of(fill.owner, fill.pair)]
        before = book.folded
        book.fills = [fill if kept.exec_id == fill.exec_id else kept for kept in book.fills]
        book.folded = fold(book.base, book.fills)
        return _difference(fill, book.fills, before, book.folded)

    def lots(self) -> list[Lot]:
        """Every lot that is still (partly) held, key by key in order of opening."""
        return [lot for key in sorted(self.keys) for lot in self.open_of(key)]

    def open_of(self, key: str) -> list[Lot]:
        """The lots of one key that are still (partly) held."""
        book = self.keys.get(key)
        return [] if book is None else [lot for lot in book.folded.lots if lot.left_qty > ZERO]

    def held(self, owner: str, pair: str) -> Decimal:
        """Base units of a pair that the owner's lots hold."""
        return sum((lot.left_qty for lot in self.open_of(key_of(owner, pair))), ZERO)

    def cost_held(self, owner: str, pair: str) -> Decimal:
        """What the owner's held units of a pair have cost, buy fees included, in quote units."""
        return sum((cost_left(lot) for lot in self.open_of(key_of(owner, pair))), ZERO)


def _difference(fill: Fill, fills: list[Fill], before: Folded, after: Folded) -> Booked:
    old = _by_id(before.lots)
    new = _by_id(after.lots)
    corrected = tuple(
        (other, after.realised[other.exec_id])
        for other in fills
        if other.exec_id != fill.exec_id
        and other.exec_id in after.realised
        and after.realised[other.exec_id] != before.realised.get(other.exec_id)
    )
    return Booked(
        changed=tuple(lot for lot in after.lots if old.get(lot.lot_id) != lot),
        deleted=tuple(lot for lot in before.lots if lot.lot_id not in new),
        corrected=corrected,
        realised=after.realised.get(fill.exec_id, ZERO),
        delta=sum(after.realised.values(), ZERO) - sum(before.realised.values(), ZERO),
    )


def _shorten(book: KeyBook) -> None:
    """Make the oldest fills of a long book its base; a fill later than those is then no more sorted
    in before them.
    """
    if len(book.fills) <= KEEP_MOST:
        return
    older, book.fills = book.fills[:-KEEP_LEAST], book.fills[-KEEP_LEAST:]
    passed = fold(book.base, older)
    book.base = tuple(lot for lot in passed.lots if lot.left_qty > ZERO)
    book.folded = fold(book.base, book.fills)
