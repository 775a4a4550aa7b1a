"""Requests: exact bytes, exact inverse, and nothing but what we send is read back."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.adapters.kraken import requests
from simple_trader.domain.moments import EPOCH
from simple_trader.domain.orders import (
    AmendRequest,
    FeePreference,
    OrderRequest,
    OrderType,
    PriceType,
    SelfTrade,
    Side,
    TimeInForce,
    Trigger,
    TriggerReference,
)

AT = datetime(2026, 3, 2, 10, 7, 2, 5000, tzinfo=UTC)
LIMIT = OrderRequest(
    cl_ord_id="st7-127",
    pair="BTC/USD",
    side=Side.BUY,
    order_type=OrderType.LIMIT,
    qty=Decimal("0.00000120"),
    limit_price=Decimal("61250.50"),
    time_in_force=TimeInForce.GTD,
    post_only=True,
    expire_at=datetime(2026, 3, 2, 11, tzinfo=UTC),
    deadline=AT,
)
WIRE = (
    b'{"order_type":"limit","side":"buy","symbol":"BTC/USD","order_qty":0.00000120,'
    b'"limit_price":61250.50,"time_in_force":"gtd","post_only":true,'
    b'"expire_time":"2026-03-02T11:00:00Z","deadline":"2026-03-02T10:07:02.005Z",'
    b'"cl_ord_id":"st7-127","fee_preference":"quote","stp_type":"cancel_newest"}'
)


STOP: dict[str, object] = {
    "order_type": OrderType.STOP_LOSS,
    "limit_price": None,
    "trigger": Trigger(price=Decimal("60000.0")),
    "time_in_force": TimeInForce.GTC,
    "post_only": False,
    "expire_at": None,
}


def changed(**fields: object) -> OrderRequest:
    return OrderRequest(**{name: getattr(LIMIT, name) for name in LIMIT.__struct_fields__} | fields)


def test_an_order_is_written_with_its_own_digits() -> None:
    assert requests.encode_order(LIMIT) == WIRE
    assert requests.decode_order(WIRE) == LIMIT


def test_a_market_order_says_nothing_of_price_and_time_in_force() -> None:
    market = changed(
        order_type=OrderType.MARKET,
        limit_price=None,
        time_in_force=TimeInForce.IOC,
        post_only=False,
        expire_at=None,
    )
    wire = requests.encode_order(market)
    assert b"limit_price" not in wire
    assert b"time_in_force" not in wire
    assert requests.decode_order(wire) == market


@pytest.mark.parametrize(
    "fields",
    [
        {"limit_price": None},
        {"order_type": OrderType.MARKET},
        {"order_type": OrderType.MARKET, "limit_price": None},
        {"expire_at": None},
        {"time_in_force": TimeInForce.IOC},
        {"trigger": Trigger(price=Decimal(1))},
        {"limit_price_type": PriceType.PCT},
        STOP | {"trigger": None},
        STOP | {"trigger": Trigger(price=Decimal(0))},
        STOP | {"trigger": Trigger(price=Decimal("-1"))},
        STOP | {"trigger": Trigger(price=Decimal("Infinity"))},
        STOP | {"trigger": Trigger(price=Decimal(1), price_type=PriceType.PCT)},
        STOP | {"post_only": True},
        STOP | {"limit_price": Decimal(1)},
        STOP | {"time_in_force": TimeInForce.IOC},
        STOP | {"order_type": OrderType.STOP_LOSS_LIMIT},
        STOP | {"order_type": OrderType.TRAILING_STOP},
        {"qty": Decimal("NaN")},
        {"limit_price": Decimal("Infinity")},
    ],
)
def test_what_the_wire_cannot_say_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        requests.encode_order(changed(**fields))


def test_a_deadline_finer_than_the_wire_does_not_pass_the_audit() -> None:
    fine = changed(deadline=AT + timedelta(microseconds=1))
    assert requests.decode_order(requests.encode_order(fine)) != fine


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"[]",
        b"\xff",
        WIRE.replace(b"buy", b"both"),
        WIRE.replace(b'"stp_type":"cancel_newest"', b'"stp_type":"cancel_none"'),
        WIRE.replace(b'"post_only":true,', b'"post_only":true,"reduce_only":true,'),
        WIRE.replace(b'"limit_price":61250.50,', b'"limit_price":61250.50,"triggers":{},'),
        WIRE.replace(b'"post_only":true,', b'"post_only":true,"margin":true,'),
        WIRE.replace(b"0.00000120", b'"0.00000120"'),
        WIRE.replace(b"0.00000120", b'"NaN"'),
        WIRE.replace(b"0.00000120", b"1.2e-06"),
        WIRE.replace(b"61250.50", b"61250.5").replace(b'"limit', b' "limit'),
        WIRE.replace(b"02.005Z", b"02.005"),
    ],
)
def test_bytes_that_are_not_as_we_write_them_are_refused(wire: bytes) -> None:
    with pytest.raises(ValueError):
        requests.decode_order(wire)


numbers = st.decimals(
    min_value=Decimal("1E-10"), max_value=Decimal("1E+12"), allow_nan=False, places=None
).filter(lambda value: value > 0)
ids = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=18)
millis = st.integers(min_value=0, max_value=4_000_000_000_000)


@st.composite
def orders(draw: st.DrawFn) -> OrderRequest:
    kind = draw(st.sampled_from(OrderType))
    forces = set(TimeInForce)
    if kind is OrderType.MARKET:
        forces = {TimeInForce.IOC}
    elif not kind.has_limit:
        forces -= {TimeInForce.IOC}
    force = draw(st.sampled_from(sorted(forces)))
    distance = st.sampled_from([PriceType.PCT, PriceType.QUOTE])
    trigger = None
    if kind.has_trigger:
        trigger = Trigger(
            price=draw(numbers),
            price_type=draw(distance) if kind.trails else PriceType.STATIC,
            reference=draw(st.sampled_from(TriggerReference)),
        )
    is_offset = kind is OrderType.TRAILING_STOP_LIMIT
    return OrderRequest(
        cl_ord_id=draw(ids),
        pair=draw(st.sampled_from(["BTC/USD", "SOL/EUR", "X/Y"])),
        side=draw(st.sampled_from(Side)),
        order_type=kind,
        qty=draw(numbers),
        limit_price=draw(numbers) if kind.has_limit else None,
        limit_price_type=draw(st.sampled_from(PriceType)) if is_offset else PriceType.STATIC,
        trigger=trigger,
        time_in_force=force,
        post_only=kind is OrderType.LIMIT and draw(st.booleans()),
        expire_at=EPOCH + timedelta(seconds=draw(millis) // 1000)
        if force is TimeInForce.GTD
        else None,
        deadline=EPOCH + timedelta(milliseconds=draw(millis)),
        fee_preference=draw(st.sampled_from(FeePreference)),
        stp=draw(st.sampled_from(SelfTrade)),
    )


@given(orders())
def test_decoding_is_the_exact_inverse_of_encoding(order: OrderRequest) -> None:
    wire = requests.encode_order(order)
    assert requests.decode_order(wire) == order
    assert b"e" not in json.dumps(json.loads(wire, parse_float=str)["order_qty"]).encode()


@given(orders(), ids, st.integers(min_value=1, max_value=requests.MAX_REQ_ID))
def test_the_frame_is_the_approved_bytes_with_token_and_id(
    order: OrderRequest, token: str, req_id: int
) -> None:
    wire = requests.encode_order(order)
    frame = json.loads(requests.order_frame(wire, token, req_id), parse_float=Decimal)
    assert frame["method"] == "add_order"
    assert frame["req_id"] == req_id
    assert frame["params"].pop("token") == token
    assert frame["params"] == json.loads(wire, parse_float=Decimal)


def test_a_ping_carries_no_params() -> None:
    assert json.loads(requests.ping(3)) == {"method": "ping", "req_id": 3}


def test_subscriptions_and_cancels_say_what_the_protocol_wants() -> None:
    made = requests.subscribe("book", 7, symbols=["BTC/USD"], options={"depth": 25})
    assert json.loads(made) == {
        "method": "subscribe",
        "params": {"channel": "book", "symbol": ["BTC/USD"], "depth": 25},
        "req_id": 7,
    }
    assert json.loads(requests.subscribe("executions", 8, token="TOK", on=False)) == {
        "method": "unsubscribe",
        "params": {"channel": "executions", "token": "TOK"},
        "req_id": 8,
    }
    by_ours = json.loads(requests.cancel_order("TOK", 9, cl_ord_id="st7-1"))
    assert by_ours["params"] == {"cl_ord_id": ["st7-1"], "token": "TOK"}
    by_theirs = json.loads(requests.cancel_order("TOK", 9, order_id="O1"))
    assert by_theirs["params"] == {"order_id": ["O1"], "token": "TOK"}
    assert json.loads(requests.cancel_all("TOK", 5))["params"] == {"token": "TOK"}


def test_a_stop_says_reference_price_and_kind_of_its_trigger() -> None:
    wire = json.loads(requests.encode_order(changed(**STOP)), parse_float=str)
    assert wire["triggers"] == {"reference": "last", "price": "60000.0", "price_type": "static"}
    assert wire["time_in_force"] == "gtc"
    assert "limit_price" not in wire


def test_a_check_is_the_order_with_validate_and_never_without() -> None:
    params = json.loads(requests.check_frame(WIRE, "TOK", 4), parse_float=str)["params"]
    assert params.pop("validate") is True
    assert params.pop("token") == "TOK"
    assert params == json.loads(WIRE, parse_float=str)


def test_an_amend_names_one_id_and_only_what_changes() -> None:
    change = AmendRequest(
        cl_ord_id="st7-1", pair="BTC/USD", limit_price=Decimal("61240.0"), deadline=AT
    )
    assert json.loads(requests.amend_order("TOK", 3, change), parse_float=str) == {
        "method": "amend_order",
        "params": {
            "cl_ord_id": "st7-1",
            "limit_price": "61240.0",
            "deadline": "2026-03-02T10:07:02.005Z",
            "token": "TOK",
        },
        "req_id": 3,
    }
    whole = AmendRequest(
        cl_ord_id="st7-1",
        pair="BTC/USD",
        order_id="O1",
        qty=Decimal("0.00000001"),
        limit_price=Decimal(1),
        limit_price_type=PriceType.QUOTE,
        trigger_price=Decimal(2),
        trigger_price_type=PriceType.PCT,
        post_only=True,
        deadline=AT,
    )
    params = json.loads(requests.amend_order("TOK", 3, whole), parse_float=str)["params"]
    assert "cl_ord_id" not in params
    assert params["order_qty"] == "0.00000001"
    assert (params["limit_price_type"], params["trigger_price_type"]) == ("quote", "pct")
    assert params["post_only"] is True


def test_an_amend_that_changes_nothing_is_refused() -> None:
    with pytest.raises(ValueError):
        requests.amend_order("TOK", 3, AmendRequest(cl_ord_id="st7-1", pair="BTC/USD", deadline=AT))


@pytest.mark.parametrize("seconds", [-1, 86_400])
def test_the_switch_takes_less_than_a_day(seconds: int) -> None:
    with pytest.raises(ValueError):
        requests.cancel_all_after("TOK", 3, seconds)


def test_the_switch_is_a_whole_number_of_seconds() -> None:
    assert json.loads(requests.cancel_all_after("TOK", 3, 60)) == {
        "method": "cancel_all_orders_after",
        "params": {"timeout": 60, "token": "TOK"},
        "req_id": 3,
    }
