"""Mode live's way to a provider: its name is resolved here, the addresses judged, then called.

A name that points to an inner address, or does so only at the second look, reaches nothing (L19).
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

# Where clouds hand out the keys of a machine, besides the link-local 169.254.169.254: on no list.
_METADATA = frozenset(
    map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"))
)

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_trouble(address: str, reach: str) -> str | None:
    """Why mode live does not call `address`, or None.

    `public`: only addresses of the open internet. `listed`: a person named the host in llm_hosts;
    inner addresses are meant then, those of a cloud's metadata service never are.
    """
    found: IpAddress = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    elif isinstance(found, ipaddress.IPv6Address) and found.sixtofour is not None:
        found = found.sixtofour  # 6to4 ends at that address
    no_server = found.is_link_local or found.is_multicast or found.is_unspecified
    if found in _METADATA:
        return f"{found} is the metadata service of a cloud"
    if no_server or (found.is_reserved and not found.is_loopback):  # ::1 counts as reserved
        return f"{found} is no address of a server"
    if reach == "public" and not found.is_global:
        return f"{found} is no public address"
    return None


def guarded_transport(reach: str) -> Any:
    """An httpx transport that connects to judged addresses only; TLS stays with the host's name."""
    import httpcore2  # the SDK's own transport, which takes a network backend
    import httpx2

    class Backend(httpcore2.AsyncNetworkBackend):
        """Resolves, judges, and connects to what it judged."""

        def __init__(self, inner: httpcore2.AsyncNetworkBackend) -> None:
            self._inner = inner

        async def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,
            local_address: str | None = None,
            socket_options: Iterable[Any] | None = None,
        ) -> httpcore2.AsyncNetworkStream:
            addresses = await _resolve(host, port)
            for address in addresses:
                if trouble := address_trouble(address, reach):
                    raise httpcore2.ConnectError(f"mode live does not call {host}: {trouble}")
            for address in addresses[:-1]:
                try:
                    return await self._inner.connect_tcp(
                        address, port, timeout, local_address, socket_options
                    )
                except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                    continue  # the next of its addresses
            return await self._inner.connect_tcp(
                addresses[-1], port, timeout, local_address, socket_options
            )

        async def sleep(self, seconds: float) -> None:
            await self._inner.sleep(seconds)

    async def _resolve(host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:  # UnicodeError: no name that DNS could hold
            raise httpcore2.ConnectError(f"{host} has no address: {error}") from error
        return list(dict.fromkeys(str(item[4][0]) for item in found))

    class Transport(httpx2.AsyncHTTPTransport):
        """The SDK's transport over a pool with that backend."""

        def __init__(self) -> None:
            super().__init__()
            self._pool = httpcore2.AsyncConnectionPool(
                ssl_context=httpx2.create_ssl_context(),
                max_connections=8,
                max_keepalive_connections=4,
                keepalive_expiry=30.0,
                network_backend=Backend(httpcore2.AnyIOBackend()),
            )

    return Transport()
