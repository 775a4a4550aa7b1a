"""Looks by REST: trades decide, a failed look proves nothing, foreign orders are only counted."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from kraken_parts import AT, ScriptedHttp
from rest_parts import rest_on

from simple_trader.adapters.kraken import rest_client
from simple_trader.adapters.kraken.resolver import Resolver
from simple_trader.domain.actions import AskOrders, AskReconcile, Question
from simple_trader.domain.events import (
    BalancesSeen,
    ExecutionReport,
    FeesSeen,
    LedgerSeen,
    OrderLooked,
    Reconciled,
)
from simple_trader.domain.instruments import FeeRates
from simple_trader.ports import HttpFailed

UNIX = int(AT.timestamp())
ASSETS = {
    "XXBT": {"altname": "XBT", "decimals": 10, "display_decimals": 5},
    "ZUSD": {"altname": "USD", "decimals": 4, "display_decimals": 2},
}
PAIR = {
    "altname": "XBTUSD",
    "wsname": "XBT/USD",
    "base": "XXBT",
    "quote": "ZUSD",
    "pair_decimals": 1,
    "lot_decimals": 8,
    "cost_decimals": 5,
    "ordermin": "0.00005",
    "costmin": "0.5",
    "tick_size": "0.1",
    "status": "online",
}


def order(cl_ord_id: str | None, status: str, filled: str = "0.00000000") -> dict[str, Any]:
    return {
        "status": status,
        "opentm": UNIX,
        "descr": {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "price": "27500.0"},
        "vol": "1.00000000",
        "vol_exec": filled,
        "cost": "0",
        "fee": "0",
        "price": "0",
    } | ({"cl_ord_id": cl_ord_id} if cl_ord_id else {})


def trade(order_id: str, trade_id: int, qty: str = "0.25000000") -> dict[str, Any]:
    return {
        "ordertxid": order_id,
        "pair": "XXBTZUSD",
        "time": UNIX + 1,
        "type": "buy",
        "price": "27500.0",
        "cost": "6875.0",
        "fee": "1.0",
        "vol": qty,
        "trade_id": trade_id,
        "maker": False,
    }


@pytest.fixture
def http(monkeypatch: pytest.MonkeyPatch) -> ScriptedHttp:
    monkeypatch.setattr(rest_client, "_FIRST_PAUSE_S", 0.0)
    made = ScriptedHttp()
    made.will("Assets", ASSETS)
    made.will("AssetPairs", {"XXBTZUSD": PAIR})
    made.will("OpenOrders", {"open": {}})
    made.will("ClosedOrders", {"closed": {}, "count": 0})
    made.will("TradesHistory", {"trades": {}, "count": 0})
    made.will("Ledgers", {"ledger": {}, "count": 0})
    made.will("Balance", {"ZUSD": "10.0"})
    return made


def resolver(http: ScriptedHttp, *pairs: str) -> Resolver:
    rest = rest_on(http)
    return Resolver(rest, lambda: AT, lambda: pairs)


def question(kind: str) -> Question:
    return Question(
        question_id="q1", kind=kind, subject="s", asked_at=AT, deadline_s=30, config_hash="h"
    )


def ask(*cl_ord_ids: str) -> AskOrders:
    return AskOrders(question=question("orders"), cl_ord_ids=cl_ord_ids)


async def test_no_trace_is_said_with_the_moment_the_look_began(http: ScriptedHttp) -> None:
    (looked,) = await resolver(http).look(ask("st7-1"), {"st7-1": AT})
    assert looked == OrderLooked(
        cl_ord_id="st7-1", order_id=None, status=None, filled_qty=None, looked_from=AT
    )


async def test_x10_a_fast_fill_is_found_among_closed_orders_with_its_trades(
    http: ScriptedHttp,
) -> None:
    http.answers["ClosedOrders"] = [
        {"closed": {"O1": order("st7-1", "closed", "0.50000000")}, "count": 1}
    ]
    http.answers["TradesHistory"] = [
        {"trades": {"T2": trade("O1", 2), "T1": trade("O1", 1), "T9": trade("O9", 9)}, "count": 3}
    ]
    http.will("QueryOrders", {"O9": order(None, "closed")})
    *reports, looked = await resolver(http).look(ask("st7-1"), {"st7-1": AT})
    assert [r.fill.exec_id for r in reports if isinstance(r, ExecutionReport) and r.fill] == [
        "T1",
        "T2",
    ]
    assert isinstance(looked, OrderLooked)
    assert (looked.status, looked.filled_qty) == ("closed", Decimal("0.5"))
    assert {r.source for r in reports if isinstance(r, ExecutionReport)} == {"rest"}


async def test_x09_trades_count_where_the_order_says_nothing_filled(http: ScriptedHttp) -> None:
    http.answers["ClosedOrders"] = [{"closed": {"O1": order("st7-1", "canceled")}, "count": 1}]
    http.answers["TradesHistory"] = [{"trades": {"T1": trade("O1", 1)}, "count": 1}]
    report, looked = await resolver(http).look(ask("st7-1"), {})
    assert isinstance(report, ExecutionReport)
    assert isinstance(looked, OrderLooked)
    assert looked.filled_qty == Decimal("0.25")


async def test_i_05_no_trace_without_a_beginning_proves_nothing(http: ScriptedHttp) -> None:
    (looked,) = await resolver(http).look(ask("st7-1"), {})
    assert isinstance(looked, OrderLooked)
    assert looked.error


async def test_an_order_in_both_lists_is_what_the_later_look_says(http: ScriptedHttp) -> None:
    http.answers["OpenOrders"] = [{"open": {"O1": order("st7-1", "open")}}]
    http.answers["ClosedOrders"] = [{"closed": {"O1": order("st7-1", "canceled")}, "count": 1}]
    looked, _ = await resolver(http).look(ask("st7-1", "st7-2"), {})
    assert isinstance(looked, OrderLooked)
    assert looked.status == "canceled"


async def test_x18_a_look_costs_what_it_needs_and_one_look_serves_all_orders(
    http: ScriptedHttp,
) -> None:
    resting = {"O1": order("st7-1", "open"), "O2": order("st7-2", "open")}
    http.answers["OpenOrders"] = [{"open": resting}]
    sent = dict.fromkeys(("st7-1", "st7-2", "st7-3"), AT)
    looked = await resolver(http).look(ask("st7-1", "st7-2"), sent)
    assert [event.status for event in looked if isinstance(event, OrderLooked)] == ["open"] * 2
    private = [name for name, *_ in http.asked if name not in ("Assets", "AssetPairs")]
    assert private == ["OpenOrders"]  # they rest untouched: nothing else can be said of them
    before = len(http.asked)
    await resolver(http).look(ask("st7-1", "st7-2", "st7-3"), sent)
    again = [name for name, *_ in http.asked[before:] if name not in ("Assets", "AssetPairs")]
    assert again == ["OpenOrders", "ClosedOrders", "TradesHistory"]


async def test_the_search_begins_two_minutes_before_the_first_send(http: ScriptedHttp) -> None:
    await resolver(http).look(
        ask("st7-1", "st7-2"), {"st7-1": AT, "st7-2": AT + timedelta(hours=1)}
    )
    body = next(body for endpoint, body, _ in http.asked if endpoint == "ClosedOrders")
    assert f"start={UNIX - 240}" in body  # two minutes here, two in every paged read


async def test_an_order_of_an_earlier_life_is_searched_without_a_start(http: ScriptedHttp) -> None:
    await resolver(http).look(ask("st7-1", "st6-9"), {"st7-1": AT})
    body = next(body for endpoint, body, _ in http.asked if endpoint == "ClosedOrders")
    assert "start" not in body


async def test_a_look_that_fails_proves_nothing(http: ScriptedHttp) -> None:
    http.answers["ClosedOrders"] = [HttpFailed("reset")]
    looked = await resolver(http).look(ask("st7-1", "st7-2"), {})
    assert [event.error != "" for event in looked if isinstance(event, OrderLooked)] == [True] * 2


async def test_reconciliation_tells_trades_ledger_balances_then_the_end(http: ScriptedHttp) -> None:
    http.answers["OpenOrders"] = [
        {
            "open": {
                "O1": order("st7-1", "open"),
                "O2": order(None, "open"),
                "O3": order("x", "open"),
            }
        }
    ]
    http.answers["TradesHistory"] = [{"trades": {"T1": trade("O1", 1)}, "count": 1}]
    http.answers["Ledgers"] = [
        {
            "ledger": {
                "L1": {
                    "refid": "T1",
                    "time": UNIX,
                    "type": "trade",
                    "asset": "ZUSD",
                    "amount": "-1",
                    "fee": "0",
                    "balance": "9",
                }
            },
            "count": 1,
        }
    ]
    since = datetime(2026, 3, 1, tzinfo=UTC)
    events = await resolver(http).reconcile(AskReconcile(question=question("account"), since=since))
    kinds = [type(event) for event in events]
    assert kinds == [ExecutionReport, LedgerSeen, BalancesSeen, Reconciled]
    end = events[-1]
    assert isinstance(end, Reconciled)
    assert (end.open_cl_ord_ids, end.foreign_open_orders, end.clean) == (("st7-1",), 2, True)
    report = events[0]
    assert isinstance(report, ExecutionReport)
    assert report.cl_ord_id == "st7-1"
    assert '"trade_id"' in report.raw


async def test_x26_a_full_look_reads_the_fee_tier_again(http: ScriptedHttp) -> None:
    fees = {"XXBTZUSD": {"fee": "0.3500"}, "XETHZUSD": {"fee": "0.1"}}
    http.will("TradeVolume", {"fees": fees, "fees_maker": {"XXBTZUSD": {"fee": "0.2000"}}})
    asked = AskReconcile(question=question("account"), since=AT)
    *_, seen, end = await resolver(http, "BTC/USD").reconcile(asked)
    rates = FeeRates(pair="BTC/USD", maker=Decimal("0.002"), taker=Decimal("0.0035"))
    assert seen == FeesSeen(fees=rates)
    assert isinstance(end, Reconciled)


async def test_a_fee_tier_that_cannot_be_read_does_not_spoil_the_look(
    http: ScriptedHttp, caplog: pytest.LogCaptureFixture
) -> None:
    http.will("TradeVolume", "EGeneral:Permission denied")
    asked = AskReconcile(question=question("account"), since=AT)
    events = await resolver(http, "BTC/USD").reconcile(asked)
    assert isinstance(events[-1], Reconciled)
    assert events[-1].clean
    assert not any(isinstance(event, FeesSeen) for event in events)
    assert "fee tier" in caplog.text


async def test_a_reconciliation_that_fails_is_not_clean(http: ScriptedHttp) -> None:
    http.answers["Balance"] = [HttpFailed("reset")]
    (end,) = await resolver(http).reconcile(AskReconcile(question=question("account"), since=AT))
    assert isinstance(end, Reconciled)
    assert not end.clean
    assert "Balance" in end.detail


async def test_i_05_no_trace_is_only_said_after_the_trades_were_asked_too(
    http: ScriptedHttp,
) -> None:
    # REST's lists of orders lag apart from one another: a trade alone is a trace.
    http.answers["TradesHistory"] = [{"trades": {"T1": trade("O1", 1)}, "count": 1}]
    http.will("QueryOrders", {"O1": order("st7-1", "closed", "0.25000000")})
    report, looked = await resolver(http).look(ask("st7-1"), {"st7-1": AT})
    assert isinstance(report, ExecutionReport)
    assert isinstance(looked, OrderLooked)
    assert (looked.order_id, looked.status) == ("O1", "closed")


async def test_an_order_of_an_earlier_life_is_searched_since_its_approval(
    http: ScriptedHttp,
) -> None:
    asked = AskOrders(question=question("orders"), cl_ord_ids=("st6-9",), since=AT)
    await resolver(http).look(asked, {})
    for endpoint in ("ClosedOrders", "TradesHistory"):
        body = next(body for name, body, _ in http.asked if name == endpoint)
        assert f"start={UNIX - 240}" in body


@pytest.mark.parametrize("endpoint", ["OpenOrders", "ClosedOrders", "TradesHistory"])
async def test_an_answer_without_its_list_proves_nothing_and_ends_nothing(
    http: ScriptedHttp, endpoint: str
) -> None:
    http.answers[endpoint] = [{}]
    (looked,) = await resolver(http).look(ask("st7-1"), {"st7-1": AT})
    assert isinstance(looked, OrderLooked)
    assert looked.error
