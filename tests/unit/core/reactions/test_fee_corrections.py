"""Fees that come late or otherwise: the books in the end hold what the ledger says was taken."""

from itertools import permutations
from typing import Any

import msgspec
import pytest
from brain_desk import D, Desk, only, records
from brain_reports import fill_of, ledger, report, traded

from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.fills import Fee
from simple_trader.domain.instruments import AssetRules
from simple_trader.domain.orders import Side
from simple_trader.domain.reasons import Reason
from simple_trader.domain.recovered import LedgerMemory, Unmet


def bought() -> tuple[Desk, Any, Any]:
    """A desk with an order sent, and its whole fill as it was in truth."""
    desk = Desk()
    desk.open()
    request = desk.place()
    btc = AssetRules(
        asset="BTC",
        rest_id="XXBT",
        altname="XBT",
        precision=10,
        display_precision=5,
        status="enabled",
    )
    desk.engine.state.assets["BTC"] = btc
    return desk, request, fill_of(request, "E1", desk.at)


def with_fees(fill: Any, *fees: Fee) -> Any:
    """The same fill, told with other fees."""
    return msgspec.structs.replace(fill, fees=fees)


def books(desk: Desk) -> tuple[Any, ...]:
    """What the fee moves: lots, the order's fees, and what the quote balance will be."""
    state = desk.engine.state
    (order,) = state.orders.orders.values()
    lots = [(lot.lot_id, lot.qty.normalize(), lot.cost.normalize()) for lot in state.lots.lots()]
    usd = state.balances.expected("USD").quantize(D("0.0001"))
    return lots, order.fees_quote.normalize(), usd


def test_x26_a_fee_that_was_missing_and_is_told_later_is_booked() -> None:
    desk, _, fill = bought()
    desk.do(traded(with_fees(fill), desk.at))
    told = desk.do(traded(fill, desk.at, source="rest"))
    (row,) = records(told, r.TradeRow)
    assert row.fill.fees == fill.fees
    assert records(told, r.LotRow)[0].lot.cost == fill.cost + fill.fees[0].qty
    assert records(told, r.OrderStateRow)[0].order.fees_quote == fill.fees[0].qty
    assert only(told, a.Note).reason is Reason.FEE_CORRECTED
    right, _, whole = bought()
    right.do(traded(whole, right.at))
    assert books(desk) == books(right)
    assert desk.do(traded(with_fees(fill), desk.at)) == []


@pytest.mark.parametrize("order", list(permutations(range(5))))
def test_x26_i_12_in_any_order_the_ledger_has_the_last_word(order: tuple[int, ...]) -> None:
    """Fee in base: REST tells it without its asset, which reads as quote."""
    desk, _, fill = bought()
    fee = fill.qty * D("0.004")
    base = with_fees(fill, Fee("BTC", fee))
    events = [
        traded(base, desk.at),
        traded(with_fees(fill, Fee("USD", fee)), desk.at, source="rest"),
        traded(with_fees(fill), desk.at),
        e.LedgerSeen(
            entry=ledger(
                "L1", "BTC", f"{fill.qty}", "1", desk.at, ref_id="E1", kind="trade", fee=f"{fee:f}"
            )
        ),
        e.LedgerSeen(
            entry=ledger("L2", "USD", f"{-fill.cost}", "2", desk.at, ref_id="E1", kind="trade")
        ),
    ]
    for number in order:
        desk.do(events[number])
    (lot,) = desk.engine.state.lots.lots()
    assert (lot.qty, lot.cost) == (fill.qty - fee, fill.cost)
    booked = desk.engine.state.lots.booked("E1")
    assert booked is not None
    assert booked.fees == (Fee("BTC", fee),)
    assert booked.fee_value() == fee * fill.price


