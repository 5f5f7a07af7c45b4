"""From the first look at the log-in to the first priced call, as a newcomer does it."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from openai import AuthenticationError, OpenAI
from playwright.sync_api import Page, expect
from stack import Stack


def sign_up(page: Page, email: str, organization: str = "Acme") -> None:
    page.goto("/")
    page.get_by_role("link", name="Sign up").click()
    page.locator("[name=email]").fill(email)
    page.locator("[name=password]").fill("correct horse")
    page.locator("[name=organization]").fill(organization)
    page.locator("main button").click()
    expect(page.get_by_role("heading", name="No calls yet")).to_be_visible()


def make_key(page: Page) -> str:
    """From the empty start to a key, through the first-run card; the key as it is shown."""
    page.get_by_label("Name of the project").fill("checkout")
    page.get_by_role("button", name="Create project").click()
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_role("heading", name="Key “first key” created")).to_be_visible()
    return page.locator(".secret").inner_text()


def test_sign_up_project_key_call_and_what_it_cost(site: Stack, page: Page, accessible: Callable[[Page], None]) -> None:
    sign_up(page, "ada@first.test")
    accessible(page)
    key = make_key(page)
    accessible(page)
    assert re.fullmatch(r"sk-spend-[0-9a-f]{32}-[\w-]{43}", key)
    assert f'"Authorization: Bearer {key}"' in page.locator("pre").first.inner_text()

    page.get_by_role("link", name="Done: send the first call").click()
    page.get_by_role("link", name="I have sent one").click()
    expect(page.get_by_text("No call has arrived yet.")).to_be_visible()
    client = OpenAI(base_url=site.proxy, api_key=key, max_retries=0)
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Say hello"}])
    list(
        client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "Go on"}], stream=True
        )
    )

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Spend", exact=True).click()
    expect(page.locator(".stats")).to_contain_text("Calls 2")
    expect(page.get_by_role("region", name="Next steps").get_by_role("link")).to_have_text(
        ["Store your OpenAI key", "Invite your team"]
    )
    expect(page.locator("[data-figure=spend-figure] .bars .point path").last).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Calls").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.locator("tbody th a").last.click()
    usage = answer.usage
    cost = (usage.prompt_tokens * Decimal("0.15") + usage.completion_tokens * Decimal("0.60")) / 1_000_000
    shown = page.locator("tfoot td").inner_text()
    assert Decimal(shown.removeprefix("$")) == cost
    expect(page.get_by_text("sandbox: play money", exact=True)).to_be_visible()


def test_the_key_is_not_shown_again_after_a_reload_or_by_going_back(page: Page) -> None:
    sign_up(page, "once@first.test")
    key = make_key(page)
    page.reload()
    expect(page.get_by_role("heading", name="Keys", exact=True)).to_be_visible()
    assert key not in page.content()
    page.go_back()
    assert key not in page.content()


@pytest.mark.parametrize(("width", "scripts"), [(360, True), (1180, False)])
def test_a_client_is_chosen_with_the_keyboard_and_its_snippet_has_the_key(
    open_page: object, accessible: Callable[[Page], None], width: int, scripts: bool
) -> None:
    page = open_page(java_script_enabled=scripts, viewport={"width": width, "height": 800})
    sign_up(page, f"clients-{width}-{scripts}@first.test")
    key = make_key(page)
    expect(page.locator(".panel:visible")).to_have_count(1)
    page.get_by_role("radio", name="curl").focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name="llm", exact=True)).to_be_checked()
    expect(page.locator(".panel:visible")).to_contain_text(f"OPENAI_API_KEY={key}")
    page.get_by_text("Codex", exact=True).click()
    expect(page.locator(".panel:visible h3")).to_have_text(["~/.codex/config.toml", "Shell"])
    assert page.locator("body").evaluate("body => body.scrollWidth") <= width
    if scripts:
        accessible(page)


def test_revoking_in_the_browser_refuses_the_next_call(site: Stack, page: Page) -> None:
    sign_up(page, "revoke@first.test")
    client = OpenAI(base_url=site.proxy, api_key=make_key(page), max_retries=0)
    client.models.list()
    page.goto("/keys")
    page.get_by_role("link", name="Revoke", exact=True).click()
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("Key revoked.")).to_be_visible()
    with pytest.raises(AuthenticationError):
        client.models.list()


def test_the_copy_button_copies_the_key(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_up(page, "copy@first.test")
    key = make_key(page)
    page.get_by_role("button", name="Copy key").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == key


def test_an_invited_developer_joins_and_sees_no_controls(
    page: Page, open_page: object, accessible: Callable[[Page], None]
) -> None:
    sign_up(page, "boss@first.test", "Invited Ltd")
    page.goto("/team")
    page.get_by_label("Invite by e-mail address").fill("dev@first.test")
    page.get_by_role("button", name="Make invitation link").click()
    accessible(page)
    link = page.locator(".secret").inner_text()
    guest = open_page()
    guest.goto(link)
    accessible(guest)
    guest.locator("[name=password]").fill("correct horse")
    guest.locator("main button").first.click()
    expect(guest.get_by_text("Invited Ltd · dev@first.test")).to_be_visible()
    guest.goto("/keys")
    expect(guest.get_by_role("button", name="Create key")).to_have_count(0)


def test_everything_works_without_scripts(open_page: object) -> None:
    page = open_page(java_script_enabled=False)
    sign_up(page, "noscript@first.test")
    assert make_key(page).startswith("sk-spend-")
    page.goto("/keys")
    page.get_by_role("link", name="Revoke", exact=True).click()
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("Key revoked.")).to_be_visible()
    page.get_by_role("button", name="Dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
