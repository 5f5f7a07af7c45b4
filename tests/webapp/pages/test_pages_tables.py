"""Tables of every page: sorted by links, filtered, exported."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from conftest import Browser, Site
from seeded import Acme, spend, table, text

from webapp import cursors, db

ORGANIZATION_TABLES = ("/projects", "/keys", "/prices", "/team", "/audit")


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def without_charts(browser: Browser, path: str) -> str:
    """A page without the tables of the numbers that its charts show."""
    return re.sub(r'<table class="values".*?</table>', "", browser.get(path).text, flags=re.S)


def column(browser: Browser, path: str, number: int = 0) -> list[str]:
    """Texts of one column of the first table that is not a chart's, without its foot."""
    body = re.search(r"<tbody>(.*?)</tbody>", without_charts(browser, path), re.S)[1]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in body.split("<tr")[1:]]
    return [re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", "", row[number]))).strip() for row in rows]


def heads(browser: Browser, path: str) -> dict[str, tuple[str | None, str]]:
    """Column → (aria-sort, link) of the first table that is not a chart's."""
    head = re.search(r"<thead>(.*?)</thead>", without_charts(browser, path), re.S)[1]
    found = re.findall(r'<th [^>]*?(?:aria-sort="(\w+)")?><a href="([^"]+)">([^<]+)', head)
    return {words.strip(): (sort or None, unescape(link)) for sort, link, words in found}


def three_models(site: Site, team: Acme) -> None:
    spend(site, team, model="gpt-4o")  # dearest
    for _ in range(3):
        spend(site, team, model="gpt-4o-mini")
    spend(site, team, model="gpt-4.1-nano", usage={"prompt_tokens": 9000, "completion_tokens": 1})


def test_a_click_on_a_heading_sorts_and_another_one_turns_it_round(site: Site, team: Acme) -> None:
    three_models(site, team)
    path = "/?by=model"
    assert column(team.browser, path) == ["gpt-4o", "gpt-4o-mini", "gpt-4.1-nano"]
    found = heads(team.browser, path)
    assert [words for words, (sort, _) in found.items() if sort] == ["Spend"] and found["Spend"][0] == "descending"
    calls = found["Calls"][1]
    assert column(team.browser, calls)[0] == "gpt-4o-mini"
    again = heads(team.browser, calls)["Calls"]
    assert again[0] == "descending"
    assert column(team.browser, again[1])[-1] == "gpt-4o-mini"
    assert heads(team.browser, again[1])["Calls"][0] == "ascending"
    assert column(team.browser, found["Model"][1]) == ["gpt-4.1-nano", "gpt-4o", "gpt-4o-mini"]


def test_sorting_changes_neither_colours_nor_filters(site: Site, team: Acme) -> None:
    three_models(site, team)
    page = team.browser.get("/?by=model&sort=calls&model=gpt-4o&model=gpt-4o-mini").text
    swatches = r'class="swatch c-(s\d+)"></span><a[^>]*>([^<]+)'
    colours = {name: colour for colour, name in re.findall(swatches, team.browser.get("/?by=model").text)}
    assert re.findall(swatches, page) == [(colours[name], name) for name in ("gpt-4o-mini", "gpt-4o")]
    assert page.count("Remove filter model") == 2


def test_other_stays_last_however_the_table_is_sorted(site: Site, team: Acme) -> None:
    for size in range(8):
        spend(site, team, end_user=f"user-{size}", usage={"prompt_tokens": size * 1000 + 1, "completion_tokens": 0})
    for sort in ("cost", "-cost", "name", "-calls"):
        assert column(team.browser, f"/?by=end_user&sort={sort}")[-1] == "Other (2)"


def test_projects_keys_and_prices_sort_by_any_heading(site: Site, team: Acme) -> None:
    for name in ("Zebra", "apple"):
        project = team.ada.post("/projects", {"name": name}).json
        team.ada.post(f"/projects/{project['id']}/keys", {"name": f"{name} key"})
    spend(site, team)
    assert column(team.browser, "/projects")[0] == "chat"
    assert column(team.browser, "/projects?sort=name") == ["apple", "chat", "Zebra"]
    keys = [cell.partition(" sk-spend-")[0] for cell in column(team.browser, "/keys?sort=-name")]
    assert keys == ["Zebra key", "main", "apple key"]
    assert column(team.browser, "/keys?sort=last_used_at")[0].startswith("main ")
    output = column(team.browser, "/prices?sort=output&all=1", 3)
    prices = [Decimal(cell[1:].replace(",", "")) for cell in output if cell != "–"]
    assert prices == sorted(prices, reverse=True) and len(prices) > 50
    for path in ("/projects", "/keys", "/prices"):
        for _, link in heads(team.browser, path).values():
            assert team.browser.get(link if link.startswith("/") else path + link).status_code == 200, link


def test_the_dearest_calls_come_first_page_by_page(site: Site, team: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.pages.calls.PAGE", 2)
    for n, size in enumerate((3, 1, 4, 1, 5)):
        spend(site, team, 1 - n / 10, usage={"prompt_tokens": size * 1000, "completion_tokens": 0})
    spend(site, team, outcome="no_usage", usage=None, status_code=504)
    path, seen = "/calls?sort=cost", []
    while path:
        seen += column(team.browser, path, 1)
        more = re.search(r'href="([^"]+)" rel="next"', team.browser.get(path).text)
        path = more and unescape(more[1])
    assert seen == ["$0.000750", "$0.000600", "$0.000450", "$0.000150", "$0.000150", "not known"]
    assert column(team.browser, "/calls?sort=-tokens_in", 7) == ["1,000", "1,000"]
    assert column(team.browser, "/calls?sort=-started_at", 7)[0] == "3,000"


@pytest.mark.parametrize(
    "path", ["/?sort=weather", "/projects?sort=x", "/calls?sort=--cost", "/keys?sort=-", "/prices?sort=a"]
)
def test_an_unknown_sort_is_a_400_that_says_how_to_sort(site: Site, team: Acme, path: str) -> None:
    spend(site, team)
    answer = team.browser.get(path)
    assert answer.status_code == 400 and "There is no order “" in text(answer)


def test_a_cursor_of_another_order_is_a_400(team: Acme) -> None:
    for cursor in ("x~y", "NaN", cursors.write(datetime.now(UTC), uuid4())):
        answer = team.browser.get("/calls", query_string={"sort": "cost", "cursor": cursor})
        assert answer.status_code == 400, cursor


def test_the_form_filters_by_status_cost_tag_and_end_user(site: Site, team: Acme) -> None:
    spend(site, team, tags={"team": "web"}, end_user="ann")
    spend(site, team, outcome="error", usage=None, status_code=429)
    page = team.browser.get("/calls").text
    assert set(re.findall(r'<(?:select|input)[^>]* name="(\w+)"', page)) >= {"status", "cost_status", "tag", "end_user"}
    assert "<details" in page and '<details class="more" open' not in page
    for words in ("status=error", "tag=team%3Dweb", "tag=team", "end_user=ann", "cost_status=priced"):
        page = team.browser.get("/calls?" + words).text
        assert len(re.findall(r'href="/calls/[0-9a-f-]{36}["?]', page)) == 1, words
        assert ('<details class="more" open' in page) == ("cost" not in words) and "Remove filter" in page, words
        assert "Calls 1" in text(team.browser.get("/?" + words)), words


def test_spend_by_end_user_and_by_tag_leads_to_the_calls(site: Site, team: Acme) -> None:
    spend(site, team, tags={"team": "web", "env": "live"}, end_user="ann")
    spend(site, team)
    page = team.browser.get("/?by=end_user")
    assert re.search(r"ann .* 1 .* no end user 1", text(page)) or "no end user" in text(page)
    link = unescape(re.search(r'class="quiet" href="([^"]*end_user=ann[^"]*)"', page.text)[1])
    assert len(re.findall(r'href="/calls/[0-9a-f-]{36}["?]', team.browser.get(link).text)) == 1
    page = team.browser.get("/?by=tag")
    assert column(team.browser, "/?by=tag") == ["env 1 value", "team 1 value"]
    assert "A call with several counts in each of them" in text(page) and "of all calls, each once" in text(page)
    assert sorted(column(team.browser, "/?by=tag&tag_name=team")) == ["no team", "web"]


@pytest.mark.parametrize("path", ORGANIZATION_TABLES)
def test_every_table_has_an_export_with_its_rows(site: Site, team: Acme, path: str) -> None:
    spend(site, team)
    page = team.browser.get(path).text
    assert re.search(rf'href="{path}\.csv[^"]*" data-download', page)
    assert len(table(team.browser.get(path + ".csv"))) >= 1
    assert team.browser.get(path + ".csv").headers["Content-Disposition"].endswith('.csv"')
    assert all(team.ada.organization["id"] not in row.values() for row in table(team.eves.get(path + ".csv")))
    stranger = site.browser().get(path + ".csv")
    assert stranger.status_code == 302 and "/login" in stranger.location


def test_exports_are_safe_in_a_spreadsheet(team: Acme) -> None:
    team.ada.post("/projects", {"name": "=1+1"})
    assert "'=1+1" in {row["name"] for row in table(team.browser.get("/projects.csv"))}


def test_a_download_says_by_a_cookie_that_it_has_begun(site: Site, team: Acme) -> None:
    spend(site, team)
    assert "download=123" in team.browser.get("/calls.csv?download=123").headers["Set-Cookie"]
    for words in ("", "?download=", "?download=%0d%0aSet-Cookie:x", "?download=<b>"):
        assert "Set-Cookie" not in team.browser.get("/calls.csv" + words).headers


def test_a_project_shows_its_months(site: Site, team: Acme) -> None:
    spend(site, team)
    path = f"/projects/{team.project['id']}"
    assert "Spend per month" not in text(team.browser.get(path))  # one month is no history
    spend(site, team, 45)
    page = team.browser.get(path)
    assert "Spend per month" in text(page) and "so far $0.00045" in text(page)
    assert 'id="months-figure"' in page.text


def test_a_page_of_many_rows_takes_no_more_statements_than_one_of_a_single_row(
    site: Site, team: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a list that asks again for each of its rows takes seconds once an organization has some hundred."""
    sent: list[Any] = []
    pages = threading.current_thread()

    def counted(conn: db.WatchedConnection, query: Any, *args: Any, **options: Any) -> psycopg.Cursor[Any]:
        if threading.current_thread() is pages:  # another one looks at the analysts' sessions now and then
            sent.append(query)
        return psycopg.Connection.execute(conn, query, *args, **options)

    def statements() -> dict[str, int]:
        found = {}
        for path in ("/", "/?by=key", "/?by=person&and=project", "/?by=tag&tag_name=team", "/calls", "/tags",
                     "/end-users", f"/team/{team.ada.user['id']}", *ORGANIZATION_TABLES):  # fmt: skip
            sent.clear()
            assert team.browser.get(path).status_code == 200
            found[path] = len(sent)
        return found

    spend(site, team, end_user="a", tags={"team": "a"})
    statements()  # the first ones of a log-in read more
    monkeypatch.setattr(db.WatchedConnection, "execute", counted)
    before = statements()
    assert min(before.values()) > 0
    for name in ("b", "c", "d"):
        project = team.ada.post("/projects", {"name": name}).json
        key = team.ada.post(f"/projects/{project['id']}/keys", {"name": name}).json
        words = {"project_id": project["id"], "api_key_id": key["id"], "end_user": name, "tags": {"team": name}}
        spend(site, team, **words, model=f"gpt-{name}")
    assert statements() == before
