"""The filter bar in a browser: several values of a filter, keyboard, telephone, dates that cannot be, time zones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from everything import cookies_of
from playwright.sync_api import Browser, Locator, Page, expect
from spending import another_key, spent
from stack import Stack

from webapp.auth.passwords import hashed

PASSWORD = "correct horse"
OCTOBER = "from=2026-10-01&to=2026-10-31"
MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-5")
TELEPHONE = {"width": 420, "height": 800}


@pytest.fixture(scope="module")
def acme(site: Stack, chromium: Browser) -> SimpleNamespace:
    """Fay's organization with three projects, each of which called three models on 10 Oct 2026; and her cookies."""
    people = site.people
    people.found("fay", "Filters")
    site.conn.execute("select local_auth.set_password(%s, %s)", [people.ids["fay"], hashed(PASSWORD)])
    owners = {"chat": (people.projects["fay"], people.keys["fay"].id)}
    owners |= {name: another_key(people, name, "fay") for name in ("search", "ads")}
    call = None
    for project, key in owners.values():
        for model in MODELS:
            at = datetime(2026, 10, 10, 12, tzinfo=UTC)
            call = spent(people, "fay", at, model=model, project_id=str(project), api_key_id=str(key))
    cookies = cookies_of(chromium, site.url, "fay@filters.test", PASSWORD)
    return SimpleNamespace(
        **{name: str(project) for name, (project, _) in owners.items()},
        call=call,
        cookies=cookies,
        org=people.orgs["fay"],
    )


@pytest.fixture
def page(open_page: Callable[..., Page], acme: SimpleNamespace) -> Page:
    return open_page(storage_state=acme.cookies)


def asked(page: Page) -> dict[str, list[str]]:
    """Parameters of the page's address."""
    return parse_qs(urlsplit(page.url).query)


def opener(page: Page, label: str) -> Locator:
    """What opens the list of one filter."""
    return page.locator(".pick > summary", has_text=f"{label}: ")


def apply(page: Page) -> None:
    page.locator(".filters > .row").get_by_role("button", name="Apply").click()


@pytest.mark.parametrize("path", ["/", "/calls", "/projects/{chat}"])
def test_two_values_of_a_filter_survive_the_choice_of_any_other(acme: SimpleNamespace, page: Page, path: str) -> None:
    page.goto(f"{path.format(chat=acme.chat)}?{OCTOBER}&model=gpt-4o&model=gpt-5&not_tag=x&by=model")
    before = {"from": ["2026-10-01"], "to": ["2026-10-31"], "model": ["gpt-4o", "gpt-5"], "not_tag": ["x"]}
    opener(page, "Cost").click()
    page.get_by_role("checkbox", name="priced", exact=True).check()
    page.get_by_role("checkbox", name="free", exact=True).check()
    apply(page)
    expect(page.locator(".chip")).to_have_count(5)
    before |= {"cost_status": ["priced", "free"]}
    assert asked(page) | {"by": 0} == before | {"by": 0} and asked(page)["by"] == ["model"]
    opener(page, "Endpoint").click()
    page.get_by_role("checkbox", name="/v1/chat/completions").check()
    page.get_by_role("button", name="Apply").first.click()
    expect(page.locator(".chip")).to_have_count(6)
    page.get_by_label("Period").select_option("last-month")
    assert asked(page)["from"] == ["2026-10-01"], "nothing happens before Apply"
    apply(page)
    page.wait_for_url("**period=last-month**")
    kept = {name: words for name, words in asked(page).items() if name in before and name not in ("from", "to")}
    assert kept == {name: words for name, words in before.items() if name not in ("from", "to")}
    page.get_by_role("link", name="Remove filter model gpt-5").click()
    expect(page.locator(".chip")).to_have_count(5)
    assert asked(page)["model"] == ["gpt-4o"] and asked(page)["cost_status"] == ["priced", "free"]


