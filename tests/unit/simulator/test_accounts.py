"""Balances, holds and ledger."""

from datetime import UTC, datetime
from decimal import Decimal

from simple_trader.simulator.accounts import AccountSpec, hold_of, holds, open_account, to_unit
from simple_trader.simulator.instruments import INSTRUMENT_BY_SYMBOL
from simple_trader.simulator.orders import Order, OrderType, Side

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BTC = INSTRUMENT_BY_SYMBOL["BTC/USD"]


def order(side: Side, qty: str, price: str | None, *, fee_in_base: bool = False) -> Order:
    kind: OrderType = "market" if price is None else "limit"
    return Order(
        order_id="O1",
        symbol="BTC/USD",
        side=side,
        order_type=kind,
        qty=Decimal(qty),
        limit_price=None if price is None else Decimal(price),
        time_in_force="gtc",
        opened_at=NOON,
        hold_rate=Decimal("0.004"),
        fee_in_base=fee_in_base,
    )


def test_a_ledger_entry_moves_the_balance_by_amount_less_fee() -> None:
    account = open_account(1, AccountSpec(opening={"USD": Decimal(1000)}))
    entry = account.post(NOON, "T1", "trade", "USD", Decimal("-132.9995"), Decimal("0.5320"))
    assert entry.balance == account.balances["USD"] == Decimal("866.4685")
    assert account.opening["USD"] == 1000
    assert account.ledger == [entry]


def test_an_asset_never_owned_starts_at_nothing() -> None:
    account = open_account(1, AccountSpec(opening={"USD": Decimal(1000)}))
    account.post(NOON, "T1", "trade", "BTC", Decimal("0.005"), Decimal(0))
    assert account.balances["BTC"] == Decimal("0.005")


def test_amounts_are_cut_to_the_ledger_s_unit_downwards() -> None:
    assert to_unit(Decimal("1.23459"), "USD") == Decimal("1.2345")
    assert to_unit(Decimal("1.23456789019"), "BTC") == Decimal("1.2345678901")


def test_a_buy_holds_its_cost_and_its_worst_fee_rounded_up() -> None:
    assert hold_of(order("buy", "0.00123457", "61250.5"), BTC) == ("USD", Decimal("75.9206"))
    assert hold_of(order("buy", "1", "100.0", fee_in_base=True), BTC) == ("USD", Decimal(100))


def test_a_sell_holds_what_it_sells_and_a_base_fee_on_top() -> None:
    assert hold_of(order("sell", "0.5", "61250.5"), BTC) == ("BTC", Decimal("0.5"))
    assert hold_of(order("sell", "0.5", "1.0", fee_in_base=True), BTC) == ("BTC", Decimal("0.502"))


def test_only_what_is_left_of_an_order_is_held() -> None:
    part = order("sell", "0.5", "61250.5")
    part.cum_qty = Decimal("0.3")
    pairs = {"BTC/USD": BTC}
    assert holds([part, order("sell", "0.1", "9.0")], pairs) == {"BTC": Decimal("0.3")}
