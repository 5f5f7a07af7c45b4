"""Money and periods are written in one way, on every page, in every file and by every command."""

from __future__ import annotations

import re

import pytest
from conftest import Site
from seeded import Acme, spend, text

from webapp.config import ROOT

PAGES = (
    "/", "/?by=model", "/?by=kind", "/?by=project&and=model", "/?by=tag", "/?grain=week", "/?measure=calls",
    "/projects", "/projects/{project}", "/keys", "/keys/{key}", "/team/{member}", "/end-users", "/tags",
    "/tags?tag_name=team", "/calls",
)  # fmt: skip
OTHER_PAGES = (
    "/calls/{call}", "/prices", "/prices?all=1", "/prices/gpt-4o-mini", "/prices/*tools", "/team", "/settings",
    "/books", "/books/months/2026-10", "/audit", "/account",
)  # fmt: skip
SOURCES = {"webapp": "*.py", "db/functions": "*.sql", "db/views": "*.sql", "templates": "*.html"}
# A dollar sign right before a value, other than in written.py and app.dollars, which know how many decimals there are.
BARE = re.compile(r"""\$(?:\{\{|%s)|(?<!`)\$\{(?=[a-z_][\w.\[\]'"() ]*\}.*["'])|'\$' *\|\|""")
WRITERS = ("webapp/written.py", "db/functions/dollars.sql")


@pytest.fixture(scope="module")
def team(site: Site) -> tuple[Acme, dict[str, str]]:
    """Acme with calls and a price of its own, and what addresses are filled in with."""
    acme = Acme(site)
    price = {"model": "gpt-4o-mini", "dimension": "file_search_calls", "unit_price": "3.1", "unit_qty": "1000"}
    form = {
        "service_tier": "standard",
        "context_min_tokens": "0",
        "qualifier": "",
        "valid_from": "2026-01-01",
        "note": "",
    }
    assert acme.browser.post("/prices", **price, **form).status_code == 303
    calls = [spend(site, acme, days, end_user="u1", tags={"team": "web"}) for days in (0, 1, 35)]
    ids = {"project": acme.project["id"], "key": acme.key["id"], "member": acme.ada.user["id"], "call": str(calls[0])}
    return acme, ids


def seen(acme: Acme, address: str) -> str:
    """What a person reads of a page, and what they are told when they point at it."""
    page = acme.browser.get(address)
    assert page.status_code == 200, address
    return text(page) + " ".join(re.findall(r'title="([^"]*)"', page.text))


@pytest.mark.parametrize("path", PAGES + OTHER_PAGES)
def test_money_has_two_decimals_or_more_on_every_page(team: tuple[Acme, dict[str, str]], path: str) -> None:
    acme, ids = team
    shown = seen(acme, path.format(**ids))
    assert [amount for amount in re.findall(r"\$\d[\d,]*(?:\.\d+)?", shown) if not re.search(r"\.\d\d", amount)] == []
    assert "file search calls: $3.10 per 1,000" in shown or path != "/prices"


def test_no_source_writes_a_dollar_sign_before_a_bare_number() -> None:
    found = []
    for folder, names in SOURCES.items():
        for path in sorted((ROOT / folder).rglob(names)):
            name = str(path.relative_to(ROOT))
            if name not in WRITERS:
                found += [f"{name}: {hit[0]}" for hit in BARE.finditer(path.read_text())]
    assert found == []


@pytest.mark.parametrize("path", PAGES)
def test_a_period_is_written_in_one_way_on_every_page(team: tuple[Acme, dict[str, str]], path: str) -> None:
    acme, ids = team
    address = path.format(**ids) + ("&" if "?" in path else "?")
    for period, said in (
        ("from=2026-10-01&to=2026-10-31", "1–31 Oct 2026"), ("from=2026-09-30&to=2026-10-31", "30 Sep – 31 Oct 2026"),
        ("from=2025-12-31&to=2026-01-01", "31 Dec 2025 – 1 Jan 2026"), ("from=2026-10-31&to=2026-10-31", "31 Oct 2026"),
    ):  # fmt: skip
        shown = seen(acme, address + period)
        assert said in shown
        for first, begin, last, end in re.findall(r"\b(\d+) ((?:\w{3} )?(?:20\d\d )?)– (\d+) (\w{3} 20\d\d)", shown):
            assert begin and end[4:] not in begin and end[:3] not in begin, f"{first} {begin}– {last} {end}"
