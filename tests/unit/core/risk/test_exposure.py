"""Exposure counts the worst case of everything in flight, by base asset over all its quotes."""

from brain_desk import BTC, D
from order_parts import plain_order

from simple_trader.core.risk.exposure import Exposure, exposure_of
from simple_trader.domain.instruments import FeeRates
from simple_trader.domain.order_states import OrderState
from simple_trader.domain.orders import Order, Side

MIDS = {BTC: D(100), "ETH/BTC": D("0.1"), "BTC/EUR": D(80), "EUR/USD": D("1.25")}
FEES = {
    pair: FeeRates(pair=pair, maker=D(0), taker=D("0.01")) for pair in (BTC, "BTC/EUR", "SOL/XYZ")
}


def order(pair: str, side: Side = Side.BUY, state: OrderState = OrderState.OPEN) -> Order:
    """Two units at 100, one of them filled."""
    return plain_order(pair=pair, side=side, qty="2", filled="1", state=state)


def test_held_counts_at_mid_and_cash_not_at_all() -> None:
    seen = exposure_of({"BTC": D(2), "USD": D(500), "ETH": D(0)}, [], FEES, MIDS)
    assert seen == Exposure({"BTC": D(200)}, ())


def test_what_is_left_of_purchases_counts_at_the_limit_with_the_fee() -> None:
    assert exposure_of({}, [order(BTC)], FEES, MIDS).of("BTC") == D(101)


def test_quotes_of_one_base_asset_count_together() -> None:
    seen = exposure_of({"BTC": D(1)}, [order(BTC), order("BTC/EUR")], FEES, MIDS)
    assert seen.of("BTC") == D(100) + D(101) + D(101) * D("1.25")
    assert seen.total == seen.of("BTC")


def test_an_order_being_cancelled_or_unknown_counts_in_full() -> None:
    for state in (OrderState.PENDING_CANCEL, OrderState.UNKNOWN, OrderState.DISPATCHING):
        assert exposure_of({}, [order(BTC, state=state)], FEES, MIDS).total == D(101)


def test_sales_lower_nothing_before_they_are_filled() -> None:
    assert exposure_of({"BTC": D(2)}, [order(BTC, Side.SELL)], FEES, MIDS).total == D(200)


def test_what_has_no_price_is_named_and_not_taken_as_nothing() -> None:
    seen = exposure_of({"SOL": D(1)}, [order("SOL/XYZ")], FEES, MIDS)
    assert seen.unpriced == ("SOL",)
