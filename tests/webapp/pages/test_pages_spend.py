"""The Spend page, the first run, and the export."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from conftest import Site
from seeded import Acme, browser_of, spend, table, text

from webapp.pages.export import cell


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def test_a_newcomer_is_led_from_project_to_key_to_call(site: Site) -> None:
    browser = browser_of(site, site.sign_up("nia", organization="New"))
    assert "Create a project." in text(browser.get("/"))
    answer = browser.post("/projects", shown="/", name="first <b>", next="start")
    assert answer.location == "/"
    page = browser.get("/")
    assert "Create a key." in text(page) and "first &lt;b&gt;" in page.text
    assert f"curl {site.config.public_url}/api/v1/proxy/chat/completions" in text(page)
    form = dict(re.findall(r'name="(project|form_id)" value="([^"]+)"', page.text))
    assert "sk-spend-" in text(browser.post("/keys", shown="/", name="laptop", **form))
    assert "I have sent one" in text(browser.get("/"))


def test_a_developer_in_an_empty_organization_is_told_who_can_start(team: Acme) -> None:
    page = team.devs.get("/")
    assert "No calls yet" in text(page) and '<form class="inline"' not in page.text
    assert f"To get the key or another one, ask {team.ada.email}" in text(page) and "Make another one" not in page.text
    assert "Make another one" in team.browser.get("/").text


def test_the_page_the_export_and_the_api_say_the_same_to_the_last_digit(site: Site, team: Acme) -> None:
    for days in (0, 1, 1, 9):
        spend(site, team, days)
    spend(site, team, usage={"prompt_tokens": 7, "completion_tokens": 1})
    page = team.browser.get("/")
    totals = team.ada.get("/usage").json["totals"]
    exported = sum(Decimal(row["cost"]) for row in table(team.browser.get("/spend.csv")))
    assert exported == Decimal(totals["cost"]) == Decimal("0.00180165")
    assert 'title="$0.00180165"' in page.text
    assert "Calls 5" in text(page)


def test_the_bars_and_the_table_have_the_same_order_and_colours(site: Site, team: Acme) -> None:
    spend(site, team, model="gpt-4o")
    spend(site, team)
    page = team.browser.get("/?by=model").text
    swatches = re.findall(r'class="swatch c-(s\d+)"></span><a[^>]*>([^<]+)', page)
    assert [name for _, name in swatches] == ["gpt-4o", "gpt-4o-mini"]
    assert re.findall(r'<i class="swatch c-(s\d+)"></i>([^<]+)', page)[:2] == swatches
    assert re.findall(r'"name":"(gpt[^"]+)"', page) == ["gpt-4o", "gpt-4o-mini"]


def test_calls_without_an_end_user_have_another_grey_than_the_other_end_users(site: Site, team: Acme) -> None:
    for number in range(8):
        spend(site, team, end_user=f"u{number}" if number else None)
    page = team.browser.get("/?by=end_user").text
    grey = dict(re.findall(r'<span class="swatch c-(s0|muted)"></span><a[^>]*>(no end user|Other)', page))
    assert grey == {"muted": "no end user", "s0": "Other"}
    assert '"var(--muted)"' in page  # its bars


def two_projects(site: Site, team: Acme) -> tuple[str, str]:
    """A dear call of chat with many tokens, two cheap ones of search; the ids of both projects."""
    chat = team.project["id"]
    spend(site, team, model="gpt-4o")
    team.project = team.ada.post("/projects", {"name": "search"}).json
    team.key = team.ada.post(f"/projects/{team.project['id']}/keys", {"name": "main"}).json
    for _ in range(2):
        spend(site, team, usage={"prompt_tokens": 100, "completion_tokens": 10})
    return chat, team.project["id"]


def cells(page: str) -> dict[str, list[str]]:
    """Name → the texts of its cells in the breakdown."""
    body = re.search(
        r"<tbody>(.*?)</tbody>", re.sub(r'<table class="values" id.*?</table>', "", page, flags=re.S), re.S
    )[1]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in body.split("<tr")[1:]]
    plain = [[re.sub(r"\s+", " ", re.sub("<[^>]+>", "", cell)).strip() for cell in row] for row in rows]
    return {row[0]: row[1:] for row in plain}


def test_one_switch_measures_the_chart_and_the_breakdown_in_money_tokens_or_calls(site: Site, team: Acme) -> None:
    two_projects(site, team)
    found = {name: cells(team.browser.get(f"/?measure={name}").text) for name in ("money", "tokens", "calls")}
    assert [(name, list(rows)) for name, rows in found.items()] == [
        ("money", ["chat", "search"]), ("tokens", ["chat", "search"]), ("calls", ["search", "chat"]),
    ]  # fmt: skip
    assert [found[name]["search"][:2] for name in found] == [["$0.000042", "&lt;1%"], ["220", "13%"], ["2", "67%"]]
    page = team.browser.get("/?measure=calls").text
    assert "Calls per day" in page and 'href="/?measure=calls&amp;by=model"' in page
    assert team.browser.get("/?measure=joy").status_code == team.browser.get("/?and=joy").status_code == 400


def test_with_a_filter_for_one_the_page_is_broken_down_by_what_says_more(site: Site, team: Acme) -> None:
    chat, _ = two_projects(site, team)
    key = re.search(r"key=([0-9a-f-]{36})", team.browser.get(f"/?project={chat}").text)[1]
    pages = {
        f"/?project={chat}": "Key", f"/?key={key}": "Model", "/?model=gpt-4o": "Project",
        f"/?project={chat}&model=gpt-4o": "Key", f"/projects/{chat}": "Key", "/": "Project",
        "/?endpoint=/v1/chat/completions&by=endpoint": "Model",
    }  # fmt: skip
    for address, by in pages.items():
        page = team.browser.get(address).text
        assert re.search(r'aria-label="Broken down by".*?aria-current="true">([^<]+)', page, re.S)[1] == by, address


def test_two_breakdowns_at_once_are_a_table_with_totals(site: Site, team: Acme) -> None:
    two_projects(site, team)
    page = team.browser.get("/?by=project&and=model&measure=calls")
    assert cells(page.text) == {"chat": ["1", "1", ""], "search": ["2", "", "2"]}
    assert "Total 3 1 2" in text(page)
    link = re.search(r'<td title="2"><a class="quiet" href="([^"]*model=gpt-4o-mini[^"]*)"', page.text)[1]
    assert len(re.findall(r'href="/calls/[0-9a-f-]{36}', team.browser.get(link.replace("&amp;", "&")).text)) >= 2
    spend(site, team, model="gpt-99")  # without a price
    page = team.browser.get("/?by=project&and=model")
    assert cells(page.text)["search"] == ["$0.000042 + ?", "", "$0.000042", "$0.00 + ?"]
    assert "Total $0.0075 + ? $0.0075 $0.000042 $0.00 + ?" in text(page)
    assert ", 1 of 3 calls without a known cost" in page.text
    assert cells(team.browser.get("/?by=project&and=model&measure=calls").text)["search"] == ["3", "", "2", "1"]


def test_a_bar_leads_to_its_hours_and_back_to_the_page_it_was_on(site: Site, team: Acme) -> None:
    spend(site, team, 3)
    page = team.browser.get("/?by=model&period=7&compare=year").text
    link = re.findall(r'<th scope="row"><a href="([^"]+grain=hour[^"]+)"', page)[3].replace("&amp;", "&")
    day = team.browser.get(link)
    assert "Spend per hour" in text(day) and "Calls 1" in text(day)
    back = re.search(r'href="([^"]+)">← back to ', day.text)[1].replace("&amp;", "&")
    assert {"by=model", "period=7", "compare=year"} == set(back.removeprefix("/?").split("&"))
    assert "← back" not in team.browser.get("/?back=period%3Dcentury").text


def test_models_take_the_colours_in_the_order_in_which_they_came(site: Site, team: Acme) -> None:
    for days, model in (
        (30, "gpt-4o"),
        (9, "o3"),
        (9, "gpt-4.1"),
        (2, "o4-mini"),
        (1, "gpt-4o"),
        (1, "o3"),
        (0, "o4-mini"),
    ):
        spend(site, team, days, model=model)
    for words, found in (("", {"gpt-4o": "s1", "gpt-4.1": "s2", "o3": "s3", "o4-mini": "s4"}),
                         ("&period=yesterday", {"gpt-4o": "s1", "o3": "s3"})):  # fmt: skip
        page = team.browser.get(f"/?by=model{words}").text
        shown = {name: colour for colour, name in re.findall(r'class="swatch c-(s\d+)"></span><a[^>]*>([^<]+)', page)}
        assert shown.items() >= found.items(), words


def test_the_table_of_months_is_the_same_whatever_the_period_and_its_bars_are(site: Site, team: Acme) -> None:
    for days in (0, 40, 80, 200):
        spend(site, team, days)
    since = (datetime.now(UTC) - timedelta(days=100)).date()  # within a month, which is then no whole bar

    def months(words: str) -> str:
        return re.search(
            r'<table class="values months" id="months-values">.*?</table>', team.browser.get(f"/{words}").text, re.S
        )[0]

    asked = ("", f"?from={since}&grain=month")
    found = [re.findall(r'<td class="num spent" title="([^"]+)"', months(words)) for words in asked]
    assert found[0] == found[1] and len(found[0]) >= 7 and sum(cost != "$0.00" for cost in found[0]) == 4


def test_every_filter_is_a_chip_that_can_be_taken_away(site: Site, team: Acme) -> None:
    spend(site, team)
    spend(site, team, model="gpt-4o")
    page = team.browser.get("/?model=gpt-4o&period=7")
    assert "model: gpt-4o" in text(page) and "Calls 1" in text(page)
    without = re.search(r'href="([^"]+)" aria-label="Remove filter model', page.text)[1]
    assert without == "/?period=7"
    assert "Calls 2" in text(team.browser.get(without))
    assert len(table(team.browser.get("/spend.csv?model=gpt-4o&period=7&by=model"))) == 1


@pytest.mark.parametrize("path", ["/", "/calls", "/projects/{}"])
def test_every_filter_has_a_chip_that_takes_it_away(site: Site, team: Acme, path: str) -> None:
    """`endpoint` too, which is also the name of an argument of url_for."""
    spend(site, team, end_user="u1", tags={"team": "web"})
    address = path.format(team.project["id"])
    words = {"model": "gpt-4o-mini-2024-07-18", "endpoint": "/v1/chat/completions", "status": "200",
             "cost_status": "priced", "end_user": "u1", "tag": "team=web", "not_service_tier": "flex"}  # fmt: skip
    page = team.browser.get(address, query_string=words)
    assert page.status_code == 200
    for name in ("model", "endpoint", "status", "cost", "end user", "tag", "tier not"):
        link = re.search(rf'href="([^"]+)" aria-label="Remove filter {name} ', page.text)[1]
        without = team.browser.get(link.replace("&amp;", "&"))
        assert without.status_code == 200 and f"Remove filter {name} " not in without.text
        assert without.text.count("Remove filter") == len(words) - 1


def test_calls_without_a_price_are_said_and_linked(site: Site, team: Acme) -> None:
    spend(site, team, model="nobody-knows-it", model_requested="nobody-knows-it")
    page = team.browser.get("/")
    assert "Not in the sums marked ?: 1 call of unknown cost 1 call has no price yet." in text(page)
    link = re.search(r'href="([^"]*cost_status[^"]*)"', page.text)[1].replace("&amp;", "&")
    assert "nobody-knows-it" in text(team.browser.get(link))
    shown = team.browser.get("/?by=model").text  # the model, the key, the total and the sum above them
    assert shown.count('$0.00, 1 of 1 call without a known cost">$0.00 <span class="warn">+ ?</span>') == 4


def test_a_month_says_how_many_of_its_calls_have_no_known_cost(site: Site, team: Acme) -> None:
    for days in (0, 40, 40):
        spend(site, team, days, model="nobody-knows-it", model_requested="nobody-knows-it")
    spend(site, team, 40)
    months = re.search(r'id="months-values".*?</table>', team.browser.get("/?period=7").text, re.S)[0]
    assert 'title="$0.00, 1 of 1 call without a known cost">$0.00 <span class="warn">+ ?</span>' in months
    assert 'title="$0.00045, 2 of 3 calls without a known cost">$0.00045 <span class="warn">+ ?</span>' in months


def test_a_period_without_calls_leads_to_the_last_day_that_had_some(site: Site, team: Acme) -> None:
    spend(site, team, 12)
    page = team.browser.get("/?period=7")
    assert "No calls in this period." in text(page)
    link = re.search(r'href="([^"]+)">Go to the last day', page.text)[1].replace("&amp;", "&")
    assert "Calls 1" in text(team.browser.get(link))


def test_the_sandbox_is_named_on_every_page(site: Site, team: Acme) -> None:
    for path in ("/", "/projects", "/keys", "/calls", "/prices", "/team", "/settings"):
        answer = team.browser.get(path)
        assert answer.status_code == 200
        assert "These are sandbox calls: made-up answers, play money. No OpenAI key is set." in text(answer)


def test_no_filter_in_the_address_makes_a_page_fail(site: Site, team: Acme) -> None:
    spend(site, team)
    for path in ("/?project=nonsense", "/?from=2016-01-01&to=2036-01-01", "/?key=%00%00", "/?model=" + "x" * 2000):
        assert team.browser.get(path).status_code == 200, path


def test_a_form_that_chose_a_named_period_forgets_its_dates(site: Site, team: Acme) -> None:
    spend(site, team)
    assert "Calls 1" in text(team.browser.get("/?period=7&from=2020-01-01&to=2020-02-01"))
    assert "1 Jan – 1 Feb 2020" in text(team.browser.get("/?period=custom&from=2020-01-01&to=2020-02-01"))


def test_eve_sees_nothing_of_acme(site: Site, team: Acme) -> None:
    spend(site, team)
    assert "No calls yet" in text(team.eves.get("/"))
    assert table(team.eves.get(f"/spend.csv?project={team.project['id']}")) == []


def test_no_cell_of_an_export_runs_as_a_formula(site: Site, team: Acme) -> None:
    for name in ('=HYPERLINK("http://evil.test")', "+1", "-1", "@x"):
        team.project = team.ada.post("/projects", {"name": name}).json
        spend(site, team)
    assert {row["project"][:2] for row in table(team.browser.get("/spend.csv"))} == {"'=", "'+", "'-", "'@"}


@pytest.mark.parametrize(("text", "written"), [
    ("=1", "'=1"), (" =1", "' =1"), ("x;=1", "x;'=1"), ("x; +1;-2", "x;' +1;'-2"), ("a\t@b", "a\t'@b"),
    ("a\n=b", "a\n'=b"), ("\r=b", "'\r'=b"), ("\tb", "'\tb"), ("＝1", "'＝1"), ("＋1", "'＋1"), ("－1", "'－1"),
    ("＠a", "'＠a"), ("team=web", "team=web"), ("a - b", "a - b"), ("x,y", "x,y"), ("", ""),
])  # fmt: skip
def test_a_formula_is_found_also_where_spreadsheets_split_a_cell_and_in_full_width(text: str, written: str) -> None:
    assert cell(text) == written


def test_static_files_are_kept_for_good_and_their_address_names_their_content(site: Site, team: Acme) -> None:
    page = team.browser.get("/")
    address = re.search(r'href="(/static/app\.css\?v=[0-9a-f]{12})"', page.text)[1]
    assert team.browser.get(address).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in team.browser.get("/static/app.css").headers["Cache-Control"]
    assert page.headers["Cache-Control"] == "no-store"


def test_a_page_without_the_chart_library_is_small(site: Site, team: Acme) -> None:
    """Most of it are the tables of three charts, with a link for each of thirty days."""
    spend(site, team)
    assert len(team.browser.get("/").data) < 50_000


def test_the_theme_is_a_cookie_the_server_reads(team: Acme) -> None:
    assert "data-theme" not in team.browser.get("/team").text.split(">")[1]
    assert team.browser.post("/theme", shown="/team", theme="dark").status_code == 302
    assert '<html lang="en" data-theme="dark">' in team.browser.get("/team").text
    team.browser.post("/theme", shown="/team", theme="auto")
    assert '<html lang="en">' in team.browser.get("/team").text
