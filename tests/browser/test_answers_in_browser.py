"""The questions people come with, each answered in at most three clicks from Spend, in the organization's own calendar.

All tests read one ledger: the calls of two calendar months that are over, and those of yesterday.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from everything import cookies_of
from playwright.sync_api import Browser, Locator, Page, expect
from spending import another_key, spent
from stack import Stack

from webapp.auth.passwords import hashed

PASSWORD = "correct horse"
KOLKATA = ZoneInfo("Asia/Kolkata")  # five and a half hours before UTC
THOUGHT = {
    "prompt_tokens": 1000, "completion_tokens": 500, "prompt_tokens_details": {"cached_tokens": 400},
    "completion_tokens_details": {"reasoning_tokens": 300},
}  # fmt: skip
CHART, NAMED = "[data-figure=spend-figure]", "table:not(.values) tr"


class Clicks:
    """A page, beginning with Spend, on which every click counts."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0
        page.goto("/")

    def on(self, place: Locator, **options: Any) -> None:
        self.count += 1
        assert self.count <= 3, "the answer is more than three clicks away"
        place.click(**options)

    def link(self, name: str) -> None:
        self.on(self.page.get_by_role("main").get_by_role("link", name=name, exact=True).first)

    def bar(self, number: int, count: int) -> None:
        """Click the bar of this number, from 0, among as many."""
        expect(self.page.locator(f"{CHART} .bars .point")).not_to_have_count(0)
        plot = self.page.locator(f"{CHART} .nsewdrag")
        box = plot.bounding_box()
        assert box
        place = {"x": box["width"] * (number + 0.5) / count, "y": box["height"] - 4}
        self.on(plot, position=place, force=True)

    def row(self, name: str) -> list[str]:
        """Texts of the cells beside a name in the first table with names."""
        found = self.page.locator(NAMED, has=self.page.get_by_role("rowheader", name=name, exact=True)).first
        return [text.strip() for text in found.locator("td").all_inner_texts()]

    def heading(self, name: str) -> None:
        expect(self.page.get_by_role("heading", name=name, exact=True)).to_be_visible()


@pytest.fixture(scope="module")
def ledger(site: Stack) -> SimpleNamespace:
    """Quin's organization. Its project chat made one call of gpt-4o-mini ($0.00045) in the first month and two in the
    second. Then search made one of gpt-4o ($0.007; $0.0005 of it for cached input, $0.003 for reasoning) for end user
    anna, and one of a model without a price. Yesterday chat made twelve, each dearer than the one before.
    """
    people = site.people.copy()
    people.found("quin", "Quinco")
    site.conn.execute("select local_auth.set_password(%s, %s)", [people.ids["quin"], hashed(PASSWORD)])
    with people.as_("quin"):
        people.one("select app.organization_set_time_zone(%s)", KOLKATA.key)
    yesterday = datetime.now(KOLKATA).date() - timedelta(days=1)
    last = (yesterday.replace(day=1) - timedelta(days=1)).replace(day=1)
    before = (last - timedelta(days=1)).replace(day=1)

    def at(day: date, hour: int, second: int = 0) -> datetime:
        return datetime.combine(day, time(hour, 0, second), KOLKATA).astimezone(UTC)

    project, key = another_key(people, "search", "quin")
    search = {"project_id": str(project), "api_key_id": str(key)}
    spent(people, "quin", at(before, 12))
    for day in (last, last.replace(day=11)):
        spent(people, "quin", at(day, 2))  # in UTC it is the day before, and for the first one the month before
    anna = {"end_user": "anna", "tags": {"team": "ios"}}
    spent(people, "quin", at(last.replace(day=11), 13), model="gpt-4o", usage=THOUGHT, **anna, **search)
    spent(people, "quin", at(last.replace(day=12), 13), model="gpt-unheard-of", **search)
    # Today's are the same, because today is yesterday if midnight passes before the test.
    for day in (yesterday, yesterday + timedelta(days=1)):
        for n in range(12):
            spent(people, "quin", at(day, 0, n), usage={"prompt_tokens": 1000 * (n + 1), "completion_tokens": 0})
    words = {"month": f"{last:%b %Y}", "before": f"{before:%b %Y}"}
    return SimpleNamespace(last=last, days=(yesterday.replace(day=1) - last).days, **words)


@pytest.fixture(scope="module")
def cookies(ledger: SimpleNamespace, chromium: Browser, site: Stack) -> dict[str, Any]:
    return cookies_of(chromium, site.url, "quin@quinco.test", PASSWORD)


@pytest.fixture
def clicks(open_page: Callable[..., Page], cookies: dict[str, Any]) -> Clicks:
    return Clicks(open_page(storage_state=cookies))


