"""Refuses base URLs that lead to a cloud's metadata service, and connects to exactly the address that was checked.

A metadata service gives a machine its credentials at a fixed address, without a password. An admin of an organization
who could set this address as base URL would get the credentials of the machine that SpendAI runs on. Loopback and
private addresses are allowed, because a model server beside SpendAI is a legitimate upstream, unless the setting
ALLOW_PRIVATE_BASE_URLS forbids them to the organizations.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from webapp.upstream.names import look_up
from webapp.upstream.race import first_to_accept

METADATA = {  # addresses of metadata services that are not link-local
    ip_address("100.100.100.200"),  # Alibaba Cloud
    ip_address("168.63.129.16"),  # Azure
    ip_address("192.0.0.192"),  # Oracle Cloud, Classic
    ip_address("fd00:ec2::254"),  # AWS
    ip_address("fd00:c1::a9fe:a9fe"),  # Oracle Cloud
    ip_address("fd20:ce::254"),  # Google Cloud
    ip_address("fd00:42::42"),  # Scaleway
}
# IPv6 networks whose last 32 bits are an IPv4 address: compatible, mapped, translated (SIIT), and NAT64.
HOLDS_IPV4 = [IPv6Network(text) for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96")]
# NAT64 of a network's own. An operator chooses the length of the prefix, and with it where the IPv4 address stands
# (RFC 6052): its four bytes, by number, for a prefix of 48, 56, 64 and 96 bits.
LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")
NAT64_BYTES = ((6, 7, 9, 10), (7, 9, 10, 11), (9, 10, 11, 12), (12, 13, 14, 15))


class ForbiddenAddress(OSError):
    """All addresses of a host are forbidden. Nothing was sent."""


def forbidden(host: str, *, private: bool = True) -> bool:
    """Whether a host is a literal address, in any spelling, that is link-local or of a cloud's metadata service.

    private: whether loopback, private and other addresses that are not public are allowed. False for a name: its
    addresses are checked by ``connect``.
    """
    address = _parsed(host)
    if address is None:
        return False
    inner = _ipv4_within(address) if isinstance(address, IPv6Address) else []
    if any(_is_forbidden(each) for each in (address, *inner)):
        return True
    return not private and not all(_is_public(each) for each in inner or (address,))


def connect(host: str, port: int, seconds: float, *, private: bool = True) -> socket.socket:
    """Connect to an address of a host that is not forbidden and accepts.

    seconds: the time-out for the look-up, and for the addresses together. private: as for ``forbidden``. Raises
    ForbiddenAddress, TimeoutError, another OSError, or UnicodeError when the host is no valid name.
    """
    found = look_up(host, port, seconds)
    allowed = [one for one in found if not forbidden(str(one[4][0]), private=private)]
    if not allowed:
        raise ForbiddenAddress(host)
    return first_to_accept(allowed, seconds)


def _is_forbidden(address: IPv4Address | IPv6Address) -> bool:
    return address.is_link_local or address in METADATA


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast


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


def _ipv4_within(address: IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses to which the kernel or a gateway may send packets for this IPv6 address; mostly none."""
    if address in LOCAL_NAT64:
        return [IPv4Address(bytes(address.packed[at] for at in places)) for places in NAT64_BYTES]
    if any(address in network for network in HOLDS_IPV4):
        return [IPv4Address(address.packed[-4:])]
    if address.teredo:
        return [address.teredo[1]]
    return [address.sixtofour] if address.sixtofour else []
