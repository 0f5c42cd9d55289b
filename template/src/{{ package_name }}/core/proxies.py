"""Proxies: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, read once and checked."""

import os
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies

from .addresses import is_loopback


class Proxies:
    """Which proxy leads to a host. Raises ValueError, in one line, when one cannot be used."""

    def __init__(self) -> None:
        found = getproxies()
        self._without = [entry.strip().lower() for entry in found.get("no", "").split(",") if entry.strip()]
        self._by_scheme = {
            scheme: _checked(scheme, found[scheme])
            for scheme in ("http", "https", "all")
            if found.get(scheme)
        }

    def leading_to(self, scheme: str, host: str) -> str | None:
        """Give the proxy's URL; None if the host is called directly, as this machine always is."""
        if is_loopback(host):
            return None
        proxy = self._by_scheme.get(scheme) or self._by_scheme.get("all")
        return None if any(_covers(entry, host.lower()) for entry in self._without) else proxy


def _covers(entry: str, host: str) -> bool:
    """Whether an entry of NO_PROXY means a host: a domain with all below it, an address, a network or everything."""
    try:
        return ip_address(host) in ip_network(entry.strip("[]"))
    except ValueError:
        domain = entry.removeprefix("*").removeprefix(".")
        return entry == "*" or host == domain or host.endswith(f".{domain}")


def _checked(scheme: str, proxy: str) -> str:
    url = proxy if "://" in proxy else f"http://{proxy}"
    variable = next((name for name in os.environ if name.lower() == f"{scheme}_proxy"), f"{scheme}_proxy")
    try:
        parts = urlsplit(url)
        named = f"{parts.scheme}://{parts.hostname}:{parts.port}"
    except ValueError:
        raise ValueError(f"{variable} is no URL; write http://host:port") from None
    if parts.scheme in ("socks5", "socks5h") and find_spec("socksio") is None:
        raise ValueError(
            f"{variable} is {named}, and SOCKS needs a package more: add httpx2[socks], or use an HTTP proxy"
        )
    if parts.scheme not in ("http", "https", "socks5", "socks5h") or not parts.hostname:
        raise ValueError(f"{variable} names no proxy that can be used ({named}); write http://host:port")
    return url
