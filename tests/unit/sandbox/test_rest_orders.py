"""REST orders: every parameter, forms and JSON alike, and what comes back."""

import json
from decimal import Decimal
from typing import Any

import pytest
import sandbox_parts as parts

from simple_trader.sandbox.exchange import Exchange

BUY = {"pair": "XBTUSD", "type": "buy", "volume": "0.001"}
LIMIT = {**BUY, "ordertype": "limit", "price": "50000"}


def desk(**options: Any) -> tuple[Exchange, parts.Signed]:
    there = parts.exchange(**options)
    return there, parts.Signed(there)


def last_price(there: Exchange) -> Decimal:
    last = there.market("BTC/USD").last
    assert last is not None
    return Decimal(last.tick).scaleb(-1)


def row_of(rest: parts.Signed, answer: dict[str, Any]) -> dict[str, Any]:
    order_id = answer["txid"][0]
    row: dict[str, Any] = rest.good("QueryOrders", txid=order_id)[order_id]
    return row


@pytest.mark.parametrize(
    ("fields", "said", "price", "price2"),
    [
        ({"ordertype": "limit", "price": "50000.5"}, "limit 50000.5", "50000.5", "0"),
        ({"ordertype": "stop-loss", "price": "90000"}, "stop loss 90000.0", "90000.0", "0"),
        (
            {"ordertype": "stop-loss-limit", "price": "90000", "price2": "90010"},
            "stop loss 90000.0 -> limit 90010.0", "90000.0", "90010.0",
        ),
        (
            {"ordertype": "stop-loss-limit", "price": "90000", "price2": "+1%"},
            "stop loss 90000.0 -> limit 90900.0", "90000.0", "90900.0",
        ),
        (
            {"ordertype": "take-profit", "price": "50000", "trigger": "index"},
            "take profit 50000.0", "50000.0", "0",
        ),
        (
            {"ordertype": "take-profit-limit", "price": "50000", "price2": "#10"},
            "take profit 50000.0 -> limit 49990.0", "50000.0", "49990.0",
        ),
        ({"ordertype": "trailing-stop", "price": "+2%"}, "trailing stop +2.0000%", "+2.0000%", "0"),
        (
            {"ordertype": "trailing-stop-limit", "price": "+100", "price2": "-5"},
            "trailing stop +100.0 -> limit -5.0", "+100.0", "-5.0",
        ),
        (
            {"ordertype": "iceberg", "price": "50000", "displayvol": "0.0001"},
            "iceberg 50000.0", "50000.0", "0",
        ),
    ],
)  # fmt: skip
def test_each_order_type_is_taken_and_said_in_kraken_s_words(
    fields: dict[str, str], said: str, price: str, price2: str
) -> None:
    _, rest = desk()
    answer = rest.good("AddOrder", **BUY, **fields)
    assert answer["descr"]["order"] == f"buy 0.00100000 XBTUSD @ {said}"
    descr = row_of(rest, answer)["descr"]
    assert (descr["price"], descr["price2"]) == (price, price2)
    assert descr["ordertype"] == fields["ordertype"]


@pytest.mark.parametrize(
    ("side", "text", "factor", "offset"),
    [
        ("buy", "-1%", "0.99", "0"),
        ("sell", "+1%", "1.01", "0"),
        ("buy", "#100", "1", "-100"),
        ("sell", "#100", "1", "100"),
        ("buy", "-50.04", "1", "-50.0"),
    ],
)
def test_relative_limits_count_from_the_last_price_and_land_on_the_tick(
    side: str, text: str, factor: str, offset: str
) -> None:
    there, rest = desk()
    rest.good("AddOrder", pair="XBTUSD", type="buy", ordertype="market", volume="0.002")
    order = {"pair": "XBTUSD", "type": side, "ordertype": "limit", "price": text}
    row = row_of(rest, rest.good("AddOrder", **order, volume="0.001"))
    wanted = last_price(there) * Decimal(factor) + Decimal(offset)
    assert abs(Decimal(row["descr"]["price"]) - wanted) < Decimal("0.1")


