"""The account in one currency: rates by one step or two, and no equity without prices."""

from brain_desk import BTC, ETH, D, Desk

from simple_trader.core.portfolio.account import equity_of, priced_equity, rate_of, unrealised

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
