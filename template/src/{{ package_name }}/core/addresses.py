"""Addresses: which of them lie inside somebody's network."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

GLOBAL_UNICAST = IPv6Network("2000::/3")

EMBEDDING = tuple(map(IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")))
"""An IPv4 address is in their last 32 bits: compatible, mapped, translated (SIIT) and NAT64."""


def is_inner(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is anything but a host on the public internet: loopback, private, link-local and so on."""
    if isinstance(address, IPv4Address):
        return not address.is_global or address.is_multicast
    if any(address in network for network in EMBEDDING):
        return is_inner(IPv4Address(int(address) & 0xFFFFFFFF))
    if address.sixtofour:
        return is_inner(address.sixtofour)
    return address not in GLOBAL_UNICAST or not address.is_global


def is_loopback(host: str) -> bool:
    """Whether a host means this machine by its very name."""
    name = host.rstrip(".").lower()
    address = literal(host)
    if address is None:
        return name == "localhost" or name.endswith(".localhost")
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """Read a host that is an address itself, in any spelling that a resolver takes; None if it is a name."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host.rstrip(".")))
    except (OSError, ValueError):
        return None
