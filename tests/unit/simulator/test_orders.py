"""Commands and reports as values."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from simple_trader.simulator.orders import Amend, Cancel, CancelAll, Command, Order, Place

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "command",
    [
        Place(
            symbol="BTC/USD",
            side="buy",
            order_type="limit",
            qty=Decimal("0.00100000"),
            limit_price=Decimal("61250.5"),
            time_in_force="gtd",
            expire_at=NOON,
            cl_ord_id="bot7-000127",
        ),
        Amend(order_id="O1", qty=Decimal("0.10")),
        Cancel("O1"),
        CancelAll("Dead man's switch"),
    ],
)
def test_a_command_survives_the_journal_unchanged(command: Command) -> None:
    line = msgspec.json.encode(command)
    again: Command = msgspec.json.decode(line, type=Command)
    assert again == command
    assert msgspec.json.encode(again) == line


def test_what_is_left_of_an_order_is_its_quantity_less_its_fills() -> None:
    order = Order(
        order_id="O1",
        symbol="BTC/USD",
        side="sell",
        order_type="limit",
        qty=Decimal("0.5"),
        limit_price=Decimal(1),
        time_in_force="gtc",
        opened_at=NOON,
        hold_rate=Decimal(0),
        cum_qty=Decimal("0.2"),
    )
    assert order.open_qty == Decimal("0.3")
