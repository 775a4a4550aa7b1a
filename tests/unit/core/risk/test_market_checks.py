"""Checks of market data: the collar on both sides, the reference, mistrusted pairs."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from brain_case import case
from brain_desk import BTC, T0, D, quote, settings

from simple_trader.core.risk import market_checks as checks
from simple_trader.domain.reasons import Reason

R = Reason

FIVE = settings(price_collar_bps=500)


def collar(side: str = "buy", **changes: Any) -> R | None:
    """The reason of the collar check at five percent around 50000."""
    objection = checks.within_collar(case(side, settings=FIVE, **changes))
    return None if objection is None else objection[0]


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize(
    ("price", "reason"),
    [("52500", None), ("52500.1", R.PRICE_COLLAR), ("47500", None), ("47499.9", R.PRICE_COLLAR)],
)
def test_pt1_a_limit_is_at_most_the_collar_away_from_the_fresh_middle(
    side: str, price: str, reason: R | None
) -> None:
    assert collar(side, intent__price=D(price)) is reason


@pytest.mark.parametrize(
    ("reference", "reason"),
    [("50000", None), ("47628.5", R.PRICE_COLLAR), ("47630", None), ("52632", R.PRICE_COLLAR)],
)
def test_pt1_limit_and_middle_are_at_most_the_collar_away_from_the_slow_reference(
    reference: str, reason: R | None
) -> None:
    assert collar(reference=D(reference)) is reason


def test_pt1_pt10_without_a_reference_there_is_no_order() -> None:
    assert collar(reference=None) is R.NO_REFERENCE
    assert collar("sell", reference=None) is R.NO_REFERENCE


@pytest.mark.parametrize(("due_s", "reason"), [(29.9, R.PRICE_COLLAR), (30, None)])
def test_x15_a_stop_that_is_due_for_half_a_minute_goes_wherever_the_reference_is(
    due_s: float, reason: R | None
) -> None:
    stop = {"reference": D(60_000), "intent__protective": True, "due_s": due_s}
    assert collar("sell", **stop) is reason
    far = {**stop, "intent__price": D(40_000)}
    assert collar("sell", **far) is R.PRICE_COLLAR, "the fresh middle still holds it"


@pytest.mark.parametrize("empty", ["bid_qty", "ask_qty"])
def test_x14_a_side_without_quantity_is_no_price(empty: str) -> None:
    seen = msgspec.structs.replace(quote(BTC, "49999.5", "50000.5", T0), **{empty: D(0)})
    objection = checks.price_reasonable(case(quote=seen))
    assert objection is not None
    assert objection[0] is R.PRICE_UNREASONABLE


def test_i_21_an_order_priced_from_another_quote_is_refused() -> None:
    assert checks.priced_now(case()) is None
    objection = checks.priced_now(case(intent__mid=D("50000.1")))
    assert objection is not None
    assert objection[0] is R.PRICE_MOVED


def test_x13_a_mistrusted_pair_takes_no_entry_where_books_run() -> None:
    books = {"settings": settings(enable_order_book_feed=True), "mistrusted": True}
    objection = checks.book_steady(case(**books))
    assert objection is not None
    assert objection[0] is R.PAIR_MISTRUSTED
    assert checks.book_steady(case("sell", **books)) is None
    assert checks.book_steady(case(mistrusted=True)) is None


@pytest.mark.parametrize(
    ("stamped_s", "venue_ahead_s", "reason"),
    [
        (0, 0, None),
        (1, 0, None),
        (1.1, 0, R.PRICE_AHEAD),
        (3, 3, None),  # the exchange's clock is ahead, and that is measured
        (4.1, 3, R.PRICE_AHEAD),
        (-3, -3, None),
        (-1.9, -3, R.PRICE_AHEAD),
        (-10, 0, None),
        (-10.1, 0, R.PRICE_STALE),
        (-7.1, 3, R.PRICE_STALE),  # without the offset it would pass for fresh
        (-12, -3, None),  # without the offset it would pass for old
        (-13.1, -3, R.PRICE_STALE),
    ],
)
def test_i_21_i_49_x34_a_price_is_fresh_by_the_exchanges_clock_as_measured(
    stamped_s: float, venue_ahead_s: float, reason: R | None
) -> None:
    seen = quote(BTC, "49999.5", "50000.5", T0, T0 + timedelta(seconds=stamped_s))
    for side in ("buy", "sell"):
        objection = checks.price_fresh(case(side, quote=seen, venue_ahead_s=venue_ahead_s))
        assert (None if objection is None else objection[0]) is reason
