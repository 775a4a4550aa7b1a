"""A client made of Kraken's documented examples only: urllib for REST, aiohttp for the sockets."""

import base64
import hashlib
import hmac
import json
import time
import urllib.parse
import urllib.request
from typing import Any

import aiohttp
from telling import KEY, SECRET, Sandbox, Scenarios

scenario = Scenarios()


def signature(path: str, data: dict[str, Any] | str, secret: str) -> str:
    """The signature of the REST guide, for a form or a JSON body."""
    if isinstance(data, str):
        encoded = str(json.loads(data)["nonce"]) + data
    else:
        encoded = str(data["nonce"]) + urllib.parse.urlencode(data)
    message = path.encode() + hashlib.sha256(encoded.encode()).digest()
    mac = hmac.new(base64.b64decode(secret), message, hashlib.sha512)
    return base64.b64encode(mac.digest()).decode()


def ask(
    there: Sandbox, path: str, data: dict[str, Any] | None = None, as_json: bool = False
) -> Any:
    """A request of the guide: GET for public, signed POST for private paths."""
    request = urllib.request.Request(there.url + path)
    if data is not None:
        data = {"nonce": str(time.time_ns()), **data}
        body = json.dumps(data) if as_json else urllib.parse.urlencode(data)
        request.data = body.encode()
        kind = "application/json" if as_json else "application/x-www-form-urlencoded"
        request.add_header("Content-Type", f"{kind}; charset=utf-8")
        request.add_header("API-Key", KEY)
        request.add_header("API-Sign", signature(path, body if as_json else data, SECRET))
    with urllib.request.urlopen(request) as response:
        return json.load(response)


@scenario
async def the_published_signature_is_ours(there: Sandbox) -> Any:
    data = {
        "nonce": "1616492376594",
        "ordertype": "limit",
        "pair": "XBTUSD",
        "price": 37500,
        "type": "buy",
        "volume": 1.25,
    }
    secret = (
        "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
    )
    return signature("/0/private/AddOrder", data, secret)


@scenario
async def forms_and_json_bodies_are_both_signed(there: Sandbox) -> Any:
    order = {
        "pair": "BTC/USD",
        "type": "buy",
        "ordertype": "limit",
        "price": "20000.0",
        "volume": "0.001",
        "cl_ord_id": "docs-1",
    }
    return {
        "form": ask(there, "/0/private/BalanceEx", {}),
        "json": ask(there, "/0/private/AddOrder", order, as_json=True),
        "cancelled": ask(there, "/0/private/CancelOrder", {"cl_ord_id": "docs-1"}, as_json=True),
    }


@scenario
async def the_session_of_the_socket_guide_runs(there: Sandbox) -> Any:
    token = ask(there, "/0/private/GetWebSocketsToken", {})["result"]["token"]
    frames: list[Any] = []
    async with aiohttp.ClientSession() as http, http.ws_connect(there.ws + "/auth/v2") as line:

        async def until(fits: Any) -> Any:
            while True:
                frame = await line.receive_json(timeout=20)
                frames.append(frame)
                if fits(frame):
                    return frame

        async def told(method: str, req_id: int, **params: Any) -> Any:
            params["token"] = token
            await line.send_json({"method": method, "params": params, "req_id": req_id})
            return await until(lambda frame: frame.get("req_id") == req_id)

        seen = {
            "executions": await told(
                "subscribe", 1, channel="executions", snap_orders=True, snap_trades=True
            ),
            "placed": await told(
                "add_order",
                2,
                order_type="limit",
                side="buy",
                symbol="BTC/USD",
                order_qty=0.001,
                limit_price=20000.1,
                time_in_force="gtd",
                expire_time=_soon(3600),
                cl_ord_id="6d1b345e-2821-40e2-ad83-4ecb18a06876",
                stp_type="cancel_newest",
                fee_preference="quote",
                deadline=_soon(10, milliseconds=True),
            ),
            "checked": await told(
                "add_order",
                3,
                order_type="market",
                side="buy",
                symbol="BTC/USD",
                order_qty=0.001,
                validate=True,
            ),
            "cancelled": await told(
                "cancel_order", 4, cl_ord_id=["6d1b345e-2821-40e2-ad83-4ecb18a06876"]
            ),
            "armed": await told("cancel_all_orders_after", 5, timeout=100),
            "disarmed": await told("cancel_all_orders_after", 6, timeout=0),
        }
        await line.send_json({"method": "ping", "req_id": 7})
        seen["pong"] = await until(lambda frame: frame.get("req_id") == 7)
        # What came before the acknowledgement: the guide says `status` comes first.
        return {**seen, "first": frames[0]}


def _soon(seconds: float, milliseconds: bool = False) -> str:
    moment = time.time() + seconds
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
    return f"{text}.{int(moment % 1 * 1000):03}Z" if milliseconds else f"{text}Z"


if __name__ == "__main__":
    scenario.main()
