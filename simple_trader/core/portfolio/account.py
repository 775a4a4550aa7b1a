"""The account in one currency: rates of assets, equity, and PnL of what is held."""

from decimal import Decimal

from simple_trader.core.portfolio.lots import LotBook, cost_left
from simple_trader.domain.instruments import base_of, quote_of
from simple_trader.domain.money import ONE, ZERO

REPORTING = "USD"


def rate_of(asset: str, mids: dict[str, Decimal]) -> Decimal | None:
    """Reporting currency for one unit of `asset` at mid: directly or over one other asset."""
    if asset == REPORTING:
        return ONE
    direct = mids.get(f"{asset}/{REPORTING}")
    if direct is not None:
        return direct
    for pair in sorted(mids):
        if base_of(pair) == asset:
            onward = mids.get(f"{quote_of(pair)}/{REPORTING}")
            if onward is not None:
                return mids[pair] * onward
    return None


def equity_of(
    balances: dict[str, Decimal], watched: tuple[str, ...], mids: dict[str, Decimal]
) -> Decimal | None:
    """Value of the watched assets at mid; None if one that is held has no price.

    Assets of no watched pair are left out: nobody here trades or prices them.
    """
    value = ZERO
    for asset in watched:
        held = balances.get(asset, ZERO)
        if held == ZERO:
            continue
        rate = rate_of(asset, mids)
        if rate is None:
            return None
        value += held * rate
    return value


def priced_equity(
    balances: dict[str, Decimal], watched: tuple[str, ...], mids: dict[str, Decimal]
) -> Decimal:
    """Value at mid of those watched assets that have a price: for shares shown, not for limits."""
    return sum(
        (balances.get(asset, ZERO) * (rate_of(asset, mids) or ZERO) for asset in watched), ZERO
    )


def unrealised(book: LotBook, mids: dict[str, Decimal]) -> Decimal | None:
    """PnL of all open lots at mid in the reporting currency; None if a price is missing."""
    total = ZERO
    for lot in book.lots():
        mid = mids.get(lot.pair)
        rate = rate_of(lot.quote, mids)
        if mid is None or rate is None:
            return None
        total += (lot.left_qty * mid - cost_left(lot)) * rate
    return total
