"""The relay calls Kraken's public hosts or this machine, and nobody else."""

import pytest

from simple_trader.sandbox.relay.addresses import Upstream, read_upstream
from simple_trader.sandbox.settings import KRAKEN_PUBLIC, KRAKEN_REST, SandboxError


@pytest.mark.parametrize(
    ("rest", "public"),
    [
        (KRAKEN_REST, KRAKEN_PUBLIC),
        ("http://127.0.0.1:8900", "ws://127.0.0.1:8900/v2"),
        ("http://localhost:1", "ws://[::1]:2/v2"),
    ],
)
def test_krakens_public_hosts_and_this_machine_are_allowed(rest: str, public: str) -> None:
    assert read_upstream(rest + "/", public) == Upstream(rest, public)


@pytest.mark.parametrize(
    "rest",
    [
        "http://api.kraken.com",
        "https://api.kraken.com:444",
        "https://api.kraken.com.evil.example",
        "https://key:secret@api.kraken.com",
        "https://api.kraken.com/0/private",
        "https://api.kraken.com?x=1",
        "http://10.0.0.1:8900",
        "http://127.0.0.1.evil.example",
        "ftp://127.0.0.1",
        "https://",
        "http://127.0.0.1:99999",
    ],
)
def test_any_other_rest_address_is_refused(rest: str) -> None:
    with pytest.raises(SandboxError, match="for REST"):
        read_upstream(rest, KRAKEN_PUBLIC)


@pytest.mark.parametrize(
    "public",
    [
        "wss://ws-auth.kraken.com/v2",
        "wss://ws.kraken.com/auth/v2",
        "ws://ws.kraken.com/v2",
        "ws://127.0.0.1:8900/auth/v2",
        "ws://127.0.0.1:8900",
        "wss://ws.kraken.com:8443/v2",
        "ws://192.168.1.1/v2",
    ],
)
def test_the_private_socket_and_strangers_are_refused(public: str) -> None:
    with pytest.raises(SandboxError, match="public feed"):
        read_upstream(KRAKEN_REST, public)
