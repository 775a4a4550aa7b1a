"""Reports as values."""

from datetime import UTC, datetime
from decimal import Decimal

from simple_trader.simulator.orders import Order
from simple_trader.simulator.reports import (
    BatchReports,
    Checked,
    Closed,
    Opened,
    PairChanged,
    Posted,
    Refilled,
    Refused,
    Replaced,
    Started,
    SystemChanged,
    symbol_of,
)

ORDER = Order(
    order_id="O1",
    symbol="BTC/USD",
    side="sell",
    order_type="limit",
    qty=Decimal("0.5"),
    limit_price=Decimal(1),
    time_in_force="gtc",
    opened_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
    hold_rate=Decimal(0),
)


def test_a_report_names_the_pair_whose_book_it_may_have_changed() -> None:
    for report in (Opened(ORDER), Started(ORDER), Closed(ORDER), Refilled(ORDER)):
        assert symbol_of(report) == "BTC/USD"
    assert symbol_of(PairChanged("ETH/USD")) == "ETH/USD"


def test_answers_and_ledger_entries_touch_no_book() -> None:
    batch = BatchReports(((Opened(ORDER),), (Refused("EOrder:Insufficient funds"),)))
    for report in (
        Refused("EOrder:Insufficient funds"),
        Checked(ORDER),
        Replaced(ORDER, "O0"),
        Posted("main", ()),
        SystemChanged("cancel_only"),
        batch,
    ):
        assert symbol_of(report) is None
