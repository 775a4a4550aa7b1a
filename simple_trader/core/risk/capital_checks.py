"""Checks of capital: funds, caps of exposure and the value traded in a time (PT3, PT4, I-18)."""

from decimal import Decimal

from simple_trader.core.risk.case import Case, Objection
from simple_trader.core.risk.limits import room_for, windows
from simple_trader.domain.money import ONE, ZERO
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason


def _within_caps(case: Case) -> tuple[Decimal, Decimal, Decimal] | None:
    """Cost of an entry, room of its asset, room in total (reporting currency); None if none."""
    if not case.raises_exposure or case.rules is None:
        return None
    room = room_for(case.rules.base, case.exposure, case.equity, case.settings)
    return case.cost * (ONE + case.taker) * (case.quote_rate or ZERO), room.asset, room.total


def valued(case: Case) -> Objection | None:
    """An entry needs a known equity: no cap can be judged without."""
    if not case.raises_exposure:
        return None
    if case.equity is None or case.quote_rate is None or case.exposure.unpriced:
        names = ", ".join(case.exposure.unpriced) or case.intent.pair
        return Reason.NO_PRICE, f"cannot value {names}"
    return None


def funded(case: Case) -> Objection | None:
    """Spendable funds, holds subtracted, cover the order and its fee."""
    if case.intent.side is Side.SELL:
        needed, there = case.intent.qty, case.spendable_base
    else:
        needed, there = case.cost * (ONE + case.taker), case.spendable_quote
    return (Reason.NO_FUNDS, f"needs {needed:f}, has {there:f}") if needed > there else None


def within_asset_cap(case: Case) -> Objection | None:
    """Worst-case exposure of the base asset stays within its cap (I-18)."""
    seen = _within_caps(case)
    if seen is not None and seen[0] > seen[1]:
        return Reason.EXPOSURE_ASSET, f"{seen[0]:.4f} > room of {seen[1]:.4f}"
    return None


def within_total_cap(case: Case) -> Objection | None:
    """Worst-case exposure of everything stays within the total cap (I-18)."""
    seen = _within_caps(case)
    if seen is not None and seen[0] > seen[2]:
        return Reason.EXPOSURE_TOTAL, f"{seen[0]:.4f} > room of {seen[2]:.4f}"
    return None


def within_turnover(case: Case) -> Objection | None:
    """Gross value of orders in a minute, hour and day, on the pair and in all (PT3, I-22).

    Entries use half of each, so that what was bought can always be sold.
    """
    share = 2 if case.raises_exposure else 1
    for what, before, limit in windows(case.flow, case.settings):
        after, most = before + case.notional, limit / share
        if after > most:
            return Reason.NOTIONAL_LIMIT, f"{after:.2f} > {most:.2f} USD {what}"
    return None
