"""Where triggers stand, move and fire."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from simple_trader.simulator.instruments import INSTRUMENT_BY_SYMBOL
from simple_trader.simulator.orders import Order, OrderType, PriceType, Side, Trigger, TriggerState
from simple_trader.simulator.triggers import (
    fires,
    limit_now,
    moved,
    offset_price,
    on_grid,
    set_trigger,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BTC = INSTRUMENT_BY_SYMBOL["BTC/USD"]
LAST = Decimal("65000.0")


def trigger(
    price: str, kind: OrderType, side: Side, price_type: PriceType = "static"
) -> TriggerState:
    asked = Trigger(price=Decimal(price), price_type=price_type)
    return set_trigger(asked, kind, side, LAST, BTC, NOON)


def order(kind: OrderType, side: Side, state: TriggerState | None = None) -> Order:
    return Order(
        order_id="O1",
        symbol="BTC/USD",
        side=side,
        order_type=kind,
        qty=Decimal("0.5"),
        limit_price=None,
        time_in_force="gtc",
        opened_at=NOON,
        hold_rate=Decimal(0),
        trigger=state,
    )


@pytest.mark.parametrize(
    ("price", "price_type", "kind", "side", "actual"),
    [
        ("60000.0", "static", "stop-loss", "sell", "60000.0"),
        ("-2", "pct", "stop-loss", "sell", "63700.0"),
        ("2", "pct", "stop-loss", "buy", "66300.0"),
        ("-500.5", "quote", "take-profit", "buy", "64499.5"),
        ("2", "pct", "trailing-stop", "sell", "63700.0"),
        ("2", "pct", "trailing-stop", "buy", "66300.0"),
        ("150.0", "static", "trailing-stop", "sell", "64850.0"),
        ("150.0", "quote", "trailing-stop-limit", "buy", "65150.0"),
    ],
)
def test_a_trigger_stands_at_its_price_or_offset(
    price: str, price_type: PriceType, kind: OrderType, side: Side, actual: str
) -> None:
    state = trigger(price, kind, side, price_type)
    assert state.actual_price == Decimal(actual)
    assert (state.peak_price is None) is not kind.startswith("trailing")


@pytest.mark.parametrize(
    ("kind", "side", "fired"),
    [
        ("stop-loss", "sell", (True, True, False)),
        ("stop-loss-limit", "buy", (False, True, True)),
        ("take-profit", "sell", (False, True, True)),
        ("take-profit-limit", "buy", (True, True, False)),
        ("trailing-stop", "sell", (True, True, False)),
        ("trailing-stop-limit", "buy", (False, True, True)),
    ],
)
def test_a_trigger_fires_on_its_own_side(
    kind: OrderType, side: Side, fired: tuple[bool, ...]
) -> None:
    state = TriggerState(
        reference="last",
        price=Decimal(1),
        price_type="static",
        actual_price=LAST,
        last_price=LAST,
        at=NOON,
    )
    found = [fires(order(kind, side), state, LAST + step) for step in (-1, 0, 1)]
    assert tuple(found) == fired


def test_a_trailing_trigger_follows_the_best_price_and_never_comes_back() -> None:
    state = trigger("100.0", "trailing-stop", "sell")
    trailing = order("trailing-stop", "sell", state)
    assert moved(trailing, state, LAST, BTC, NOON) is None
    assert moved(trailing, state, LAST - 5, BTC, NOON) is None
    higher = moved(trailing, state, LAST + 5, BTC, NOON)
    assert higher is not None
    assert (higher.peak_price, higher.actual_price) == (LAST + 5, LAST - 95)
    plain = trigger("60000", "stop-loss", "sell")
    assert moved(order("stop-loss", "sell", plain), plain, LAST * 2, BTC, NOON) is None


def test_a_trailing_limit_stands_at_its_offset_from_the_trigger() -> None:
    limited = order("trailing-stop-limit", "sell", trigger("100.0", "trailing-stop-limit", "sell"))
    assert limit_now(limited, BTC) is None
    limited.limit_price, limited.limit_price_type = Decimal("-10.0"), "quote"
    assert limit_now(limited, BTC) == Decimal("64890.0")
    limited.limit_price, limited.limit_price_type = Decimal(-1), "pct"
    assert limit_now(limited, BTC) == Decimal("64251.0")


def test_computed_prices_stand_on_the_pair_s_grid() -> None:
    gold = INSTRUMENT_BY_SYMBOL["PAXG/USD"]
    assert on_grid(Decimal("2000.03"), gold) == Decimal("2000.05")
    assert offset_price(Decimal("2000.00"), Decimal("0.333"), "pct", gold) == Decimal("2006.65")
    assert offset_price(Decimal(1), Decimal(7), "static", gold) == 7
