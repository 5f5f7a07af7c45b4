"""Log-in, sign-up, invitations, password links and life without an organization, as a browser sees them."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from conftest import PASSWORD, Browser, Site

from webapp.auth import passwords


def text(answer: object) -> str:
    """What a person reads of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)).replace("&#39;", "'")


@pytest.fixture
def ada(site: Site) -> SimpleNamespace:
    """An admin by API, who invites people."""
    api = site.sign_up("ada", organization="Acme & Söhne")

    def invite(email: str, role: str = "developer") -> str:
        return api.post("/invitations", {"email": email, "role": role}).json["token"]

    return SimpleNamespace(api=api, invite=invite)


def shown(browser: Browser) -> str:
    return text(browser.get("/", follow_redirects=True))


def test_a_strangers_first_page_is_the_log_in_with_a_way_to_sign_up(site: Site) -> None:
    page = site.browser().get("/")
    assert page.status_code == 200
    assert re.search(r'<a href="/signup">Sign up</a>', page.text)
    assert {"email", "password"} <= set(re.findall(r'name="(\w+)"', page.text))


def test_only_the_first_person_of_an_install_is_greeted(site: Site) -> None:
    site.sign_up()
    assert "first person" not in text(site.browser().get("/")) + text(site.browser().get("/login"))


def test_the_first_field_of_each_form_has_the_focus_and_optional_ones_say_so(site: Site, ada: SimpleNamespace) -> None:
    page = site.browser().get("/signup")
    assert re.findall(r'name="(\w+)"[^>]* autofocus', page.text) == ["email"]
    assert "Organization (optional)" in text(page)
    page = site.browser().get(f"/invitation/{ada.invite(site.email())}")
    assert re.findall(r'name="(\w+)"[^>]* autofocus', page.text) == ["password"]


def test_signing_up_leads_to_the_start_signed_in(site: Site) -> None:
    browser, email = site.browser(), site.email()
    assert {"email", "password", "organization"} <= set(re.findall(r'name="(\w+)"', browser.get("/signup").text))
    answer = browser.post("/signup", email=email, password=PASSWORD, organization="Acme <b>")
    assert (answer.status_code, answer.location) == (303, "/")
    assert f"Acme &lt;b&gt; · {email}" in browser.get("/").text


def test_where_sign_up_is_by_invitation_there_is_no_form_without_one(site: Site, ada: SimpleNamespace) -> None:
    browser, token = site.with_settings(signup_mode="invite").browser(), ada.invite(site.email())
    page = browser.get("/signup")
    assert "Sign-up is by invitation. Ask an admin of your organization for a link." in text(page)
    assert page.status_code == 200 and 'name="email"' not in page.text
    refused = browser.post("/signup", shown="/login", email=site.email(), password=PASSWORD)
    assert refused.status_code == 403 and text(refused).count("Sign-up is by invitation.") == 1
    assert 'name="password"' in browser.get(f"/signup?invitation={token}").text
    ((first_org,),) = site.sql("delete from private.install returning first_org_id")
    page = browser.get("/signup")
    site.sql("insert into private.install (first_org_id) values (%s) returning 1", first_org)
    assert 'name="email"' in page.text, "for the first person"


@pytest.mark.parametrize(("form", "message", "status"), [
    ({"email": "nonsense"}, "This is not an e-mail address.", 400),
    ({"email": ""}, "An e-mail address is needed.", 400),
    ({"password": "short"}, "A password has at least 8 characters.", 400),
    ({"password": "x" * 73}, "A password has at most 72 bytes.", 400),
    ({"password": "Password123"}, "This is one of the most used passwords. Choose one that nobody would guess.", 400),
    ({"email": "ada.lovelace@acme.test", "password": "Ada.Lovelace"}, "must not be your e-mail address or its", 400),
    ({"password": "Acme GmbH", "organization": "acme gmbh"}, "must not be the name of your organization", 400),
    ({"organization": "x" * 201}, "A name has at most 200 characters.", 400),
])  # fmt: skip
def test_what_is_wrong_with_a_sign_up_stands_below_its_field(
    site: Site, form: dict[str, str], message: str, status: int
) -> None:
    browser = site.browser()
    fields = {"email": site.email(), "password": PASSWORD, "organization": "Acme"} | form
    answer = browser.post("/signup", **fields)
    assert answer.status_code == status
    assert message in text(answer)
    assert f'value="{fields["email"]}"' in answer.text and 'type="password" value=""' in answer.text
    assert "Log out" not in shown(browser)


