"""Strict reading of WS v2 requests: unknown fields and wrong types are refused, as on Kraken."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from simple_trader.sandbox import wire

Fields = Mapping[str, str]

NUMBER, INTEGER, STRING, BOOLEAN, OBJECT = (
    "number_float", "number_integer", "string", "boolean", "object",
)  # fmt: skip
STRINGS = "array of strings"
INTEGERS = "array of number_integer"
OBJECTS = "array of objects"

# What a new order may say, in add_order and as an element of batch_add (section 8.1).
ORDER_FIELDS: Fields = {
    "order_type": STRING,
    "side": STRING,
    "order_qty": NUMBER,
    "cash_order_qty": NUMBER,
    "limit_price": NUMBER,
    "limit_price_type": STRING,
    "time_in_force": STRING,
    "expire_time": STRING,
    "effective_time": STRING,
    "post_only": BOOLEAN,
    "cl_ord_id": STRING,
    "order_userref": INTEGER,
    "fee_preference": STRING,
    "stp_type": STRING,
    "sender_sub_id": STRING,
    "triggers": OBJECT,
    "conditional": OBJECT,
    "display_qty": NUMBER,
    "margin": BOOLEAN,
    "no_mpp": BOOLEAN,
    "reduce_only": BOOLEAN,
}
TRIGGER_FIELDS: Fields = {"reference": STRING, "price": NUMBER, "price_type": STRING}
CONDITIONAL_FIELDS: Fields = {
    "order_type": STRING,
    "limit_price": NUMBER,
    "limit_price_type": STRING,
    "trigger_price": NUMBER,
    "trigger_price_type": STRING,
}
_ASKED: Fields = {"symbol": STRING, "deadline": STRING, "validate": BOOLEAN, "token": STRING}

METHOD_FIELDS: dict[str, Fields] = {
    "add_order": {**ORDER_FIELDS, **_ASKED},
    "batch_add": {**_ASKED, "orders": OBJECTS},
    "amend_order": {
        "order_id": STRING,
        "cl_ord_id": STRING,
        "order_qty": NUMBER,
        "limit_price": NUMBER,
        "limit_price_type": STRING,
        "trigger_price": NUMBER,
        "trigger_price_type": STRING,
        "display_qty": NUMBER,
        "post_only": BOOLEAN,
        "deadline": STRING,
        "symbol": STRING,
        "token": STRING,
    },
    "edit_order": {
        **_ASKED,
        "order_id": STRING,
        "order_qty": NUMBER,
        "limit_price": NUMBER,
        "triggers": OBJECT,
        "display_qty": NUMBER,
        "post_only": BOOLEAN,
        "reduce_only": BOOLEAN,
        "order_userref": INTEGER,
        "fee_preference": STRING,
        "no_mpp": BOOLEAN,
    },
    "cancel_order": {
        "order_id": STRINGS,
        "cl_ord_id": STRINGS,
        "order_userref": INTEGERS,
        "token": STRING,
    },
    "batch_cancel": {"orders": STRINGS, "cl_ord_id": STRINGS, "token": STRING},
    "cancel_all": {"token": STRING},
    "cancel_all_orders_after": {"timeout": INTEGER, "token": STRING},
}

_SYMBOLS: Fields = {"channel": STRING, "symbol": STRINGS, "snapshot": BOOLEAN}

CHANNEL_FIELDS: dict[str, Fields] = {
    "ticker": {**_SYMBOLS, "event_trigger": STRING},
    "trade": _SYMBOLS,
    "book": {**_SYMBOLS, "depth": INTEGER},
    "ohlc": {**_SYMBOLS, "interval": INTEGER},
    "instrument": {
        "channel": STRING,
        "snapshot": BOOLEAN,
        "include_tokenized_assets": BOOLEAN,
        "execution_venue": STRING,
    },
    "executions": {
        "channel": STRING,
        "token": STRING,
        "snap_orders": BOOLEAN,
        "snap_trades": BOOLEAN,
        "order_status": BOOLEAN,
        "ratecounter": BOOLEAN,
        "rebased": BOOLEAN,
        "users": STRING,
        "snapshot": BOOLEAN,
        "snapshot_trades": BOOLEAN,
    },
    "balances": {
        "channel": STRING,
        "token": STRING,
        "snapshot": BOOLEAN,
        "rebased": BOOLEAN,
        "users": STRING,
    },
}

# Each private channel with the permissions of which a key needs one.
PRIVATE_CHANNELS: dict[str, tuple[str, ...]] = {
    "executions": ("query-open-trades", "query-closed-trades"),
    "balances": ("query-funds", "query-ledger"),
}


class Request(Exception):
    """Raised with the error text of a request that is refused."""

    def __init__(self, error: str, symbol: str | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.symbol = symbol


def check_fields(params: Mapping[str, Any], fields: Fields, method: str) -> None:
    """Refuse unknown fields and values of another type (protocol section 2.1)."""
    for name, value in params.items():
        kind = fields.get(name)
        if kind is None:
            what = method.replace("_", " ")
            raise Request(f"Unsupported field: '{name}' for the given msg type: {what}")
        if not _is(value, kind):
            raise Request(f"{name[:1].upper()}{name[1:]} field must be a {kind}")


def _is(value: object, kind: str) -> bool:
    if kind == BOOLEAN:
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == NUMBER:
        return isinstance(value, int | Decimal)
    if kind == INTEGER:
        return isinstance(value, int)
    if kind == STRING:
        return isinstance(value, str)
    if kind == OBJECT:
        return isinstance(value, dict)
    if not isinstance(value, list):
        return False
    element = {STRINGS: STRING, INTEGERS: INTEGER, OBJECTS: OBJECT}[kind]
    return all(_is(item, element) for item in value)


def read_request(text: str) -> dict[str, Any] | None:
    """Decode one frame; None when it is not a JSON object with a method."""
    try:
        message = wire.read_json(text)
    except ValueError:
        return None
    if not isinstance(message, dict) or not isinstance(message.get("method"), str):
        return None
    return message