def test_every_other_parameter_of_add_order_reaches_the_order() -> None:
    there, rest = desk()
    answer = rest.good(
        "AddOrder", **LIMIT, oflags="post,fcib", timeinforce="GTD", expiretm="+60",
        starttm="+5", userref="-7", stptype="cancel-both", deadline="2026-03-02T10:00:30Z",
        **{"close[ordertype]": "stop-loss-limit", "close[price]": "40000",
           "close[price2]": "39000"},
    )  # fmt: skip
    assert answer["descr"]["close"] == "close position @ stop loss 40000.0 -> limit 39000.0"
    row = row_of(rest, answer)
    assert (row["status"], row["userref"], row["oflags"]) == ("pending", -7, "fcib,post")
    assert row["time_in_force"] == "GTD"
    assert row["expiretm"] - row["opentm"] == 60
    assert row["starttm"] - row["opentm"] == 5
    assert there.venue.open[answer["txid"][0]].stp == "cancel_both"
    cash = rest.good("AddOrder", **{**BUY, "volume": "100"}, ordertype="market", oflags="viqc")
    filled = row_of(rest, cash)
    assert Decimal(99) < Decimal(filled["cost"]) <= Decimal(100)
    killed = rest.good("AddOrder", **LIMIT, timeinforce="FOK")
    assert row_of(rest, killed)["status"] == "canceled"


def test_a_json_body_with_nested_fields_says_the_same() -> None:
    _, rest = desk()
    body = {**LIMIT, "price": 50000, "close": {"ordertype": "take-profit", "price": "60000"}}
    errors, answer = rest.posted("AddOrder", body)
    assert errors == []
    assert answer["descr"]["close"] == "close position @ take profit 60000.0"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"ordertype": "stop"}, "EGeneral:Invalid arguments:ordertype"),
        ({"type": "hold"}, "EGeneral:Invalid arguments:type"),
        ({"price2": "5"}, "EGeneral:Invalid arguments:price2"),
        ({"price": "5%"}, "EGeneral:Invalid arguments:price"),
        ({"price": "+-5"}, "EGeneral:Invalid arguments:price"),
        ({"price": "+"}, "EGeneral:Invalid arguments:price"),
        ({"oflags": "post,fast"}, "EGeneral:Invalid arguments:oflags"),
        ({"timeinforce": "DAY"}, "EGeneral:Invalid arguments:timeinforce"),
        ({"leverage": "2"}, "EGeneral:Invalid arguments:leverage"),
        ({"reduce_only": "true"}, "EGeneral:Invalid arguments:leverage"),
        ({"stptype": "cancel_newest"}, None),
        ({"stptype": "all"}, "EGeneral:Invalid arguments:stptype"),
        ({"userref": "9999999999"}, "EGeneral:Invalid arguments:userref"),
        ({"deadline": "soon"}, "EGeneral:Invalid arguments:deadline"),
        ({"pair": "NOPE"}, "EQuery:Unknown asset pair"),
        ({"ordertype": "stop-loss", "price": ""}, "EGeneral:Invalid arguments:price"),
        ({"ordertype": "stop-loss-limit"}, "EGeneral:Invalid arguments:price2"),
        ({"ordertype": "stop-loss", "trigger": "mid"}, "EGeneral:Invalid arguments:trigger"),
        ({"ordertype": "trailing-stop", "price": "5"}, "EGeneral:Invalid arguments:price"),
        ({"close[ordertype]": "market"}, "EGeneral:Invalid arguments:close[ordertype]"),
        ({"close[ordertype]": "limit"}, "EGeneral:Invalid arguments:close[price]"),
    ],
)
def test_wrong_parameters_are_refused_by_name(changes: dict[str, str], error: str | None) -> None:
    there, rest = desk()
    errors, _ = rest.request("AddOrder", **{**LIMIT, **changes})
    assert errors == ([] if error is None else [error])
    assert len(there.venue.open) == (error is None)


@pytest.mark.parametrize("road", ["json", "form"])
def test_a_batch_answers_each_order_by_itself(road: str) -> None:
    there, rest = desk()
    orders: list[dict[str, Any]] = [
        {
            "ordertype": "limit", "type": "buy", "price": "50000", "volume": "0.001",
            "cl_ord_id": "a",
        },
        {"ordertype": "limit", "type": "buy", "price": "50000", "volume": "900"},
        {
            "ordertype": "limit", "type": "buy", "price": "50001", "volume": "0.001",
            "close": {"ordertype": "limit", "price": "60000"},
        },
    ]  # fmt: skip
    if road == "json":
        errors, answer = rest.posted("AddOrderBatch", {"pair": "XBTUSD", "orders": orders})
    else:
        close = orders[2].pop("close")
        form = {f"orders[{n}][{k}]": v for n, row in enumerate(orders) for k, v in row.items()}
        form |= {f"orders[2][close][{k}]": v for k, v in close.items()}
        errors, answer = rest.request("AddOrderBatch", pair="XBTUSD", **form)
    assert errors == []
    first, second, third = answer["orders"]
    assert first["cl_ord_id"] == "a"
    assert second == {"error": "EOrder:Insufficient funds"}
    assert third["descr"]["close"] == "close position @ limit 60000.0"
    assert [first["txid"], third["txid"]] == list(there.venue.open)
    checked = {"pair": "XBTUSD", "orders": [*orders[:1], *orders[:1]], "validate": True}
    checked["orders"] = [
        {k: v for k, v in row.items() if k != "cl_ord_id"} for row in checked["orders"]
    ]
    rows = rest.posted("AddOrderBatch", checked)[1]["orders"]
    assert all("txid" not in row and "descr" in row for row in rows)
    assert rest.posted("AddOrderBatch", {"pair": "XBTUSD", "orders": []})[0] == [
        "EGeneral:Invalid arguments:orders"
    ]


