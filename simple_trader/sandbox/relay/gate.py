"""What a client may send through the relay: public subscriptions and pings, nothing else (I-44).

Everything private is answered here, in Kraken's words, and never leaves this machine. A frame is
judged as strictly as it can be read: names that stand twice, tokens at any depth and frames that
are no JSON but speak of a token stay here too.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from simple_trader.sandbox import wire

PRIVATE_METHODS = frozenset(
    {
        "add_order", "amend_order", "edit_order", "cancel_order", "cancel_all",
        "cancel_all_orders_after", "batch_add", "batch_cancel",
    }
)  # fmt: skip
PRIVATE_CHANNELS = frozenset({"executions", "balances", "level3"})
UNAVAILABLE = "Private data and trading are unavailable on this endpoint. Try the authenticated one"
MALFORMED = "Malformed request"
_PUBLIC_PATH = re.compile(r"/0/public/[A-Za-z]{1,40}\Z")
_SECRET_NAME = re.compile(r"(token|api[-_]?key|api[-_]?sign|nonce|otp|secret)\Z", re.IGNORECASE)
_SECRET_WORD = re.compile(
    r"\\u|\b(token|api[-_]?key|api[-_]?sign|nonce|otp|secret)\b", re.IGNORECASE
)


class Stays(msgspec.Struct, frozen=True):
    """Why a frame stays here: what the client is told instead."""

    method: str
    req_id: int | None
    error: str

    def answer(self, at: int) -> str:
        """Give the refusal as the exchange writes it; `at` in microseconds."""
        moment = wire.stamp(at)
        message: dict[str, Any] = {
            "error": self.error,
            "method": self.method,
            "success": False,
            "time_in": moment,
            "time_out": moment,
        }
        if self.req_id is not None:
            message["req_id"] = self.req_id
        return wire.response(message)


class _Twice(ValueError):
    """A name stands twice in one object: two readers may read two different frames."""


def judge_frame(text: str) -> Stays | None:
    """Say why a frame must not leave; None lets it pass as it is.

    What Kraken would refuse anyway (a wrong depth, an unknown pair, an unknown channel) passes:
    the refusal is Kraken's own then.
    """
    try:
        message = json.loads(text, object_pairs_hook=_once)
    except _Twice:
        return Stays("error", None, MALFORMED)
    except (ValueError, RecursionError):
        # Kraken says "Malformed request" to it; what may hold a secret is told so here.
        return Stays("error", None, MALFORMED) if _SECRET_WORD.search(text) else None
    if not isinstance(message, dict):
        return Stays("error", None, MALFORMED) if _holds_secret(message) else None
    method, req_id = message.get("method"), message.get("req_id")
    name = method if isinstance(method, str) else "error"
    number = req_id if isinstance(req_id, int) and not isinstance(req_id, bool) else None
    params = message.get("params")
    channel = params.get("channel") if isinstance(params, dict) else None
    is_private = isinstance(channel, str) and channel in PRIVATE_CHANNELS
    if name in PRIVATE_METHODS or is_private or _holds_secret(message):
        return Stays(name, number, UNAVAILABLE)
    return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice
    return found


def _holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return any(
            _SECRET_NAME.match(name) or _holds_secret(inner) for name, inner in value.items()
        )
    if isinstance(value, list):
        return any(_holds_secret(inner) for inner in value)
    return False


def is_public_path(path: str) -> bool:
    """Say whether a raw request path (before the `?`, nothing decoded) is one to pass on."""
    return _PUBLIC_PATH.match(path) is not None


def is_public_form(form: str) -> bool:
    """Say whether a raw query or form body names no key, nonce, signature or token."""
    return not any(_SECRET_NAME.match(name) for name, _ in parse_qsl(form, keep_blank_values=True))
