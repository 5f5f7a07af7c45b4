"""The limits of failed log-ins per account and address, and of sign-ups per address, by page and by API."""

from __future__ import annotations

from uuid import uuid4

import pytest
from conftest import PASSWORD

from webapp.auth import passwords
from webapp.auth.embedded_identity import EmbeddedIdentity
from webapp.auth.identity import Login, Person


def try_api(site, email, password, **options):
    return site.nobody().post("/auth/login", {"email": email, "password": password}, **options)


def coming(address: str) -> dict:
    return {"environ_base": {"REMOTE_ADDR": address}}


def test_twenty_wrong_passwords_close_the_door_to_the_right_one_too_but_not_to_other_addresses(site):
    ada = site.sign_up("guessed")
    for _ in range(20):
        assert try_api(site, ada.email, "wrong password", **coming("198.51.100.1")).status_code == 401
    for email in (ada.email, ada.email.upper() + " "):
        answer = try_api(site, email, PASSWORD, **coming("198.51.100.1"))
        assert (answer.status_code, answer.json["error"]["code"]) == (429, "too_many_attempts")
        assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert try_api(site, ada.email, PASSWORD, **coming("198.51.100.2")).status_code == 200


def test_the_page_says_when_to_come_back(site):
    ada, browser = site.sign_up("guessed"), site.browser()
    for _ in range(20):
        assert browser.post("/login", email=ada.email, password="wrong password").status_code == 401
    answer = browser.post("/login", email=ada.email, password=PASSWORD)
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0
    assert "Try again in 15 minutes" in answer.text
    assert browser.get("/team").status_code == 302, "still outside"


def test_an_address_nobody_has_is_throttled_just_the_same(site):
    email = site.email("nobody")
    answers = [try_api(site, email, "wrong password", **coming("198.51.100.3")) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [401] * 20 + [429]


def test_a_right_password_starts_the_count_again(site):
    ada = site.sign_up("guessed")
    for _ in range(2):
        for _ in range(19):
            assert try_api(site, ada.email, "wrong password", **coming("198.51.100.4")).status_code == 401
        assert try_api(site, ada.email, PASSWORD, **coming("198.51.100.4")).status_code == 200


@pytest.mark.parametrize(
    ("peer", "header", "same"),
    [
        ("127.0.0.1", "203.0.113.{}, 198.51.100.5", True),  # what the client wrote itself counts for nothing
        ("127.0.0.1", "198.51.100.{}", False),
        ("198.51.100.7", "203.0.113.{}", True),  # no proxy of ours: its header counts for nothing
        ("2001:db8::{}", "", True),
        ("2001:db8:0:{}::1", "", False),
        ("::ffff:198.51.100.{}", "", False),  # IPv4 clients of a socket on ::
        ("::ffff:127.0.0.1", "198.51.100.{}", False),
        ("::ffff:198.51.100.8", "203.0.113.{}", True),
        ("127.0.0.1", "198.51.100.9:4{:03}", True),
        ("127.0.0.1", "[2001:db8:1::{}]:443", True),
        ("127.0.0.1", "[2001:db8:2:{}::1]:443", False),
        ("fe80::{}%eth0", "", True),
        ("127.0.0.1", "unknown{}", True),
    ],
)
def test_an_address_is_what_trusted_proxies_say_and_of_ipv6_the_network(site, peer, header, same):
    email = site.email("somebody")
    statuses = [
        try_api(
            site, email, "wrong password", **coming(peer.format(n)), headers={"X-Forwarded-For": header.format(n)}
        ).status_code
        for n in range(1, 23)
    ]
    assert (429 in statuses) == same


def test_the_fifty_first_sign_up_from_an_address_is_refused_before_its_password_is_hashed(site, monkeypatch):
    hashed, one = [], passwords.hashed(PASSWORD)
    monkeypatch.setattr(passwords, "hashed", lambda password, *_: hashed.append(password) or one)
    here = coming("198.51.100.99")
    monkeypatch.setattr(
        EmbeddedIdentity, "_login", lambda *_: Login(Person(str(uuid4()), "a@example.test"), pending=True)
    )
    for _ in range(50):
        answer = site.nobody().post("/auth/signup", {"email": site.email(), "password": PASSWORD}, **here)
        assert answer.status_code == 202
    answer = site.nobody().post("/auth/signup", {"email": site.email(), "password": PASSWORD}, **here)
    assert (answer.status_code, answer.json["error"]["code"]) == (429, "too_many_attempts")
    assert 0 < int(answer.headers["Retry-After"]) <= 900 and len(hashed) == 50
    assert site.nobody().post("/auth/signup", {"email": "no", "password": ""}, **here).status_code == 400