def test_an_amend_is_answered_and_its_history_kept_over_a_restart(tmp_path: Any) -> None:
    there, rest = desk(state=tmp_path / "s")
    order_id = rest.good("AddOrder", **LIMIT)["txid"][0]
    amended = rest.good("AmendOrder", txid=order_id, order_qty="0.002", limit_price="-10%")
    there.close()
    again = parts.exchange(state=tmp_path / "s")
    rest.turn_to(again)
    answer = rest.good("OrderAmends", order_id=order_id)
    original, user = answer["amends"]
    assert (original["amend_type"], original["limit_price"]) == ("original", "50000.0")
    assert (user["amend_type"], user["amend_id"]) == ("user", amended["amend_id"])
    assert (user["order_qty"], user["remaining_qty"]) == ("0.00200000", "0.00200000")
    assert user["timestamp"] == 1772445600000
    assert answer["count"] == 2
    assert again.venue.open[order_id].amended
    untouched = rest.good("AddOrder", **LIMIT)["txid"][0]
    assert rest.good("OrderAmends", order_id=untouched) == {"amends": [], "count": 0}
    assert rest.request("AmendOrder", order_qty="1")[0] == ["EGeneral:Invalid arguments:txid"]
    assert rest.request("AmendOrder", cl_ord_id="no")[0] == ["EOrder:Unknown order"]


def test_an_edit_names_both_orders() -> None:
    there, rest = desk()
    old = rest.good("AddOrder", **LIMIT, userref="5")["txid"][0]
    answer = rest.good("EditOrder", txid=old, pair="XBTUSD", price="50100", volume="0.002")
    assert (answer["status"], answer["originaltxid"], answer["orders_cancelled"]) == ("ok", old, 1)
    assert answer["descr"]["order"] == "buy 0.00200000 XBTUSD @ limit 50100.0"
    new = rest.good("QueryOrders", txid=answer["txid"])[answer["txid"]]
    assert (new["link_id"], new["status"]) == (old, "open")
    closed = rest.good("ClosedOrders")["closed"][old]
    assert (closed["status"], closed["reason"]) == ("canceled", "Order replaced")
    assert list(there.venue.open) == [answer["txid"]]


def test_cancel_takes_an_id_a_userref_or_a_client_id() -> None:
    there, rest = desk()
    for names in ({"userref": "9"}, {"userref": "9"}, {"cl_ord_id": "mine"}, {}):
        rest.good("AddOrder", **LIMIT, **names)
    order_id = list(there.venue.open)[-1]
    assert rest.good("CancelOrder", txid="9") == {"count": 2}
    assert rest.good("CancelOrder", cl_ord_id="mine") == {"count": 1}
    assert rest.good("CancelOrder", txid=order_id) == {"count": 1}
    assert rest.request("CancelOrder")[0] == ["EGeneral:Invalid arguments:txid"]


@pytest.mark.parametrize("road", ["json", "commas", "brackets"])
def test_a_cancel_batch_takes_lists_of_every_kind(road: str) -> None:
    there, rest = desk()
    ids = [rest.good("AddOrder", **LIMIT)["txid"][0] for _ in range(2)]
    rest.good("AddOrder", **LIMIT, cl_ord_id="a")
    rest.good("AddOrder", **LIMIT, userref="77")
    if road == "json":
        fields: dict[str, Any] = {"orders": [*ids, 77], "cl_ord_ids": ["a"]}
        assert rest.posted("CancelOrderBatch", fields)[1] == {"count": 4}
    elif road == "commas":
        answer = rest.good("CancelOrderBatch", orders=",".join([*ids, "77"]), cl_ord_ids="a")
        assert answer == {"count": 4}
    else:
        named = {f"orders[{n}]": name for n, name in enumerate([*ids, "77"])}
        assert rest.good("CancelOrderBatch", **named, **{"cl_ord_ids[]": "a"}) == {"count": 4}
    assert not there.venue.open


def test_the_failure_envelope_is_a_switch() -> None:
    for rule, wanted in (("absent", {"error"}), ("null", {"error", "result"})):
        there = parts.exchange(rules=(f"rest_failure={rule}",))
        _, answer = there.rest("GET", "/0/public/Dance", {}, b"")
        assert set(json.loads(answer)) == wanted
