"""The account: rows of what changed, and flows that are neither gain nor loss."""

from brain_desk import BTC, D, Desk, ledger, records, settings

from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.instruments import FeeRates


def desk() -> Desk:
    """A desk that trades and has judged its day once."""
    made = Desk()
    made.open()
    made.timer("risk_check")
    return made


def test_a_snapshot_makes_a_row_for_each_balance_that_changed() -> None:
    rows = records(
        desk().do(e.BalancesSeen(balances={"USD": D(1000), "ETH": D(1)}, source="ws")),
        r.BalanceRow,
    )
    assert [(row.asset, row.balance, row.cause) for row in rows] == [("ETH", 1, "ws")]


def test_a_ledger_entry_is_remembered_once() -> None:
    one = desk()
    entry = e.LedgerSeen(entry=ledger("L1", "USD", "5", "1005", one.at))
    told = one.do(entry)
    assert len(records(told, r.LedgerRow)) == 1
    assert records(told, r.BalanceRow)[0].balance == 1005
    assert one.do(entry) == []


def test_a_withdrawal_does_not_trip_the_daily_loss() -> None:
    one = desk()
    one.do(
        e.LedgerSeen(entry=ledger("L1", "USD", "-500", "500", one.at, kind="withdrawal")),
        after_s=1,
    )
    one.timer("risk_check")
    assert one.engine.state.memory.net_flows_today == -500
    assert one.engine.state.trading_state == "RUN"


def test_the_same_loss_without_a_withdrawal_trips_it() -> None:
    one = desk()
    one.do(e.BalancesSeen(balances={"USD": D(500)}, source="rest"))
    one.timer("risk_check")
    assert one.engine.state.memory.day_stopped


def test_trade_entries_are_no_flow() -> None:
    one = desk()
    entry = ledger("L1", "USD", "-5", "995", one.at, kind="trade", ref_id="E1")
    one.do(e.LedgerSeen(entry=entry), after_s=1)
    assert one.engine.state.memory.net_flows_today == 0


def test_the_fee_tier_is_used_from_now_on() -> None:
    one = Desk()
    one.open(settings=settings(base_order=D(1000)))
    one.do(e.FeesSeen(fees=FeeRates(pair=BTC, maker=D(0), taker=D("0.1"))))
    request = one.place()
    assert request.qty * (request.limit_price or 0) * D("1.1") <= 350
