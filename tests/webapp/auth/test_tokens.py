"""Tokens of the embedded identity provider: what they hold, what is refused, how they end."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
from conftest import PASSWORD, Api, Site, at_once

from webapp.auth.tokens import Signer


def test_an_access_token_has_supabases_claims(site: Site) -> None:
    ada = site.sign_up()
    claims = jwt.decode(ada.token, options={"verify_signature": False})
    assert jwt.get_unverified_header(ada.token)["alg"] == "HS256"
    assert claims == claims | {
        "iss": site.config.public_url + "/auth/v1", "sub": ada.user["id"],
        "aud": "authenticated", "role": "authenticated", "email": ada.email, "aal": "aal1",
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": {}, "is_anonymous": False, "exp": claims["iat"] + 3600,
    }  # fmt: skip
    assert claims["amr"][0]["method"] == "password"
    assert abs(claims["iat"] - time.time()) < 60


NOW = int(time.time())


@pytest.mark.parametrize("change", [
    {"exp": NOW - 60}, {"exp": None}, {"sub": None}, {"aud": None}, {"aud": "anon"}, {"iss": "https://evil.test"},
    {"role": "service_role"}, {"role": "postgres"}, {"role": None}, {"session_id": None},
    {"session_id": "3b1b5255-a9d8-4be2-b428-08e714b5cd88"}, {"session_id": "nonsense"},
], ids="-".join)  # fmt: skip
def test_a_token_with_wrong_claims_is_refused_even_if_well_signed(site: Site, change: dict[str, Any]) -> None:
    ada = site.sign_up()
    claims = jwt.decode(ada.token, options={"verify_signature": False}) | change
    claims = {name: value for name, value in claims.items() if value is not None}
    ada.token = jwt.encode(claims, Signer(site.config)._key, "HS256")
    answer = ada.get("/me")
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "invalid_token")


@pytest.mark.filterwarnings("ignore:The HMAC key")  # too short for HS512, which is the point
def test_a_token_that_is_not_ours_is_refused(site: Site) -> None:
    ada = site.sign_up()
    claims = jwt.decode(ada.token, options={"verify_signature": False})
    head, body, signature = ada.token.split(".")
    key = Signer(site.config)._key
    for token in (
        jwt.encode(claims, "another key of at least 32 bytes length", "HS256"),
        jwt.encode(claims, None, "none"),
        jwt.encode(claims, key, "HS512"),
        f"{head}.{body}.", f"{head}.{body}.{signature[::-1]}", f"{head}..{signature}",
        "x", "a.b.c", "é" * 40, "sk-spend-x",
    ):  # fmt: skip
        assert (
            Api(site.app, token)
            .get("/me", headers={"Authorization": f"Bearer {token}".encode().decode("latin-1")})
            .status_code
            == 401
        )


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YWRhOng=", "Token x"])
def test_without_a_bearer_token_nothing_opens(site: Site, header: str | None) -> None:
    answer = site.nobody().get("/me", headers={"Authorization": header} if header is not None else {})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_clocks_may_differ_by_a_few_seconds(site: Site) -> None:
    ada = site.sign_up()
    claims = jwt.decode(ada.token, options={"verify_signature": False})
    ada.token = jwt.encode(claims | {"exp": int(time.time()) - 2}, Signer(site.config)._key, "HS256")
    assert ada.get("/me").status_code == 200


def test_a_browsers_cookie_never_opens_the_api(site: Site) -> None:
    browser = site.browser()
    assert browser.post("/signup", email=site.email(), password=PASSWORD).status_code == 303
    assert browser.get("/api/v1/me").status_code == 401
    assert "Set-Cookie" not in browser.get("/api/v1/me").headers


def test_refresh_gives_new_tokens_of_the_same_log_in(site: Site) -> None:
    ada = site.sign_up()
    answer = site.nobody().post("/auth/refresh", {"refresh_token": ada.refresh_token})
    assert answer.status_code == 200
    assert answer.json["refresh_token"] != ada.refresh_token
    assert answer.json["user"] == ada.user
    before, after = (
        jwt.decode(t, options={"verify_signature": False}) for t in (ada.token, answer.json["access_token"])
    )
    assert before["session_id"] == after["session_id"]
    assert Api(site.app, answer.json["access_token"]).get("/me").status_code == 200


def test_a_refresh_token_used_again_later_ends_the_log_in(site: Site) -> None:
    ada = site.sign_up()
    after = site.nobody().post("/auth/refresh", {"refresh_token": ada.refresh_token}).json
    assert site.nobody().post("/auth/refresh", {"refresh_token": ada.refresh_token}).status_code == 200  # a lost answer
    site.sql("update private.refresh_tokens set used_at = used_at - interval '11 seconds' where used_at is not null")
    assert site.nobody().post("/auth/refresh", {"refresh_token": ada.refresh_token}).status_code == 401
    assert site.nobody().post("/auth/refresh", {"refresh_token": after["refresh_token"]}).status_code == 401
    assert Api(site.app, after["access_token"]).get("/me").status_code == 401


@pytest.mark.parametrize("token", ["", "x", "é\u2028", "a" * 10000])
def test_a_refresh_token_that_is_none_is_401(site: Site, token: str) -> None:
    assert site.nobody().post("/auth/refresh", {"refresh_token": token}).status_code == 401


def test_log_out_ends_this_log_in_and_no_other(site: Site) -> None:
    ada = site.sign_up()
    other = site.nobody().post("/auth/login", {"email": ada.email, "password": PASSWORD}).json
    assert ada.post("/auth/logout").status_code == 204
    assert ada.get("/me").status_code == 401
    assert ada.post("/auth/logout").status_code == 401
    assert site.nobody().post("/auth/refresh", {"refresh_token": ada.refresh_token}).status_code == 401
    assert Api(site.app, other["access_token"]).get("/me").status_code == 200


def test_12_refreshes_at_once_all_get_tokens_that_work(site: Site) -> None:
    ada = site.sign_up()
    answers = at_once(*[lambda: site.nobody().post("/auth/refresh", {"refresh_token": ada.refresh_token})] * 12)
    assert [answer.status_code for answer in answers] == [200] * 12
    assert len({answer.json["refresh_token"] for answer in answers}) == 12
    assert all(Api(site.app, answer.json["access_token"]).get("/me").status_code == 200 for answer in answers)
