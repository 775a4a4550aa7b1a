"""The account: rows of what changed, and flows that are neither gain nor loss."""

from datetime import timedelta

from brain_desk import BTC, ETH, T0, D, Desk, buys, only, records, say, settings
from brain_reports import ledger

from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.instruments import FeeRates
from simple_trader.domain.memory import RiskMemory
from simple_trader.domain.recovered import AssetLedger, LedgerMemory


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
    dear = e.FeesSeen(fees=FeeRates(pair=BTC, maker=D(0), taker=D("0.1")))
    assert "10.0 percent taker" in only(one.do(dear), a.Note).text
    assert one.do(dear) == [], "it did not change"
    request = one.place()
    assert request.qty * (request.limit_price or 0) * D("1.1") <= 350


def test_a_rest_balance_that_lags_does_not_take_back_what_the_stream_has_said() -> None:
    # REST lags the stream by up to a minute: its old total would free room under the caps again.
    one = Desk()
    one.open(settings=settings(max_asset_exposure=D("0.2"), base_order=D(300)))
    order = one.place()
    one.fill(order, "E1")
    state = one.engine.state
    totals = state.balances.all_expected()
    for asset in ("BTC", "USD"):
        amount = str(totals[asset] - state.balances.total(asset))
        entry = ledger(
            f"L-{asset}", asset, amount, str(totals[asset]), one.at, ref_id="E1", kind="trade"
        )
        one.do(e.LedgerSeen(entry=entry))
    one.do(e.BalancesSeen(balances={"USD": D(1000)}, source="rest"), after_s=2)
    assert state.held_at_most()["BTC"] == order.qty
    assert state.balances.at_least("USD") == totals["USD"]
    one.next_candle()
    assert not buys(one.advise(say(BTC, "buy"), say(ETH, "hold")))


def test_a_rest_balance_does_not_overrule_a_fresh_snapshot_of_the_stream() -> None:
    one = desk()
    one.do(e.BalancesSeen(balances={"USD": D(900), "BTC": D("0.002")}, source="ws"))
    one.do(e.BalancesSeen(balances={"USD": D(1000)}, source="rest"), after_s=3)
    assert one.engine.state.balances.total("BTC") == D("0.002")
    assert one.engine.state.balances.total("USD") == 900


def test_a_rest_balance_counts_once_the_stream_has_long_been_silent() -> None:
    one = desk()
    one.do(e.BalancesSeen(balances={"USD": D(900)}, source="ws"))
    one.do(e.BalancesSeen(balances={"USD": D(1000)}, source="rest"), after_s=80)
    assert one.engine.state.balances.total("USD") == 1000


def test_x28_i_24_a_withdrawal_while_the_daemon_was_down_over_midnight_stops_nothing() -> None:
    since = T0 - timedelta(days=2)
    one = Desk()
    one.start(
        risk=RiskMemory(
            loss_day=since.replace(hour=0),
            day_start_equity=D(1000),
            day_start_at=since,
            peak_equity=D(1000),
        ),
        ledger=LedgerMemory(
            since=since,
            assets=(
                AssetLedger(
                    asset="USD", opening=D(1000), ledger_sum=D(0), explained=D(0), short=D(0)
                ),
            ),
        ),
    )
    one.do(e.FeedUp(feed="public"))
    one.do(e.FeedUp(feed="private"))
    one.timer("risk_check")  # the new day begins before the ledger was read
    one.do(e.BalancesSeen(balances={"USD": D(400)}, source="ws"))
    gone = ledger("L1", "USD", "-600", "400", T0 - timedelta(hours=5), kind="withdrawal")
    one.do(e.LedgerSeen(entry=gone))
    one.reconciled()
    one.quotes(seen_s_ago=60)
    one.quotes()
    one.timer("risk_check")
    memory = one.engine.state.memory
    assert (memory.day_start_equity, memory.net_flows_today) == (D(400), 0)
    assert memory.peak_equity == D(400)
    assert one.engine.state.trading_state == "RUN"


def test_x28_a_flow_of_before_the_books_began_is_in_every_equity_already() -> None:
    one = Desk()
    one.start()
    one.do(e.FeedUp(feed="public"))
    one.do(e.BalancesSeen(balances={"USD": D(1000)}, source="ws"))
    one.do(e.FeedUp(feed="private"))
    one.reconciled()
    one.quotes(seen_s_ago=60)
    one.quotes()
    one.timer("risk_check")
    old = ledger("L1", "USD", "500", "1000", T0 - timedelta(hours=5))
    one.do(e.LedgerSeen(entry=old))
    one.timer("risk_check")
    assert one.engine.state.memory.net_flows_today == 0
    assert one.engine.state.memory.peak_equity == D(1000)


def watch(one: Desk, *pairs: str) -> None:
    """Other traded pairs, and the judgement that follows."""
    changed = settings(traded_pairs=pairs)
    one.do(
        e.SettingsChanged(settings=changed, config_hash="z", before="", after="", source=""),
        after_s=1,
    )
    one.timer("risk_check")


def test_i_24_a_pair_taken_out_or_in_is_no_loss_and_no_gain_of_what_someone_holds_of_it() -> None:
    one = Desk()
    one.open(balances={"USD": D(1000), "ETH": D(10)})
    one.timer("risk_check")
    state = one.engine.state
    assert state.memory.peak_equity == D(21000)
    watch(one, BTC)
    assert (state.trading_state, state.memory.net_flows_today) == ("RUN", -20000)
    assert state.memory.peak_equity == D(1000)
    watch(one, BTC, ETH)
    assert (state.trading_state, state.memory.net_flows_today) == ("RUN", 0)
    assert state.memory.peak_equity == D(21000)
    one.quotes(eth="1800")
    one.timer("risk_check")
    assert state.memory.day_stopped, "a loss on what is watched is a loss"
