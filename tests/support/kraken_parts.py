"""Parts for tests of the Kraken room: frames as Kraken writes them, a wire in memory, a clock."""

import asyncio
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from simple_trader.adapters.kraken.symbols import Symbols
from simple_trader.domain.instruments import AssetRules, PairRules, PairStatus
from simple_trader.ports import HttpFailed, HttpReply, WireClosed

AT = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
STAMP = "2026-03-02T10:05:19.833306Z"


def outside_data() -> Path:
    """The folder of data that is not in the repository."""
    root = Path(__file__).resolve().parents[2]
    return Path(os.environ.get("SIMPLE_TRADER_DATA", str(root.parent / "shared")))


def pair_rules(
    pair: str = "BTC/USD", rest_id: str = "XXBTZUSD", altname: str = "XBTUSD"
) -> PairRules:
    """Rules as AssetPairs would give them."""
    base, _, quote = pair.partition("/")
    return PairRules(
        pair=pair,
        base=base,
        quote=quote,
        rest_id=rest_id,
        altname=altname,
        price_increment=Decimal("0.1"),
        price_precision=1,
        qty_increment=Decimal("0.00000001"),
        qty_precision=8,
        qty_min=Decimal("0.00005000"),
        cost_min=Decimal("0.50000"),
        cost_precision=5,
        status=PairStatus.ONLINE,
    )


def asset(name: str, rest_id: str, altname: str) -> AssetRules:
    """One asset."""
    return AssetRules(
        asset=name,
        rest_id=rest_id,
        altname=altname,
        precision=10,
        display_precision=5,
        status="enabled",
    )


def symbols() -> Symbols:
    """Bitcoin, dogecoin, dollar; BTC/USD and DOGE/USD."""
    made = Symbols()
    made.learn_assets(
        [asset("BTC", "XXBT", "XBT"), asset("DOGE", "XXDG", "XDG"), asset("USD", "ZUSD", "USD")]
    )
    made.learn_pairs([pair_rules(), pair_rules("DOGE/USD", "XDGUSD", "XDGUSD")])
    return made


# -- frames -----------------------------------------------------------------------------


def levels(rows: Iterable[tuple[str, str]]) -> str:
    """Levels of a book with the digits given."""
    return ",".join(f'{{"price":{price},"qty":{qty}}}' for price, qty in rows)


def book(
    kind: str,
    bids: Iterable[tuple[str, str]],
    asks: Iterable[tuple[str, str]],
    checksum: int,
    *,
    pair: str = "BTC/USD",
    stamp: str | None = STAMP,
) -> str:
    """A book frame."""
    tail = f',"timestamp":"{stamp}"' if stamp else ""
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"{pair}","bids":[{levels(bids)}],'
        f'"asks":[{levels(asks)}],"checksum":{checksum}{tail}}}]}}'
    )


def ack(channel: str, req_id: int, symbol: str | None = None, method: str = "subscribe") -> str:
    """A good answer to a subscription."""
    result = {"channel": channel} | ({"symbol": symbol} if symbol else {})
    return json.dumps({"method": method, "req_id": req_id, "result": result, "success": True})


def refusal(req_id: int, error: str, symbol: str | None = None, method: str = "subscribe") -> str:
    """A bad answer."""
    named = {"symbol": symbol} if symbol else {}
    return json.dumps(
        {"error": error, "method": method, "req_id": req_id, "success": False} | named
    )


STATUS = (
    '{"channel":"status","type":"update","data":[{"version":"2.0.10","system":"online",'
    '"api_version":"v2","connection_id":11043817702341890007}]}'
)
HEARTBEAT = '{"channel":"heartbeat"}'
TICKER = (
    '{"channel":"ticker","type":"snapshot","data":[{"symbol":"BTC/USD","bid":65972.8,'
    '"bid_qty":0.10000000,"ask":65972.9,"ask_qty":3.66750683,"last":65972.9,'
    '"volume":4216.61829370,"vwap":64275.2,"low":61325.4,"high":66450.0,"change":4412.1,'
    '"change_pct":7.17,"timestamp":"2026-03-02T10:00:00.000000Z","new_field":[1,2]}]}'
)
EXECUTIONS_SNAPSHOT = '{"channel":"executions","type":"snapshot","data":[],"sequence":1}'
BALANCES_SNAPSHOT = (
    '{"channel":"balances","type":"snapshot","data":[{"asset":"USD","asset_class":"currency",'
    '"wallets":[],"balance":80595.4943}],"sequence":1}'
)


def executions(sequence: int, *elements: str) -> str:
    """An update of the executions channel."""
    data = ",".join(elements)
    return f'{{"channel":"executions","type":"update","data":[{data}],"sequence":{sequence}}}'


