"""IP addresses of clients and proxies, in one form, however a socket, a header or a setting writes them."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
MAPPED = ip_network("::ffff:0:0/96")  # IPv4 as a socket on :: reports it


def read_address(text: str) -> Address | None:
    """The address that text holds, None for anything else.

    A port, brackets and an IPv6 zone are left out, and an IPv4 address inside IPv6 (::ffff:192.0.2.1) is IPv4.
    """
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def trusted_by(setting: str | None) -> Callable[[Address | None], bool]:
    """A function that says whether FORWARDED_ALLOW_IPS trusts an address.

    setting: addresses and networks separated by commas; * trusts every address, None no address.
    """
    words = [word.strip() for word in (setting or "").split(",") if word.strip()]
    networks = [_network(word) for word in words if word != "*"]
    return lambda found: "*" in words or (found is not None and any(found in network for network in networks))


def _network(word: str) -> IPv4Network | IPv6Network:
    """The network that a word names; an address is a network of one. gunicorn refuses others at its start."""
    network = ip_network(word)
    if isinstance(network, IPv6Network) and network.subnet_of(MAPPED):
        return ip_network((network.network_address.ipv4_mapped, network.prefixlen - 96))
    return network
