"""Whatever a client sends is answered; nothing a client sends ends the exchange."""

import json
from typing import Any

import pytest
import sandbox_parts as parts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simple_trader.sandbox.requests import CHANNEL_FIELDS, METHOD_FIELDS

ODD_TEXT = st.sampled_from(
    ["", "BTC/USD", "buy", "sell", "limit", "market", "gtd", "ioc", "bbo", "\x00", "9" * 400, "NaN"]
) | st.text(max_size=12)
ODD_NUMBER = st.sampled_from(
    ["0", "-1", "1e400", "-1e400", "1e-400", "0.1", "50000", "60000.5", "9" * 60, "1" + "0" * 30]
)
# A number goes out as its own digits: json.dumps would make a float of it.
NUMBER = ODD_NUMBER.map(lambda digits: f"<<{digits}>>")
VALUE = st.recursive(
    ODD_TEXT | NUMBER | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD_TEXT, inner, max_size=2),
    max_leaves=4,
)
FIELDS = sorted({field for fields in METHOD_FIELDS.values() for field in fields})
CHANNELS = sorted(CHANNEL_FIELDS)
SUBSCRIBE_FIELDS = sorted({field for fields in CHANNEL_FIELDS.values() for field in fields})
QUIET = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

_THERE = parts.exchange()
_PRIVATE = _THERE.open_session(private=True)
_PUBLIC = _THERE.open_session(private=False)
_TOKEN = _THERE.keys.issue_token()
_REST = parts.Signed(_THERE)


def wire_text(message: Any) -> str:
    return json.dumps(message).replace('"<<', "").replace('>>"', "")


@QUIET
@given(
    st.sampled_from([*sorted(METHOD_FIELDS), "subscribe", "unsubscribe", "ping"]),
    st.dictionaries(st.sampled_from(FIELDS), VALUE, max_size=8),
    VALUE,
)
def test_every_order_request_gets_an_answer(
    method: str, params: dict[str, Any], req_id: Any
) -> None:
    full: dict[str, Any] = {"token": _TOKEN, **params}
    if method == "add_order":
        full = {"order_type": "limit", "side": "buy", "symbol": "BTC/USD", **full}
    if method == "batch_add":
        one = {"order_type": "limit", "side": "buy", **params}
        full = {"symbol": "BTC/USD", "orders": [one, one], "token": _TOKEN}
    _PRIVATE.outgoing()
    _PRIVATE.receive(wire_text({"method": method, "params": full, "req_id": req_id}))
    assert any('"time_out"' in frame for frame in _PRIVATE.outgoing())
    parts.step(_THERE)


@QUIET
@given(
    st.sampled_from(["subscribe", "unsubscribe"]),
    st.sampled_from(CHANNELS),
    st.dictionaries(st.sampled_from(SUBSCRIBE_FIELDS), VALUE, max_size=5),
)
def test_every_subscription_gets_an_answer(
    method: str, channel: str, params: dict[str, Any]
) -> None:
    for session in (_PUBLIC, _PRIVATE):
        session.outgoing()
        full = {"token": _TOKEN, "symbol": ["BTC/USD"], **params, "channel": channel}
        session.receive(wire_text({"method": method, "params": full}))
        assert any('"time_out"' in frame for frame in session.outgoing())


@QUIET
@given(st.text(max_size=200))
def test_every_text_gets_an_answer(text: str) -> None:
    _PUBLIC.outgoing()
    _PUBLIC.receive(text)
    assert len(_PUBLIC.outgoing()) == 1


REST_NAMES = (
    "AddOrder CancelOrder CancelAll CancelAllOrdersAfter OpenOrders ClosedOrders QueryOrders "
    "TradesHistory QueryTrades Ledgers QueryLedgers TradeVolume Balance BalanceEx TradeBalance "
    "AddOrderBatch AmendOrder EditOrder CancelOrderBatch OrderAmends GetApiKeyInfo"
).split()
REST_FIELDS = (
    "pair type ordertype price volume oflags timeinforce expiretm userref cl_ord_id txid ofs start "
    "end asset deadline validate timeout trades id leverage price2 trigger displayvol starttm "
    "stptype close[ordertype] close[price] close[price2] orders[0][ordertype] orders[1][price] "
    "order_qty limit_price trigger_price display_qty order_id orders cl_ord_ids"
).split()
REST_VALUE = (
    ODD_TEXT
    | ODD_NUMBER
    | st.sampled_from(
        ["XBTUSD", "+30", "post", "viqc", "GTD", "-1%", "#5", "+1e400", "stop-loss", "iceberg"]
    )
)


@QUIET
@given(
    st.sampled_from(REST_NAMES),
    st.dictionaries(st.sampled_from(REST_FIELDS), REST_VALUE, max_size=8),
)
def test_every_private_call_gets_its_envelope(name: str, fields: dict[str, str]) -> None:
    full: dict[str, str] = dict(fields)
    if name == "AddOrder":
        kinds = ("limit", "stop-loss-limit", "trailing-stop-limit", "iceberg", "take-profit")
        kind = kinds[len(fields) % len(kinds)]
        full = {"pair": "XBTUSD", "type": "buy", "ordertype": kind, **fields}
    errors, result = _REST.request(name, **full)
    assert (errors == []) == (result is not None)