PENDING_NEW = (
    '{"order_id":"OVN7VD-7VYHS-APBKHA","symbol":"BTC/USD","order_qty":0.00500000,"cum_cost":0.00000,'
    '"time_in_force":"GTC","exec_type":"pending_new","side":"sell","order_type":"limit",'
    '"cl_ord_id":"st7-124","limit_price_type":"static","limit_price":26500.0,"stop_price":0.0,'
    '"order_status":"pending_new","fee_usd_equiv":0.00000,"fee_ccy_pref":"fciq",'
    f'"timestamp":"{STAMP}"}}'
)
NEW = (
    f'{{"timestamp":"{STAMP}","order_status":"new","exec_type":"new","cl_ord_id":"st7-124",'
    '"order_id":"OVN7VD-7VYHS-APBKHA"}'
)
TRADE = (
    '{"order_id":"OVN7VD-7VYHS-APBKHA","cl_ord_id":"st7-124","exec_id":"TGBB7L-HT5LX-J3BZ4A",'
    '"exec_type":"trade","trade_id":62887576,"symbol":"BTC/USD","side":"sell",'
    '"last_qty":0.00500000,"last_price":26599.9,"liquidity_ind":"t","cost":132.99950,'
    f'"order_type":"limit","timestamp":"{STAMP}","order_status":"partially_filled",'
    '"cum_qty":0.00500000,"cum_cost":132.99950,"avg_price":26599.9,"fee_usd_equiv":0.53200,'
    '"fees":[{"asset":"USD","qty":0.53200}]}'
)
FILLED = (
    f'{{"timestamp":"{STAMP}","order_status":"filled","exec_type":"filled","cum_qty":0.00500000,'
    '"cum_cost":132.99950,"avg_price":26599.9,"cl_ord_id":"st7-124",'
    '"order_id":"OVN7VD-7VYHS-APBKHA"}'
)


# -- doubles of the seams ----------------------------------------------------------------


class RealClock:
    """Market time is wall time."""

    def now(self) -> datetime:
        """Now."""
        return datetime.now(UTC)

    wall = now

    def monotonic(self) -> float:
        """Transport time."""
        return time.monotonic()


class SetClock:
    """A clock that stands where it is put."""

    def __init__(self, at: datetime = AT) -> None:
        """Start at `at` and at zero."""
        self.at, self.seconds = at, 0.0

    def now(self) -> datetime:
        """Market time."""
        return self.at + timedelta(seconds=self.seconds)

    wall = now

    def monotonic(self) -> float:
        """Transport time."""
        return self.seconds


class Mark:
    """A nonce mark in memory."""

    def __init__(self, value: int = 0) -> None:
        """Start at `value`."""
        self.value, self.saves = value, 0

    def load(self) -> int:
        """The mark."""
        return self.value

    def save(self, nonce: int) -> None:
        """Keep it."""
        self.value, self.saves = nonce, self.saves + 1


class Shown:
    """A secret of a test."""

    def __init__(self, text: str) -> None:
        """Keep it."""
        self._text = text

    def reveal(self) -> str:
        """Show it."""
        return self._text


class Even:
    """Dice that always show the middle."""

    def random(self) -> float:
        """One half."""
        return 0.5

    def uniform(self, a: float, b: float) -> float:
        """The middle."""
        return (a + b) / 2


class MemoryWire:
    """A connection in memory: the test writes frames in and sees what was sent."""

    def __init__(self) -> None:
        """Open."""
        self.sent: list[dict[str, Any]] = []
        self.closed = False
        self._frames: asyncio.Queue[str | None] = asyncio.Queue()
        self.answer: Callable[[dict[str, Any]], Iterable[str]] = lambda _message: ()

    def push(self, *frames: str) -> None:
        """Frames from the exchange."""
        for frame in frames:
            self._frames.put_nowait(frame)

    def drop(self) -> None:
        """The exchange closes."""
        self.closed = True
        self._frames.put_nowait(None)

    async def send(self, text: str) -> None:
        """As ports.Wire."""
        if self.closed:
            raise WireClosed("closed")
        message = json.loads(text, parse_float=Decimal)
        self.sent.append(message)
        self.push(*self.answer(message))

    async def recv(self) -> str | bytes:
        """As ports.Wire."""
        frame = await self._frames.get()
        if frame is None:
            raise WireClosed("dropped")
        return frame

    async def close(self) -> None:
        """As ports.Wire."""
        self.drop()


class ScriptedHttp:
    """Answers REST requests from a table: endpoint -> results, one after another."""

    def __init__(self) -> None:
        """No answers yet."""
        self.answers: dict[str, list[object]] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    def will(self, endpoint: str, *answers: object) -> None:
        """Queue answers; the last one is repeated. An exception is raised, a str is an error."""
        self.answers.setdefault(endpoint, []).extend(answers)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout_s: float,
    ) -> HttpReply:
        """As ports.Http."""
        path, _, query = url.partition("?")
        endpoint = path.rsplit("/", 1)[-1]
        self.asked.append((endpoint, (body or b"").decode() or query, dict(headers)))
        queue = self.answers.get(endpoint)
        if not queue:
            raise HttpFailed(f"{endpoint} is not scripted")
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, HttpReply):
            return answer
        if isinstance(answer, str):
            return HttpReply(200, json.dumps({"error": [answer]}).encode())
        return HttpReply(200, json.dumps({"error": [], "result": answer}).encode())
