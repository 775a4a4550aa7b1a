"""REST under `/0/public` and `/0/private`: envelope, signature, paging, Kraken's names."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from simple_trader.sandbox import rest_orders, rest_public
from simple_trader.sandbox.auth import read_body
from simple_trader.sandbox.rest_private import Private
from simple_trader.sandbox.rest_shared import ApiError, Fields, RestFloor

JSON = {"Content-Type": "application/json"}


class Rest:
    """Answers requests; everything but the envelope lives in the rooms beside it."""

    def __init__(self, floor: RestFloor) -> None:
        self._floor = floor
        private = Private(floor)
        self._private: dict[str, Callable[[Fields], Any]] = {
            "Balance": private.balance,
            "BalanceEx": private.balance_ex,
            "TradeBalance": private.trade_balance,
            "OpenOrders": private.open_orders,
            "ClosedOrders": private.closed_orders,
            "QueryOrders": private.query_orders,
            "TradesHistory": private.trades_history,
            "QueryTrades": private.query_trades,
            "Ledgers": private.ledgers,
            "QueryLedgers": private.query_ledgers,
            "TradeVolume": private.trade_volume,
            "GetWebSocketsToken": private.token,
            "AddOrder": lambda fields: rest_orders.add_order(floor, fields),
            "CancelOrder": lambda fields: rest_orders.cancel_order(floor, fields),
            "CancelAll": lambda fields: rest_orders.cancel_all(floor, fields),
            "CancelAllOrdersAfter": lambda fields: rest_orders.cancel_all_after(floor, fields),
        }

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        """Answer one request with HTTP status and JSON; application errors are 200 (11.2)."""
        parts = urlsplit(path)
        lower = {name.lower(): value for name, value in headers.items()}
        try:
            result = self._result(method, parts.path, parts.query, lower, body)
        except ApiError as error:
            return 200, msgspec.json.encode({"error": [error.text]})
        return 200, msgspec.json.encode({"error": [], "result": result})

    def _result(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Any:
        fields = dict(parse_qsl(query, keep_blank_values=True))
        content_type = headers.get("content-type", "")
        if path.startswith("/0/public/"):
            public = rest_public.ENDPOINTS.get(path.removeprefix("/0/public/"))
            if public is None:
                raise ApiError("EGeneral:Unknown method")
            if method == "POST":
                posted = read_body(body, content_type)
                if posted is None:
                    raise ApiError("EGeneral:Invalid arguments")
                fields |= {name: str(value) for name, value in posted.items()}
            return public(self._floor, fields)
        private = self._private.get(path.removeprefix("/0/private/"))
        if not path.startswith("/0/private/") or private is None or method != "POST":
            raise ApiError("EGeneral:Unknown method")
        posted = read_body(body, content_type)
        if posted is None:
            raise ApiError("EAPI:Bad request")
        error = self._floor.keys.check(path, headers, body, posted)
        if error is not None:
            raise ApiError(error)
        return private({name: _text(value) for name, value in posted.items()})


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return "" if value is None else str(value)
