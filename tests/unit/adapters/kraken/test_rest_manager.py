"""REST reads: lossless, named in v2, paged with overlap, and honest where an answer is unusable."""

from datetime import timedelta
from decimal import Decimal
from urllib.parse import parse_qs

import pytest
from kraken_parts import AT, ScriptedHttp
from rest_parts import ORDER, PAIR, TRADE, UNIX, markets, rest_on

from simple_trader.domain.errors import VenueRefused, VenueUnreachable
from simple_trader.domain.fills import Fee
from simple_trader.domain.instruments import PairStatus, VenueStatus
from simple_trader.domain.orders import Side

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def http() -> ScriptedHttp:
    return markets()


async def test_pairs_have_v2_names_and_their_own_digits(http: ScriptedHttp) -> None:
    (rules,) = await rest_on(http).pairs()
    assert (rules.pair, rules.base, rules.quote) == ("BTC/USD", "BTC", "USD")
    assert (rules.rest_id, rules.altname) == ("XXBTZUSD", "XBTUSD")
    assert f"{rules.qty_min:f}" == "0.00005000"
    assert rules.status is PairStatus.ONLINE
    assert rules.price_increment == Decimal("0.1")


async def test_assets_have_v2_names(http: ScriptedHttp) -> None:
    found = {rules.rest_id: rules.asset for rules in await rest_on(http).assets()}
    assert found == {"XXBT": "BTC", "XXDG": "DOGE", "ZUSD": "USD", "XBT.F": "BTC.F"}


async def test_balances_are_exact_and_auto_earn_counts(http: ScriptedHttp) -> None:
    http.will("Balance", {"ZUSD": "22.6354", "XXBT": "0.0022698000", "XBT.F": "1.0000000001"})
    assert await rest_on(http).balances() == {"USD": "22.6354", "BTC": "1.0022698001"}


@pytest.mark.parametrize("value", ["NaN", "Infinity", "lots"])
async def test_a_balance_that_is_no_number_is_no_answer(http: ScriptedHttp, value: str) -> None:
    http.will("Balance", {"ZUSD": value})
    with pytest.raises(VenueUnreachable):
        await rest_on(http).balances()


async def test_fees_are_fractions(http: ScriptedHttp) -> None:
    fee = {"fee": "0.4000", "minfee": "0.1000"}
    maker = {"XXBTZUSD": {"fee": "0.2500"}}
    http.will("TradeVolume", {"volume": "0", "fees": {"XXBTZUSD": fee}, "fees_maker": maker})
    (rates,) = await rest_on(http).fees(["BTC/USD"])
    assert (rates.pair, rates.maker, rates.taker) == (
        "BTC/USD",
        Decimal("0.0025"),
        Decimal("0.004"),
    )
    assert parse_qs(http.asked[-1][1])["pair"] == ["XBTUSD"]


async def test_orders_say_what_the_exchange_says(http: ScriptedHttp) -> None:
    http.will("OpenOrders", {"open": {"O1": ORDER}})
    (row,) = await rest_on(http).open_orders()
    assert (row.order_id, row.cl_ord_id, row.pair, row.side) == ("O1", "st7-1", "BTC/USD", Side.BUY)
    assert (row.qty, row.filled_qty) == (Decimal("1.25"), Decimal("0.5"))
    assert row.opened_at == AT + timedelta(microseconds=123456)
    assert row.reason == "User requested"


@pytest.mark.parametrize("price", ["+1.0%", "-5", "#2.5%", "0", ""])
async def test_an_order_of_someone_else_with_a_relative_price_can_be_read(
    http: ScriptedHttp, price: str
) -> None:
    """Else one trailing stop set by hand would keep the account from ever reconciling."""
    descr = ORDER["descr"] | {"price": price, "ordertype": "trailing-stop"}
    http.will("OpenOrders", {"open": {"O1": ORDER | {"descr": descr}}})
    (row,) = await rest_on(http).open_orders()
    assert (row.order_type, row.limit_price) == ("trailing-stop", None)


@pytest.mark.parametrize(
    ("kind", "price", "price2", "limit"),
    [
        ("limit", "27500.0", "0", "27500.0"),
        ("iceberg", "27500.0", "0", "27500.0"),
        ("stop-loss", "27500.0", "0", None),
        ("take-profit-limit", "27500.0", "27400.0", "27400.0"),
        ("trailing-stop-limit", "+2.0%", "-5.0", None),
        ("market", "0", "0", None),
    ],
)
async def test_the_trigger_of_an_order_is_not_taken_for_its_limit(
    http: ScriptedHttp, kind: str, price: str, price2: str, limit: str | None
) -> None:
    descr = ORDER["descr"] | {"ordertype": kind, "price": price, "price2": price2}
    http.will("OpenOrders", {"open": {"O1": ORDER | {"descr": descr}}})
    (row,) = await rest_on(http).open_orders()
    assert row.limit_price == (None if limit is None else Decimal(limit))


async def test_a_trade_is_a_fill_and_learns_its_client_id(http: ScriptedHttp) -> None:
    http.will("TradesHistory", {"trades": {"T1": TRADE}, "count": 1})
    http.will("QueryOrders", {"O1": ORDER})
    (fill,) = await rest_on(http).trades(None)
    assert (fill.exec_id, fill.cl_ord_id, fill.pair) == ("T1", "st7-1", "BTC/USD")
    assert fill.fees == (Fee("USD", Decimal("55.00000")),)
    assert fill.liquidity == "maker"
    assert fill.venue_at == AT + timedelta(microseconds=123456)


