"""Fees that come late or otherwise than first told: the fill is folded again with what it cost.

A trade told without its fee and then with it keeps the fee (X26). The ledger has the last word on
what was taken, and in which asset: balances follow it (I-13). A difference below the ledger's last
digit is rounding. Whatever comes first, the fee in the end is the same (I-12).
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec

from simple_trader.core.portfolio.lots import EXTERNAL
from simple_trader.core.reactions.booking import count_gain, lot_rows
from simple_trader.core.state import EngineState, Flow
from simple_trader.domain.actions import Action, Note, Remember
from simple_trader.domain.fills import Fee, Fill, LedgerEntry
from simple_trader.domain.instruments import quote_of
from simple_trader.domain.money import ZERO
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import OrderStateRow, TradeRow
from simple_trader.domain.recovered import Unmet

MAX_TOLD = 5_000
_DIGITS = 10  # of an asset that is not known


def on_repeated_fill(state: EngineState, told: Fill, at: datetime) -> list[Action]:
    """A booked trade is told again: only a fee where none was known is news."""
    if _fees_of(told) == {}:
        return []
    booked = state.lots.booked(told.exec_id)
    if booked is None or _fees_of(booked):
        return []
    return _correct(state, booked, _fees_of(told), at)


def on_ledger_fee(state: EngineState, entry: LedgerEntry, at: datetime) -> list[Action]:
    """The ledger says what a trade cost in one asset."""
    if entry.kind != "trade" or not entry.ref_id:
        return []
    told = state.ledger_fees.setdefault(entry.ref_id, {})
    told[entry.asset] = entry.fee
    if len(state.ledger_fees) > MAX_TOLD:
        del state.ledger_fees[next(iter(state.ledger_fees))]
    booked = state.lots.booked(entry.ref_id)
    if booked is None:
        return []
    return _correct(state, booked, by_ledger(state, booked.exec_id, _fees_of(booked)), at)


def recall(state: EngineState, unmet: Iterable[Unmet]) -> None:
    """What the ledger told an earlier run of trades whose fills were not booked before it ended.

    Its entries are known and do not come again; the fill may come by REST, which names no asset.
    """
    for one in unmet:
        if state.lots.booked(one.ref_id) is None:
            state.ledger_fees.setdefault(one.ref_id, {})[one.asset] = one.gross - one.amount


def with_known_fees(state: EngineState, fill: Fill) -> Fill:
    """A new fill with the fees the ledger told before it came."""
    fees = by_ledger(state, fill.exec_id, _fees_of(fill))
    return fill if fees == _fees_of(fill) else _with(fill, fees)


def by_ledger(state: EngineState, exec_id: str, fees: dict[str, Decimal]) -> dict[str, Decimal]:
    """These fees with the ledger's word in each asset it spoke of, where that is not rounding.

    REST tells no asset of a fee: one that the ledger took in another asset was never taken here.
    """
    told = state.ledger_fees.get(exec_id, {})
    taken = any(fee != ZERO for fee in told.values())
    better = dict(fees)
    for asset, fee in told.items():
        rules = state.assets.get(asset)
        digit = Decimal(1).scaleb(-(_DIGITS if rules is None else rules.precision))
        rounding = abs(better.get(asset, ZERO) - fee) < digit
        if not rounding or (taken and fee == ZERO):
            better[asset] = fee
    return {asset: qty for asset, qty in better.items() if qty != ZERO}


def _fees_of(fill: Fill) -> dict[str, Decimal]:
    fees: dict[str, Decimal] = {}
    for fee in fill.fees:
        fees[fee.asset] = fees.get(fee.asset, ZERO) + fee.qty
    return {asset: qty for asset, qty in fees.items() if qty != ZERO}


def _with(fill: Fill, fees: dict[str, Decimal]) -> Fill:
    made = tuple(Fee(asset, qty) for asset, qty in sorted(fees.items()))
    return msgspec.structs.replace(fill, fees=made)


def _correct(
    state: EngineState, booked: Fill, fees: dict[str, Decimal], at: datetime
) -> list[Action]:
    """Fold again with other fees: trade, lots, PnL, order and what the balance shall become."""
    before = _fees_of(booked)
    if fees == before:
        return []
    after = _with(booked, fees)
    again = state.lots.correct(after)
    count_gain(state, again, after, at)
    for asset in sorted({*before, *fees}):
        change = fees.get(asset, ZERO) - before.get(asset, ZERO)
        state.balances.correct_fee(booked.exec_id, asset, change)
        state.recon.correct_fee(booked.exec_id, asset, change)
        if booked.owner == EXTERNAL and change != ZERO:
            state.unpriced_flows.append(
                Flow(
                    asset=asset,
                    amount=-change,
                    at=booked.venue_at,
                    what="fee of a trade of someone else",
                )
            )
    quote = quote_of(booked.pair)
    more = fees.get(quote, ZERO) - before.get(quote, ZERO)
    order = state.orders.fee_corrected(booked.cl_ord_id or "", more)
    rows: list[Action] = [] if order is None else [Remember(record=OrderStateRow(order=order))]
    said = ", ".join(f"{qty:f} {asset}" for asset, qty in sorted(fees.items())) or "nothing"
    text = f"The fee of fill {booked.exec_id} is {said}: booked anew."
    return [
        Remember(record=TradeRow(fill=after, realised_pnl=again.realised)),
        *lot_rows(again),
        *rows,
        Note(
            level="info",
            text=text,
            reason=Reason.FEE_CORRECTED,
            pair=booked.pair,
            cl_ord_id=booked.cl_ord_id,
        ),
    ]
