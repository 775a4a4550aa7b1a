"""REST under `/0/public` and `/0/private`: envelope, signature, permissions, counters."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from simple_trader.sandbox import rest_account, rest_history, rest_orders, rest_public
from simple_trader.sandbox.auth import read_body
from simple_trader.sandbox.order_desk import CLOSING, PLACING
from simple_trader.sandbox.rest_counter import LIMITED, RestCounters, cost_of
from simple_trader.sandbox.rest_shared import ApiError, Call, Private, RestFloor, flat
from simple_trader.sandbox.session import DENIED

UNKNOWN = "EGeneral:Unknown method"
_EITHER = ("query-open-trades", "query-closed-trades")

# Each private endpoint with the permissions of which a key needs one.
PRIVATE: dict[str, tuple[Private, tuple[str, ...]]] = {
    "Balance": (rest_account.balance, ("query-funds",)),
    "BalanceEx": (rest_account.balance_ex, ("query-funds",)),
    "TradeBalance": (rest_account.trade_balance, ("query-funds",)),
    "TradeVolume": (rest_account.trade_volume, ("query-funds",)),
    "OpenPositions": (rest_account.open_positions, ("query-open-trades",)),
    "GetWebSocketsToken": (rest_account.token, ("create-ws-token",)),
    "GetApiKeyInfo": (rest_account.key_info, ()),
    "OpenOrders": (rest_history.open_orders, ("query-open-trades",)),
    "ClosedOrders": (rest_history.closed_orders, ("query-closed-trades",)),
    "QueryOrders": (rest_history.query_orders, _EITHER),
    "OrderAmends": (rest_history.order_amends, _EITHER),
    "TradesHistory": (rest_history.trades_history, ("query-closed-trades",)),
    "QueryTrades": (rest_history.query_trades, ("query-closed-trades",)),
    "Ledgers": (rest_history.ledgers, ("query-ledger",)),
    "QueryLedgers": (rest_history.query_ledgers, ("query-ledger",)),
    "AddOrder": (rest_orders.add_order, PLACING),
    "AddOrderBatch": (rest_orders.add_order_batch, PLACING),
    "AmendOrder": (rest_orders.amend_order, PLACING),
    "EditOrder": (rest_orders.edit_order, PLACING),
    "CancelOrder": (rest_orders.cancel_order, CLOSING),
    "CancelOrderBatch": (rest_orders.cancel_order_batch, CLOSING),
    "CancelAll": (rest_orders.cancel_all, CLOSING),
    "CancelAllOrdersAfter": (rest_orders.cancel_all_after, CLOSING),
}


class Rest:
    """Answers requests; everything but the envelope lives in the rooms beside it."""

    def __init__(self, floor: RestFloor, counters: RestCounters) -> None:
        self._floor = floor
        self._counters = counters

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, peer: str = ""
    ) -> tuple[int, bytes]:
        """Answer one request with HTTP status and JSON; application errors are 200 (11.2)."""
        parts = urlsplit(path)
        lower = {name.lower(): value for name, value in headers.items()}
        try:
            if parts.path.startswith("/0/public/"):
                result = self._public(method, parts.path, parts.query, lower, body, peer)
            else:
                result = self._private(method, parts.path, lower, body)
        except ApiError as error:
            failure: dict[str, Any] = {"error": [error.text]}
            if self._floor.rules.rest_failure == "null":
                failure["result"] = None
            return 200, msgspec.json.encode(failure)
        return 200, msgspec.json.encode({"error": [], "result": result})

    def _public(
        self,
        method: str,
        path: str,
        query: str,
        headers: Mapping[str, str],
        body: bytes,
        peer: str,
    ) -> Any:
        endpoint = rest_public.ENDPOINTS.get(path.removeprefix("/0/public/"))
        if endpoint is None or method not in ("GET", "POST"):
            raise ApiError(UNKNOWN)
        limit = self._floor.rules.public_limit
        if limit and not self._counters.take_public(peer, limit):
            raise ApiError(LIMITED)
        fields = dict(parse_qsl(query, keep_blank_values=True))
        if method == "POST":
            posted = read_body(body, headers.get("content-type", ""))
            if posted is None:
                raise ApiError("EGeneral:Invalid arguments")
            fields |= flat(posted)
        return endpoint(self._floor, fields)

    def _private(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Any:
        name = path.removeprefix("/0/private/")
        found = PRIVATE.get(name)
        if not path.startswith("/0/private/") or found is None or method != "POST":
            raise ApiError(UNKNOWN)
        endpoint, permissions = found
        posted = read_body(body, headers.get("content-type", ""))
        if posted is None:
            raise ApiError("EAPI:Bad request")
        spec = self._floor.keys.judge(path, headers, body, posted)
        if isinstance(spec, str):
            raise ApiError(spec)
        owner, rules = self._floor.venue.state.accounts[spec.account], self._floor.rules
        if owner.counted:
            cost = cost_of(
                name, history_cost=rules.history_cost, orders_count=rules.orders_count_rest
            )
            if not self._counters.take(spec.key, owner.tier, cost):
                raise ApiError(LIMITED)
        if not spec.may(*permissions):
            raise ApiError(DENIED)
        return endpoint(Call(self._floor, spec, flat(posted)))
