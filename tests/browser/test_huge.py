"""Pages of an organization in which everything is many, long and strange."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import huge
import psycopg
import pytest
from everything import addresses, log_in, words_of
from playwright.sync_api import Page
from stack import Stack

PASSWORD = "correct horse"
MONTH = f"/books/months/{datetime.now(UTC).replace(day=1) - timedelta(days=1):%Y-%m}"  # the last one, full of calls
WIDTH = "document.documentElement.scrollWidth"
SPENT = "[...document.querySelectorAll('th')].find(e => e.innerText.startsWith('Spend')).getBoundingClientRect().right"
# How many cells begin with a Hebrew or Arabic letter, and those that do not show it.
HIDDEN_BEGINNINGS = """() => {
    const names = [...document.querySelectorAll("tbody :is(th, td)")].flatMap(cell => {
        const text = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT, node =>
            node.data.trim() ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP).nextNode();
        return text && /^[\\u0590-\\u06ff]/.test(text.data) && cell.offsetWidth ? [[text, cell]] : [];
    });
    const hidden = ([text, cell]) => {
        const letter = document.createRange(), boxes = [cell, text.parentElement].map(e => e.getBoundingClientRect());
        letter.setStart(text, 0);
        letter.setEnd(text, 1);
        const at = letter.getBoundingClientRect();
        return boxes.some(({ left, right }) => at.left < left - 1 || at.right > right + 1);
    };
    return [names.length, names.filter(hidden).map(([text]) => text.data)];
}"""
# How many links of the first cells are covered when they get the focus, from the first to the last and back.
COVERED = """(() => {
    const links = [...document.querySelectorAll("tbody th a")];
    return [...links, ...links.reverse()].filter(link => {
        link.focus();
        const { x, y, height } = link.getBoundingClientRect();
        return !link.contains(document.elementFromPoint(x + 2, y + height / 2));
    }).length;
})()"""
# How many cells of text are cut off, and those that do not tell the whole of it.
CUT_OFF = """cells => {
    const cut = cells.filter(e => getComputedStyle(e).textOverflow === "ellipsis" && e.scrollWidth > e.clientWidth);
    return [cut.length, cut.filter(e => ![e, ...e.children].some(it => it.title)).map(e => e.textContent)];
}"""
# How far what stands behind the link of a name goes beyond its cell.
BEHIND = """[...document.querySelectorAll("tbody th > a + :is(.tag, .muted, code)")].filter(e => e.offsetWidth).map(e =>
    Math.floor(e.getBoundingClientRect().right - e.closest("th").getBoundingClientRect().right))"""
OVERFLOWING = "all => all.filter(box => box.scrollWidth > box.clientWidth).map(box => box.innerText)"
WIDTHS = "[...document.querySelectorAll('.scroll')].map(e => e.scrollWidth - e.clientWidth)"


@pytest.fixture(scope="module")
def organization(site: Stack) -> None:
    with psycopg.connect(site.admin_dsn) as conn:
        conn.execute("set role postgres")
        huge.Huge(conn, huge.STRANGE[0], "huge", PASSWORD, books="openai").fill(calls=4_000)


def test_no_page_is_wider_than_the_window(organization: None, open_page: Callable[..., Page]) -> None:
    """Each page is loaded in a narrow window, which then grows: loading takes longest."""
    page = open_page()
    log_in(page, "huge@spendai.test", PASSWORD)
    words = words_of(page, "huge")
    for path in addresses():
        page.set_viewport_size({"width": 420, "height": 800})
        page.goto(path.format(**words))
        assert page.evaluate(WIDTH) == 420, path
        page.set_viewport_size({"width": 1180, "height": 800})
        assert page.evaluate(WIDTH) == 1180, path


def test_a_long_name_leaves_room_for_the_others_beside_a_bar(organization: None, page: Page) -> None:
    log_in(page, "huge@spendai.test", PASSWORD)
    page.goto(f"/?by=model&model={huge.STRANGE[0]}&period=7")
    page.locator("[data-figure=spend-figure]").focus()
    page.keyboard.press("End")
    assert max(line.bounding_box()["height"] for line in page.locator(".tip:visible p").all()) < 40


def test_no_head_or_foot_of_a_table_hides_what_has_the_focus(organization: None, page: Page) -> None:
    log_in(page, "huge@spendai.test", PASSWORD)
    for width in (420, 1180):
        page.set_viewport_size({"width": width, "height": 800})
        for path in ("/keys", "/calls", "/projects"):
            page.goto(path)
            assert page.evaluate(COVERED) == 0, (width, path)


def test_long_names_leave_room_for_costs_and_buttons(organization: None, page: Page) -> None:
    """Tables fit. With millions of dollars in three columns they scroll, but Spend stands beside the name."""
    log_in(page, "huge@spendai.test", PASSWORD)
    for path in ("/keys", "/calls", "/?by=key", "/projects", "/team", "/settings"):
        page.goto(path)
        assert page.evaluate(WIDTH) == 1180, path  # with charts drawn at this width
        if path in ("/?by=key", "/projects"):
            assert page.evaluate(SPENT) < 590, path
        else:
            assert set(page.evaluate(WIDTHS)) == {0}, path


def test_the_link_of_a_long_name_ends_where_its_cell_ends(
    organization: None, page: Page, accessible: Callable[..., None]
) -> None:
    """Else it lies over its neighbours: axe calls them too small a target. A page is loaded once; then it grows."""
    log_in(page, "huge@spendai.test", PASSWORD)
    for path in ("/", "/?by=key", "/keys", "/calls"):
        page.set_viewport_size({"width": 420, "height": 800})
        page.goto(path)
        accessible(page, rule="target-size")
        page.set_viewport_size({"width": 1440, "height": 800})
        accessible(page, rule="target-size")
    heights = page.evaluate("[...document.querySelectorAll('tbody tr')].map(e => e.getBoundingClientRect().height)")
    assert len(heights) > 10 and max(heights) < 48, "one line for each call"


def test_long_names_leave_room_for_what_stands_behind_them(organization: None, page: Page) -> None:
    log_in(page, "huge@spendai.test", PASSWORD)
    for width in (420, 1180):
        page.set_viewport_size({"width": width, "height": 800})
        for path in ("/team", "/projects?sort=name", "/?by=key", "/?by=tag"):
            page.goto(path)
            behind = page.evaluate(BEHIND)
            assert behind and max(behind) <= 0, (width, path)


def test_names_from_right_to_left_show_their_beginning(organization: None, page: Page) -> None:
    log_in(page, "huge@spendai.test", PASSWORD)
    page.set_viewport_size({"width": 420, "height": 800})
    for path in (
        "/projects", "/keys", "/?all=1", "/calls?columns=project,key", "/?by=project&and=key", "/prices", MONTH,
    ):  # fmt: skip
        page.goto(path)
        lost = page.evaluate(HIDDEN_BEGINNINGS)
        assert lost[0] > 0 and lost[1] == [], path


def test_a_name_that_is_cut_off_is_told_whole_when_pointed_at(organization: None, page: Page) -> None:
    log_in(page, "huge@spendai.test", PASSWORD)
    page.set_viewport_size({"width": 1100, "height": 800})
    for path in ("/prices", "/team", "/settings", MONTH):
        page.goto(path)
        cut = page.locator("tbody :is(th, td)").evaluate_all(CUT_OFF)
        assert cut[0] > 0 and cut[1] == [], path


def test_the_mark_of_a_cost_that_is_not_known_stays_in_one_piece(organization: None, page: Page) -> None:
    log_in(page, "huge@spendai.test", PASSWORD)
    page.goto("/team/{member}".format(**words_of(page, "huge")))
    marks = page.locator(".stats .warn")
    assert marks.count() > 0
    for width in range(560, 1180, 10):
        page.set_viewport_size({"width": width, "height": 800})
        assert set(marks.evaluate_all("all => all.map(mark => mark.getClientRects().length)")) == {1}, width


def test_what_a_box_of_sums_says_stays_in_it(organization: None, page: Page) -> None:
    log_in(page, "huge@spendai.test", PASSWORD)
    page.goto("/keys/{key}".format(**words_of(page, "huge")))
    assert page.locator(".stats a", has_text="without a known cost").count() == 1
    for width in (360, 420, 900):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.locator(".stats > div").evaluate_all(OVERFLOWING) == [], width


def test_an_open_filter_with_a_long_value_stays_in_a_narrow_window(organization: None, page: Page) -> None:
    log_in(page, "huge@spendai.test", PASSWORD)
    page.set_viewport_size({"width": 420, "height": 800})
    for path in ("/", "/calls"):
        page.goto(f"{path}?end_user={'u' * 256}&model={huge.STRANGE[0].lower()}")
        page.locator(".fold > summary").click()
        assert page.locator(".pick").first.is_visible()
        assert page.evaluate(WIDTH) == 420, path