def test_x26_a_difference_below_the_ledgers_last_digit_is_rounding() -> None:
    desk, _, fill = bought()
    exact = with_fees(fill, Fee("USD", D("0.53203")))
    desk.do(traded(exact, desk.at))
    entry = ledger("L1", "USD", "-1", "9", desk.at, ref_id="E1", kind="trade", fee="0.5320")
    told = desk.do(e.LedgerSeen(entry=entry))
    assert records(told, r.TradeRow) == []
    booked = desk.engine.state.lots.booked("E1")
    assert booked is not None
    assert booked.fees == exact.fees


def test_x26_a_corrected_fee_changes_the_gain_of_the_sale_it_belongs_to() -> None:
    desk = Desk()
    desk.open()
    desk.hold()
    desk.next_candle()
    sold = desk.place("BTC/USD", "sell", 1.0)
    fill = fill_of(sold, "E9", desk.at, price=D(60000), trade_id=9, order_id="O9")
    desk.do(traded(with_fees(fill), desk.at))
    before = desk.engine.state.tally.realised
    told = desk.do(traded(fill, desk.at))
    assert records(told, r.TradeRow)[0].realised_pnl == before - fill.fees[0].qty
    assert desk.engine.state.tally.realised == before - fill.fees[0].qty


def test_x26_i_11_the_fee_of_a_trade_of_someone_else_is_booked_when_it_is_told() -> None:
    desk, _, fill = bought()
    foreign = msgspec.structs.replace(fill, cl_ord_id=None, order_id="OX", exec_id="X1")
    first = desk.do(traded(with_fees(foreign), desk.at))
    assert records(first, r.TradeRow) == []  # it may be ours until our order has its id
    desk.do(report("new", cl_ord_id=fill.cl_ord_id, at=desk.at, order_id="O1"))
    (row,) = records(desk.do(traded(foreign, desk.at)), r.TradeRow)
    assert (row.fill.owner, row.fill.fees) == ("external", foreign.fees)
    assert desk.do(traded(with_fees(foreign), desk.at)) == []
    assert desk.engine.state.lots.lots() == []
    gone = [flow for flow in desk.engine.state.unpriced_flows if flow.asset == "USD"]
    assert sum(flow.amount for flow in gone) in (0, -foreign.cost - foreign.fees[0].qty)


@pytest.mark.parametrize("owner", ["ai", "external"])
def test_x26_i_11_a_fee_that_is_told_in_the_next_life_is_booked(owner: str) -> None:
    _, _, fill = bought()
    booked = msgspec.structs.replace(fill, owner=owner)
    sale = msgspec.structs.replace(
        booked, exec_id="E2", side=Side.SELL, trade_id=2, fees=(), cost=fill.cost + 50
    )
    desk = Desk()
    desk.start(fills=(booked, sale), seen_exec_ids=("E1", "E2"))
    told = msgspec.structs.replace(sale, fees=(Fee("USD", D(2)),))
    rows = records(desk.do(traded(told, desk.at, source="rest")), r.TradeRow)
    assert [row.fill.fees for row in rows if row.fill.exec_id == "E2"] == [told.fees]
    gain = 48 - fill.fees[0].qty if owner == "ai" else D(0)
    assert [row.realised_pnl for row in rows] == [gain]
    assert desk.engine.state.lots.lots() == []


def test_x26_i_12_a_fee_told_by_the_ledger_before_a_kill_holds_for_the_fill_booked_after_it() -> (
    None
):
    """Seed 541 of the simulation: REST names no asset, and the ledger's entries are known."""
    _, _, fill = bought()
    desk = Desk()
    legs = {"BTC": (fill.qty, D("0.0000046")), "USD": (-fill.cost, D(0))}
    unmet = tuple(
        Unmet(
            ref_id=fill.exec_id,
            asset=asset,
            amount=gross - fee,
            gross=gross,
            foreign=False,
            at=desk.at,
        )
        for asset, (gross, fee) in legs.items()
    )
    desk.open(ledger=LedgerMemory(since=desk.at, unmet=unmet))
    by_rest = with_fees(fill, Fee("USD", D("0.0000046")))
    (row,) = records(desk.do(traded(by_rest, desk.at, source="rest")), r.TradeRow)
    assert row.fill.fees == (Fee("BTC", D("0.0000046")),)
