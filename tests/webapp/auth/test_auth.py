"""The embedded identity provider through the API: sign-up, log-in, tokens and how they end."""

from __future__ import annotations

from uuid import uuid4

import pytest
from conftest import PASSWORD, Api, Site, at_once

from webapp.auth.identity import Person
from webapp.auth.tokens import Signer


def bare_account(site: Site) -> str:
    """An account whose sign-up broke off before it had an organization; its address."""
    email = site.email("bare")
    donor = site.sign_up()
    site.sql(
        "select local_auth.create_user(%s, (select encrypted_password from auth.users where id = %s))",
        email,
        donor.user["id"],
    )
    return email


def test_sign_up_makes_an_admin_with_an_organization(site: Site) -> None:
    email = site.email("Ada")
    answer = site.nobody().post(
        "/auth/signup", {"email": f" {email.upper()} ", "password": PASSWORD, "organization": "Acme"}
    )
    assert answer.status_code == 201
    assert answer.json["user"] == {"id": answer.json["user"]["id"], "email": email.lower(), "role": "admin"}
    assert answer.json["organization"]["name"] == "Acme"
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("bearer", 3600)
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_a_name_the_organization_is_called_like_the_domain(site: Site) -> None:
    assert site.sign_up().organization["name"] == "example.test"


def test_an_address_can_sign_up_once_however_it_is_written(site: Site) -> None:
    ada = site.sign_up()
    again = site.nobody().post("/auth/signup", {"email": ada.email.upper(), "password": PASSWORD})
    assert (again.status_code, again.json["error"]["code"], again.json["error"]["param"]) == (
        409,
        "email_taken",
        "email",
    )


@pytest.mark.parametrize("email", ["", "ada", "ada@", "@acme.test", "ada@acme", "a b@acme.test", "ada@acme..test",
    "ada@-a.test", "ada@acme.test\nbcc: eve@evil.test", "ada@acme.test,eve@evil.test",
    "x" * 250 + "@acme.test", "é@acme.test"])  # fmt: skip
def test_what_is_no_address_cannot_sign_up(site: Site, email: str) -> None:
    answer = site.nobody().post("/auth/signup", {"email": email, "password": PASSWORD})
    assert (answer.status_code, answer.json["error"]["param"]) == (400, "email")


@pytest.mark.parametrize("password", ["8 and you", "x" * 72, "é" * 36, "😀" * 8, " spaces  stay "])
def test_a_password_of_8_characters_to_72_bytes_works(site: Site, password: str) -> None:
    ada = site.sign_up(password=password)
    assert site.nobody().post("/auth/login", {"email": ada.email, "password": password}).status_code == 200
    for wrong in (password + "x", password[:-1], password.swapcase() + " "):
        assert site.nobody().post("/auth/login", {"email": ada.email, "password": wrong}).status_code == 401


@pytest.mark.parametrize(("password", "code"), [("1234567", "password_too_short"), ("😀" * 7, "password_too_short"),
    ("", "password_too_short"), ("x" * 73, "password_too_long"), ("é" * 36 + "x", "password_too_long")])  # fmt: skip
def test_other_passwords_are_refused_and_make_no_account(site: Site, password: str, code: str) -> None:
    email = site.email()
    answer = site.nobody().post("/auth/signup", {"email": email, "password": password})
    assert (answer.status_code, answer.json["error"]["code"], answer.json["error"]["param"]) == (400, code, "password")
    assert site.sql("select count(*) from auth.users where email = %s", email) == [(0,)]


def test_a_sign_up_with_a_bad_organization_makes_no_account(site: Site) -> None:
    email = site.email()
    answer = site.nobody().post("/auth/signup", {"email": email, "password": PASSWORD, "organization": "x" * 201})
    assert (answer.status_code, answer.json["error"]["param"]) == (400, "organization")
    assert site.sql("select count(*) from auth.users where email = %s", email) == [(0,)]