def test_an_address_that_has_an_account_is_told_to_log_in(site: Site) -> None:
    email = site.sign_up().email
    answer = site.browser().post("/signup", email=email, password=PASSWORD)
    assert answer.status_code == 409 and "This address has an account already. Log in instead." in text(answer)


def test_an_invited_person_whose_address_somebody_else_took_is_told_what_to_do(
    site: Site, ada: SimpleNamespace
) -> None:
    email = site.sign_up().email
    path = f"/invitation/{ada.invite(email)}"
    answer = site.browser().post(
        "/signup", shown=path, email=email, password="another password", invitation=path.rsplit("/", 1)[1]
    )
    assert answer.status_code == 409
    assert "If it was not you who signed up, ask the operator" in text(answer) and "flask users reset" in text(answer)


def test_a_wrong_password_says_so_and_keeps_the_address(site: Site) -> None:
    email = site.sign_up().email
    answer = site.browser().post("/login", email=email, password="wrong password")
    assert answer.status_code == 401 and "E-mail address or password is wrong." in text(answer)
    assert email in answer.text and "wrong password" not in answer.text


def test_who_is_logged_in_does_not_see_the_log_in_page(site: Site) -> None:
    browser = site.browser()
    browser.post("/signup", email=site.email(), password=PASSWORD)
    assert browser.get("/login").location == "/"
    assert browser.get("/signup").location == "/"


def test_an_invitation_shows_who_invites_whom_and_signs_up_in_one_go(site: Site, ada: SimpleNamespace) -> None:
    email, browser = site.email("dev"), site.browser()
    path = f"/invitation/{ada.invite(email)}"
    page = browser.get(path)
    assert "Join Acme &amp; Söhne" in page.text and f"{email} is invited as developer" in text(page)
    answer = browser.post("/signup", shown=path, email=email, password=PASSWORD, invitation=path.rsplit("/", 1)[1])
    assert answer.status_code == 303
    assert "Acme &amp; Söhne · " + email in browser.get("/").text
    assert {m["role"] for m in ada.api.get("/members").json["data"] if m["email"] == email} == {"developer"}


def test_an_invited_person_with_an_account_logs_in_and_joins_in_one_go(site: Site, ada: SimpleNamespace) -> None:
    dev, browser = site.sign_up("dev"), site.browser()
    token = ada.invite(dev.email)
    answer = browser.post(
        "/login", shown=f"/login?invitation={token}", email=dev.email, password=PASSWORD, invitation=token
    )
    assert answer.status_code == 303
    assert "Welcome to Acme & Söhne" in shown(browser).replace("&amp;", "&")
    assert dev.get("/me").json["organization"] == ada.api.organization


def test_an_invited_person_who_is_logged_in_joins_by_a_button(site: Site, ada: SimpleNamespace) -> None:
    dev, browser = site.sign_up("dev"), site.browser()
    browser.post("/login", email=dev.email, password=PASSWORD)
    path = f"/invitation/{ada.invite(dev.email)}"
    # Without the name of the organization, which has up to 200 characters and stands above it.
    assert ">Join</button>" in browser.get(path).text
    assert browser.post(path).status_code == 303
    assert dev.get("/me").json["organization"] == ada.api.organization


def test_an_invitation_for_somebody_else_says_so_and_does_nothing(site: Site, ada: SimpleNamespace) -> None:
    eve, browser, email = site.sign_up("eve"), site.browser(), site.email("dev")
    browser.post("/login", email=eve.email, password=PASSWORD)
    path = f"/invitation/{ada.invite(email)}"
    assert f"You are logged in as {eve.email}" in text(browser.get(path))
    browser.post(path)
    assert eve.get("/me").json["organization"] == eve.organization
    stranger, token = site.email(), path.rsplit("/", 1)[1]
    other = site.browser().post("/signup", shown=path, email=stranger, password=PASSWORD, invitation=token)
    assert other.status_code == 404 and "This invitation is not valid." in text(other)
    assert site.sql("select count(*) from auth.users where email = %s", stranger) == [(0,)]


def test_a_dead_invitation_is_dead_in_the_same_words_whatever_killed_it(site: Site, ada: SimpleNamespace) -> None:
    used, expired, revoked, replaced = (site.email() for _ in range(4))
    tokens = [ada.invite(email) for email in (used, expired, revoked, replaced)]
    site.sign_up(email=used, invitation=tokens[0])
    site.sql("update public.invitations set expires_at = now() where email = %s", expired)
    found = {i["email"]: i["id"] for i in ada.api.get("/invitations").json["data"]}
    assert ada.api.call("DELETE", f"/invitations/{found[revoked]}").status_code == 204
    ada.invite(replaced)
    pages = [site.browser().get(f"/invitation/{token}") for token in [*tokens, "never-made"]]
    assert [page.status_code for page in pages] == [404] * 5
    assert len({page.data for page in pages}) == 1
    for email, token in zip((expired, revoked, replaced), tokens[1:], strict=True):
        answer = site.browser().post("/signup", email=email, password=PASSWORD, invitation=token)
        assert answer.status_code == 404
        assert site.sql("select count(*) from auth.users where email = %s", email) == [(0,)]


