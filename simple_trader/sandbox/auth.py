"""API keys, request signatures, nonces and WebSocket tokens (protocol sections 5 and 11.1)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from simple_trader.sandbox import wire
from simple_trader.simulator.dice import stream_key

TOKEN_LIFE = timedelta(minutes=15)
MAX_NONCE = 2**64


def sign(secret: str, path: str, nonce: str, body: bytes) -> str:
    """Sign a private request; `body` is the exact byte string sent."""
    digest = hashlib.sha256(nonce.encode() + body).digest()
    mac = hmac.new(base64.b64decode(secret), path.encode() + digest, hashlib.sha512)
    return base64.b64encode(mac.digest()).decode()


def read_body(body: bytes, content_type: str) -> dict[str, object] | None:
    """Read a form or JSON body; None when it is neither."""
    try:
        if "json" in content_type:
            fields = wire.read_json(body.decode())
            return fields if isinstance(fields, dict) else None
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError:
        return None


class Keys:
    """The accounts' keys and what they have used up."""

    def __init__(self, secrets: Mapping[str, str], wall: Callable[[], datetime], seed: int) -> None:
        for key, secret in secrets.items():
            try:
                base64.b64decode(secret, validate=True)
            except binascii.Error as error:
                raise ValueError(f"the secret of key {key} is not base64") from error
        self._secrets = dict(secrets)
        self._wall = wall
        self._nonces: dict[str, int] = {}
        self._tokens: dict[str, datetime] = {}
        self._seed = stream_key(seed, "token", int(wall().timestamp()))
        self._issued = 0

    def check(
        self, path: str, headers: Mapping[str, str], body: bytes, fields: Mapping[str, object]
    ) -> str | None:
        """Judge key, signature and nonce of a private request; gives Kraken's error or None."""
        key = headers.get("api-key", "")
        secret = self._secrets.get(key)
        if secret is None:
            return "EAPI:Invalid key"
        nonce_text = str(fields.get("nonce", ""))
        if not nonce_text.isascii() or not nonce_text.isdigit() or len(nonce_text) > 20:
            return "EAPI:Invalid nonce"
        expected = sign(secret, path, nonce_text, body)
        if not hmac.compare_digest(expected.encode(), headers.get("api-sign", "").encode()):
            return "EAPI:Invalid signature"
        nonce = int(nonce_text)
        if nonce >= MAX_NONCE or nonce <= self._nonces.get(key, -1):
            return "EAPI:Invalid nonce"
        self._nonces[key] = nonce
        return None

    def issue_token(self) -> str:
        """Give a new WebSocket token, to be used within 15 minutes."""
        now = self._wall()
        for token, issued in list(self._tokens.items()):
            if now - issued > TOKEN_LIFE:
                del self._tokens[token]
        self._issued += 1
        words = [stream_key(self._seed, self._issued, part) for part in range(4)]
        token = base64.b64encode(b"".join(word.to_bytes(8, "big") for word in words)).decode()
        token = token.rstrip("=").replace("/", "a").replace("+", "b")
        self._tokens[token] = now
        return token

    def token_ok(self, token: str) -> bool:
        """Say whether a token was issued and is still young enough to be used first."""
        issued = self._tokens.get(token)
        return issued is not None and self._wall() - issued <= TOKEN_LIFE
