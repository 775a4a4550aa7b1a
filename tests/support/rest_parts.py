"""Our REST client on scripted answers or a real address, and rows as Kraken lists them."""

from typing import Any

from kraken_parts import AT, Even, Mark, RealClock, ScriptedHttp, Shown

from simple_trader.adapters.kraken.auth import Credentials
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.ports import Clock, Http

UNIX = int(AT.timestamp())
SECRET = "c2FuZGJveC1zZWNyZXQ="  # the sandbox's own, in base64
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


def client_on(
    http: Http,
    *,
    url: str = "http://127.0.0.1:1",
    key: str = "key",
    secret: str = SECRET,
    signed: bool = True,
    clock: Clock | None = None,
    **more: Any,
) -> RestClient:
    """A client on these answers (or on the address `url`); without a key where not `signed`."""
    return RestClient(
        url=url,
        http=http,
        clock=clock or RealClock(),
        dice=Even(),
        credentials=Credentials(Shown(key), Shown(secret)) if signed else None,
        high_water=Mark(),
        **more,
    )


def rest_on(http: Http, **how: Any) -> KrakenRest:
    """The manager on such a client."""
    return KrakenRest(client_on(http, **how))


def markets(http: ScriptedHttp | None = None) -> ScriptedHttp:
    """Answers of an exchange that lists BTC/USD and its dark twin."""
    made = http or ScriptedHttp()
    made.will("Assets", ASSETS)
    made.will("AssetPairs", {"XXBTZUSD": PAIR, "XXBTZUSD.d": DARK})
    return made
