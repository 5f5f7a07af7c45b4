"""Access tokens of Supabase Auth: which are accepted, and how the project's keys are fetched and rotated."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from conftest import Api, Site
from fake_gotrue import API_KEY, SECRET, FakeGoTrue, key_pair

from webapp import create_app
from webapp.auth import jwks
from webapp.config import Config, ConfigError

NOW = int(time.time())
JWKS = "/.well-known/jwks.json"
STRANGER = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def gotrue(site: Site) -> Iterator[FakeGoTrue]:
    with FakeGoTrue(site.admin) as auth:
        yield auth


@pytest.fixture(scope="module")
def cloud(site: Site, gotrue: FakeGoTrue) -> Site:
    return site.with_settings(supabase_url=gotrue.url, supabase_publishable_key=API_KEY)


@pytest.fixture(scope="module")
def ada(cloud: Site, gotrue: FakeGoTrue) -> dict[str, Any]:
    """Her row in auth.users."""
    email = cloud.email("ada")
    gotrue.signup({"email": email, "password": "correct horse 1"})
    return gotrue.user(email)


def status(cloud: Site, token: str) -> int:
    answer = Api(cloud.app, token).get("/me")
    assert answer.status_code == 200 or answer.json["error"]["code"] == "invalid_token", answer.text
    return answer.status_code


def test_a_persons_token_is_believed(cloud: Site, gotrue: FakeGoTrue, ada: dict) -> None:
    answer = Api(cloud.app, gotrue.token(ada)).get("/me")
    assert (answer.status_code, answer.json["user"]["id"]) == (200, str(ada["id"]))


@pytest.mark.parametrize("change", [
    {"exp": NOW - 60}, {"exp": None}, {"iat": NOW + 3600}, {"nbf": NOW + 3600}, {"aud": "anon"}, {"aud": None},
    {"iss": "https://other.supabase.co/auth/v1"}, {"iss": None}, {"sub": None}, {"sub": "ada"}, {"sub": STRANGER},
    {"role": "service_role"}, {"role": "anon"}, {"role": "postgres"}, {"role": None}, {"is_anonymous": True},
], ids="-".join)  # fmt: skip
def test_a_token_with_wrong_claims_is_refused_even_if_well_signed(
    cloud: Site, gotrue: FakeGoTrue, ada: dict, change: dict
) -> None:
    assert status(cloud, gotrue.token(ada, **change)) == 401


def test_clocks_may_differ_a_little(cloud: Site, gotrue: FakeGoTrue, ada: dict) -> None:
    assert status(cloud, gotrue.token(ada, exp=int(time.time()) - 5, iat=int(time.time()) + 5)) == 200


def by_hand(header: dict[str, Any], claims: dict[str, Any], key: bytes) -> str:
    """A token with any header and key, which libraries refuse to make."""

    def encode(part: bytes) -> str:
        return base64.urlsafe_b64encode(part).rstrip(b"=").decode()

    signed = encode(json.dumps(header).encode()) + "." + encode(json.dumps(claims).encode())
    return signed + "." + encode(hmac.new(key, signed.encode(), hashlib.sha256).digest())


def test_a_token_that_this_project_did_not_sign_is_refused(cloud: Site, gotrue: FakeGoTrue, ada: dict) -> None:
    claims, other = gotrue.claims(ada), key_pair("ES256")[1]
    public = json.dumps(gotrue.jwks()["keys"][0]).encode()
    head, body, signature = gotrue.token(ada).split(".")
    for token in (
        jwt.encode(claims, other, "ES256", {"kid": gotrue.kid}),  # another key under the known name
        jwt.encode(claims, other, "ES256", {"kid": "unknown"}),
        jwt.encode(claims, gotrue.key, "ES256"),  # no key named
        jwt.encode(claims, None, "none"),
        jwt.encode(claims, None, "none", {"kid": gotrue.kid}),
        jwt.encode(claims, SECRET, "HS256"),  # not switched on here
        by_hand({"alg": "HS256", "kid": gotrue.kid}, claims, public),  # the public key as if it were a secret
        by_hand({"alg": "RS256", "kid": gotrue.kid}, claims, public),
        f"{head}.{body}.", f"{head}.{body}.{signature[::-1]}", f"{head}..{signature}", "x", "a.b.c", "é" * 40,
        API_KEY, "sk-spend-x",
    ):  # fmt: skip
        assert status(cloud, token) == 401, token


def test_keys_are_fetched_once_and_unknown_ones_do_not_make_it_more(cloud: Site, gotrue: FakeGoTrue, ada: dict) -> None:
    fresh = cloud.with_settings()
    before = gotrue.count(JWKS)
    assert {status(fresh, gotrue.token(ada)) for _ in range(10)} == {200}
    stranger = key_pair("ES256")[1]
    for n in range(10):
        assert status(fresh, jwt.encode(gotrue.claims(ada), stranger, "ES256", {"kid": str(n)})) == 401
    assert gotrue.count(JWKS) == before + 1


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_rotated_key_is_found_and_the_old_one_forgotten(
    cloud: Site, gotrue: FakeGoTrue, ada: dict, algorithm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "COOLDOWN", 0)
    rotating = cloud.with_settings()
    old = gotrue.token(ada)
    assert status(rotating, old) == 200
    gotrue.rotate(algorithm)
    assert status(rotating, gotrue.token(ada)) == 200
    assert status(rotating, old) == 401
    gotrue.rotate()


@pytest.mark.parametrize("trouble", ["down", "html"])
def test_keys_that_cannot_be_fetched_are_503_and_known_ones_go_on_working(
    cloud: Site, gotrue: FakeGoTrue, ada: dict, trouble: str
) -> None:
    known, unknown = cloud.with_settings(), cloud.with_settings()
    assert status(known, gotrue.token(ada)) == 200
    gotrue.trouble = trouble
    answer = Api(unknown.app, gotrue.token(ada)).get("/me")
    gotrue.trouble = ""
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "identity_unavailable")
    assert status(known, gotrue.token(ada)) == 200


def test_a_project_that_signs_with_a_secret_needs_it(cloud: Site, gotrue: FakeGoTrue, ada: dict) -> None:
    gotrue.algorithm = "HS256"
    token = gotrue.token(ada)
    assert status(cloud.with_settings(supabase_jwt_secret=SECRET), token) == 200
    assert status(cloud.with_settings(supabase_jwt_secret=SECRET[::-1]), token) == 401
    assert status(cloud, token) == 401
    gotrue.rotate()


def test_a_short_secret_is_refused_at_the_start(site: Site) -> None:
    settings = {"supabase_url": "https://x.supabase.co", "supabase_publishable_key": API_KEY}
    with pytest.raises(ConfigError, match="SUPABASE_JWT_SECRET"):
        create_app(Config(**vars(site.config) | settings | {"supabase_jwt_secret": "x" * 31}))
