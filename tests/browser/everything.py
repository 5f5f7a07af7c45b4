"""Every page there is, as name → address; {…} is filled in from what the organization has. The browser to see them."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

import huge
from checks import all_cases
from playwright.sync_api import Browser, Page

SIGNED_OUT = {
    "login": "/login", "signup": "/signup", "invitation-gone": "/invitation/nonsense",
    "password-gone": "/password/nonsense",
}  # fmt: skip
SIGNED_IN = {
    "spend": "/", "spend-all": "/?all=1", "spend-model-sorted": "/?by=model&sort=-calls",
    "spend-key-all": "/?by=key&all=1",
    "spend-pivot": "/?by=project&and=model", "spend-tokens": "/?measure=tokens",
    "spend-yesterday": "/?period=yesterday",
    "spend-tag": "/?by=tag", "spend-end-user": "/?by=end_user&period=7",
    "spend-weeks": "/?from={quarter}&to={tomorrow}",
    "spend-today": "/?period=today", "spend-nothing": "/?from=2020-01-01&to=2020-02-01",
    "spend-filtered": "/?status=error&tag=team&model={model}",
    "projects": "/projects", "project": "/projects/{project}", "keys": "/keys",
    "keys-by-project": "/keys?sort=project&q=a&state=active", "key": "/keys/{key}?period=7",
    "end-users": "/end-users", "tags": "/tags", "tag-values": "/tags?tag_name=team&sort=label", "calls": "/calls",
    "calls-dearest": "/calls?sort=cost", "calls-nothing": "/calls?model=none",
    "calls-columns": "/calls?columns=end_user,tags,id", "calls-found": "/calls/find?id=resp_none",
    "call": "/calls/{call}",
    "sessions": "/sessions", "sessions-nothing": "/sessions?state=lost&key=none", "session": "/sessions/{session}",
    "prices": "/prices", "prices-all": "/prices?all=1", "prices-found": "/prices?q=gpt-5",
    "price-history": "/prices/{model}", "team": "/team",
    "member": "/team/{member}", "settings": "/settings", "books": "/books", "books-month": "/books?month=2020-01",
    "books-day": "/books/{books_day}",
    "books-dark": "/books/dark-spend", "books-links": "/books/links", "books-learned": "/books/learned",
    "books-close": "/books/months/2026-10", "account": "/account", "account-sessions-end": "/account/sessions",
    "account-delete": "/account/delete", "not-found": "/nowhere",
}  # fmt: skip
ADMINS_ONLY = {
    "archive": "/projects/{project}/archive", "rotate": "/keys/{key}/rotate", "revoke": "/keys/{key}/revoke",
    "remove": "/team/{member}/remove", "role": "/team/{member}/role", "hand-over": "/settings/hand-over",
    "organization-delete": "/settings/delete", "audit": "/audit", "price-add": "/prices?model={model}",
}  # fmt: skip
# Pages above in another state, which tests of all pages look at in `make prove-cases` alone.
VARIANTS = {
    "spend-all", "spend-model-sorted", "spend-key-all", "spend-tokens", "spend-yesterday", "spend-end-user",
    "spend-weeks", "spend-today", "keys-by-project", "tag-values", "calls-dearest", "calls-nothing", "prices-all",
    "prices-found",
}  # fmt: skip


def addresses() -> list[str]:
    """Of the pages that an admin sees, to be filled in with ids."""
    every = SIGNED_IN | ADMINS_ONLY
    return [path for name, path in every.items() if name not in VARIANTS or all_cases()]


def chromium_path() -> str | None:
    """Chromium of the system, as a shell without windows where there is one: that takes a fifth less time."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def log_in(page: Page, email: str, password: str) -> None:
    page.goto("/login")
    page.locator("[name=email]").fill(email)
    page.locator("[name=password]").fill(password)
    page.locator("main button").first.click()
    page.wait_for_selector(".who")


def cookies_of(browser: Browser, url: str, email: str, password: str) -> Any:
    """Cookies of somebody who has logged in through the form; for open_page(storage_state=…)."""
    context = browser.new_context(base_url=url)
    log_in(context.new_page(), email, password)
    cookies = context.storage_state()
    context.close()
    return cookies


def words_of(page: Page, who: str) -> dict[str, str]:
    """What the addresses are filled in with."""

    def first(path: str, pattern: str) -> str:
        page.goto(path)
        found = re.search(pattern, page.content())
        return found[1] if found else "00000000-0000-0000-0000-000000000000"

    uuid = "([0-9a-f-]{36})"
    now = datetime.now(UTC).date()
    return {
        "project": first("/projects", f"/projects/{uuid}"), "key": first("/keys", f"/keys/{uuid}"),
        "call": first("/calls", f"/calls/{uuid}"), "session": first("/sessions", f"/sessions/{uuid}"),
        "books_day": first("/books", r"/books/(\d{4}-\d\d-\d\d)\""),
        "member": first("/team", f"/team/{uuid}"),
        "model": huge.STRANGE[0].lower() if "huge" in who else "gpt-5",
        "quarter": str(now - timedelta(days=100)), "tomorrow": str(now + timedelta(days=1)),
    }  # fmt: skip