def test_period_and_filters_stay_from_page_to_page_and_back_from_a_call(acme: SimpleNamespace, page: Page) -> None:
    page.goto(f"/?{OCTOBER}&project={acme.chat}&project={acme.ads}&not_model=gpt-5&by=model")
    expect(page.locator(".stats")).to_contain_text("Calls 4")
    nav = page.get_by_role("navigation", name="Main")
    nav.get_by_role("link", name="Calls").click()
    expect(page.locator("tbody tr")).to_have_count(4)
    page.locator("tbody th a").first.click()
    expect(page.get_by_role("heading", name="The call")).to_be_visible()
    page.locator("main .head").get_by_role("link", name="Calls").click()
    expect(page.locator("tbody tr")).to_have_count(4)
    nav.get_by_role("link", name="Spend").click()
    expect(page.locator(".stats")).to_contain_text("Calls 4")
    found = asked(page)
    assert (found["project"], found["not_model"], found["by"]) == ([acme.chat, acme.ads], ["gpt-5"], ["model"])
    page.goto(f"/projects/{acme.chat}?{OCTOBER}&model=gpt-5")
    nav.get_by_role("link", name="Calls").click()
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_filter_can_leave_out_what_is_ticked(acme: SimpleNamespace, page: Page) -> None:
    page.goto(f"/?{OCTOBER}")
    sums = page.locator(".stats").bounding_box()
    opener(page, "Project").click()
    page.get_by_role("checkbox", name="chat").check()
    page.get_by_role("checkbox", name="ads").check()
    assert page.locator(".stats").bounding_box() == sums  # the list lies over the page and moves nothing
    page.get_by_role("checkbox", name="All but these").check()
    page.locator(".pick[open]").get_by_role("button", name="Apply").click()
    expect(page.locator(".stats")).to_contain_text("Calls 3")
    expect(opener(page, "Project")).to_have_text("Project: not 2 projects")
    assert set(asked(page)["not_project"]) == {acme.chat, acme.ads} and "exclude" not in asked(page)
    page.get_by_role("link", name="Remove filter project not chat").click()
    expect(page.locator(".stats")).to_contain_text("Calls 6")


def test_a_tag_is_typed_and_keeps_those_that_are_there(acme: SimpleNamespace, page: Page) -> None:
    page.goto(f"/calls?{OCTOBER}&tag=team%3Dads")
    opener(page, "Tag").click()
    page.get_by_label("Another tag").fill("team=web")
    page.get_by_label("Another tag").press("Enter")
    expect(page.locator(".chip")).to_have_count(2)
    assert asked(page)["tag"] == ["team=ads", "team=web"]


def test_filters_are_used_by_keyboard_alone(acme: SimpleNamespace, page: Page) -> None:
    page.goto(f"/?{OCTOBER}")
    opener(page, "Model").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("checkbox", name="gpt-4o", exact=True)).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(page.locator(".pick[open]")).to_have_count(0)
    expect(opener(page, "Model")).to_be_focused()
    page.get_by_label("Period").focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Period")).to_be_focused()
    page.keyboard.press("ArrowDown")
    opener(page, "Model").focus()
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")  # gpt-5
    page.keyboard.press("Enter")
    expect(page.locator(".stats")).to_contain_text("Calls 6")
    assert asked(page)["model"] == ["gpt-4o", "gpt-5"]
    expect(opener(page, "Model")).to_be_focused()


def test_a_list_or_menu_that_the_tab_key_leaves_closes_and_covers_nothing(acme: SimpleNamespace, page: Page) -> None:
    page.goto(f"/?{OCTOBER}")
    opened = page.locator(".pick[open], .menu[open]")
    for opens in (opener(page, "Model"), page.locator(".menu > summary").first):
        opens.focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(opened).to_have_count(1)
        opened.locator("a, button").last.focus()
        page.keyboard.press("Tab")
        expect(opened).to_have_count(0)


def test_dates_that_cannot_be_are_an_error_beside_the_field_and_one_day_is_none(
    acme: SimpleNamespace, page: Page, accessible: Callable[[Page], None], complaints: list[str]
) -> None:
    page.goto(f"/calls?{OCTOBER}&model=gpt-4o&model=gpt-5&sort=cost")
    page.get_by_label("From", exact=True).fill("2026-10-20")
    page.get_by_label("To", exact=True).fill("2026-10-10")
    apply(page)
    expect(page.get_by_role("alert")).to_have_text(
        "The first day is after the last one. Choose another day, or another period in the list."
    )
    assert page.get_by_label("From", exact=True).get_attribute("aria-describedby") == page.get_by_role(
        "alert"
    ).get_attribute("id")
    expect(page.get_by_label("To", exact=True)).to_have_value("2026-10-10")
    expect(page.locator(".chip")).to_have_count(2)
    accessible(page)
    page.get_by_label("From", exact=True).fill("2026-10-10")
    apply(page)
    expect(page.locator("tbody tr")).to_have_count(6)
    assert asked(page) == {
        "from": ["2026-10-10"], "to": ["2026-10-10"], "model": ["gpt-4o", "gpt-5"], "sort": ["cost"],
    }  # fmt: skip
    expect(page.get_by_text("10 Oct 2026, UTC")).to_be_visible()
    complaints[:] = [
        line for line in complaints if "status of 400" not in line
    ]  # the console names the answer's status


