"""Each rule of the risk manager, alone: what it refuses, and what it lets pass."""

from datetime import timedelta
from typing import Any

import pytest
from brain_case import case
from brain_desk import BTC, T0, D, quote, rules, settings

from simple_trader.core.risk import capital_checks, market_checks, order_checks, state_checks
from simple_trader.core.risk.case import Check
from simple_trader.core.risk.checks import CHECKS, first_objection
from simple_trader.core.risk.exposure import Exposure
from simple_trader.domain.instruments import PairStatus, VenueStatus
from simple_trader.domain.orders import OrderType
from simple_trader.domain.reasons import Reason

R = Reason


def refused(check: Check, side: str = "buy", **changes: Any) -> Reason | None:
    """The reason with which one check objects."""
    objection = check(case(side, **changes))
    return None if objection is None else objection[0]


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_sound_case_passes_every_rule(side: str) -> None:
    assert first_objection(case(side, intent__price=D("49990.0"))) is None


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_every_rule_says_what_it_is_for(check: Check) -> None:
    assert (check.__doc__ or "").strip().endswith(".")


def test_the_list_has_no_rule_twice_and_leaves_none_out() -> None:
    public = {
        value
        for room in (state_checks, market_checks, order_checks, capital_checks)
        for name, value in vars(room).items()
        if callable(value)
        and getattr(value, "__module__", "") == room.__name__
        and not name.startswith("_")
    }
    assert set(CHECKS) == public
    assert len(set(CHECKS)) == len(CHECKS)


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_halt_and_stopping_refuse_everything(side: str) -> None:
    assert refused(state_checks.not_halted, side, trading_state="HALT") is R.TRADING_HALTED
    assert refused(state_checks.not_halted, side, stopping=True) is R.TRADING_HALTED
    assert refused(state_checks.not_halted, side, trading_state="REDUCE") is None


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (R.RECONCILING, R.NOT_RECONCILED),
        (R.STORE_SLOW, R.STORE_SLOW),
        (R.PRIVATE_DOWN, R.PRIVATE_FEED_DOWN),
        (R.FEED_DISABLED, R.REDUCE_ONLY),
    ],
)
def test_reduce_refuses_entries_by_the_nearest_word_and_lets_sales_pass(
    cause: Reason, reason: Reason
) -> None:
    held_back = {"trading_state": "REDUCE", "causes": (cause,)}
    assert refused(state_checks.not_reduce_only, **held_back) is reason
    assert refused(state_checks.not_reduce_only, "sell", **held_back) is None


def test_i_24_the_daily_stop_refuses_entries_only() -> None:
    assert refused(state_checks.no_loss_stop, day_stopped=True) is R.DAILY_LOSS
    assert refused(state_checks.no_loss_stop, "sell", day_stopped=True) is None


def test_a_pair_that_is_not_traded_takes_no_entry_but_may_be_sold() -> None:
    none = settings(traded_pairs=("ETH/USD",))
    assert refused(order_checks.pair_allowed, settings=none) is R.PAIR_NOT_ALLOWED
    assert refused(order_checks.pair_allowed, "sell", settings=none) is None


def test_without_the_exchanges_rules_there_is_no_order() -> None:
    assert refused(order_checks.instrument_known, rules=None) is R.NO_INSTRUMENT


@pytest.mark.parametrize(
    ("status", "side", "kind", "ok"),
    [
        (PairStatus.ONLINE, "buy", OrderType.MARKET, True),
        (PairStatus.LIMIT_ONLY, "buy", OrderType.LIMIT, True),
        (PairStatus.LIMIT_ONLY, "buy", OrderType.MARKET, False),
        (PairStatus.REDUCE_ONLY, "buy", OrderType.LIMIT, False),
        (PairStatus.REDUCE_ONLY, "sell", OrderType.LIMIT, True),
        (PairStatus.POST_ONLY, "buy", OrderType.LIMIT, False),
        (PairStatus.CANCEL_ONLY, "sell", OrderType.LIMIT, False),
        (PairStatus.MAINTENANCE, "sell", OrderType.LIMIT, False),
        (PairStatus.DELISTED, "sell", OrderType.LIMIT, False),
        (PairStatus.UNKNOWN, "sell", OrderType.LIMIT, False),
    ],
)
def test_the_pair_takes_this_order_now(
    status: PairStatus, side: str, kind: OrderType, ok: bool
) -> None:
    reason = refused(
        state_checks.pair_online, side, rules=rules(BTC, status=status), intent__order_type=kind
    )
    assert reason is (None if ok else R.PAIR_NOT_ONLINE)


@pytest.mark.parametrize("status", list(VenueStatus))
def test_only_an_online_exchange_takes_orders(status: VenueStatus) -> None:
    expected = None if status is VenueStatus.ONLINE else R.VENUE_NOT_ONLINE
    assert refused(state_checks.venue_online, venue=status) is expected


def test_a_resting_order_is_taken_while_the_exchange_is_post_only() -> None:
    assert (
        refused(state_checks.venue_online, venue=VenueStatus.POST_ONLY, intent__post_only=True)
        is None
    )


@pytest.mark.parametrize(("age_s", "reason"), [(9.9, None), (10, None), (10.1, R.PRICE_STALE)])
def test_the_price_is_fresh(age_s: float, reason: Reason | None) -> None:
    seen = quote(BTC, "49999.5", "50000.5", T0 - timedelta(seconds=age_s))
    assert refused(market_checks.price_fresh, quote=seen) is reason


