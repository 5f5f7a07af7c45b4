"""Account and organization in a browser, from the greeting of the first person to the end of a deletion."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator

import pytest
from fake_gotrue import API_KEY, FakeGoTrue
from playwright.sync_api import Browser, Page, expect
from stack import Stack

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def site(stack_dsns: Callable[[str], tuple[str, str]]) -> Iterator[Stack]:
    """An install that nobody has signed up to: without the people that the stack makes."""
    with Stack(*stack_dsns("spendai_account")) as running:
        running.conn.execute("reset role")
        running.conn.execute("delete from private.install; delete from auth.users")
        yield running


@pytest.fixture(scope="module")
def ada(chromium: Browser, site: Stack) -> Iterator[Page]:
    """The first person of the install, who signed up from the greeting."""
    context = chromium.new_context(base_url=site.url, viewport={"width": 1180, "height": 800})
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_text("You are the first person here")).to_be_visible()
    page.get_by_role("link", name="Sign up").click()  # fails if there are two of this name
    expect(page.get_by_label("E-mail")).to_be_focused()
    fill_in(page, "ada@typed.test", "Typed Ltd")
    yield page
    context.close()


def fill_in(page: Page, email: str, organization: str) -> None:
    page.locator("[name=email]").fill(email)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=organization]").fill(organization)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="No calls yet")).to_be_visible()


def log_in(page: Page, email: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def test_the_greeting_is_only_for_the_first_person(ada: Page, page: Page, accessible: Callable[[Page], None]) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    expect(page.get_by_text("first person")).to_have_count(0)
    accessible(page)


def test_what_was_typed_survives_a_log_in_but_for_secrets(ada: Page) -> None:
    page = ada
    page.goto("/team")
    page.get_by_label("Invite by e-mail address").fill("new@typed.test")
    page.get_by_label("Role").select_option("admin")
    page.context.clear_cookies()
    page.get_by_role("button", name="Make invitation link").click()
    expect(page.get_by_text("so nothing was changed")).to_be_visible()
    log_in(page, "ada@typed.test")
    expect(page.get_by_label("Invite by e-mail address")).to_have_value("new@typed.test")
    expect(page.get_by_label("Role")).to_have_value("admin")
    expect(page.get_by_label("Invite by e-mail address")).to_be_focused()
    page.reload()
    expect(page.get_by_label("Invite by e-mail address")).to_have_value("")

    page.goto("/settings")
    page.get_by_label("Key", exact=True).fill("sk-secret")
    page.context.clear_cookies()
    page.get_by_role("button", name="Store key", exact=True).click()
    assert "sk-secret" not in page.evaluate("JSON.stringify(sessionStorage)")
    page.goto("/signup")
    assert page.evaluate("sessionStorage.length") == 0
    page.goto("/")
    log_in(page, "ada@typed.test")
    expect(page.get_by_role("heading", name="No calls yet")).to_be_visible()


def test_what_was_typed_survives_a_log_in_after_a_refusal_too(ada: Page) -> None:
    """The page of a refused form stands at the address of the page, not at that of the form, which shows nothing."""
    page = ada
    page.goto("/team")
    page.get_by_label("Invite by e-mail address").fill("ada@typed.test")
    page.get_by_role("button", name="Make invitation link").click()
    expect(page.get_by_text("This person is a member already.")).to_be_visible()
    page.get_by_label("Invite by e-mail address").fill("new@typed.test")
    page.context.clear_cookies()
    page.get_by_role("button", name="Make invitation link").click()
    expect(page.get_by_text("so nothing was changed")).to_be_visible()
    log_in(page, "ada@typed.test")
    expect(page.get_by_label("Invite by e-mail address")).to_have_value("new@typed.test")
    assert page.url.endswith("/team")
    page.reload()
    expect(page.get_by_label("Invite by e-mail address")).to_have_value("")


def test_what_was_typed_survives_an_error_and_a_site_that_cannot_be_reached(ada: Page, site: Stack) -> None:
    page, invite = ada, "execute on function app.invitation_create(text, text, bytea)"
    address = page.get_by_label("Invite by e-mail address")
    send = page.get_by_role("button", name="Make invitation link")
    page.goto("/team")
    address.fill("new@typed.test")
    site.conn.execute(f"revoke {invite} from authenticated")
    send.click()
    page.get_by_role("link", name="Back to the form").click()
    expect(address).to_have_value("new@typed.test")
    site.conn.execute(f"grant {invite} to authenticated")

    page.context.set_offline(True)
    send.click()
    expect(page).to_have_url(re.compile("^chrome-error:"))
    page.context.set_offline(False)
    page.go_back()
    expect(address).to_have_value("new@typed.test")
    send.click()
    expect(page.get_by_text("Invitation for new@typed.test")).to_be_visible()
    page.go_back()
    expect(address).to_have_value("")


def test_a_form_can_be_sent_again_after_loading_was_stopped(ada: Page) -> None:
    page = ada
    page.goto("/settings")
    page.evaluate("navigation.addEventListener('navigate', () => setTimeout(() => window.stop()), { once: true })")
    rename = page.get_by_role("button", name="Rename", exact=True)
    rename.click(no_wait_after=True)
    expect(page.locator("form[data-sent]")).to_have_count(0)
    rename.click()
    expect(page.get_by_text("Organization renamed.").first).to_be_visible()


def test_another_session_is_recognized_and_ended(
    ada: Page, open_page: Callable[..., Page], accessible: Callable[[Page], None]
) -> None:
    phone = open_page(user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1")
    phone.goto("/")
    log_in(phone, "ada@typed.test")
    expect(phone.get_by_role("heading", name="No calls yet")).to_be_visible()
    ada.goto("/account")
    row = ada.get_by_role("row", name="Safari on iPhone")
    expect(row).to_contain_text("127.0.0.1")
    accessible(ada)
    row.get_by_role("button", name="End").click()
    expect(ada.get_by_text("That session has ended.")).to_be_visible()
    expect(row).to_have_count(0)
    phone.reload()
    expect(phone.get_by_role("heading", name="Log in")).to_be_visible()


def test_everything_is_downloaded_and_a_deletion_taken_back(ada: Page, accessible: Callable[[Page], None]) -> None:
    ada.goto("/settings")
    with ada.expect_download() as waiting:
        ada.get_by_role("link", name="Export everything").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert {"manifest.json", "usage_logs.csv", "audit_log.csv"} <= set(archive.namelist())
    ada.get_by_role("link", name="Delete the organization").click()
    ada.get_by_label("Name of the organization").fill("typed")
    ada.get_by_role("button", name="Delete in 7 days").click()
    expect(ada.get_by_text("This is not the name of the organization.")).to_be_visible()
    ada.get_by_label("Name of the organization").fill("Typed Ltd")
    ada.get_by_role("button", name="Delete in 7 days").click()
    expect(ada.get_by_role("region", name="Deletion")).to_contain_text("Typed Ltd is deleted for good after")
    accessible(ada)
    ada.get_by_role("button", name="Keep the organization").click()
    expect(ada.get_by_text("The organization stays.")).to_be_visible()
    expect(ada.get_by_role("region", name="Deletion")).to_have_count(0)


def test_supabases_recovery_link_opens_the_page_for_a_new_password(
    chromium: Browser, stack_dsns: Callable[[str], tuple[str, str]], accessible: Callable[[Page], None]
) -> None:
    owner, admin = stack_dsns("spendai_recovery")
    with (
        FakeGoTrue(admin) as auth,
        Stack(owner, admin, SUPABASE_URL=auth.url, SUPABASE_PUBLISHABLE_KEY=API_KEY) as cloud,
    ):
        tokens = auth.signup({"email": "ada@cloud.test", "password": "correct horse 1"})
        context = chromium.new_context(base_url=cloud.url)
        page = context.new_page()
        page.goto(
            f"/#access_token={tokens['access_token']}&refresh_token={tokens['refresh_token']}&type=recovery&expires_in=3600"
        )
        expect(page.get_by_label("New password")).to_be_focused()
        assert page.url == f"{cloud.url}/recovery"
        expect(page.get_by_label("E-mail")).to_be_hidden()
        accessible(page)
        page.get_by_label("New password").fill("another horse 2")
        page.get_by_role("button", name="Set password").click()
        expect(page.get_by_text("Your new password is set.")).to_be_visible()
        assert auth.password({"email": "ada@cloud.test", "password": "another horse 2"})["user"]
        page.get_by_role("link", name="Forgot your password?").click()
        expect(page.get_by_label("E-mail")).to_be_focused()
        page.goto("about:blank")
        page.goto("/recovery#error=access_denied&error_code=otp_expired&error_description=Email+link+is+invalid")
        expect(page.get_by_role("alert")).to_have_text("This link is not valid any more. Ask for a new one.")
        accessible(page)
        context.close()
