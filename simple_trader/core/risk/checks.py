"""Checks: the rules an intent must pass, in the order in which they are asked (`CHECKS`).

Each takes the case (the intent and everything true at this moment) and gives an objection or None.
"""

from simple_trader.core.risk import capital_checks as capital
from simple_trader.core.risk import market_checks as market
from simple_trader.core.risk import order_checks as order
from simple_trader.core.risk import state_checks as state
from simple_trader.core.risk.case import Case, Check, Objection

CHECKS: tuple[Check, ...] = (
    state.not_halted,
    state.no_loss_stop,
    state.not_reduce_only,
    state.private_feed_up,
    state.cooled_down,
    order.pair_allowed,
    order.instrument_known,
    state.pair_online,
    state.venue_online,
    order.has_limit,
    market.price_present,
    market.price_fresh,
    market.price_reasonable,
    market.priced_now,
    market.book_trusted,
    market.book_steady,
    market.spread_tight,
    market.within_collar,
    state.no_unknown_order,
    state.one_entry_per_candle,
    order.no_twin,
    order.large_enough,
    order.small_enough,
    order.not_sized_up,
    order.on_steps,
    order.few_open,
    order.slow_enough,
    order.few_flips,
    capital.valued,
    capital.funded,
    capital.within_asset_cap,
    capital.within_total_cap,
    capital.within_turnover,
)


def first_objection(case: Case) -> Objection | None:
    """The first rule that objects, in the order of the list."""
    for check in CHECKS:
        objection = check(case)
        if objection is not None:
            return objection
    return None
