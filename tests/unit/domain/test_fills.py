"""Fills carry the fees the exchange booked, each in its own asset."""

from brain_desk import BTC, T0, D

from simple_trader.domain.fills import Fee, Fill, Lot
from simple_trader.domain.orders import Side


def test_fees_are_summed_by_asset() -> None:
    fill = Fill(
        exec_id="E",
        trade_id=1,
        order_id="O",
        cl_ord_id=None,
        pair=BTC,
        side=Side.BUY,
        price=D(100),
        qty=D(1),
        cost=D(100),
        fees=(Fee("USD", D("0.1")), Fee("BTC", D("0.01")), Fee("USD", D("0.2"))),
        liquidity="taker",
        venue_at=T0,
    )
    assert fill.fee_in("USD") == D("0.3")
    assert fill.fee_in("BTC") == D("0.01")
    assert fill.fee_in("ETH") == 0
    assert fill.owner == "external"


def test_a_new_lot_has_realised_nothing() -> None:
    lot = Lot(
        lot_id="L",
        owner="ai",
        pair=BTC,
        base="BTC",
        quote="USD",
        opened_exec_id="E",
        opened_at=T0,
        qty=D(1),
        left_qty=D(1),
        price=D(100),
        cost=D(101),
    )
    assert lot.realised_pnl == 0
    assert lot.closed_at is None
