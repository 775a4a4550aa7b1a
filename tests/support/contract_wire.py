"""Raw frames and raw requests, written from the protocol sheet: no code of client or sandbox."""

import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import time
import zlib
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
from contract_world import World, secret_of
from websockets.asyncio.client import ClientConnection, connect

Frame = dict[str, Any]


def text_of(value: Any) -> str:
    """JSON with Decimals as bare numbers, their own digits kept (section 2.1)."""
    if isinstance(value, dict):
        inner = (f"{json.dumps(name)}:{text_of(item)}" for name, item in value.items())
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(text_of(item) for item in value) + "]"
    return f"{value:f}" if isinstance(value, Decimal) else json.dumps(value)


def read(text: str | bytes) -> Any:
    """JSON with exact numbers."""
    return json.loads(text, parse_float=Decimal)


def checksum(bids: list[tuple[Decimal, Decimal]], asks: list[tuple[Decimal, Decimal]]) -> int:
    """CRC-32 over the top ten of each side as their digits were on the wire (section 4.3)."""
    levels = [*asks[:10], *bids[:10]]
    text = "".join(f"{n:f}".replace(".", "").lstrip("0") for level in levels for n in level)
    return zlib.crc32(text.encode())


def sign(secret: str, path: str, nonce: str, body: str) -> str:
    """API-Sign of section 11.1."""
    inner = hashlib.sha256((nonce + body).encode()).digest()
    mac = hmac.new(base64.b64decode(secret), path.encode() + inner, hashlib.sha512)
    return base64.b64encode(mac.digest()).decode()


class Raw:
    """One WebSocket v2 connection: frames in order, requests by their req_id."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._req_ids = itertools.count(1)
        self.frames: list[Frame] = []
        self.texts: list[str] = []

    @classmethod
    async def open(cls, world: World, path: str) -> "Raw":
        """Connect and read the first frame."""
        socket = await connect(
            world.ws + path, proxy=None, compression=None, max_size=None, max_queue=None
        )
        raw = cls(socket)
        await raw.next()
        return raw

    async def next(self) -> Frame:
        """The next frame, whatever it is."""
        async with asyncio.timeout(20):
            text = await self._socket.recv()
        frame: Frame = read(text)
        self.frames.append(frame)
        self.texts.append(text if isinstance(text, str) else text.decode())
        return frame

    @property
    def connection_id(self) -> int:
        """By the status frame, which is the first one (section 3.1)."""
        number: int = self.frames[0]["data"][0]["connection_id"]
        return number

    async def settle(self, world: World) -> None:
        """Read until all that was written is read."""
        due = world.written().get(self.connection_id, 0)
        while len(self.frames) < due:
            await self.next()

    async def send(self, message: Any) -> None:
        """Send a message, or a text as it is."""
        await self._socket.send(message if isinstance(message, str) else text_of(message))

    async def ask(self, method: str, count: int = 1, **params: Any) -> list[Frame]:
        """Send a request and give its `count` responses."""
        req_id = next(self._req_ids)
        await self.send({"method": method, "params": params, "req_id": req_id})
        found: list[Frame] = []
        while len(found) < count:
            frame = await self.next()
            if frame.get("req_id") == req_id:
                found.append(frame)
        return found

    async def answered(self, message: Any) -> Frame:
        """Send anything and give the next frame with `time_in`, which only responses have."""
        await self.send(message)
        while "time_in" not in (frame := await self.next()):
            pass
        return frame

    def pushed(self, channel: str) -> list[Frame]:
        """All frames of a channel so far."""
        return [frame for frame in self.frames if frame.get("channel") == channel]

    async def close(self) -> None:
        """Hang up."""
        await self._socket.close()


class RawRest:
    """Signed REST requests of one key."""

    def __init__(self, world: World, key: str, secret: str | None = None) -> None:
        self._world, self._key = world, key
        self._secret = secret_of(key) if secret is None else secret
        self._http = aiohttp.ClientSession()
        self._nonce = time.time_ns()

    async def public(self, name: str, **fields: Any) -> Any:
        """The result of a public request, which must succeed."""
        query = urlencode(fields)
        async with self._http.get(f"{self._world.url}/0/public/{name}?{query}") as reply:
            answer = read(await reply.text())
        assert answer["error"] == [], answer
        return answer["result"]

    async def ask(self, name: str, /, nonce: int | None = None, **fields: Any) -> Frame:
        """The whole answer to a private request (sections 11.1 and 11.2)."""
        if nonce is None:
            self._nonce += 1
            nonce = self._nonce
        body = urlencode({"nonce": nonce, **fields})
        path = f"/0/private/{name}"
        headers = {
            "API-Key": self._key,
            "API-Sign": sign(self._secret, path, str(nonce), body),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        async with self._http.post(self._world.url + path, data=body, headers=headers) as reply:
            assert reply.status == 200
            answer: Frame = read(await reply.text())
            return answer

    async def good(self, name: str, /, **fields: Any) -> Any:
        """The result of a private request, which must succeed."""
        answer = await self.ask(name, **fields)
        assert answer["error"] == [], answer
        return answer["result"]

    async def error(self, name: str, /, **fields: Any) -> str:
        """The error of a private request, which must fail."""
        answer = await self.ask(name, **fields)
        assert answer.get("result") is None
        (error,) = answer["error"]
        assert isinstance(error, str)
        return error

    async def close(self) -> None:
        """Hang up."""
        await self._http.close()
