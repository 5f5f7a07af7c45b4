"""Which network addresses a base URL may lead to, and connecting to exactly the address that was checked.

Machines in a cloud get their credentials from a fixed address, without any password: an organization's admin who sets
that address as base URL would read the credentials of the machine SpendAI runs on. Loopback and private addresses are
allowed: a model server beside SpendAI is a legitimate upstream.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

METADATA = {  # addresses of metadata services that are not link-local
    ip_address("100.100.100.200"),  # Alibaba Cloud
    ip_address("168.63.129.16"),  # Azure
    ip_address("fd00:ec2::254"),  # AWS
    ip_address("fd00:c1::a9fe:a9fe"),  # Oracle Cloud
    ip_address("fd20:ce::254"),  # Google Cloud
}
# IPv6 networks whose last 32 bits are an IPv4 address: compatible, mapped, translated (SIIT), and NAT64 (two).
HOLDS_IPV4 = [
    IPv6Network(text)
    for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
]  # fmt: skip


class ForbiddenAddress(OSError):
    """A host whose every address is forbidden. Nothing was sent."""


def forbidden(host: str) -> bool:
    """Whether a host is an address of a cloud's metadata service or link-local, in any spelling; a name is not."""
    address = _parsed(host)
    if isinstance(address, IPv6Address):
        inner = _ipv4_within(address)
        return _is_forbidden(address) or (inner is not None and _is_forbidden(inner))
    return address is not None and _is_forbidden(address)


def connect(host: str, port: int, seconds: float) -> socket.socket:
    """A connection to the first address of a host that is not forbidden and takes it, each tried for so many seconds.

    Raises ForbiddenAddress, TimeoutError or another OSError; UnicodeError for a name that cannot be one.
    """
    error: OSError = ForbiddenAddress(host)
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if forbidden(str(address[0])):
            continue
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(seconds)
            sock.connect(address)
            return sock
        except OSError as failure:
            sock.close()
            error = failure
        except BaseException:
            sock.close()
            raise
    raise error


def _is_forbidden(address: IPv4Address | IPv6Address) -> bool:
    return address.is_link_local or address in METADATA


def _parsed(host: str) -> IPv4Address | IPv6Address | None:
    """A literal address, also as a resolver understands it: 2852039166, 0xa9fea9fe, 169.254.43518."""
    host = host.partition("%")[0]  # the zone of fe80::1%eth0
    try:
        return ip_address(host)
    except ValueError:
        try:
            return IPv4Address(socket.inet_aton(host.rstrip(".")))
        except OSError:
            return None


def _ipv4_within(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a router or the kernel makes of an IPv6 address."""
    if any(address in network for network in HOLDS_IPV4):
        return IPv4Address(address.packed[-4:])
    return address.sixtofour
