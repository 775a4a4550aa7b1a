"""API keys, request signatures, nonces, lockouts and tokens (protocol sections 5 and 11.1)."""

import base64
import hashlib
import hmac
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import parse_qsl

from simple_trader.sandbox import wire
from simple_trader.sandbox.accounts_file import KeySpec
from simple_trader.sandbox.memory import Fact, Memory, Nonce
from simple_trader.sandbox.rules import SurfaceRules
from simple_trader.simulator.dice import stream_key

TOKEN_LIFE = timedelta(minutes=15)
MAX_NONCE = 2**64
FAILURE_WINDOW = timedelta(seconds=60)
MAX_STRANGERS = 1_000

INVALID_KEY, INVALID_NONCE = "EAPI:Invalid key", "EAPI:Invalid nonce"
INVALID_SIGNATURE, LOCKED = "EAPI:Invalid signature", "EGeneral:Temporary lockout"


def sign(secret: str, path: str, nonce: str, body: bytes) -> str:
    """Sign a private request; `body` is the exact byte string sent."""
    digest = hashlib.sha256(nonce.encode() + body).digest()
    mac = hmac.new(base64.b64decode(secret), path.encode() + digest, hashlib.sha512)
    return base64.b64encode(mac.digest()).decode()


def read_body(body: bytes, content_type: str) -> dict[str, object] | None:
    """Read a form or JSON body; None when it is neither. A repeated form field is a list."""
    try:
        if "json" in content_type:
            read = wire.read_json(body.decode())
            return read if isinstance(read, dict) else None
        fields: dict[str, object] = {}
        for name, value in parse_qsl(body.decode(), keep_blank_values=True):
            fields[name] = f"{fields[name]},{value}" if name in fields else value
        return fields
    except ValueError:
        return None


class Issued(NamedTuple):
    """A token: whose it is and since when it may be used."""

    spec: KeySpec
    at: datetime


