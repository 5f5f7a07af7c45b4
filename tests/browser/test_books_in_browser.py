"""OpenAI's books in a real browser: from a month to a part to the calls behind it, linking a key, the chart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from closes import NO_QUANTITY, close, month
from everything import log_in
from openai_books import DAY, fetch, worked_day
from openai_keys import keys_of_openai, provider_key
from people import People
from playwright.sync_api import Page, expect
from stack import Stack

from webapp.auth.passwords import hashed

PASSWORD = "correct horse"
IN_SIGHT = "all => all.every(cell => cell.getBoundingClientRect().right <= innerWidth)"
PAGES = (
    "/books",
    f"/books/{DAY}",
    "/books/dark-spend",
    "/books/links",
    "/books/learned?month=2026-10",
    "/books/months/2026-10",
)


@pytest.fixture(scope="module")
def books(site: Stack) -> Iterator[dict[str, UUID]]:
    """Bea's organization with the worked day, a restated day, and a key that could be one of two of OpenAI's list."""
    people: People = site.people.copy()
    people.found("bea", "Books")
    for names in (people.orgs, people.projects, people.keys):
        names["ada"] = names["bea"]  # whom tests/openai_books.py writes for
    site.conn.execute("select local_auth.set_password(%s, %s)", [people.ids["bea"], hashed(PASSWORD)])
    keys_of_openai(people, key_proxy="xyzA", key_laptop="tooP", key_b="twoB", key_c="twoB")
    made = worked_day(people)
    provider_key(people, "twoB")
    earlier = DAY - timedelta(days=40)
    for dollars in ("0.9", "1"):
        fetch(people, {earlier: [("key_proxy", "gpt-4o, output", 1, "tokens", dollars)]})
    yield made


@pytest.fixture
def bea(books: dict[str, UUID], open_page: Callable[..., Page]) -> Callable[..., Page]:
    """Opens a page as Bea."""

    def opened(**options: object) -> Page:
        page = open_page(**options)
        page.goto("/login")
        page.locator("[name=email]").fill("bea@books.test")
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("main button").first.click()
        page.wait_for_selector(".who")
        return page

    return opened


def test_from_the_month_to_the_day_to_the_call_behind_a_part(bea: Callable[..., Page], books: dict[str, UUID]) -> None:
    page = bea()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="OpenAI's books").click()
    expect(page.locator(".stats")).to_contain_text("$2.42")
    page.get_by_role("link", name="14 Oct 2026").last.click()
    expect(page.locator(".stats")).to_contain_text("$0.1138556")
    page.get_by_role("link", name="OpenAI's line of gpt-5.4-2026-03-05, output").click()
    expect(page.locator("tr:target")).to_contain_text("laptop")
    link = page.get_by_role("link", name=f"call {str(books['doubt'])[:8]}").first
    expect(link).to_have_attribute("href", f"/calls/{books['doubt']}")


def test_the_share_through_spendai_is_a_chart_with_a_table(bea: Callable[..., Page]) -> None:
    page = bea()
    page.goto("/books/dark-spend?month=2026-10")
    expect(page.locator("[data-figure=share-figure] .bars .point path").first).to_be_visible()
    expect(page.get_by_role("table").first).to_contain_text("Sep 2026")
    expect(page.get_by_role("table", name="OpenAI keys that SpendAI does not hold")).to_contain_text("Grace")


def test_an_admin_chooses_one_of_two_keys_and_undoes_it(bea: Callable[..., Page]) -> None:
    page = bea()
    page.goto("/books/links")
    choice = page.get_by_label("Key of OpenAI's list for …twoB")
    assert choice.locator("optgroup").first.locator("option").all_inner_texts() == [
        "b …twoB · proj_a", "c …twoB · proj_a",
    ]  # fmt: skip
    choice.select_option("key_c")
    page.get_by_role("button", name="Link …twoB").click()
    row = page.get_by_role("row").filter(has_text="…twoB")
    expect(row).to_contain_text("chosen by an admin")
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    row.get_by_role("button", name="Undo").click()
    expect(row).to_contain_text("chosen by an admin")
    assert [words[:15] for words in asked] == ["Undo this link?"]
    page.once("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name="Undo").click()
    expect(choice).to_be_visible()


@pytest.mark.parametrize(("name", "billed"), [("cleo", "163.988177646316"), ("cora", "1234567890.988177646316")])
def test_what_is_frozen_and_what_is_now_are_in_sight_on_a_telephone(
    site: Stack, open_page: Callable[..., Page], name: str, billed: str
) -> None:
    people: People = site.people.copy()
    people.found(name, f"Closed{name}")
    site.conn.execute("select local_auth.set_password(%s, %s)", [people.ids[name], hashed(PASSWORD)])
    month(people, ("key_laptop", "gpt-5.4-2026-03-05, output", 10_000, "tokens", billed), NO_QUANTITY, who=name)
    close(people, "asked OpenAI", Decimal("164.14"), who=name)
    page = open_page(viewport={"width": 420, "height": 860})
    log_in(page, f"{name}@closed{name}.test", PASSWORD)
    page.goto("/books/months/2026-10")
    sums = page.get_by_role("table", name="Sums of the month")
    assert sums.get_by_role("columnheader").all_inner_texts() == ["US dollars", "Frozen", "Now"]
    assert sums.locator("..").evaluate("box => box.scrollWidth <= box.clientWidth"), "no column has to be scrolled to"
    cut = "cells => cells.filter(cell => cell.scrollWidth > cell.clientWidth).map(cell => cell.textContent)"
    assert sums.locator("th, td").evaluate_all(cut) == []


def test_the_pages_keep_nobody_out_in_light_dark_and_narrow(
    bea: Callable[..., Page], accessible: Callable[..., None]
) -> None:
    """Each page is loaded once, on a telephone; then it becomes dark, and at last light again in a wide window."""
    page = bea(color_scheme="light", viewport={"width": 420, "height": 800}, reduced_motion="reduce")
    for path in PAGES:
        page.set_viewport_size({"width": 420, "height": 800})
        page.goto(path)
        for look, width in (("light", 420), ("dark", 420), ("light", 1180)):
            page.emulate_media(color_scheme=look)
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") == width, path
            assert page.locator("table.sums th:last-child").evaluate_all(IN_SIGHT), f"{path}: the sums are scrolled out"
            accessible(page, rule="color-contrast" if look == "dark" else None)  # only colours differ
