"""Pricing: the limit of an immediate-or-cancel order, which caps what a bad book may cost."""

from decimal import Decimal

from simple_trader.domain.instruments import PairRules
from simple_trader.domain.money import BPS, ONE, ceil_to_step, floor_to_step
from simple_trader.domain.orders import Side
from simple_trader.domain.quotes import Quote


def marketable_limit(quote: Quote, side: Side, rules: PairRules, slippage_bps: int) -> Decimal:
    """The worst price to accept: the touch and at most `slippage_bps` beyond it.

    A purchase rounds down and a sale up to the price increment, so the cap is never widened by
    rounding, but always stays marketable at the touch. A sale stays at one increment at least.
    """
    step = rules.price_increment
    slip = Decimal(slippage_bps) / BPS
    if side is Side.BUY:
        return max(floor_to_step(quote.ask * (ONE + slip), step), ceil_to_step(quote.ask, step))
    cap = min(ceil_to_step(quote.bid * (ONE - slip), step), floor_to_step(quote.bid, step))
    return max(cap, step)