@pytest.mark.parametrize(
    "lost", ["ordermin", "costmin", "tick_size", "cost_decimals", "lot_decimals", "pair_decimals"]
)
async def test_a_pair_without_all_its_rules_is_left_out_and_told_once(
    http: ScriptedHttp, lost: str, caplog: pytest.LogCaptureFixture
) -> None:
    broken = {name: value for name, value in PAIR.items() if name != lost}
    http.answers["AssetPairs"] = [
        {"XETHZUSD": broken | {"wsname": "ETH/USD", "altname": "ETHUSD"}, "XXBTZUSD": PAIR}
    ]
    made = rest_on(http)
    assert [rules.pair for rules in await made.pairs()] == ["BTC/USD"]
    assert [rules.pair for rules in await made.pairs()] == ["BTC/USD"]
    assert caplog.text.count("Rules of XETHZUSD") == 1
    assert lost in caplog.text


@pytest.mark.parametrize("field", ["ordermin", "costmin", "tick_size"])
@pytest.mark.parametrize("value", ["0", "-1", "NaN"])
async def test_a_pair_with_a_step_or_minimum_that_cannot_be_is_left_out(
    http: ScriptedHttp, field: str, value: str
) -> None:
    http.answers["AssetPairs"] = [{"XXBTZUSD": PAIR | {field: value}}]
    assert await rest_on(http).pairs() == ()


async def test_the_price_step_is_the_tick_and_not_the_decimals(http: ScriptedHttp) -> None:
    http.answers["AssetPairs"] = [{"XXBTZUSD": PAIR | {"pair_decimals": 4, "tick_size": "0.25"}}]
    (rules,) = await rest_on(http).pairs()
    assert (rules.price_increment, rules.price_precision) == (Decimal("0.25"), 4)


async def test_the_dead_mans_switch_is_armed_and_disarmed(http: ScriptedHttp) -> None:
    http.will(
        "CancelAllOrdersAfter",
        {"currentTime": "2026-03-02T10:00:00Z", "triggerTime": "2026-03-02T10:01:00Z"},
        {"currentTime": "2026-03-02T10:00:00Z", "triggerTime": "0"},
        {"currentTime": 7},
    )
    made = rest_on(http)
    armed = await made.cancel_all_after(60)
    assert (armed.current_at, armed.trigger_at) == (AT, AT + timedelta(minutes=1))
    assert (await made.cancel_all_after(0)).trigger_at is None
    assert (await made.cancel_all_after(60)).trigger_at is None
    assert parse_qs(http.asked[0][1])["timeout"] == ["60"]


async def test_an_unknown_word_of_the_exchange_is_an_unknown_state(http: ScriptedHttp) -> None:
    http.will("SystemStatus", {"status": "dreaming"})
    assert await rest_on(http).system_status() is VenueStatus.UNKNOWN


async def test_ledgers_are_oldest_first(http: ScriptedHttp) -> None:
    entry = {
        "refid": "T1",
        "time": UNIX + 0.5,
        "type": "trade",
        "subtype": "",
        "aclass": "currency",
        "asset": "XXBT",
        "amount": "0.5000000000",
        "fee": "0.0000000000",
        "balance": "0.5000000000",
    }
    later = entry | {"time": UNIX + 9}
    http.will("Ledgers", {"ledger": {"L2": later, "L1": entry}, "count": 2})
    first, second = await rest_on(http).ledgers(None)
    assert (first.ledger_id, second.ledger_id) == ("L1", "L2")
    assert (first.asset, str(first.amount)) == ("BTC", "0.5000000000")


async def test_candles_leave_out_the_running_one(http: ScriptedHttp) -> None:
    rows = [[UNIX + 60 * i, "1.0", "2.0", "0.5", "1.5", "1.2", "3.00000000", 4] for i in range(5)]
    http.will("OHLC", {"XXBTZUSD": rows, "last": UNIX + 180})
    found = await rest_on(http).candles("BTC/USD", 60, 3)
    assert [candle.begin for candle in found] == [AT + timedelta(minutes=i) for i in (1, 2, 3)]
    assert found[0].high == Decimal("2.0")
    assert "pair=XBTUSD" in http.asked[-1][1]


async def test_an_interval_the_exchange_does_not_have_is_refused(http: ScriptedHttp) -> None:
    with pytest.raises(VenueRefused):
        await rest_on(http).candles("BTC/USD", 61, 3)


@pytest.mark.parametrize(
    ("endpoint", "answer", "call"),
    [
        ("OpenOrders", {"open": {"O1": ORDER | {"vol": "NaN"}}}, "open_orders"),
        ("OpenOrders", {"open": {"O1": {"status": "open"}}}, "open_orders"),
        ("OpenOrders", [], "open_orders"),
        ("Assets", {"XXBT": 7}, "assets"),
    ],
)
async def test_an_answer_of_another_shape_is_no_answer(
    http: ScriptedHttp, endpoint: str, answer: object, call: str
) -> None:
    http.answers[endpoint] = [answer]
    with pytest.raises(VenueUnreachable):
        await getattr(rest_on(http), call)()


async def test_time_status_and_token_are_read(http: ScriptedHttp) -> None:
    http.will("Time", {"unixtime": UNIX, "rfc1123": "x"})
    http.will("SystemStatus", {"status": "online", "timestamp": "x"})
    http.will("GetWebSocketsToken", {"token": "TOK", "expires": 900})
    made = rest_on(http)
    assert await made.server_time() == AT
    assert await made.system_status() == "online"
    assert await made.token() == "TOK"


async def test_the_fees_of_no_pair_are_not_asked_for() -> None:
    http = ScriptedHttp()
    assert await rest_on(http).fees(()) == ()
    assert http.asked == []
