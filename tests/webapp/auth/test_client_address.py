"""Addresses: one spelling for each, and which of them FORWARDED_ALLOW_IPS trusts."""

from __future__ import annotations

import pytest

from webapp.auth.client_address import read_address, trusted_by


@pytest.mark.parametrize(("text", "address"), [
    ("203.0.113.5", "203.0.113.5"), ("203.0.113.5:4711", "203.0.113.5"), ("::ffff:203.0.113.5", "203.0.113.5"),
    ("::ffff:cb00:7105", "203.0.113.5"), ("[::ffff:203.0.113.5]:80", "203.0.113.5"), ("2001:DB8:0::1", "2001:db8::1"),
    ("[2001:db8::1]", "2001:db8::1"), ("[2001:db8::1]:443", "2001:db8::1"), ("fe80::1%eth0", "fe80::1"),
    ("[fe80::1%25eth0]:443", "fe80::1"), ("", None), ("unknown", None), ("_hidden:80", None), ("1.2.3", None),
])  # fmt: skip
def test_an_address_is_read_without_port_brackets_and_zone_and_ipv4_is_ipv4(text: str, address: str | None) -> None:
    found = read_address(text)
    assert (found and str(found)) == address


@pytest.mark.parametrize(("setting", "address", "trusted"), [
    ("127.0.0.1", "::ffff:127.0.0.1", True), ("127.0.0.1", "127.0.0.2", False),
    ("::ffff:127.0.0.1", "127.0.0.1", True), ("::ffff:10.0.0.0/104", "10.9.9.9", True),
    ("10.0.0.0/8, ::1", "10.1.2.3", True), ("10.0.0.0/8, ::1", "0:0:0:0:0:0:0:1", True),
    ("10.0.0.0/8", "11.0.0.1", False),
    ("2001:DB8::1", "2001:db8:0::1", True), ("*", "198.51.100.1", True), ("", "127.0.0.1", False),
    ("*", "nowhere", True),
    ("127.0.0.1", "nowhere", False),
])  # fmt: skip
def test_proxies_are_compared_as_addresses(setting: str, address: str, trusted: bool) -> None:
    assert trusted_by(setting)(read_address(address)) is trusted
