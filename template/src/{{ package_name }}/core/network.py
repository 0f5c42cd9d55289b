"""The network: connections to public addresses, and to those inner ones that are named.

A name is looked up once, and the connection made to the address that was checked: a name that changes between the
two (DNS rebinding) changes nothing.
"""

import asyncio
import socket
import time
from collections.abc import Collection, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

import httpcore2
import httpx2

from .addresses import is_inner, is_loopback, literal


class InnerAddressError(httpx2.ConnectError):
    """Nothing was sent: the host lies inside of somebody's network, where strangers may not lead the service."""


class Network(httpcore2.AsyncNetworkBackend):
    """Connects to public addresses, and to those hosts inside a network that are named."""

    def __init__(self, inner_hosts: Collection[str], advice: str) -> None:
        """Take `host` or `host:port` of each; `advice` tells people what to do about a host that is refused."""
        self._inner_hosts = frozenset(host.lower() for host in inner_hosts)
        self._advice = advice
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address that answers. Raises InnerAddressError."""
        end = None if timeout is None else time.monotonic() + timeout
        try:
            async with asyncio.timeout(timeout):
                addresses = await self.addresses(host, port)
        except TimeoutError:
            raise httpcore2.ConnectTimeout(f"looking up {host} took too long") from None
        except OSError as error:
            raise httpcore2.ConnectError(str(error)) from error
        for left in range(len(addresses), 0, -1):
            share = None if end is None else max(end - time.monotonic(), 0) / left
            try:
                return await self._network.connect_tcp(
                    addresses[-left], port, share, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if left == 1:
                    raise
        raise httpcore2.ConnectError(f"{host} has no address")

    async def addresses(self, host: str, port: int) -> list[str]:
        """Look a host up. Raises InnerAddressError if any of its addresses is an inner one, or OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        for address in addresses:
            self._check(host, port, ip_address(address))
        return addresses

    def check_name(self, host: str, port: int) -> None:
        """Check what can be told before a host is looked up. Raises InnerAddressError."""
        address = ip_address("127.0.0.1") if is_loopback(host) else literal(host)
        if address:
            self._check(host, port, address)

    def _check(self, host: str, port: int, address: IPv4Address | IPv6Address) -> None:
        if is_inner(address) and not self._is_named(host, port):
            raise InnerAddressError(
                f"refused to call {host}:{port}: {address} is no public address. {self._advice}".rstrip()
            )

    def _is_named(self, host: str, port: int) -> bool:
        name = f"[{host}]" if ":" in host else host.lower()
        return not self._inner_hosts.isdisjoint((name, f"{name}:{port}"))
