"""The account in one currency: rates by one step or two, and no equity without prices."""

from datetime import timedelta
from decimal import Decimal

from brain_desk import BTC, ETH, T0, D, Desk
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.core.portfolio.account import equity_of, priced_equity, rate_of, unrealised
from simple_trader.core.portfolio.lots import cost_left, fold
from simple_trader.domain.fills import Fee, Fill
from simple_trader.domain.orders import Side

MIDS = {"BTC/USD": D(50000), "ETH/BTC": D("0.04")}


def test_rates_are_found_directly_or_over_one_other_asset() -> None:
    assert rate_of("USD", MIDS) == 1
    assert rate_of("BTC", MIDS) == D(50000)
    assert rate_of("ETH", MIDS) == D(2000)
    assert rate_of("EUR", MIDS) is None


def test_equity_is_cash_and_holdings_at_mid() -> None:
    held = {"USD": D(100), "BTC": D("0.01"), "DOGE": D(5)}
    assert equity_of(held, ("BTC", "USD"), MIDS) == D(600)


def test_equity_is_unknown_while_a_held_asset_has_no_price() -> None:
    assert equity_of({"SOL": D(1)}, ("SOL", "USD"), MIDS) is None
    assert equity_of({"SOL": D(0), "USD": D(7)}, ("SOL", "USD"), MIDS) == D(7)
    assert priced_equity({"SOL": D(1), "USD": D(7)}, ("SOL", "USD"), MIDS) == D(7)


def test_what_is_held_gains_with_the_price_and_pays_its_fee() -> None:
    desk = Desk()
    desk.open()
    request = desk.place()
    desk.fill(request, "E1", price=D(50000))
    paid = request.qty * 50000 * D("1.004")
    book = desk.engine.state.lots
    assert unrealised(book, {BTC: D(60000)}) == request.qty * 60000 - paid
    assert unrealised(book, {ETH: D(1)}) is None


def trade(number: int, side: Side, qty: Decimal, price: Decimal) -> Fill:
    """The `number`-th fill of a day, its fee in quote."""
    return Fill(
        exec_id=f"E{number}",
        trade_id=number,
        order_id=f"O{number}",
        cl_ord_id=None,
        pair=BTC,
        side=side,
        price=price,
        qty=qty,
        cost=qty * price,
        fees=(Fee("USD", qty * price * D("0.004")),),
        liquidity="taker",
        venue_at=T0 + timedelta(seconds=number),
        owner="ai",
    )


QTYS = st.integers(1, 10**6).map(lambda n: D(n).scaleb(-6))
PRICES = st.integers(1, 10**7).map(lambda n: D(n).scaleb(-1))


@given(st.lists(st.tuples(QTYS, PRICES, QTYS, PRICES), min_size=1, max_size=12), PRICES)
def test_i_14_equity_from_lots_and_from_raw_trades_is_the_same(
    day: list[tuple[Decimal, Decimal, Decimal, Decimal]], mark: Decimal
) -> None:
    fills: list[Fill] = []
    held = D(0)
    for bought, price, sold, other in day:
        fills.append(trade(len(fills), Side.BUY, bought, price))
        held += bought
        if (qty := min(sold, held)) > 0:
            fills.append(trade(len(fills), Side.SELL, qty, other))
            held -= qty
    folded = fold((), fills)
    by_lots = sum(folded.realised.values(), D(0)) + sum(
        (lot.left_qty * mark - cost_left(lot) for lot in folded.lots), D(0)
    )
    by_trades = D(0)
    for one in fills:
        sign = 1 if one.side is Side.BUY else -1
        by_trades += sign * (one.qty * mark - one.cost) - one.fee_in("USD")
    assert by_lots == by_trades
