"""Refuses base URLs that lead to a cloud's metadata service, and connects to exactly the address that was checked.

A metadata service gives a machine its credentials at a fixed address, without a password. An admin of an organization
who could set this address as base URL would get the credentials of the machine that SpendAI runs on. Loopback and
private addresses are allowed: a model server beside SpendAI is a legitimate upstream.
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
    """All addresses of a host are forbidden. Nothing was sent."""


def forbidden(host: str) -> bool:
    """Whether a host is a literal address, in any spelling, that is link-local or of a cloud's metadata service.

    False for a name: its addresses are checked by ``connect``.
    """
    address = _parsed(host)
    if isinstance(address, IPv6Address):
        inner = _ipv4_within(address)
        return _is_forbidden(address) or (inner is not None and _is_forbidden(inner))
    return address is not None and _is_forbidden(address)


def connect(host: str, port: int, seconds: float) -> socket.socket:
    """Connect to the first address of a host that is not forbidden and accepts.

    seconds: the time-out for each address. Raises ForbiddenAddress, TimeoutError, another OSError, or UnicodeError when
    the host is no valid name.
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
    """The address that a literal stands for, also in the spellings 2852039166, 0xa9fea9fe, 169.254.43518; else None."""
    host = host.partition("%")[0]  # the zone of fe80::1%eth0
    try:
        return ip_address(host)
    except ValueError:
        try:
            return IPv4Address(socket.inet_aton(host.rstrip(".")))
        except OSError:
            return None


def _ipv4_within(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address to which the kernel or a gateway sends packets for this IPv6 address, if there is one."""
    if any(address in network for network in HOLDS_IPV4):
        return IPv4Address(address.packed[-4:])
    return address.sixtofour
