"""What an operator does to the exchange."""

from decimal import Decimal

import pytest
import venue_parts as parts
from venue_parts import NOON, place, sold

from simple_trader.simulator.orders import (
    Amend,
    SetPair,
    SetSystem,
    SetVolume,
    SystemStatus,
    Transfer,
    TransferKind,
)
from simple_trader.simulator.reports import PairChanged, Posted, SystemChanged


@pytest.mark.parametrize(
    ("kind", "asset", "amount", "left"),
    [
        ("deposit", "USD", "250.00", "100250.0000"),
        ("withdrawal", "USD", "-250.00", "99750.0000"),
        ("staking", "ETH", "0.5", "0.5000000000"),
        ("adjustment", "BTC", "-0.25", "1.7500000000"),
        ("transfer", "USD", "0.00019", "100000.0001"),
    ],
)
def test_a_transfer_is_one_ledger_entry_without_a_trade(
    kind: TransferKind, asset: str, amount: str, left: str
) -> None:
    there = parts.venue()
    command = Transfer(asset=asset, amount=Decimal(amount), kind=kind)
    posted = parts.one(there.apply(command, NOON), Posted)
    (entry,) = posted.entries
    assert (posted.account, entry.kind, entry.asset) == ("main", kind, asset)
    assert entry.balance == there.state.accounts["main"].balances[asset] == Decimal(left)
    parts.check(there)


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (Transfer(asset="NOPE", amount=Decimal(1), kind="deposit"), "EFunding:Unknown asset"),
        (Transfer(asset="USD", amount=Decimal(0), kind="deposit"), "EGeneral:Invalid arguments"),
        (Transfer(asset="USD", amount=Decimal("NaN"), kind="deposit"), "EGeneral:Invalid"),
        (Transfer(asset="USD", amount=Decimal(-99_500), kind="withdrawal"), "EFunding:Insuff"),
        (
            Transfer(asset="USD", amount=Decimal(1), kind="deposit", account="who"),
            "EAccount:Unknown account",
        ),
        (SetVolume(volume=Decimal(-1)), "EGeneral:Invalid arguments"),
        (SetVolume(volume=Decimal(1), account="who"), "EAccount:Unknown account"),
        (SetPair(symbol="NO/PAIR", status="online"), "EQuery:Unknown asset pair"),
        (SetPair(symbol="BTC/USD", qty_min=Decimal(0)), "EGeneral:Invalid arguments"),
        (SetPair(symbol="BTC/USD", price_increment=Decimal("0.05")), "EGeneral:Invalid"),
    ],
)
def test_what_an_operator_may_not_do_is_refused_and_changes_nothing(
    command: Transfer | SetVolume | SetPair, error: str
) -> None:
    there = parts.venue()
    there.apply(place(price="60000.0"), NOON)
    before = parts.frozen(there)
    assert parts.refusal(there.apply(command, NOON)).startswith(error)
    assert parts.frozen(there) == before


@pytest.mark.parametrize("status", ["cancel_only", "post_only", "maintenance"])
def test_nothing_trades_and_the_book_stands_still_until_the_exchange_is_online_again(
    status: SystemStatus,
) -> None:
    there = parts.venue()
    order_id = parts.opened(there.apply(place(price="64990.0"), NOON))
    assert there.apply(SetSystem(status), NOON) == [SystemChanged(status)]
    assert there.system == status
    before = there.books["BTC/USD"].top(0, 5)
    assert parts.step(there, 640_000, sold(640_000)) == []
    assert there.books["BTC/USD"].top(0, 5) == before
    assert parts.again(there).stands_still("BTC/USD")
    there.apply(SetSystem("online"), NOON)
    assert parts.ends(parts.step(there, 640_000, sold(640_000))) == [("filled", None)]
    assert there.state.orders[order_id].status == "filled"
    parts.check(there)


def test_in_post_only_orders_may_come_and_move_as_long_as_they_do_not_take() -> None:
    there = parts.venue()
    there.apply(SetSystem("post_only"), NOON)
    order_id = parts.opened(there.apply(place(price="64990.0", post_only=True), NOON))
    words = "EService:Market in post_only mode"
    assert parts.refusal(there.apply(place(price="64990.0"), NOON)) == words
    taking = place(price="65001.0", post_only=True)
    assert parts.refusal(there.apply(taking, NOON)) == "EOrder:Post only order"
    there.apply(Amend(order_id=order_id, limit_price=Decimal("64995.0")), NOON)
    assert there.open[order_id].limit_price == Decimal("64995.0")


def test_a_pair_s_status_and_rules_add_up_and_outlive_a_restart() -> None:
    there = parts.venue()
    for change in (
        SetPair(symbol="BTC/USD", status="limit_only"),
        SetPair(symbol="BTC/USD", qty_min=Decimal("0.5")),
    ):
        assert there.apply(change, NOON) == [PairChanged("BTC/USD")]
    for one in (there, parts.again(there)):
        assert one.status_of("BTC/USD") == "limit_only"
        assert one.pairs["BTC/USD"].qty_min == Decimal("0.5")
        assert one.trades_now("BTC/USD")


def test_a_pair_of_the_table_that_is_not_online_takes_no_market_order() -> None:
    there = parts.venue()
    there.on_market("ACA/EUR", NOON, 1_000, 1_010, ())
    order = place(qty="20000", symbol="ACA/EUR")
    words = "EService:Market in cancel_only mode"
    assert parts.refusal(there.apply(order, NOON)) == words


def test_delisting_ends_every_order_of_the_pair() -> None:
    there = parts.venue()
    there.apply(place(price="60000.0"), NOON)
    there.apply(place(price="60000.0", account="other"), NOON)
    reports = there.apply(SetPair(symbol="BTC/USD", status="delisted"), NOON)
    assert parts.ends(reports) == [("canceled", "Market delisted")] * 2
    words = "Currency pair not supported BTC/USD"
    assert parts.refusal(there.apply(place(), NOON)) == words


def test_a_given_volume_moves_the_fee_tier_of_the_next_order() -> None:
    there = parts.venue()
    assert there.apply(SetVolume(volume=Decimal(250_000)), NOON) == []
    there.apply(place(), NOON)
    trade = there.state.trades[0]
    assert trade.fee == (trade.cost * Decimal("0.0020")).quantize(Decimal("0.0001"))