def test_unknown_address_and_wrong_password_get_the_same_answer(site: Site) -> None:
    ada = site.sign_up()
    wrong = site.nobody().post("/auth/login", {"email": ada.email, "password": "wrong password"})
    unknown = site.nobody().post("/auth/login", {"email": site.email(), "password": "wrong password"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.data == unknown.data
    assert wrong.headers["WWW-Authenticate"] == "Bearer"


def test_a_banned_person_is_out_at_once_and_hears_it_only_with_the_right_password(site: Site) -> None:
    ada = site.sign_up()
    site.sql("update auth.users set banned_until = now() + interval '1 day' where id = %s", ada.user["id"])
    assert ada.get("/me").status_code == 401
    assert ada.post("/auth/refresh", {"refresh_token": ada.refresh_token}).status_code == 401
    login = site.nobody().post("/auth/login", {"email": ada.email, "password": PASSWORD})
    assert (login.status_code, login.json["error"]["code"]) == (403, "account_banned")
    assert site.nobody().post("/auth/login", {"email": ada.email, "password": "wrong password"}).status_code == 401


def test_a_deleted_person_cannot_come_in(site: Site) -> None:
    ada = site.sign_up()
    site.sql("update auth.users set deleted_at = now() where id = %s", ada.user["id"])
    assert ada.get("/me").status_code == 401
    assert site.nobody().post("/auth/login", {"email": ada.email, "password": PASSWORD}).status_code == 401


def test_16_first_log_ins_at_once_make_one_organization(site: Site) -> None:
    email = bare_account(site)
    answers = at_once(*[lambda: site.nobody().post("/auth/login", {"email": email, "password": PASSWORD})] * 16)
    assert [answer.status_code for answer in answers] == [200] * 16
    assert len({answer.json["organization"]["id"] for answer in answers}) == 1
    assert {answer.json["user"]["role"] for answer in answers} == {"admin"}
    assert site.sql("select count(*) from public.organizations o where not exists "
                      "(select from public.members m where m.org_id = o.id)") == [(0,)]  # fmt: skip


def test_a_first_log_in_beside_an_accepted_invitation_never_loses_the_invitation(site: Site) -> None:
    ada = site.sign_up()
    for _ in range(20):
        email = bare_account(site)
        token = ada.post("/invitations", {"email": email, "role": "developer"}).json["token"]
        person = site.sql("select id from auth.users where email = %s", email)[0][0]
        session = uuid4()
        site.sql("insert into private.login_sessions (id, user_id) values (%s, %s)", session, person)
        invited = Api(site.app, Signer(site.config).issue(Person(str(person), email), str(session)))
        login, accept = at_once(
            lambda email=email: site.nobody().post("/auth/login", {"email": email, "password": PASSWORD}),
            lambda invited=invited, token=token: invited.post("/invitations/accept", {"token": token}),
        )
        assert (login.status_code, accept.status_code) == (200, 200), (login.text, accept.text)
        assert invited.get("/me").json["organization"] == ada.organization
    assert site.sql("select count(*) from public.organizations o where not exists "
                      "(select from public.members m where m.org_id = o.id)") == [(0,)]  # fmt: skip


def test_a_sign_up_that_broke_off_heals_at_the_next_log_in(site: Site) -> None:
    email = bare_account(site)
    answer = site.nobody().post("/auth/login", {"email": email, "password": PASSWORD})
    assert (answer.json["user"]["role"], answer.json["organization"]["name"]) == ("admin", "example.test")


def test_closed_sign_up_lets_only_invited_people_in(site: Site) -> None:
    ada = site.sign_up()
    closed = site.with_settings(signup_mode="invite")
    email = site.email()
    refused = closed.nobody().post("/auth/signup", {"email": email, "password": PASSWORD})
    assert (refused.status_code, refused.json["error"]["code"]) == (403, "signup_closed")
    assert site.sql("select count(*) from auth.users where email = %s", email) == [(0,)]
    token = ada.post("/invitations", {"email": email, "role": "developer"}).json["token"]
    assert closed.sign_up(email=email, invitation=token).organization == ada.organization


def test_closed_sign_up_lets_a_person_without_organization_log_in(site: Site) -> None:
    email = bare_account(site)
    answer = (
        site.with_settings(signup_mode="invite").nobody().post("/auth/login", {"email": email, "password": PASSWORD})
    )
    assert (answer.status_code, answer.json["organization"], answer.json["user"]["role"]) == (200, None, None)
    lone = Api(site.app, answer.json["access_token"])
    assert lone.get("/projects").json["data"] == []
    assert lone.get("/usage").json["totals"]["cost"] == "0"
    assert lone.post("/projects", {"name": "x"}).status_code == 403


def test_no_secret_reaches_the_log_or_an_answer(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    ada = site.sign_up(password="canary-password")
    answers = [
        site.nobody().post("/auth/login", {"email": ada.email, "password": "canary-password-wrong"}),
        site.nobody().post("/auth/signup", {"email": ada.email, "password": "canary-password"}),
        site.nobody().post("/auth/refresh", {"refresh_token": "canary-refresh"}),
        Api(site.app, "canary-token").get("/me"),
        ada.get("/me"),
        ada.get("/audit"),
    ]
    for text in (caplog.text, *(answer.text for answer in answers)):
        assert "canary" not in text
        assert ada.token not in text
        assert ada.refresh_token not in text
