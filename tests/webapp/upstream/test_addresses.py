"""No base URL can lead to a cloud's metadata service, in any spelling and by any name."""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest

from webapp.config import load
from webapp.errors import ApiError
from webapp.gateway.gateway import Gateway
from webapp.secrets.provider_keys import check_base_url
from webapp.upstream.addresses import forbidden
from webapp.upstream.client import Client, Request, UpstreamError

FORBIDDEN = [
    "64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:a9:fe:a9fe::", "64:ff9b:1:0:a9:fea9:fe00:0", "64:ff9b:1:7:a9:fea9:fe00:0",
    "64:ff9b:1:1:2:3:a9fe:a9fe", "64:ff9b:1:6464:64:c800::", "2001:0:1:2:3:4:5601:5601", "fd00:42::42", "192.0.0.192",
    "::ffff:168.63.129.16", "64:ff9b::100.100.100.200",
    "169.254.169.254", "169.254.0.1", "169.254.169.254.", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
    "169.254.43518", "fe80::1", "fe80::1%eth0", "febf::1", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe",
    "::169.254.169.254", "::ffff:0:169.254.169.254", "64:ff9b::169.254.169.254", "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1", "fd00:ec2::254", "::ffff:100.100.100.200", "100.100.100.200", "168.63.129.16",
    "fd00:c1::a9fe:a9fe", "fd20:ce::254", "FD00:EC2:0::254",
]  # fmt: skip
ALLOWED = [
    "127.0.0.1", "::1", "10.0.0.5", "192.168.1.10", "fd00::1", "104.18.7.192", "2606:4700::6812:7c0", "169.253.1.1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.5", "64:ff9b::104.18.7.192", "2002:6812:7c0::1", "api.openai.com",
    "169.254.169.254.example", "localhost",
]  # fmt: skip
PRIVATE = [
    "127.0.0.1", "127.1", "2130706433", "0.0.0.0", "::1", "::", "10.0.0.5", "172.16.0.1", "192.168.1.10", "100.64.0.1",
    "fd00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.5", "64:ff9b::10.0.0.5", "64:ff9b:1::104.18.7.192", "2002:a00:5::1",
    "224.0.0.1", "ff02::1", *FORBIDDEN,
]  # fmt: skip
PUBLIC = ["104.18.7.192", "2606:4700::6812:7c0", "::ffff:104.18.7.192", "64:ff9b::104.18.7.192", "2002:6812:7c0::1"]
GET = Request("GET", "/models", [], None, None)


@pytest.mark.parametrize("host", FORBIDDEN)
def test_every_spelling_of_a_metadata_address_is_forbidden(host):
    assert forbidden(host)


@pytest.mark.parametrize("host", ALLOWED)
def test_model_servers_near_and_far_are_allowed(host):
    assert not forbidden(host)


@pytest.mark.parametrize("host", PRIVATE)
def test_where_private_addresses_are_forbidden_no_spelling_of_one_is_allowed(host):
    assert forbidden(host, private=False)


@pytest.mark.parametrize("host", [*PUBLIC, "api.openai.com", "localhost"])
def test_where_private_addresses_are_forbidden_public_ones_and_names_are_not(host):
    assert not forbidden(host, private=False)


def resolver(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Makes every name resolve to these addresses, a list for each look-up; returns the names looked up so far."""
    asked, left = [], list(answers)

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0)) if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in (left.pop(0) if len(left) > 1 else left[0])
        ]  # fmt: skip

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The addresses that were connected to; every connection is refused."""
    tried: list[Any] = []

    def connect(sock: socket.socket, address: Any) -> None:
        tried.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried


@pytest.mark.parametrize("address", [host for host in FORBIDDEN if host.count(".") == 3 or ":" in host])
def test_a_name_of_a_metadata_address_is_refused_and_nothing_is_sent(monkeypatch, tried, address):
    asked = resolver(monkeypatch, [address.rstrip(".")])
    with pytest.raises(UpstreamError) as caught:
        Client(5, 5).send("https://metadata.evil.test/v1", GET)
    error = caught.value
    assert (error.status, error.code, error.sent) == (403, "base_url_forbidden", False)
    assert asked == ["metadata.evil.test"] and tried == []


def test_a_stored_literal_address_is_checked_at_connect_too(tried):
    for host in ("169.254.169.254", "[::ffff:169.254.169.254]", "2852039166"):
        with pytest.raises(UpstreamError) as caught:
            Client(5, 5).send(f"http://{host}/latest", GET)
        assert (caught.value.code, caught.value.sent) == ("base_url_forbidden", False)
    assert tried == []


def test_a_name_is_looked_up_once_so_that_a_second_answer_cannot_differ(monkeypatch, tried):
    asked = resolver(monkeypatch, ["192.0.2.1"], ["169.254.169.254"])
    with pytest.raises(UpstreamError) as caught:
        Client(5, 5).send("http://rebinding.evil.test/v1", GET)
    assert caught.value.code == "upstream_unreachable"
    assert (asked, tried) == (["rebinding.evil.test"], ["192.0.2.1"])


def test_of_several_addresses_only_the_allowed_ones_are_tried(monkeypatch, tried):
    resolver(monkeypatch, ["fe80::1", "192.0.2.1", "2001:db8::1"])
    with pytest.raises(UpstreamError) as caught:
        Client(5, 5).send("http://several.test/v1", GET)
    assert (caught.value.status, caught.value.code) == (502, "upstream_unreachable")
    assert tried == ["192.0.2.1", "2001:db8::1"]


@pytest.mark.parametrize("host", [host for host in FORBIDDEN if "%" not in host])
def test_a_base_url_with_a_literal_metadata_address_cannot_be_stored(host):
    url = f"http://[{host}]/v1" if ":" in host else f"http://{host}/v1"
    with pytest.raises(Exception) as caught:
        check_base_url(url)
    assert caught.value.code == "base_url_invalid"


@pytest.mark.parametrize("host", ["models.test", "127.0.0.1", "10.0.0.5", "[::1]", "2130706433"])
def test_where_private_addresses_are_forbidden_no_base_url_but_the_operators_leads_to_one(monkeypatch, tried, host):
    if host == "models.test":
        resolver(monkeypatch, ["10.0.0.5", "::ffff:127.0.0.1"])
    with pytest.raises(UpstreamError) as caught:
        Client(5, 5, only_private="http://127.0.0.1:9/v1").send(f"http://{host}:9/v2", GET)
    assert (caught.value.status, caught.value.code, tried) == (403, "base_url_forbidden", [])
    with pytest.raises(UpstreamError) as caught:
        Client(5, 5, only_private=f"http://{host}:9/v2").send(f"http://{host}:9/v2", GET)
    assert caught.value.code == "upstream_unreachable" and tried


def test_where_private_addresses_are_forbidden_none_can_be_stored():
    with pytest.raises(ApiError) as caught:
        check_base_url("http://192.168.1.10/v1", private=False)
    assert caught.value.code == "base_url_invalid"
    assert check_base_url("http://192.168.1.10/v1/") == "http://192.168.1.10/v1"


def test_the_setting_forbids_private_base_urls_to_organizations_but_not_to_the_operator(fake, tmp_path):
    settings = {"SPENDAI_HOME": str(tmp_path), "ALLOW_PRIVATE_BASE_URLS": "0", "OPENAI_BASE_URL": fake.url}
    client = Gateway(lambda *_: [], load({**os.environ, **settings})).client
    client.send(fake.url, GET).close()
    with pytest.raises(UpstreamError) as caught:
        client.send(fake.url + "/other", GET)
    assert caught.value.code == "base_url_forbidden"
