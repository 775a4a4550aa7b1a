"""Exits: stop-loss and take-profit of a holding, judged on the price it could be sold at."""

from decimal import Decimal

from simple_trader.domain.money import ONE, ZERO
from simple_trader.domain.quotes import Quote
from simple_trader.domain.reasons import Reason
from simple_trader.domain.settings import TradingSettings

_PERCENT = Decimal(100)


def due_exit(
    *,
    pair: str,
    quote: Quote,
    avg_cost: Decimal,
    left_qty: Decimal,
    settings: TradingSettings,
) -> Reason | None:
    """STOP_LOSS, TAKE_PROFIT or None for a holding of `left_qty` base units.

    `avg_cost` is quote units per base unit, buy fee included. The bid at or beyond
    avg_cost x (1 -/+ percent/100) is due; 0 percent switches a rule off. A stop comes first.
    Raises ValueError for the quote of another pair.
    """
    if quote.pair != pair:
        raise ValueError(f"the quote of {quote.pair} cannot judge a holding of {pair}")
    if left_qty <= ZERO or avg_cost <= ZERO or quote.bid <= ZERO:
        return None
    stop, take = settings.stop_loss_percent, settings.take_profit_percent
    if stop > ZERO and quote.bid <= avg_cost * (ONE - stop / _PERCENT):
        return Reason.STOP_LOSS
    if take > ZERO and quote.bid >= avg_cost * (ONE + take / _PERCENT):
        return Reason.TAKE_PROFIT
    return None