def test_one_steps_to_the_period_before_and_back(acme: SimpleNamespace, page: Page) -> None:
    page.goto(f"/?{OCTOBER}&model=gpt-5")
    page.get_by_role("link", name="Earlier").click()
    expect(page.get_by_text("1–30 Sep 2026, UTC")).to_be_visible()
    page.get_by_role("link", name="Later").click()
    expect(page.locator(".stats")).to_contain_text("Calls 3")


def test_hours_stay_when_a_filter_is_chosen(acme: SimpleNamespace, page: Page) -> None:
    page.goto("/calls?from=2026-10-10T12:00:00Z&to=2026-10-10T13:00:00Z")
    expect(page.locator("tbody tr")).to_have_count(9)
    opener(page, "Model").click()
    page.get_by_role("checkbox", name="gpt-5").check()
    apply(page)
    expect(page.locator("tbody tr")).to_have_count(3)
    assert asked(page)["to"] == ["2026-10-10T13:00:00Z"]


def test_on_a_telephone_filters_fold_behind_one_button_and_the_period_does_not(
    acme: SimpleNamespace, open_page: Callable[..., Page], accessible: Callable[[Page], None]
) -> None:
    page = open_page(storage_state=acme.cookies, viewport=TELEPHONE)
    page.goto(f"/?{OCTOBER}&model=gpt-4o&model=gpt-5&not_endpoint=/v1/responses")
    expect(page.get_by_label("Period")).to_be_visible()
    expect(opener(page, "Project")).to_be_hidden()
    page.get_by_text("Filters (3)").click()
    opener(page, "Project").click()
    page.get_by_role("checkbox", name="search").check()
    assert page.evaluate("document.documentElement.scrollWidth") == 420
    accessible(page)
    page.locator(".pick[open]").get_by_role("button", name="Apply").click()
    expect(page.get_by_text("Filters (4)")).to_be_visible()
    expect(page.locator(".stats")).to_contain_text("Calls 2")


def test_without_scripts_filters_work_too(acme: SimpleNamespace, open_page: Callable[..., Page]) -> None:
    page = open_page(storage_state=acme.cookies, java_script_enabled=False)
    page.goto(f"/?{OCTOBER}&model=gpt-4o&model=gpt-5")
    assert page.locator(".plot").count() and not page.locator(".plot:visible").count(), "no empty chart"
    opener(page, "Project").click()
    page.get_by_role("checkbox", name="chat").check()
    page.get_by_role("checkbox", name="All but these").check()
    page.locator(".pick[open]").get_by_role("button", name="Apply").click()
    expect(page.locator(".stats")).to_contain_text("Calls 4")
    expect(page.locator(".chip")).to_have_count(3)


def test_the_organizations_zone_is_said_and_utc_is_one_click_away(
    acme: SimpleNamespace, page: Page, site: Stack, accessible: Callable[[Page], None]
) -> None:
    page.goto("/settings")
    page.get_by_label("Time zone").fill("Asia/Kolkata")
    page.get_by_role("button", name="Set time zone").click()
    expect(page.get_by_role("status")).to_contain_text("Asia/Kolkata")
    accessible(page)
    page.goto("/calls?from=2026-10-10&to=2026-10-10")
    expect(page.get_by_text("10 Oct 2026, Asia/Kolkata")).to_be_visible()
    expect(page.locator("footer")).to_contain_text("Times and days are Asia/Kolkata, where nothing else is said.")
    page.get_by_role("link", name="in UTC").click()
    expect(page.get_by_text("10 Oct 2026, UTC")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(9)
    expect(page.locator("tbody th").first).to_have_text("2026-10-10 12:00:00")
    page.get_by_role("link", name="in Asia/Kolkata").click()
    expect(page.locator("tbody th").first).to_have_text("2026-10-10 17:30:00")
    page.locator("tbody th a").first.click()
    expect(page.get_by_text("2026-10-10 17:30:00 Asia/Kolkata")).to_be_visible()
    site.conn.execute("update public.organizations set time_zone = 'UTC' where id = %s", [acme.org])
