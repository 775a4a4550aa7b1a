"""REST that reads: late views, paging by id, new names, money in other currencies, Spread."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sandbox_parts as parts

from simple_trader.simulator.orders import Transfer

LIMIT = {"pair": "XBTUSD", "type": "buy", "volume": "0.001", "ordertype": "limit", "price": "50000"}
MARKET = {"pair": "XBTUSD", "type": "buy", "volume": "0.001", "ordertype": "market"}


def test_rest_is_behind_the_socket_by_the_lag_and_then_agrees() -> None:
    there = parts.exchange(rest_lag_s=5)
    rest = parts.Signed(there)
    session, token = there.open_session(private=True), there.keys.issue_token()
    parts.ask(session, "subscribe", channel="executions", token=token)
    resting = rest.good("AddOrder", **LIMIT)["txid"][0]
    bought = rest.good("AddOrder", **MARKET)["txid"][0]
    assert len(session.outgoing()) == 6
    deposit = Transfer(asset="USD", amount=Decimal(5), kind="deposit")
    there.publish(there.execute(deposit))
    parts.step(there, 4)
    assert rest.good("OpenOrders")["open"] == {}
    assert rest.request("QueryOrders", txid=bought)[0] == ["EOrder:Invalid order"]
    assert rest.good("ClosedOrders")["count"] == 0
    assert rest.good("TradesHistory")["count"] == 0
    assert rest.good("Ledgers")["count"] == 0
    assert rest.good("Balance") == {"ZUSD": "1000.0000"}
    assert rest.good("BalanceEx")["ZUSD"]["hold_trade"] == "0.0000"
    parts.step(there)
    assert list(rest.good("OpenOrders")["open"]) == [resting]
    assert list(rest.good("ClosedOrders")["closed"]) == [bought]
    assert rest.good("TradesHistory")["count"] == 1
    assert rest.good("Ledgers")["count"] == 3
    assert rest.good("BalanceEx")["ZUSD"]["hold_trade"] == "50.2000"
    truth = there.truth()
    assert Decimal(rest.good("Balance")["ZUSD"]) == Decimal(truth["balances"]["USD"])
    there.set_rest_lag(60)
    rest.good("CancelAll")
    assert list(rest.good("OpenOrders")["open"]) == [resting]
    there.set_rest_lag(0)
    assert rest.good("OpenOrders")["open"] == {}


def test_a_partly_filled_then_canceled_order_shows_each_state_in_its_time() -> None:
    there = parts.exchange(rest_lag_s=2)
    rest = parts.Signed(there)
    order_id = rest.good("AddOrder", **LIMIT)["txid"][0]
    parts.step(there)
    rest.good("CancelOrder", txid=order_id)
    parts.step(there)
    assert rest.good("QueryOrders", txid=order_id)[order_id]["status"] == "open"
    parts.step(there)
    assert rest.good("QueryOrders", txid=order_id)[order_id]["status"] == "canceled"


def test_pages_may_begin_and_end_at_an_id() -> None:
    there = parts.exchange()
    rest = parts.Signed(there)
    for _ in range(4):
        rest.good("AddOrder", **MARKET)
        parts.step(there)
    trades = list(rest.good("TradesHistory")["trades"])
    after = rest.good("TradesHistory", start=trades[2])
    assert list(after["trades"]) == trades[:2]
    until = rest.good("TradesHistory", end=trades[2])
    assert list(until["trades"]) == trades[2:]
    bare = rest.good("TradesHistory", without_count="true")
    assert set(bare) == {"trades"}
    assert rest.good("TradesHistory", type="closed position")["count"] == 0
    assert rest.request("TradesHistory", type="mine")[0] == ["EGeneral:Invalid arguments:type"]
    orders = list(rest.good("ClosedOrders")["closed"])
    assert list(rest.good("ClosedOrders", start=orders[1])["closed"]) == orders[:1]
    ledger = rest.good("Ledgers", asset="XBT", type="trade")
    assert ledger["count"] == 4
    ids = list(ledger["ledger"])
    assert list(rest.good("QueryLedgers", id=",".join(ids[:2]))) == ids[:2]
    assert rest.request("QueryLedgers", id="LNO")[0] == ["EQuery:Unknown ledger"]
    assert rest.request("QueryTrades", txid=",".join(["T"] * 21))[0] == [
        "EGeneral:Invalid arguments:txid"
    ]
    assert list(rest.good("QueryTrades", txid=trades[0])) == [trades[0]]


def test_new_names_are_given_when_asked_for() -> None:
    there = parts.exchange()
    assets = parts.public(there, "Assets", assetVersion=1)[1]
    assert assets["BTC"]["altname"] == "XBT"
    row = parts.public(there, "AssetPairs", assetVersion=1)[1]["BTC/USD"]
    assert (row["base"], row["quote"]) == ("BTC", "USD")
    assert set(parts.public(there, "Ticker", pair="XBTUSD", assetVersion=1)[1]) == {"BTC/USD"}


@pytest.mark.parametrize(
    ("info", "fields"),
    [
        ("fees", {"fees", "fee_volume_currency"}),
        ("leverage", {"leverage_buy", "leverage_sell"}),
        ("margin", {"margin_call"}),
    ],
)
def test_asset_pairs_can_be_narrowed(info: str, fields: set[str]) -> None:
    there = parts.exchange()
    row = parts.public(there, "AssetPairs", pair="XBTUSD", info=info)[1]["XXBTZUSD"]
    assert set(row) == fields
    assert parts.public(there, "AssetPairs", info="all")[0] == ["EGeneral:Invalid arguments:info"]


def test_public_calls_may_be_posted_as_form_or_json() -> None:
    there = parts.exchange()
    for kind, body in (
        ("application/x-www-form-urlencoded", b"pair=XBTUSD&count=3"),
        ("application/json", b'{"pair":"XBTUSD","count":3}'),
    ):
        _, answer = there.rest("POST", "/0/public/Trades", {"Content-Type": kind}, body)
        assert answer.count(b'"l"') + answer.count(b'"m"') == 3
    _, refused = there.rest("DELETE", "/0/public/Time", {}, b"")
    assert b"EGeneral:Unknown method" in refused


def test_spread_tells_changes_of_the_best_prices_since_a_second() -> None:
    there = parts.exchange()
    parts.step(there, 20)
    answer = parts.public(there, "Spread", pair="XBTUSD")[1]
    rows = answer["XXBTZUSD"]
    assert len(rows) > 5
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert all(Decimal(bid) < Decimal(ask) for _, bid, ask in rows)
    assert answer["last"] == rows[-1][0]
    later = parts.public(there, "Spread", pair="XBTUSD", since=rows[-3][0])[1]["XXBTZUSD"]
    assert later == rows[-3:]


def crossed(tmp_path: Path, **options: Any) -> tuple[Any, parts.Signed]:
    path = tmp_path / "accounts.yaml"
    path.write_text(
        "accounts: {main: {balances: {USD: 1000, EUR: 1000, USDT: 1000, BTC: 1}}}\n"
        "keys: [{key: k, secret: c2FuZGJveC1zZWNyZXQ=}]\n"
    )
    pairs = ("BTC/USD", "BTC/EUR", "EUR/USD", "ETH/BTC", "USDT/USD", "BTC/USDT")
    there = parts.exchange(accounts=path, pairs=pairs, **options)
    return there, parts.Signed(there, "k", "c2FuZGJveC1zZWNyZXQ=")


def test_money_is_worth_what_the_sandbox_s_own_prices_say(tmp_path: Path) -> None:
    there, rest = crossed(tmp_path)

    def price(symbol: str) -> Decimal:
        market = there.market(symbol)
        value: Decimal = market.pair.price_of(market.last.tick)
        return value

    worth = Decimal(rest.good("TradeBalance")["eb"])
    exact = 1000 + 1000 * price("EUR/USD") + 1000 * price("USDT/USD") + price("BTC/USD")
    assert worth == exact.quantize(Decimal("0.0001"))
    in_btc = Decimal(rest.good("TradeBalance", asset="XBT")["eb"])
    assert abs(in_btc * price("BTC/USD") - exact) < exact / 100
    assert rest.request("TradeBalance", asset="NOPE")[0] == ["EQuery:Unknown asset"]


def test_fees_and_volume_of_other_quotes_are_told_in_dollars(tmp_path: Path) -> None:
    there, rest = crossed(tmp_path)
    session, token = there.open_session(private=True), there.keys.issue_token()
    parts.ask(session, "subscribe", channel="executions", token=token)
    order = {"order_type": "market", "side": "buy", "order_qty": 0.01, "token": token}
    frames = parts.ask(session, "add_order", **order, symbol="BTC/EUR")
    *trades, filled = (f["data"][0] for f in frames[3:])
    rate = there.market("EUR/USD").pair.price_of(there.market("EUR/USD").last.tick)
    assert {row["fees"][0]["asset"] for row in trades} == {"EUR"}
    for row in trades:
        assert abs(row["fee_usd_equiv"] - row["fees"][0]["qty"] * rate) < Decimal("0.001")
    paid = sum(row["fees"][0]["qty"] for row in trades)
    assert abs(filled["fee_usd_equiv"] - paid * rate) < Decimal("0.001")
    volume = Decimal(rest.good("TradeVolume")["volume"])
    assert abs(volume - filled["cum_cost"] * rate) < Decimal("0.5")
    told = rest.good("TradeVolume", pair="XBTEUR,USDTUSD")
    assert told["fees"]["USDTZUSD"]["fee"] == "0.2000"
