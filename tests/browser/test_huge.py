"""Pages of an organization in which everything is many, long and strange."""

from __future__ import annotations

from collections.abc import Callable

import huge
import psycopg
import pytest
from everything import ADMINS_ONLY, SIGNED_IN, log_in, words_of
from playwright.sync_api import Page
from stack import Stack

PASSWORD = "correct horse"
WIDTHS = "[...document.querySelectorAll('.scroll')].map(e => e.scrollWidth - e.clientWidth)"


@pytest.fixture(scope="module")
def organization(site: Stack) -> None:
    with psycopg.connect(site.admin_dsn) as conn:
        conn.execute("set role postgres")
        huge.Huge(conn, huge.STRANGE[0], "huge", PASSWORD, books="openai").fill()


@pytest.mark.parametrize("width", [420, 1180])
def test_no_page_is_wider_than_the_window(organization: None, open_page: Callable[..., Page], width: int) -> None:
    page = open_page(viewport={"width": width, "height": 800})
    log_in(page, "huge@spendai.test", PASSWORD)
    words = words_of(page, "huge")
    for path in (SIGNED_IN | ADMINS_ONLY).values():
        page.goto(path.format(**words))
        assert page.evaluate("document.documentElement.scrollWidth") == width, path


def test_long_names_leave_room_for_costs_and_buttons(organization: None, page: Page) -> None:
    log_in(page, "huge@spendai.test", PASSWORD)
    for path in ("/keys", "/calls", "/?by=key", "/projects", "/team"):
        page.goto(path)
        assert set(page.evaluate(WIDTHS)) == {0}, path