def test_a_price_delivered_late_is_as_old_as_the_exchange_says() -> None:
    seen = quote(BTC, "49999.5", "50000.5", T0, T0 - timedelta(seconds=11))
    assert refused(market_checks.price_fresh, quote=seen) is R.PRICE_STALE
    assert refused(market_checks.price_present, quote=None) is R.NO_PRICE


@pytest.mark.parametrize(
    ("bid", "ask"), [("50001", "50000"), ("50000", "50000"), ("0", "1"), ("-1", "1")]
)
def test_a_crossed_locked_or_empty_quote_is_no_price(bid: str, ask: str) -> None:
    assert (
        refused(market_checks.price_reasonable, quote=quote(BTC, bid, ask, T0))
        is R.PRICE_UNREASONABLE
    )


@pytest.mark.parametrize(
    ("price", "ok"), [("50350.1", True), ("50350.2", False), ("49649.9", True), ("49649.8", False)]
)
def test_the_limit_stays_in_its_collar(price: str, ok: bool) -> None:
    reason = refused(market_checks.price_reasonable, intent__price=D(price))
    assert reason is (None if ok else R.PRICE_UNREASONABLE)


def test_books_must_be_verified_where_they_run() -> None:
    on = settings(enable_order_book_feed=True)
    assert refused(market_checks.book_trusted, settings=on, book_trusted=False) is R.BOOK_UNTRUSTED
    assert refused(market_checks.book_trusted, settings=on, book_trusted=True) is None
    assert refused(market_checks.book_trusted, book_trusted=False) is None


@pytest.mark.parametrize(("ask", "reason"), [("10050", None), ("10051", R.SPREAD_TOO_WIDE)])
def test_the_spread_is_tight(ask: str, reason: Reason | None) -> None:
    bps = settings(max_spread_bps=49.9)
    assert (
        refused(market_checks.spread_tight, quote=quote(BTC, "10000", ask, T0), settings=bps)
        is reason
    )


def test_an_unknown_order_blocks_new_risk_on_its_pair_only() -> None:
    assert refused(state_checks.no_unknown_order, unknown_order="st1-1") is R.ORDER_UNKNOWN
    assert refused(state_checks.no_unknown_order, "sell", unknown_order="st1-1") is None


@pytest.mark.parametrize(
    ("minutes", "reason"), [(0, R.SAME_CANDLE), (-1, None), (-15, None), (15, R.SAME_CANDLE)]
)
def test_one_entry_per_candle(minutes: int, reason: Reason | None) -> None:
    since = T0 + timedelta(minutes=minutes)
    assert refused(state_checks.one_entry_per_candle, guarded_since=since) is reason
    assert (
        refused(state_checks.one_entry_per_candle, guarded_since=since, intent__protective=True)
        is None
    )


@pytest.mark.parametrize(
    ("qty", "reason"),
    [("0.0001", R.BELOW_MIN_VALUE), ("0.00009999", R.BELOW_MIN_QTY), ("0.0002", None)],
)
def test_an_order_is_large_enough(qty: str, reason: Reason | None) -> None:
    assert refused(order_checks.large_enough, intent__qty=D(qty)) is reason


def test_price_and_quantity_are_on_their_steps() -> None:
    assert refused(order_checks.on_steps, intent__qty=D("0.000000001")) is R.OFF_STEP
    assert refused(order_checks.on_steps, intent__price=D("50000.05")) is R.OFF_STEP
    assert refused(order_checks.on_steps) is None


def test_an_entry_needs_a_known_equity_and_a_sale_does_not() -> None:
    assert refused(capital_checks.valued, equity=None) is R.NO_PRICE
    assert refused(capital_checks.valued, quote_rate=None) is R.NO_PRICE
    assert refused(capital_checks.valued, exposure=Exposure({}, ("SOL",))) is R.NO_PRICE
    assert refused(capital_checks.valued, "sell", equity=None) is None


def test_funds_cover_the_order_with_its_fee_to_the_last_unit() -> None:
    needed = D("0.002") * D("50010.0") * D("1.004")
    assert refused(capital_checks.funded, spendable_quote=needed) is None
    assert refused(capital_checks.funded, spendable_quote=needed - D("1E-9")) is R.NO_FUNDS
    assert refused(capital_checks.funded, "sell", spendable_base=D("0.002")) is None
    assert refused(capital_checks.funded, "sell", spendable_base=D("0.00199999")) is R.NO_FUNDS


def test_caps_count_to_the_last_unit() -> None:
    cost = D("0.002") * D("50010.0") * D("1.004")
    at_cap = Exposure({"BTC": D(350) - cost}, ())
    over = Exposure({"BTC": D(350) - cost + D("1E-9")}, ())
    assert refused(capital_checks.within_asset_cap, exposure=at_cap) is None
    assert refused(capital_checks.within_asset_cap, exposure=over) is R.EXPOSURE_ASSET
    assert refused(capital_checks.within_asset_cap, "sell", exposure=over) is None
    total_at = Exposure({"ETH": D(800) - cost}, ())
    total_over = Exposure({"ETH": D(800) - cost + D("1E-9")}, ())
    assert refused(capital_checks.within_total_cap, exposure=total_at) is None
    assert refused(capital_checks.within_total_cap, exposure=total_over) is R.EXPOSURE_TOTAL


def test_the_first_rule_of_the_list_gives_the_one_reason() -> None:
    bad = case(trading_state="HALT", quote=None, rules=None)
    objection = first_objection(bad)
    assert objection is not None
    assert objection[0] is R.TRADING_HALTED
