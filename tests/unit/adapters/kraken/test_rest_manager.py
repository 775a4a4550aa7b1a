"""REST reads: lossless, named in v2, paged with overlap, and honest where an answer is unusable."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kraken_parts import Even, Mark, RealClock, ScriptedHttp, Shown

from simple_trader.adapters.kraken import rest_client
from simple_trader.adapters.kraken.auth import Credentials
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.domain.errors import VenueRefused, VenueUnreachable
from simple_trader.domain.fills import Fee
from simple_trader.domain.instruments import PairStatus, VenueStatus
from simple_trader.domain.orders import Side
from simple_trader.ports import HttpReply

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
UNIX = int(AT.timestamp())
ASSETS = {
    "XXBT": {"aclass": "currency", "altname": "XBT", "decimals": 10, "display_decimals": 5},
    "XXDG": {"altname": "XDG", "decimals": 8, "display_decimals": 2, "status": "enabled"},
    "ZUSD": {"altname": "USD", "decimals": 4, "display_decimals": 2, "status": "enabled"},
    "XBT.F": {"altname": "XBT.F", "decimals": 10, "display_decimals": 5, "status": "enabled"},
}
PAIR = {
    "altname": "XBTUSD",
    "wsname": "XBT/USD",
    "base": "XXBT",
    "quote": "ZUSD",
    "cost_decimals": 5,
    "pair_decimals": 1,
    "lot_decimals": 8,
    "ordermin": "0.00005",
    "costmin": "0.5",
    "tick_size": "0.1",
    "status": "online",
    "fees": [[0, 0.4]],
}
DARK = PAIR | {"altname": "XBTUSD.d", "wsname": ""}
ORDER = {
    "refid": None,
    "userref": 0,
    "cl_ord_id": "st7-1",
    "status": "canceled",
    "opentm": 1772445600.123456,
    "closetm": 1772445601.5,
    "reason": "User requested",
    "descr": {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "27500.0"},
    "vol": "1.25000000",
    "vol_exec": "0.50000000",
    "cost": "13750.00000",
    "fee": "55.00000",
    "price": "27500.0",
    "misc": "",
    "oflags": "fciq",
}
TRADE = {
    "ordertxid": "O1",
    "pair": "XXBTZUSD",
    "time": 1772445600.1234567,
    "type": "buy",
    "ordertype": "limit",
    "price": "27500.00000",
    "cost": "13750.00000",
    "fee": "55.00000",
    "vol": "0.50000000",
    "trade_id": 40,
    "maker": True,
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_client, "_FIRST_PAUSE_S", 0.0)


@pytest.fixture
def http() -> ScriptedHttp:
    made = ScriptedHttp()
    made.will("Assets", ASSETS)
    made.will("AssetPairs", {"XXBTZUSD": PAIR, "XXBTZUSD.d": DARK})
    return made


def rest(http: ScriptedHttp) -> KrakenRest:
    return KrakenRest(
        RestClient(
            url="http://127.0.0.1:1",
            http=http,
            clock=RealClock(),
            dice=Even(),
            credentials=Credentials(Shown("key"), Shown("c2VjcmV0")),
            high_water=Mark(),
        )
    )


async def test_pairs_have_v2_names_and_their_own_digits(http: ScriptedHttp) -> None:
    (rules,) = await rest(http).pairs()
    assert (rules.pair, rules.base, rules.quote) == ("BTC/USD", "BTC", "USD")
    assert (rules.rest_id, rules.altname) == ("XXBTZUSD", "XBTUSD")
    assert f"{rules.qty_min:f}" == "0.00005000"
    assert rules.status is PairStatus.ONLINE
    assert rules.price_increment == Decimal("0.1")


async def test_assets_have_v2_names(http: ScriptedHttp) -> None:
    found = {rules.rest_id: rules.asset for rules in await rest(http).assets()}
    assert found == {"XXBT": "BTC", "XXDG": "DOGE", "ZUSD": "USD", "XBT.F": "BTC.F"}


async def test_balances_are_exact_and_auto_earn_counts(http: ScriptedHttp) -> None:
    http.will("Balance", {"ZUSD": "22.6354", "XXBT": "0.0022698000", "XBT.F": "1.0000000001"})
    assert await rest(http).balances() == {"USD": "22.6354", "BTC": "1.0022698001"}


@pytest.mark.parametrize("value", ["NaN", "Infinity", "lots"])
async def test_a_balance_that_is_no_number_is_no_answer(http: ScriptedHttp, value: str) -> None:
    http.will("Balance", {"ZUSD": value})
    with pytest.raises(VenueUnreachable):
        await rest(http).balances()


async def test_fees_are_fractions(http: ScriptedHttp) -> None:
    fee = {"fee": "0.4000", "minfee": "0.1000"}
    maker = {"XXBTZUSD": {"fee": "0.2500"}}
    http.will("TradeVolume", {"volume": "0", "fees": {"XXBTZUSD": fee}, "fees_maker": maker})
    (rates,) = await rest(http).fees(["BTC/USD"])
    assert (rates.pair, rates.maker, rates.taker) == (
        "BTC/USD",
        Decimal("0.0025"),
        Decimal("0.004"),
    )
    assert parse_qs(http.asked[-1][1])["pair"] == ["XBTUSD"]


async def test_orders_say_what_the_exchange_says(http: ScriptedHttp) -> None:
    http.will("OpenOrders", {"open": {"O1": ORDER}})
    (row,) = await rest(http).open_orders()
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
    (row,) = await rest(http).open_orders()
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
    (row,) = await rest(http).open_orders()
    assert row.limit_price == (None if limit is None else Decimal(limit))


async def test_a_trade_is_a_fill_and_learns_its_client_id(http: ScriptedHttp) -> None:
    http.will("TradesHistory", {"trades": {"T1": TRADE}, "count": 1})
    http.will("QueryOrders", {"O1": ORDER})
    (fill,) = await rest(http).trades(None)
    assert (fill.exec_id, fill.cl_ord_id, fill.pair) == ("T1", "st7-1", "BTC/USD")
    assert fill.fees == (Fee("USD", Decimal("55.00000")),)
    assert fill.liquidity == "maker"
    assert fill.venue_at == AT + timedelta(microseconds=123456)


def pages(rows: list[tuple[str, Any]], field: str, *, shift_after: int | None = None) -> Any:
    """Serve `rows` (newest first), 50 a page; after `shift_after` requests one more is on top."""

    class Pages(ScriptedHttp):
        served = 0

        async def request(self, method: str, url: str, **more: Any) -> HttpReply:
            if not url.endswith(("TradesHistory", "ClosedOrders", "Ledgers")):
                return await super().request(method, url, **more)
            if self.served == shift_after:
                rows.insert(0, ("Tnew", TRADE | {"trade_id": 9999, "time": UNIX + 99999}))
            self.served += 1
            query = parse_qs((more["body"] or b"").decode())
            start = int(query["ofs"][0])
            page = dict(rows[start : start + 50])
            self.answers[url.rsplit("/", 1)[-1]] = [{field: page, "count": len(rows)}]
            return await super().request(method, url, **more)

    made = Pages()
    made.will("Assets", ASSETS)
    made.will("AssetPairs", {"XXBTZUSD": PAIR})
    made.will("QueryOrders", {"O1": ORDER})
    return made


def many_trades(count: int) -> list[tuple[str, Any]]:
    return [
        (f"T{number}", TRADE | {"trade_id": number, "time": UNIX + number})
        for number in range(count, 0, -1)
    ]


async def test_x11_more_than_fifty_fills_are_all_found_oldest_first() -> None:
    http = pages(many_trades(233), "trades")
    found = await rest(http).trades(AT)
    assert [fill.trade_id for fill in found] == list(range(1, 234))
    first = next(body for endpoint, body, _ in http.asked if endpoint == "TradesHistory")
    assert parse_qs(first)["start"] == [str(UNIX - 120)]


async def test_x12_rows_that_shift_between_pages_are_neither_lost_nor_doubled() -> None:
    http = pages(many_trades(120), "trades", shift_after=1)
    found = await rest(http).trades(None)
    assert [fill.trade_id for fill in found] == [*range(1, 121), 9999], "the new one too"


@given(
    st.integers(0, 200),
    st.dictionaries(st.integers(0, 8), st.lists(st.integers(0, 250), max_size=60), max_size=4),
)
@settings(max_examples=40, deadline=None)
def test_x12_whatever_is_inserted_wherever_between_pages_is_found(
    count: int, inserts: dict[int, list[int]]
) -> None:
    """As orders do that close between others: the list grows anywhere, until it is at rest."""
    rows = many_trades(count)

    class Growing(ScriptedHttp):
        served = 0

        async def request(self, method: str, url: str, **more: Any) -> HttpReply:
            if not url.endswith("TradesHistory"):
                return await super().request(method, url, **more)
            for place in inserts.get(self.served, []):
                made = (f"N{len(rows)}", TRADE | {"trade_id": 10_000 + len(rows)})
                rows.insert(min(place, len(rows)), made)
            self.served += 1
            start = int(parse_qs((more["body"] or b"").decode())["ofs"][0])
            page = dict(rows[start : start + 50])
            self.answers["TradesHistory"] = [{"trades": page, "count": len(rows)}]
            return await super().request(method, url, **more)

    http = Growing()
    http.will("Assets", ASSETS)
    http.will("AssetPairs", {"XXBTZUSD": PAIR})
    http.will("QueryOrders", {"O1": ORDER})
    made = asyncio.run(rest(http).trades(None))
    assert len({fill.exec_id for fill in made}) == len(made) == len(rows)


async def test_history_without_a_count_ends_with_a_page_that_is_not_full(
    http: ScriptedHttp,
) -> None:
    http.will("ClosedOrders", {"closed": {"O1": ORDER}})
    assert len(await rest(http).closed_orders(None)) == 1
    assert [name for name, _, _ in http.asked].count("ClosedOrders") == 1


async def test_a_count_that_is_never_reached_ends_after_a_pass_without_anything_new(
    http: ScriptedHttp,
) -> None:
    http.will("ClosedOrders", {"closed": {"O1": ORDER}, "count": 7})
    assert len(await rest(http).closed_orders(None)) == 1
    assert [name for name, _, _ in http.asked].count("ClosedOrders") == 2


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
    made = rest(http)
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
    assert await rest(http).pairs() == ()


async def test_the_price_step_is_the_tick_and_not_the_decimals(http: ScriptedHttp) -> None:
    http.answers["AssetPairs"] = [{"XXBTZUSD": PAIR | {"pair_decimals": 4, "tick_size": "0.25"}}]
    (rules,) = await rest(http).pairs()
    assert (rules.price_increment, rules.price_precision) == (Decimal("0.25"), 4)


async def test_the_dead_mans_switch_is_armed_and_disarmed(http: ScriptedHttp) -> None:
    http.will(
        "CancelAllOrdersAfter",
        {"currentTime": "2026-03-02T10:00:00Z", "triggerTime": "2026-03-02T10:01:00Z"},
        {"currentTime": "2026-03-02T10:00:00Z", "triggerTime": "0"},
        {"currentTime": 7},
    )
    made = rest(http)
    armed = await made.cancel_all_after(60)
    assert (armed.current_at, armed.trigger_at) == (AT, AT + timedelta(minutes=1))
    assert (await made.cancel_all_after(0)).trigger_at is None
    assert (await made.cancel_all_after(60)).trigger_at is None
    assert parse_qs(http.asked[0][1])["timeout"] == ["60"]


async def test_an_unknown_word_of_the_exchange_is_an_unknown_state(http: ScriptedHttp) -> None:
    http.will("SystemStatus", {"status": "dreaming"})
    assert await rest(http).system_status() is VenueStatus.UNKNOWN


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
    first, second = await rest(http).ledgers(None)
    assert (first.ledger_id, second.ledger_id) == ("L1", "L2")
    assert (first.asset, str(first.amount)) == ("BTC", "0.5000000000")


async def test_candles_leave_out_the_running_one(http: ScriptedHttp) -> None:
    rows = [[UNIX + 60 * i, "1.0", "2.0", "0.5", "1.5", "1.2", "3.00000000", 4] for i in range(5)]
    http.will("OHLC", {"XXBTZUSD": rows, "last": UNIX + 180})
    found = await rest(http).candles("BTC/USD", 60, 3)
    assert [candle.begin for candle in found] == [AT + timedelta(minutes=i) for i in (1, 2, 3)]
    assert found[0].high == Decimal("2.0")
    assert "pair=XBTUSD" in http.asked[-1][1]


async def test_an_interval_the_exchange_does_not_have_is_refused(http: ScriptedHttp) -> None:
    with pytest.raises(VenueRefused):
        await rest(http).candles("BTC/USD", 61, 3)


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
        await getattr(rest(http), call)()


async def test_time_status_and_token_are_read(http: ScriptedHttp) -> None:
    http.will("Time", {"unixtime": UNIX, "rfc1123": "x"})
    http.will("SystemStatus", {"status": "online", "timestamp": "x"})
    http.will("GetWebSocketsToken", {"token": "TOK", "expires": 900})
    made = rest(http)
    assert await made.server_time() == AT
    assert await made.system_status() == "online"
    assert await made.token() == "TOK"


async def test_the_fees_of_no_pair_are_not_asked_for() -> None:
    http = ScriptedHttp()
    assert await rest(http).fees(()) == ()
    assert http.asked == []
