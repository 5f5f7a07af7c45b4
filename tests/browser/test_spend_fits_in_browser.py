"""The tables of Spend in windows of usual widths: with usual names, amounts and marks every column is in sight."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from everything import cookies_of
from ledgers import add_call
from playwright.sync_api import Browser, Page
from psycopg.types.json import Jsonb
from spending import another_key
from stack import Stack

from webapp.auth.passwords import hashed

PASSWORD = "correct horse"
# Whether the chart is as wide as its place, and how many of the names below its bars reach into the next one.
NAMES = """() => {
    const place = document.querySelector("[data-figure=spend-figure]");
    const names = [...place.querySelectorAll(".xtick text")].map(e => e.getBoundingClientRect()).filter(e => e.width);
    return [
        place.querySelector(".main-svg").clientWidth === place.clientWidth,
        names.filter(({ right }, n) => names[n + 1]?.left < right).length,
    ];
}"""
LINE = "getComputedStyle(document.querySelector('[data-figure=spend-figure] .bars .point path')).strokeWidth"
# Of the columns Spend, Before and Change of the three projects with calls: where the digits of each row end, in pixels.
ENDS = """() => [...document.querySelector("table:has(.moved)").tBodies[0].rows].slice(0, 3).map(row =>
    [...row.querySelectorAll(".spent, .before, .moved")].map(cell => {
        const text = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT, node =>
            /[0-9]/.test(node.data) ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP).nextNode();
        const digits = document.createRange();
        digits.setStart(text, 0);
        digits.setEnd(text, text.data.trimEnd().length);
        return Math.round(digits.getBoundingClientRect().right);
    }))"""
SPEND = {"checkout-assistant": "1250.57", "search-rerank": "828.77", "marketing-copy": "15.62"}


@pytest.fixture(scope="module")
def signed_in(site: Stack, chromium: Browser) -> dict[str, Any]:
    """Cookies of Gus. His three projects spent in each of the last three months, a fifth more from month to month, and
    two of them have a call of unknown cost in each."""
    people = site.people.copy()
    people.found("gus", "Gusco")
    site.conn.execute("select local_auth.set_password(%s, %s)", [people.ids["gus"], hashed(PASSWORD)])
    first = datetime.combine(datetime.now(UTC).date().replace(day=1), time(), UTC)
    months = [first, *((first - timedelta(days=days)).replace(day=15) for days in (1, 40))]
    for name, cost in SPEND.items():
        project, key = another_key(people, name, "gus")
        tags = Jsonb({"feature": name, "team": "shop"})
        ids = {"project_id": project, "api_key_id": key, "tokens_in": 91_900_000, "tokens_out": 2_600_000, "tags": tags}
        for n, at in enumerate(months):
            add_call(people, "gus", at, cost=Decimal(cost) * (10 - n) / 10, **ids)
            if name != "marketing-copy":
                add_call(people, "gus", at, cost=None, cost_status="no_usage", **ids)
    return cookies_of(chromium, site.url, "gus@gusco.test", PASSWORD)


@pytest.mark.parametrize(
    ("width", "table", "by"),
    [(1440, "Spend by", "project"), (1100, "Spend by", "project"), (1100, "Spend by", "key"),
     (1100, "Spend by", "tag"), (420, "Spend per month,", "project")],
)  # fmt: skip
def test_no_column_must_be_scrolled_to(
    open_page: Callable[..., Page], signed_in: dict[str, Any], width: int, table: str, by: str
) -> None:
    page = open_page(storage_state=signed_in, viewport={"width": width, "height": 800})
    page.goto(f"/?period=month&compare=before&by={by}")
    assert page.locator("tbody th > a").evaluate_all("all => all.every(e => e.scrollWidth <= e.clientWidth)")
    box = page.locator(".scroll", has=page.locator("caption", has_text=table))
    assert "?" in box.locator("tbody").inner_text()
    assert box.evaluate("box => box.scrollWidth - box.clientWidth") == 0


def test_names_below_bars_keep_apart_and_narrow_bars_their_colour_after_a_telephone_was_turned(
    open_page: Callable[..., Page], signed_in: dict[str, Any]
) -> None:
    # Two days of last month, whose first hour has calls: of a day that goes on there are no bars of the hours to come.
    day = (datetime.now(UTC).date().replace(day=1) - timedelta(days=1)).replace(day=15)
    page = open_page(storage_state=signed_in, viewport={"width": 860, "height": 400})
    page.goto(f"/?from={day}&to={day + timedelta(days=1)}&grain=hour")
    page.wait_for_selector("[data-figure=spend-figure] .main-svg")
    assert page.evaluate(NAMES) == [True, 0] and page.evaluate(LINE) == "1px"
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function(f"() => ({NAMES})()[0]")
    assert page.evaluate(NAMES) == [True, 0] and page.evaluate(LINE) == "0px"


def test_digits_stand_below_digits_whether_or_not_a_mark_follows(
    open_page: Callable[..., Page], signed_in: dict[str, Any]
) -> None:
    page = open_page(storage_state=signed_in)
    for path in ("/?period=month", "/projects?period=month"):
        page.goto(path)
        rows = page.evaluate(ENDS)
        assert rows[0] == rows[1] == rows[2] and len(rows[0]) == 3, path
        assert page.locator("tbody .spent:not(:has(.warn))").count() > 0 < page.locator("tbody .spent .warn").count()