def test_a_month_against_the_one_before_and_what_made_it_rise(ledger: SimpleNamespace, clicks: Clicks) -> None:
    clicks.link(ledger.month)
    spend = clicks.page.locator(".stats > div").first
    expect(spend).to_contain_text("$0.0079")
    expect(spend).to_contain_text(re.compile(rf"vs 1–\d\d {ledger.before}: \$0\.00045"))
    expect(clicks.page.locator(".period")).to_contain_text("Asia/Kolkata")
    assert clicks.row("search")[:4] == ["$0.0070 + ?", "89%", "$0.00", "+$0.0070 ?"]
    assert clicks.row("chat")[:4] == ["$0.00090", "11%", "$0.00045", "+$0.00045"]
    clicks.on(clicks.page.get_by_text("+$0.00045", exact=True).first)
    parts = clicks.page.locator("details[open] > .split dd")
    assert parts.all_inner_texts() == ["+$0.00045", "$0.00", "$0.00"], "more calls, as long and as dear as before"


def test_the_ten_dearest_calls_of_yesterday(ledger: SimpleNamespace, clicks: Clicks) -> None:
    clicks.link("Yesterday")
    clicks.link("12")
    clicks.link("Cost")
    expect(clicks.page.get_by_role("columnheader", name="Cost")).to_have_attribute("aria-sort", "descending")
    costs = clicks.page.locator("table.calls tbody tr td:nth-child(2)").all_inner_texts()
    assert [cost.strip() for cost in costs[:3]] == ["$0.001800", "$0.001650", "$0.001500"] and len(costs) == 12


def test_a_month_per_project_in_excel(ledger: SimpleNamespace, clicks: Clicks) -> None:
    clicks.link(ledger.month)
    clicks.on(clicks.page.locator(".menu > summary", has_text="Export"))
    with clicks.page.expect_download() as begun:
        clicks.on(clicks.page.locator(".menu p:text('By month') + ul").get_by_text("Excel (.xlsx)"))
    assert f"{ledger.last}" in begun.value.suggested_filename and "kolkata" in begun.value.suggested_filename
    head, *rows = openpyxl.load_workbook(BytesIO(begun.value.path().read_bytes()))["Spend"].iter_rows(values_only=True)
    columns = [head.index(name) for name in ("Project", "Calls", "Cost", "Unpriced calls")]
    found = [tuple(row[column] for column in columns) for row in rows]
    assert [(*row[:2], round(row[2], 9), row[3]) for row in found] == [
        ("search", 2, 0.007, 1), ("chat", 2, 0.0009, 0), (None, 4, 0.0079, 1),
    ]  # fmt: skip


def test_dollars_for_cached_and_for_reasoning_tokens(ledger: SimpleNamespace, clicks: Clicks) -> None:
    clicks.link(ledger.month)
    clicks.link("Kind")
    assert [clicks.row(kind)[0] for kind in ("Cached input", "Reasoning")] == ["$0.00050 + ?", "$0.0030 + ?"]


def test_who_made_a_key_and_what_it_cost_since(ledger: SimpleNamespace, clicks: Clicks) -> None:
    clicks.on(clicks.page.get_by_label("Main").get_by_role("link", name="Keys"))
    clicks.on(clicks.page.locator("tbody tr", has_text="search").locator("th a"))
    expect(clicks.page.locator(".facts")).to_contain_text(re.compile(r"Made by\s*quin@quinco.test"))
    since = clicks.page.locator(".stats > div", has_text="Since it was made")
    expect(since).to_contain_text(re.compile(r"\$0\.0070 \+ \?\s*2 calls since"))  # one of them has no price


def test_what_one_person_one_team_and_one_end_user_cost(ledger: SimpleNamespace, clicks: Clicks) -> None:
    clicks.link(ledger.month)
    month = clicks.page.url
    for by, name, cost in (("Person", "quin@quinco.test", "$0.0079 + ?"), ("End user", "anna", "$0.0070")):
        clicks.link(by)
        assert clicks.row(name)[0] == cost
        clicks.page.goto(month)
        clicks.count = 1
    clicks.link("Tag")
    clicks.link("team")
    clicks.heading("Spend per day")
    assert clicks.row("ios")[0] == "$0.0070" and clicks.row("no team")[0] == "$0.00090 + ?"


def test_from_a_bar_to_its_calls_and_back(ledger: SimpleNamespace, clicks: Clicks) -> None:
    clicks.link(ledger.month)
    clicks.bar(10, ledger.days)
    clicks.heading("Spend per hour")
    clicks.bar(13, 24)
    clicks.heading("Calls")
    calls = clicks.page.locator("table.calls tbody tr")
    expect(calls).to_have_count(1)
    expect(calls).to_contain_text(f"{ledger.last.replace(day=11)} 13:00:00")
    expect(calls).to_contain_text("$0.0070")


def test_what_is_unknown_and_why(ledger: SimpleNamespace, clicks: Clicks) -> None:
    clicks.link(ledger.month)
    clicks.on(clicks.page.get_by_text("Not in the sums marked ?: 1 call of unknown cost"))
    clicks.link("1 call has no price")
    expect(clicks.page.locator("table.calls tbody tr")).to_have_count(1)
    expect(clicks.page.locator("table.calls tbody tr")).to_contain_text("gpt-unheard-of")
    expect(clicks.page.locator("#sum-title")).to_contain_text("Cost not known for 1 call")
    expect(clicks.page.get_by_text("1 without a price")).to_be_visible()
    expect(clicks.page.locator("td[title='no price for this model']")).to_have_count(1)