class _Used:
    """The nonces of one key: the highest, and those inside its window."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.highest = -1
        self.recent: set[int] = set()
        self.last_at: datetime | None = None

    def take(self, nonce: int) -> bool:
        if nonce > self.highest:
            self.highest = nonce
            if self.window:
                self.recent.add(nonce)
                if len(self.recent) > 4_096:
                    self.recent = {old for old in self.recent if old > nonce - self.window}
            return True
        if nonce in self.recent or self.highest - nonce >= self.window:
            return False
        self.recent.add(nonce)
        return True


class Keys:
    """All keys and what they have used up: nonces, patience, tokens."""

    def __init__(
        self,
        specs: Mapping[str, KeySpec],
        wall: Callable[[], datetime],
        seed: int,
        *,
        rules: SurfaceRules | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.specs = dict(specs)
        self._wall = wall
        self._rules = rules or SurfaceRules()
        self._memory = memory or Memory(None)
        self._used = {key: _Used(spec.nonce_window) for key, spec in specs.items()}
        self._failures: dict[str, deque[datetime]] = {}
        self._locked: dict[str, datetime] = {}
        self._tokens: dict[str, Issued] = {}
        self._born = wall()
        self._seed = stream_key(seed, "token", int(self._born.timestamp()))
        self._issued = 0

    # --- requests -----------------------------------------------------------------------------

    def judge(
        self, path: str, headers: Mapping[str, str], body: bytes, fields: Mapping[str, object]
    ) -> KeySpec | str:
        """Judge key, lockout, signature and nonce; gives the key's spec or Kraken's error."""
        key = headers.get("api-key", "")
        if self.locked(key):
            return LOCKED
        spec = self.specs.get(key)
        if spec is None or (spec.valid_until is not None and spec.valid_until <= self._wall()):
            return self._failed(key, INVALID_KEY)
        nonce_text = str(fields.get("nonce", ""))
        if not nonce_text.isascii() or not nonce_text.isdigit() or len(nonce_text) > 20:
            return self._failed(key, INVALID_NONCE)
        expected = sign(spec.secret, path, nonce_text, body)
        given = headers.get("api-sign", "").encode("utf-8", "replace")
        if not hmac.compare_digest(expected.encode(), given):
            return self._failed(key, INVALID_SIGNATURE)
        nonce = int(nonce_text)
        if nonce >= MAX_NONCE or not self._used[key].take(nonce):
            return self._failed(key, INVALID_NONCE)
        self._used[key].last_at = self._wall()
        self._memory.append(Nonce(key, nonce_text))
        return spec

    def locked(self, key: str) -> bool:
        """Say whether a key is locked out for having failed too often."""
        until = self._locked.get(key)
        if until is None:
            return False
        if self._wall() < until:
            return True
        del self._locked[key]
        return False

    def _failed(self, key: str, error: str) -> str:
        most = self._rules.lockout_after
        if not most:
            return error
        now = self._wall()
        if key not in self._failures and len(self._failures) >= MAX_STRANGERS:
            self._failures.clear()
        failures = self._failures.setdefault(key, deque())
        failures.append(now)
        while now - failures[0] > FAILURE_WINDOW:
            failures.popleft()
        if len(failures) >= most:
            self._locked[key] = now + timedelta(seconds=self._rules.lockout_s)
            failures.clear()
        return error

    def info(self, spec: KeySpec) -> dict[str, object]:
        """Say what GetApiKeyInfo says of a key; times are seconds as text, 0 for never."""
        used, born = self._used[spec.key], str(int(self._born.timestamp()))
        until = "0" if spec.valid_until is None else str(int(spec.valid_until.timestamp()))
        last = "0" if used.last_at is None else str(int(used.last_at.timestamp()))
        camel = self._rules.key_info == "camel"
        return {
            "apiKeyName" if camel else "api_key_name": spec.name,
            "apiKey" if camel else "api_key": spec.key,
            "nonce": str(max(used.highest, 0)),
            "nonceWindow" if camel else "nonce_window": spec.nonce_window,
            "permissions": list(spec.permissions),
            "iban": "",
            "validUntil" if camel else "valid_until": until,
            "queryFrom" if camel else "query_from": "0",
            "queryTo" if camel else "query_to": "0",
            "createdTime" if camel else "created_time": born,
            "modifiedTime" if camel else "modified_time": born,
            "ipAllowlist" if camel else "ip_allowlist": list(spec.ip_allow_list),
            "lastUsed" if camel else "last_used": last,
        }

    # --- nonces -------------------------------------------------------------------------------

    def recall(self, fact: Nonce) -> None:
        """Use up a nonce that an earlier life of this sandbox took."""
        if fact.key in self._used and fact.nonce.isdigit():
            self._used[fact.key].take(int(fact.nonce))

    def facts(self) -> list[Fact]:
        """Give what must be remembered of the nonces."""
        facts: list[Fact] = []
        for key, used in self._used.items():
            inside = {old for old in used.recent if used.highest - old < used.window}
            kept = sorted(inside | ({used.highest} if used.highest >= 0 else set()))
            facts += [Nonce(key, str(nonce)) for nonce in kept]
        return facts

    def raise_nonce(self, key: str, by: int) -> None:
        """Move the highest nonce of a key up, as if another program had used it (a fault)."""
        used = self._used.get(key)
        if used is not None:
            used.highest = min(MAX_NONCE - 1, used.highest + by)

    # --- tokens -------------------------------------------------------------------------------

    def issue_token(self, key: str | None = None) -> str:
        """Give a new WebSocket token of a key (the first when none is named)."""
        spec = self.specs[key] if key is not None else next(iter(self.specs.values()))
        now = self._wall()
        for token, issued in list(self._tokens.items()):
            if now - issued.at > TOKEN_LIFE:
                del self._tokens[token]
        self._issued += 1
        words = [stream_key(self._seed, self._issued, part) for part in range(4)]
        token = base64.b64encode(b"".join(word.to_bytes(8, "big") for word in words)).decode()
        token = token.rstrip("=").replace("/", "a").replace("+", "b")
        self._tokens[token] = Issued(spec, now)
        return token

    def token_spec(self, token: str) -> KeySpec | None:
        """Give the key of a token that is still young enough to be used first, else None."""
        issued = self._tokens.get(token)
        if issued is None or self._wall() - issued.at > TOKEN_LIFE:
            return None
        return issued.spec

    def expire_tokens(self) -> None:
        """Make every token unusable that no connection has used yet (a fault)."""
        self._tokens.clear()
