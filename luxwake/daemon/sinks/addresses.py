"""Where a webhook may go: a name is looked up once, every address of it is checked, and that is what is connected to.

A name whose addresses change between the check and the connection (DNS rebinding) gains nothing by it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

from geo.errors import UsageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_V4_INSIDE = tuple(
    (ipaddress.IPv6Network(network), shift)
    for network, shift in (("::/96", 0), ("64:ff9b::/96", 0), ("64:ff9b:1::/48", 0), ("2002::/16", 80))
)
"""IPv6 that a gateway may turn into IPv4 (RFC 4291, 6052, 8215, 3056), and how far its 32 bits are from the right."""
_METADATA = (ipaddress.IPv4Address("168.63.129.16"),)
"""Addresses of clouds' own services that are not in a private network."""


class Forbidden(Exception):
    """An address to which nothing may be sent."""


def networks_of(texts: Sequence[str], place: str) -> tuple[Network, ...]:
    """Networks as a configuration names them; UsageError for what is none.

    >>> networks_of(["10.1.0.0/16"], "sinks.hook.allow_private")
    (IPv4Network('10.1.0.0/16'),)
    """
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        raise UsageError(f"{place}: {error}; write networks as 10.1.0.0/16 or fd00::/8") from None


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, for one host, and of no cloud's metadata service.

    >>> [is_public(ipaddress.ip_address(text)) for text in ("9.9.9.9", "10.0.0.1", "::ffff:10.0.0.1")]
    [True, False, False]
    """
    if isinstance(address, ipaddress.IPv6Address):
        inside = [address.ipv4_mapped] if address.ipv4_mapped else list(address.teredo or ())
        inside += [
            ipaddress.IPv4Address((int(address) >> shift) & 0xFFFFFFFF)
            for network, shift in _V4_INSIDE
            if address in network
        ]
        if inside:
            return all(is_public(one) for one in inside)
        if address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address in _METADATA)


def is_allowed(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether it is public, or in one of these networks."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    address = mapped or address
    return is_public(address) or any(address in network for network in allowed)


def checked_addresses(host: str, port: int, allowed: Sequence[Network]) -> list[tuple[str, int]]:
    """The addresses of a name, as `(address, port)`; Forbidden where one is neither public nor allowed.

    Raises OSError where the name cannot be looked up.

    >>> checked_addresses("2130706433", 80, ())
    Traceback (most recent call last):
    luxwake.daemon.sinks.addresses.Forbidden: 2130706433 is 127.0.0.1, which is not public; name its network in \
allow_private
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    for text in addresses:
        if not is_allowed(ipaddress.ip_address(text), allowed):
            raise Forbidden(f"{host} is {text}, which is not public; name its network in allow_private")
    return [(text, port) for text in addresses]
