"""Commands as values."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from simple_trader.simulator.orders import (
    Amend,
    Cancel,
    CancelAll,
    CancelBatch,
    Command,
    Conditional,
    Edit,
    Order,
    Place,
    PlaceBatch,
    SetPair,
    SetSystem,
    SetVolume,
    Transfer,
    Trigger,
    TriggerState,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TRIGGER = Trigger(price=Decimal("60000.0"), reference="index")
STOP = Place(
    symbol="BTC/USD",
    side="sell",
    order_type="stop-loss-limit",
    account="second",
    qty=Decimal("0.00100000"),
    limit_price=Decimal("59900.0"),
    trigger=TRIGGER,
    time_in_force="gtd",
    expire_at=NOON,
    cl_ord_id="bot7-000127",
    stp="cancel_both",
    close=Conditional(order_type="limit", limit_price=Decimal(1), limit_price_type="pct"),
)


@pytest.mark.parametrize(
    "command",
    [
        STOP,
        PlaceBatch(symbol="BTC/USD", orders=(STOP, STOP), account="second"),
        Amend(order_id="O1", qty=Decimal("0.10"), trigger_price_type="pct"),
        Edit(order_id="O1", symbol="BTC/USD", trigger=TRIGGER, post_only=False),
        Cancel("O1"),
        Cancel("O1", "second"),
        CancelBatch(("O1", "O2"), "second"),
        CancelAll("Dead man's switch"),
        Transfer(asset="USD", amount=Decimal("-10.5000"), kind="withdrawal"),
        SetSystem("cancel_only"),
        SetPair(symbol="BTC/USD", status="limit_only", price_increment=Decimal("0.5")),
        SetVolume(volume=Decimal(250_000), account="second"),
    ],
)
def test_a_command_survives_the_journal_unchanged(command: Command) -> None:
    line = msgspec.json.encode(command)
    again: Command = msgspec.json.decode(line, type=Command)
    assert again == command
    assert msgspec.json.encode(again) == line


def order(**more: object) -> Order:
    fields = {
        "order_id": "O1",
        "symbol": "BTC/USD",
        "side": "sell",
        "order_type": "limit",
        "qty": "0.5",
        "limit_price": "1",
        "time_in_force": "gtc",
        "opened_at": NOON,
        "hold_rate": "0",
    }
    return msgspec.convert(fields | more, Order)


def test_what_is_left_of_an_order_is_its_quantity_less_its_fills() -> None:
    assert order(cum_qty="0.2").open_qty == Decimal("0.3")


def test_an_order_is_untriggered_only_while_it_waits_for_a_trigger() -> None:
    waiting = TriggerState(
        reference="last",
        price=Decimal(1),
        price_type="static",
        actual_price=Decimal(1),
        last_price=Decimal(2),
        at=NOON,
    )
    fired = msgspec.structs.replace(waiting, triggered=True)
    found = [order(trigger=trigger).untriggered for trigger in (None, waiting, fired)]
    assert found == [False, True, False]
