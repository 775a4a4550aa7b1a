"""Pre-trade controls as a story through the whole brain: wicks, storms of data, repetition, loss.

Cash is 1000 USD, BTC/USD is at 50000; a wish to buy is for 200 USD.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from brain_case import case, intent
from brain_desk import (
    BTC,
    ETH,
    T0,
    D,
    Desk,
    book,
    decisions_of,
    only,
    quote,
    records,
    rules,
    say,
    settings,
)
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.core.reactions.trade import judge_intent
from simple_trader.core.risk.limits import Room
from simple_trader.core.risk.risk_manager import params_hash, request_of, review
from simple_trader.core.risk.sizing import Sized, buy_qty
from simple_trader.core.strategy.pricing import marketable_limit
from simple_trader.domain import actions as a
from simple_trader.domain import events as e
from simple_trader.domain import records as r
from simple_trader.domain.instruments import PairStatus
from simple_trader.domain.memory import Turned
from simple_trader.domain.money import is_on_step
from simple_trader.domain.orders import Side, TimeInForce
from simple_trader.domain.reasons import Reason
from simple_trader.domain.verdicts import Approved, Refused

R = Reason


def desk(**changes: Any) -> Desk:
    """A desk that trades, with these settings."""
    one = Desk()
    one.open(settings=settings(**changes))
    return one


def wish(one: Desk, side: str = "buy") -> Reason:
    """The reason with which a wish on BTC/USD ends."""
    return decisions_of(one.advise(say(BTC, side), say(ETH, "hold")))[BTC].reason


def second_by_second(one: Desk, price: str, seconds: int) -> list[a.Action]:
    """The market at this price, with a risk check every second."""
    told = []
    for _ in range(seconds):
        one.at += timedelta(seconds=1)
        one.quotes(btc=price)
        told += one.timer("risk_check")
    return told


def sales(told: list[a.Action]) -> list[a.PlaceOrder]:
    """Sales to be sent."""
    return [x for x in told if isinstance(x, a.PlaceOrder) and x.approved.request.side is Side.SELL]


# -- PT1: the collar


def test_x15_pt1_a_wick_of_sixty_percent_for_twenty_seconds_buys_and_sells_nothing() -> None:
    one = desk(price_collar_bps=500, daily_loss_limit=D(0))
    one.hold()
    told = second_by_second(one, "20000", 20)
    assert sales(told) == []
    assert {row.reason for row in records(told, r.DecisionRow)} == {R.PRICE_COLLAR}
    one.at += timedelta(minutes=15)
    one.quotes(btc="50000", seen_s_ago=60)
    one.quotes(btc="20000")
    assert wish(one) is R.PRICE_COLLAR
    told = second_by_second(one, "50000", 40)
    assert sales(told) == []
    assert one.engine.state.lots.held("ai", BTC) > 0


def test_x15_a_crash_that_stays_is_sold_within_half_a_minute() -> None:
    one = desk(price_collar_bps=500, daily_loss_limit=D(0))
    one.hold()
    assert sales(second_by_second(one, "20000", 30)) == []
    assert len(sales(second_by_second(one, "20000", 2))) == 1


def test_x15_a_crash_that_goes_on_and_on_is_sold_though_the_reference_lags() -> None:
    one = desk(price_collar_bps=300, daily_loss_limit=D(0))
    one.hold()
    told = []
    for second in range(1, 40):
        told += second_by_second(one, str(47_000 - 400 * second), 1)
    assert len(sales(told)) >= 1


def test_pt1_no_entry_before_half_a_minute_of_prices() -> None:
    one = Desk()
    one.start(settings=settings())
    one.do(e.FeedUp(feed="public"))
    one.do(e.FeedUp(feed="private"))
    one.reconciled()
    one.quotes()
    assert wish(one) is R.NO_REFERENCE
    assert not one.engine.state.ready


# -- PT5: repetition


@pytest.mark.parametrize(("later_s", "owner", "price", "why"), [
    (5, "ai", "50010", R.DUPLICATE_ORDER),
    (5.001, "ai", "50010", R.DUPLICATE_ORDER),
    (1, "grid", "50010", None),
    (1, "ai", "50009.9", None),
])  # fmt: skip
def test_pt5_the_same_order_twice_is_refused_while_it_lives_and_for_a_moment_after(
    later_s: float, owner: str, price: str, why: Reason | None
) -> None:
    one = desk()
    state = one.engine.state
    first, _ = judge_intent(state, intent(protective=True), one.at, "h")
    assert isinstance(first, Approved)
    again = intent(protective=True, owner=owner, price=D(price))
    verdict, _ = judge_intent(state, again, one.at + timedelta(seconds=later_s), "h")
    assert (verdict.reason if isinstance(verdict, Refused) else None) is why


def test_pt5_an_order_that_ended_may_be_repeated_after_five_seconds() -> None:
    one = desk()
    first, _ = judge_intent(one.engine.state, intent(protective=True), one.at, "h")
    assert isinstance(first, Approved)
    name = first.request.cl_ord_id
    one.do(e.OrderRejected(cl_ord_id=name, error="EOrder:No"))
    verdicts = [
        judge_intent(one.engine.state, intent(protective=True), T0 + timedelta(seconds=s), "h")[0]
        for s in (5, 5.001)
    ]
    assert [type(verdict) for verdict in verdicts] == [Refused, Approved]


# -- PT2, PT3: size and value in a time


def test_pt2_a_stop_larger_than_one_order_may_be_is_sold_in_slices() -> None:
    one = desk(max_order_value=D(60), daily_loss_limit=D(0))
    one.engine.state.settings = settings(daily_loss_limit=D("0.9"), min_confidence=0.9)
    one.hold()
    held = one.engine.state.lots.held("ai", BTC)
    one.engine.state.settings = settings(max_order_value=D(60), daily_loss_limit=D("0.9"))
    one.at += timedelta(seconds=60)
    one.quotes(btc="45000")
    sold = Decimal(0)
    for number in range(10):
        told = sales(one.timer("risk_check"))
        if not told:
            break
        request = told[0].approved.request
        assert request.qty * (request.limit_price or D(0)) <= 60
        one.do(e.OrderSent(cl_ord_id=request.cl_ord_id))
        one.fill(request, f"S{number}", order_id=f"OS{number}", trade_id=10 + number)
        one.settle()
        sold += request.qty
        one.at += timedelta(seconds=10)
        one.quotes(btc="45000")
    assert number == 3
    assert held - sold < rules(BTC).qty_min


def test_pt3_i_22_the_value_of_orders_survives_a_restart() -> None:
    limits = settings(max_notional_per_hour=D(450))
    before = tuple(
        Turned(cl_ord_id=f"st1-{n}", pair=ETH, at=T0 - timedelta(minutes=n), value=D(10))
        for n in (1, 59, 61)
    )
    one = Desk()
    one.open(settings=limits, turned=before)
    assert one.engine.state.turnover.flow(BTC, one.at).hour == 20
    one.hold()
    one.next_candle()
    assert wish(one) is R.NOTIONAL_LIMIT


# -- PT10: data


def test_x13_pt10_checksums_that_fail_always_end_new_risk_on_the_pair_and_lift_after_a_calm() -> (
    None
):
    one = desk(enable_order_book_feed=True)
    told: list[a.Action] = []
    for _ in range(5):
        one.do(e.BookSeen(book=book(BTC, one.at)))
        told += one.do(e.BookLost(pair=BTC, detail="checksum of BTC/USD does not fit"))
        one.at += timedelta(seconds=5)
        one.quotes()
    assert [x.reason for x in told if isinstance(x, a.Note)].count(R.PAIR_MISTRUSTED) == 1
    one.do(e.BookSeen(book=book(BTC, one.at)))
    assert wish(one) is R.PAIR_MISTRUSTED
    one.at += timedelta(minutes=10)
    one.quotes()
    assert wish(one) is R.TRADED


def test_x13_one_mismatch_blocks_the_pair_until_its_next_verified_book_only() -> None:
    one = desk(enable_order_book_feed=True)
    one.do(e.BookSeen(book=book(BTC, one.at)))
    one.do(e.BookLost(pair=BTC, detail="checksum of BTC/USD does not fit"))
    assert wish(one) is R.BOOK_UNTRUSTED
    one.do(e.BookSeen(book=book(BTC, one.at)))
    assert wish(one) is R.TRADED


@pytest.mark.parametrize(
    ("bid", "ask"), [("50001", "50000"), ("50000", "50000"), ("0", "50000"), ("-1", "50000")]
)
def test_x14_i_21_a_crossed_locked_or_empty_market_trades_nothing_and_moves_no_reference(
    bid: str, ask: str
) -> None:
    one = desk()
    asked = one.engine.state.board.board(BTC).mids.points[:]
    one.do(e.QuoteSeen(quote=quote(BTC, bid, ask, one.at)))
    told = one.advise(say(BTC, "buy"), say(ETH, "hold"))
    verdict, _ = judge_intent(one.engine.state, intent(protective=True), one.at, "h")
    assert isinstance(verdict, Refused)
    assert not [x for x in told if isinstance(x, a.PlaceOrder)]
    assert one.engine.state.board.board(BTC).mids.points == asked


def test_x27_rules_that_change_while_we_run_hold_from_the_next_order() -> None:
    one = desk(base_order=D(90))
    one.do(e.InstrumentSeen(rules=rules(BTC, price_increment=D(10), qty_min=D("0.001"))))
    request = one.place()
    assert is_on_step(request.limit_price or D(0), D(10))
    one.next_candle()
    one.do(e.InstrumentSeen(rules=rules(BTC, cost_min=D(500))))
    assert wish(one) is R.BELOW_MIN_COST
    one.do(e.InstrumentSeen(rules=rules(BTC, status=PairStatus.DELISTED)))
    assert wish(one) is R.PAIR_NOT_ONLINE


# -- I-23, I-24: trading state and loss


@pytest.mark.parametrize(
    ("causes", "held"),
    [
        ((R.DAILY_LOSS,), R.DAILY_LOSS),
        ((R.DRAWDOWN,), R.DRAWDOWN),
        ((R.PUBLIC_DOWN,), R.REDUCE_ONLY),
    ],
)
def test_i_23_reduce_lets_nothing_raise_exposure_and_exits_pass_and_halt_nothing(
    causes: tuple[Reason, ...], held: Reason
) -> None:
    verdict = review(case(trading_state="REDUCE", causes=causes), cl_ord_id="st1-1")
    assert isinstance(verdict, Refused)
    assert verdict.reason is held
    sale = case("sell", trading_state="REDUCE", causes=causes, intent__protective=True)
    assert isinstance(review(sale, cl_ord_id="st1-1"), Approved)
    for side in ("buy", "sell"):
        halted = case(side, trading_state="HALT", causes=causes, intent__protective=True)
        assert isinstance(review(halted, cl_ord_id="st1-1"), Refused)


def test_i_24_a_drawdown_over_days_stops_new_risk_until_a_person_resumes_over_restarts_too() -> (
    None
):
    def fall(one: Desk, price: str) -> list[a.Action]:
        one.at += timedelta(days=1)
        one.quotes(btc=price)
        return one.timer("risk_check")

    slow = settings(max_drawdown=D("0.1"), stop_loss_percent=D(0))
    one = Desk()
    one.open(settings=slow, balances={"USD": D(500), "BTC": D("0.01")})
    one.timer("risk_check")
    for price in ("46000", "43000"):
        fall(one, price)
        assert one.engine.state.trading_state == "RUN"
    told = fall(one, "39900")  # 899 of 1000
    assert one.engine.state.causes == (R.DRAWDOWN,)
    assert records(told, r.AuditRow)[0].action == "halt"
    memory = records(told, r.RiskRow)[-1].memory
    assert memory.drawdown_stopped
    fall(one, "60000")
    assert one.engine.state.causes == (R.DRAWDOWN,), "a gain lifts nothing"
    again = Desk(one.at)
    again.open(settings=slow, risk=memory, balances={"USD": D(500), "BTC": D("0.01")})
    assert again.engine.state.causes == (R.DRAWDOWN,), "a restart lifts nothing"
    told = again.advise(say(ETH, "buy"), say(BTC, "hold"))
    assert decisions_of(told)[ETH].reason is R.DRAWDOWN
    again.do(e.OperatorResume(actor="me", detail="seen"))
    assert again.engine.state.trading_state == "RUN"


# -- I-10, I-17, I-20: what leaves


@pytest.mark.parametrize("tif", [TimeInForce.GTC, TimeInForce.GTD])
def test_i_10_a_resting_entry_dies_alone_and_a_protective_exit_does_not(tif: TimeInForce) -> None:
    entry = case(intent__time_in_force=tif)
    request = request_of(entry.intent, entry, "st1-1")
    assert request.time_in_force is TimeInForce.GTD
    assert request.expire_at == T0 + timedelta(hours=1)
    stop = case("sell", intent__time_in_force=TimeInForce.GTC, intent__protective=True)
    kept = request_of(stop.intent, stop, "st1-1")
    assert (kept.time_in_force, kept.expire_at) == (TimeInForce.GTC, None)


@given(st.floats(min_value=0.5, max_value=1e6))
def test_i_10_every_order_carries_a_deadline_within_sixty_seconds(seconds: float) -> None:
    verdict = review(case(settings=settings(order_deadline_s=seconds)), cl_ord_id="st1-1")
    assert isinstance(verdict, Approved)
    assert timedelta(0) < verdict.request.deadline - T0 <= timedelta(seconds=60)


prices = st.decimals(min_value=D("0.01"), max_value=D(100_000), places=4)
ticks = st.sampled_from([D("0.1"), D("0.01"), D("0.5"), D("0.0001")])
lots = st.sampled_from([D("1E-8"), D("0.001"), D(1)])


@given(prices, ticks, st.integers(0, 200))
def test_i_17_a_limit_is_on_its_tick_and_never_beyond_its_cap_but_to_stay_marketable(
    mid: Decimal, tick: Decimal, slip: int
) -> None:
    bid, ask = mid, mid + tick
    seen, pair = quote(BTC, str(bid), str(ask), T0), rules(BTC, price_increment=tick)
    buy = marketable_limit(seen, Side.BUY, pair, slip)
    sell = marketable_limit(seen, Side.SELL, pair, slip)
    assert is_on_step(buy, tick)
    assert is_on_step(sell, tick)
    assert ask <= buy
    assert buy <= ask * (1 + D(slip) / 10_000) or buy - ask < tick
    assert sell <= bid or sell == tick
    assert sell >= bid * (1 - D(slip) / 10_000) or bid - sell < tick


@given(prices, lots, st.decimals(min_value=1, max_value=10_000, places=2))
def test_i_17_a_rounded_quantity_is_never_above_what_was_wished_and_meets_the_minimums(
    price: Decimal, step: Decimal, value: Decimal
) -> None:
    pair = rules(BTC, qty_increment=step, qty_min=step * 2, cost_min=D(5))
    sized = buy_qty(
        value,
        price=price,
        rules=pair,
        taker=D("0.004"),
        quote_rate=D(1),
        room=Room(D(10**9), D(10**9)),
        spendable=D(5_000),
        settings=settings(),
        most=D(1_000),
    )
    if isinstance(sized, Sized):
        assert is_on_step(sized.qty, step)
        assert sized.qty * price <= value
        assert sized.qty * price * D("1.004") <= D("0.95") * 5_000
        assert sized.qty >= pair.qty_min
        assert sized.qty * price >= max(pair.cost_min, D(10))


def test_i_20_an_approval_lives_two_seconds_and_is_bound_to_its_parameters() -> None:
    verdict = review(case(), cl_ord_id="st1-1")
    assert isinstance(verdict, Approved)
    assert verdict.send_by - verdict.approved_at == timedelta(seconds=2)
    assert verdict.params_hash == params_hash(verdict.request)
    again = review(case(intent__qty=D("0.0021")), cl_ord_id="st1-1")
    assert isinstance(again, Approved)
    assert again.params_hash != verdict.params_hash


def test_pt4_sales_free_no_room_before_they_are_filled() -> None:
    one = desk(max_asset_exposure=D("0.14"), max_total_exposure=D("0.14"))
    one.hold()
    one.next_candle()
    told = one.advise(say(BTC, "sell"), say(ETH, "buy"))
    assert decisions_of(told)[BTC].reason is R.TRADED
    assert decisions_of(told)[ETH].reason is R.EXPOSURE_TOTAL
    only(told, a.PlaceOrder)