@QUIET
@given(
    st.sampled_from(
        ["Ticker", "OHLC", "Depth", "Trades", "Spread", "Assets", "AssetPairs", "Time"]
    ),
    st.dictionaries(
        st.sampled_from(["pair", "interval", "since", "count", "asset", "info", "assetVersion"]),
        REST_VALUE,
        max_size=4,
    ),
)
def test_every_public_call_gets_its_envelope(name: str, fields: dict[str, str]) -> None:
    errors, result = parts.public(_THERE, name, **fields)
    assert (errors == []) == (result is not None)


def _answers(method: str, params: str) -> list[dict[str, Any]]:
    _PRIVATE.outgoing()
    _PRIVATE.receive(f'{{"method":"{method}","params":{{"token":"{_TOKEN}",{params}}}}}')
    frames = [json.loads(frame) for frame in _PRIVATE.outgoing()]
    return [frame for frame in frames if "time_out" in frame]


HALF = r'"\ud800"'
ORDER = '"symbol":"BTC/USD","side":"buy","order_qty":0.001,"order_type"'


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("subscribe", f'"channel":"book","symbol":[{HALF}]'),
        ("add_order", f'{ORDER}:"limit","limit_price":50000,"sender_sub_id":{HALF}'),
        ("batch_cancel", f'"orders":[{HALF},"b"]'),
        ("amend_order", f"{HALF}:5"),
    ],
)
def test_half_a_character_is_a_malformed_request(method: str, params: str) -> None:
    assert [answer["error"] for answer in _answers(method, params)] == ["Malformed request"]


def test_a_whole_character_in_two_halves_is_one() -> None:
    answers = _answers("cancel_order", r'"order_id":["\ud83d\ude00"]')
    assert [answer["error"] for answer in answers] == ["EOrder:Unknown order"]


@pytest.mark.parametrize("price", ["1e999999", "-1e300", "1e-999999", "-200"])
@pytest.mark.parametrize(
    "params",
    [
        '"market","conditional":{"order_type":"limit","limit_price_type":"pct","limit_price":@}',
        '"market","conditional":{"order_type":"stop-loss","trigger_price":@,"trigger_price_type":"pct"}',
        '"trailing-stop-limit","triggers":{"price":1},"limit_price_type":"pct","limit_price":@',
        '"stop-loss","triggers":{"price_type":"pct","price":@}',
        '"trailing-stop","triggers":{"price_type":"quote","price":@}',
    ],
)
def test_an_offset_that_cannot_be_reckoned_with_is_refused(params: str, price: str) -> None:
    (answer,) = _answers("add_order", f"{ORDER}:{params}".replace("@", price))
    assert answer["error"].startswith("EGeneral:Invalid arguments:")


@pytest.mark.parametrize("names", ['"²","x"', '"٣","x"', f'"{"9" * 5000}","x"', '"--1","x"'])
def test_what_only_looks_like_a_userref_cancels_nothing(names: str) -> None:
    (answer,) = _answers("batch_cancel", f'"orders":[{names}]')
    assert answer["result"] == {"count": 0}


LIMIT = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001"}


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("AddOrder", {**LIMIT, "price": "+1e999999"}),
        ("AddOrder", {**LIMIT, "price": "1_000"}),
        ("AddOrder", {**LIMIT, "price": "٣"}),
        ("AddOrder", {**LIMIT, "price": "50000", "starttm": "1e999999999"}),
        ("AddOrder", {**LIMIT, "ordertype": "trailing-stop", "price": "+1e999%"}),
        ("CancelOrder", {"txid": "²"}),
        ("CancelOrder", {"txid": "9" * 5000}),
        ("AddOrderBatch", {"pair": "XBTUSD", f"orders[{'9' * 5000}][price]": "5"}),
        ("ClosedOrders", {"ofs": "1_0"}),
    ],
)
def test_rest_answers_numbers_that_are_none_with_an_error(
    name: str, fields: dict[str, str]
) -> None:
    errors, _ = _REST.request(name, **fields)
    (error,) = errors
    assert error.startswith(("EGeneral:Invalid arguments", "EOrder:Unknown order"))


def test_deep_nesting_of_a_body_is_an_invalid_argument() -> None:
    deep: dict[str, Any] = {}
    for _level in range(400):
        deep = {"a": deep}
    assert _REST.posted("AddOrder", deep) == (["EGeneral:Invalid arguments"], None)


def test_a_signature_that_is_no_text_is_an_invalid_signature() -> None:
    headers = {"API-Key": parts.DEFAULT_KEY, "API-Sign": "\udcff\udcfe"}
    _, answer = _THERE.rest("POST", "/0/private/Balance", headers, b"nonce=999999")
    assert json.loads(answer) == {"error": ["EAPI:Invalid signature"]}