def test_who_was_removed_is_told_and_can_make_a_new_organization(site: Site, ada: SimpleNamespace) -> None:
    email, browser = site.email("dev"), site.browser()
    token = ada.invite(email)
    browser.post("/signup", email=email, password=PASSWORD, invitation=token)
    member = next(m for m in ada.api.get("/members").json["data"] if m["email"] == email)
    assert ada.api.call("DELETE", f"/members/{member['user_id']}").status_code == 204
    for path in ("/", "/calls", "/settings"):
        assert browser.get(path).location == "/organization"
    page = browser.get("/organization")
    assert "You belong to no organization" in page.text and "Log out" in page.text and "Söhne" not in page.text
    assert browser.post("/organization", organization="x" * 201).status_code == 400
    assert browser.post("/organization", organization="Mine").location == "/"
    assert f"Mine · {email}" in browser.get("/").text
    assert browser.get("/organization").location == "/"


def reset_link(site: Site, email: str) -> str:
    done = site.app.test_cli_runner().invoke(args=["users", "reset", email])
    assert done.exit_code == 0, done.output
    return re.search(r"/password/\S+", done.output)[0]


def test_a_password_link_works_once_and_signs_out_everywhere(site: Site) -> None:
    ada, elsewhere = site.sign_up(), site.browser()
    elsewhere.post("/login", email=ada.email, password=PASSWORD)
    path, browser = reset_link(site, ada.email.upper()), site.browser()
    page = text(browser.get(path))  # a look at it does not use it up
    assert f"For {ada.email} ." in page, "whoever is logged in as somebody else sees whose password it is"
    assert browser.post(path, password="short").status_code == 400
    assert browser.post(path, password=ada.email).status_code == 400
    assert browser.post(path, password="a new password").location == "/login"
    assert "Your new password is set" in shown(browser)
    assert "Log out" not in shown(elsewhere) and ada.get("/me").status_code == 401
    assert site.browser().post("/login", email=ada.email, password=PASSWORD).status_code == 401
    assert site.browser().post("/login", email=ada.email, password="a new password").status_code == 303
    for again in (site.browser().get(path), site.browser().post(path, shown="/login", password="another password")):
        assert again.status_code == 404 and "This link is not valid any more" in text(again)


def test_nobody_without_a_link_makes_the_server_hash_a_password(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "hashed", lambda *_: pytest.fail("hashed"))
    assert site.browser().post("/password/nonsense", shown="/login", password="a new password").status_code == 404


def test_a_password_link_is_good_for_a_day_and_the_first_one_used_ends_the_others(site: Site) -> None:
    email = site.sign_up().email
    first, second = reset_link(site, email), reset_link(site, email)
    assert site.browser().post(second, password="a new password").status_code == 303
    assert site.browser().post(first, shown="/login", password="another password").status_code == 404
    late = reset_link(site, email)
    site.sql("update private.password_resets set expires_at = now() where used_at is null")
    assert site.browser().post(late, shown="/login", password="another password").status_code == 404


def test_the_operator_is_told_when_there_is_nobody_to_reset(site: Site) -> None:
    done = site.app.test_cli_runner().invoke(args=["users", "reset", "nobody@nowhere.test"])
    assert done.exit_code == 1
    assert "nobody signs in with nobody@nowhere.test" in done.output


def test_the_operator_is_told_when_the_database_is_away(site: Site) -> None:
    away = site.with_settings(database_url="host=/nowhere dbname=canary")
    done = away.app.test_cli_runner().invoke(args=["users", "reset", "ada@acme.test"])
    assert done.exit_code == 1 and "the database cannot be reached" in done.output


def test_the_operator_gets_a_link_for_people_outside(site: Site) -> None:
    public = site.with_settings(public_url="https://spend.acme.test")
    done = public.app.test_cli_runner().invoke(args=["users", "reset", site.sign_up().email])
    assert (
        done.output.startswith("https://spend.acme.test/password/")
        and "24 hours" in done.output
        and "once" in done.output
    )
