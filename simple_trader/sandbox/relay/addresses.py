"""Where the relay may call: Kraken's public hosts, or a sandbox on this machine; nothing else."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

import msgspec

from simple_trader.sandbox.settings import KRAKEN_PUBLIC, KRAKEN_REST, SandboxError

_REST_HOSTS = frozenset({"api.kraken.com"})
_PUBLIC_HOSTS = frozenset({"ws.kraken.com"})


class Upstream(msgspec.Struct, frozen=True):
    """Two addresses without a slash at the end; there is no private one, so none can be called."""

    rest: str = KRAKEN_REST
    public: str = KRAKEN_PUBLIC


def read_upstream(rest: str, public: str) -> Upstream:
    """Take two addresses; raises SandboxError for a host the relay has no business with.

    Allowed are Kraken's public hosts over TLS and, for tests and rehearsals, programs on this
    machine (loopback, no TLS). The private socket's host and path are never allowed (I-44).
    """
    rest, public = rest.rstrip("/"), public.rstrip("/")
    parts = _split(rest)
    if parts is None or parts.path or not _allowed(parts, "https", "http", _REST_HOSTS):
        raise SandboxError(
            f"the relay cannot use {rest} for REST: name {KRAKEN_REST} or http://127.0.0.1:PORT."
        )
    parts = _split(public)
    if parts is None or parts.path != "/v2" or not _allowed(parts, "wss", "ws", _PUBLIC_HOSTS):
        raise SandboxError(
            f"the relay cannot use {public} for the public feed: name {KRAKEN_PUBLIC} or "
            "ws://127.0.0.1:PORT/v2."
        )
    return Upstream(rest, public)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        number = parts.port
    except ValueError:
        return None
    clean = parts.username is None and not parts.query and not parts.fragment and number != 0
    return parts if parts.hostname and clean else None


def _allowed(parts: SplitResult, secure: str, plain: str, hosts: frozenset[str]) -> bool:
    if parts.scheme == secure:
        return parts.hostname in hosts and parts.port is None
    return parts.scheme == plain and _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
