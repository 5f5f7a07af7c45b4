"""The filter form of pages, without a browser: what it offers and carries, the zone, and periods that cannot be."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import Site
from seeded import Acme, spend, table, text
from werkzeug.test import TestResponse

OCTOBER = "from=2026-10-01&to=2026-10-31"


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def october(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 10, day, hour, tzinfo=UTC)


def fields(page: TestResponse) -> list[tuple[str, str]]:
    """What the form sends if nobody changes it, without its dates: hidden fields and ticked boxes."""
    form = re.search(r'<form class="filters".*?</form>', page.text, re.S)[0]
    inputs = re.findall(r'<input type="(?:hidden|checkbox)" name="([^"]+)" value="([^"]*)"( checked)?', form)
    hidden = re.findall(r'<input type="hidden" name="([^"]+)"', form)
    return [(name, value) for name, value, ticked in inputs if ticked or name in hidden]


def test_the_form_carries_every_parameter_that_none_of_its_fields_shows(site: Site, team: Acme) -> None:
    spend(site, team)
    words = {
        "model": ["a", "b"], "not_model": ["c"], "not_tag": ["x"], "end_user": ["-", "--"], "cost_status": ["free"],
        "by": ["model"], "compare": ["year"], "grain": ["week"], "tz": ["Asia/Kolkata"], "all": ["1"],
    }  # fmt: skip
    sent: dict[str, list[str]] = {}
    for name, value in fields(team.browser.get("/", query_string=words)):
        sent.setdefault(name, []).append(value)
    excluded = sent.pop("exclude")
    for name in excluded:
        sent[f"not_{name}"] = sent.pop(name)
    assert {name: sorted(values) for name, values in sent.items()} == words and excluded == ["tag"]


def test_boxes_that_leave_out_work_without_scripts(site: Site, team: Acme) -> None:
    spend(site, team)
    spend(site, team, model="gpt-4o")
    words = "model=gpt-4o&exclude=model&not_model=x&exclude=nonsense"
    page = team.browser.get("/calls?" + words)
    assert len(re.findall(r'href="/calls/[0-9a-f-]{36}["?]', page.text)) == 1
    assert "model: not gpt-4o" in text(page) and "model: not x" in text(page)
    assert len(table(team.browser.get("/calls.csv?" + words))) == 1


def test_hours_are_carried_as_they_were_shown(site: Site, team: Acme) -> None:
    spend(site, team)
    page = team.browser.get("/calls?from=2026-10-10T12:00:00Z&to=2026-10-10T13:00:00Z")
    sent = dict(fields(page))
    assert sent == {"shown_from": "2026-10-10T12:00:00Z", "shown_to": "2026-10-10T13:00:00Z"}
    again = team.browser.get(
        "/calls", query_string=sent | {"period": "shown", "from": "2026-10-10", "to": "2026-10-10"}
    )
    assert "10 Oct 2026, 12:00 – 13:00, UTC" in text(again)


def test_a_long_list_is_cut_and_says_so(site: Site, team: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapp.pages.picks.LIMIT", 2)
    for n in range(4):
        spend(site, team, model=f"gpt-{n}", model_requested=f"gpt-{n}")
    page = team.browser.get("/?model=gpt-3")
    assert "2 of 4 models: those that cost most in this period." in text(page)
    assert re.search(r'value="gpt-3" checked', page.text)


def test_keys_are_listed_below_their_projects_and_only_those_of_chosen_projects(site: Site, team: Acme) -> None:
    spend(site, team)
    other = team.ada.post("/projects", {"name": "search"}).json
    team.ada.post(f"/projects/{other['id']}/keys", {"name": "nightly"})
    assert re.search(r"chat main · sk-spend-\w+… search nightly · sk-spend-\w+…", text(team.browser.get("/")))
    page = text(team.browser.get(f"/?project={team.project['id']}"))
    assert "main · sk-spend-" in page and "nightly" not in page


def test_two_projects_of_sessions_stay_chosen(site: Site, team: Acme) -> None:
    other = team.ada.post("/projects", {"name": "search"}).json
    page = team.browser.get(f"/sessions?project={team.project['id']}&project={other['id']}&state=lost")
    assert fields(page) == [("project", team.project["id"]), ("project", other["id"]), ("state", "lost")]
    assert "2 projects" in text(page) and "All but these" not in page.text


@pytest.mark.parametrize("path", ["/", "/calls", "/projects/{}"])
def test_a_period_that_cannot_be_is_said_beside_the_field_with_all_filters_kept(
    site: Site, team: Acme, path: str
) -> None:
    spend(site, team)
    words = "from=2026-10-20&to=2026-10-10&model=a&model=b&not_tag=x"
    page = team.browser.get(f"{path.format(team.project['id'])}?{words}")
    assert page.status_code == 400
    assert 'name="from" type="date" value="2026-10-20" aria-invalid="true" aria-describedby="from-note"' in page.text
    assert '<span class="bad" id="from-note" role="alert">' in page.text
    assert [pair for pair in fields(page) if pair[0] in ("model", "tag")] == [
        ("model", "a"),
        ("model", "b"),
        ("tag", "x"),
    ]
    refused = team.ada.get(f"/usage?{words}")
    assert (refused.status_code, refused.json["error"]["param"]) == (400, "from")


def test_a_last_day_is_included_on_pages_and_left_out_by_the_api(site: Site, team: Acme) -> None:
    spend(site, team, at=october(31))
    assert "Calls 1" in text(team.browser.get("/?" + OCTOBER))
    assert len(table(team.browser.get("/calls.csv?" + OCTOBER))) == 1
    assert team.ada.get("/usage?" + OCTOBER).json["totals"]["calls"] == 0


def test_an_admin_sets_the_zone_and_everybodys_days_are_of_it(site: Site, team: Acme) -> None:
    spend(site, team, at=october(10, hour=20))  # in Kolkata, it is the 11th
    refused = team.browser.post("/settings/time-zone", shown="/settings", time_zone="Atlantis")
    assert refused.status_code == 400 and "There is no such time zone." in text(refused)
    assert 'value="Atlantis"' in refused.text
    assert team.browser.post("/settings/time-zone", shown="/settings", time_zone="Asia/Kolkata").status_code == 302
    assert "set the time zone to Asia/Kolkata" in text(team.browser.get("/audit"))
    assert team.devs.post("/settings/time-zone", shown="/", time_zone="UTC").status_code == 403
    page = team.devs.get("/calls?from=2026-10-11&to=2026-10-11")
    assert "2026-10-11 01:30:00" in text(page) and "11 Oct 2026, Asia/Kolkata" in text(page)
    assert "No calls" in text(team.devs.get("/calls?from=2026-10-11&to=2026-10-11&tz=UTC"))
    assert "2026-10-10 20:00:00" in text(team.devs.get("/calls?from=2026-10-10&to=2026-10-10&tz=UTC"))
    assert "Time zone: Asia/Kolkata" in text(team.devs.get("/settings"))


def test_links_of_the_header_keep_period_and_filters_but_nothing_of_other_pages(site: Site, team: Acme) -> None:
    spend(site, team)
    page = team.browser.get("/?period=7&model=a&model=b&sort=name&by=model").text
    link = urlsplit(re.search(r'<a href="(/calls[^"]*)"', page)[1].replace("&amp;", "&"))
    assert parse_qs(link.query) == {"period": ["7"], "model": ["a", "b"], "by": ["model"]}
    assert 'href="/keys?period=7"' in page, "which has filters of its own"
    assert 'href="/?period=7&amp;tz=UTC"' in team.browser.get("/keys?period=7&tz=UTC&project=x").text
    assert '<a href="/calls"' in team.browser.get("/prices?model=gpt-5").text, "where model is no filter of calls"
    project = team.browser.get(f"/projects/{team.project['id']}?period=7").text
    assert f'<a href="/calls?period=7&amp;project={team.project["id"]}"' in project
    assert '<a href="/?period=7"' in project


@pytest.mark.parametrize(("path", "title"), [
    ("/calls?model=gpt-4o&period=month", "Calls: gpt-4o, "), ("/projects?not_model=gpt-4o", "Projects: not gpt-4o, "),
    ("/keys?q=main&state=active", "Keys: “main”, Active, "), ("/sessions?state=lost", "WebSocket sessions: "),
    ("/end-users?q=u", "End users: “u”, "), ("/tags?tag_name=team&q=s", "Tag team: “s”, "),
    ("/calls/find?id=resp_none", "Find a call: “resp_none” "),
    ("/calls?from=2026-02-02&to=2026-01-01", "Calls: no such period "),
    ("/calls?session=01a229d0-62eb-7e3c-a219-f894074a2ead", "Calls of WebSocket session 01a229d0-62eb-7e3c-a219-"),
])  # fmt: skip
def test_the_title_of_a_page_says_what_it_is_filtered_to(team: Acme, path: str, title: str) -> None:
    page = team.browser.get(path).text
    assert page[page.index("<title>") + 7 :].startswith(title), path


def test_the_title_of_every_page_with_a_period_says_it(site: Site, team: Acme) -> None:
    spend(site, team)
    ids = {"project_id": team.project["id"], "key_id": team.key["id"], "user_id": team.ada.user["id"]}
    with_period = set()
    for rule in site.app.url_map.iter_rules():
        if "GET" not in rule.methods or rule.rule.endswith((".csv", ".xlsx")) or not rule.arguments <= ids.keys():
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: ids[found[1]], rule.rule)
        page = team.browser.get(f"{path}?from=2026-10-01&to=2026-10-03")
        if page.mimetype == "text/html" and 'id="period"' in page.text:
            with_period.add(path)
            assert re.search(r"<title>[^<]+, 1–3 Oct 2026 · SpendAI</title>", page.text), path
    assert {"/", "/calls", "/projects", "/keys", "/end-users", "/tags", f"/team/{ids['user_id']}"} < with_period


def test_dates_that_cannot_be_stay_in_their_fields_and_other_words_do_not(team: Acme) -> None:
    wrong = team.browser.get("/calls?from=2026-02-02&to=2026-01-01").text
    assert 'value="2026-02-02" aria-invalid="true"' in wrong and 'value="2026-01-01"' in wrong
    wrong = team.browser.get("/keys?from=soon&to=2026-01-01").text  # browsers complain about a date input of this value
    assert 'value="" aria-invalid="true"' in wrong and 'value="2026-01-01"' in wrong and 'value="soon"' not in wrong
