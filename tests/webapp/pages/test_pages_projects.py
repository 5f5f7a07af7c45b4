"""Projects in a browser."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from conftest import Site
from seeded import Acme, spend, table, text


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def test_a_project_has_its_own_spend_its_keys_and_a_form_for_another(site: Site, team: Acme) -> None:
    spend(site, team)
    other = team.ada.post("/projects", {"name": "other"}).json
    page = team.browser.get(f"/projects/{team.project['id']}")
    assert "Calls 1" in text(page) and team.key["prefix"] in text(page)
    csv = re.search(r'href="(/spend\.csv[^"]+)"', page.text)[1].replace("&amp;", "&")
    assert [row["project"] for row in table(team.browser.get(csv))] == ["chat"]
    assert "No calls in this period." in text(team.browser.get(f"/projects/{other['id']}"))
    assert "A key lets one app spend on one project." in text(team.browser.get(f"/projects/{other['id']}"))


def test_the_list_says_that_calls_of_a_project_have_no_known_cost(site: Site, team: Acme) -> None:
    spend(site, team)
    spend(site, team, model="gpt-99", model_requested="gpt-99")
    page = team.browser.get("/projects").text
    assert len(re.findall(r', 1 of 2 calls without a known cost">\$0\.00045 <span class="warn">\+ \?', page)) == 2
    assert page.count('<td class="num">new</td>') == 1, "as Spend says it"
    assert [(row["calls"], row["unknown_calls"]) for row in table(team.browser.get("/projects.csv"))] == [("2", "1")]


def test_list_and_file_have_the_same_sums_before_and_changes(site: Site, team: Acme) -> None:
    team.ada.post("/projects", {"name": "idle"})
    for day, calls in ((1, 1), (2, 3)):
        for second in range(calls):
            spend(site, team, at=datetime(2026, 10, day, 12, 0, second, tzinfo=UTC))
    period = "from=2026-10-02&to=2026-10-02"
    page = text(team.browser.get(f"/projects?{period}"))
    assert "chat $0.0014 100% $0.00045 +$0.00090 +200% 3 " in page and "idle $0.00 – $0.00 $0.00 – 0 " in page
    columns = ("name", "cost", "cost_before", "unknown_before", "change")
    found = [tuple(row[name] for name in columns) for row in table(team.browser.get(f"/projects.csv?{period}"))]
    assert found == [("chat", "0.00135", "0.00045", "0", "0.0009"), ("idle", "0", "0", "0", "0")]
    assert "idle $0.00 – – – – 0 " in text(team.browser.get(f"/projects?{period}&compare=none"))
    row = table(team.browser.get(f"/projects.csv?{period}&compare=none"))[0]
    assert (row["cost_before"], row["change"]) == ("", "")


def test_creating_leads_to_the_project_and_a_used_name_is_said_beside_the_field(team: Acme) -> None:
    answer = team.browser.post("/projects", name="search")
    assert answer.status_code == 302 and answer.location.startswith("/projects/")
    assert "Project “search” created." in text(team.browser.get(answer.location))
    again = team.browser.post("/projects", name="Search")
    assert again.status_code == 409 and "A project of that name exists already." in text(again)
    assert 'value="Search"' in again.text and 'aria-invalid="true"' in again.text


def test_renaming_keeps_what_was_typed_when_it_is_refused(team: Acme) -> None:
    path = f"/projects/{team.project['id']}"
    assert team.browser.post(path, name="chat 2").location == path
    assert "<h1>chat 2" in team.browser.get(path).text
    refused = team.browser.post(path, name="y" * 500)
    assert refused.status_code == 400 and "A name has at most 200 characters." in text(refused)
    assert "y" * 500 in refused.text and "<h1>chat 2" in refused.text


def test_archiving_asks_first_and_can_be_undone(site: Site, team: Acme) -> None:
    spend(site, team)
    path = f"/projects/{team.project['id']}"
    assert "Archive chat?" in text(team.browser.get(path + "/archive"))
    assert team.browser.post(path + "/archive", archived="1").location == path
    page = team.browser.get(path)
    assert "archived" in text(page) and "Create key" not in text(page) and "Calls 1" in text(page)
    assert "archived" in text(team.browser.get("/projects"))
    team.browser.post(path + "/archive", shown=path, archived="0")
    assert "Create key" in text(team.browser.get(path))


def test_a_developer_sees_spend_but_no_controls_and_is_refused(site: Site, team: Acme) -> None:
    spend(site, team)
    path = f"/projects/{team.project['id']}"
    page = text(team.devs.get(path))
    assert "Calls 1" in page
    assert not any(word in page for word in ("Rename", "Archive project", "Create key"))
    assert "Create project" not in text(team.devs.get("/projects"))
    for target, form in (("/projects", {"name": "x"}), (path, {"name": "x"}), (path + "/archive", {"archived": "1"})):
        assert team.devs.post(target, shown="/projects", **form).status_code == 403, target
    assert team.devs.get(path + "/archive").status_code == 403


def test_another_organizations_project_is_not_there(team: Acme) -> None:
    path = f"/projects/{team.project['id']}"
    assert team.eves.get(path).status_code == team.eves.get(path + "/archive").status_code == 404
    for target, form in ((path, {"name": "x"}), (path + "/archive", {"archived": "1"})):
        assert team.eves.post(target, shown="/projects", **form).status_code == 404
    assert "chat" not in text(team.eves.get("/projects"))


def test_an_admin_switches_on_that_metadata_becomes_tags(team: Acme) -> None:
    path = f"/projects/{team.project['id']}"
    assert "Make tags of metadata" in text(team.browser.get(path))
    assert team.browser.post(path + "/metadata", shown=path, metadata_tags="1").location == path
    assert "Do not keep metadata" in text(team.browser.get(path))
    assert team.ada.get("/projects").json["data"][0]["metadata_tags"] is True
    assert "switched tags from metadata on for project chat" in text(team.browser.get("/audit"))
    team.browser.post(path + "/metadata", shown=path, metadata_tags="0")
    assert team.ada.get("/projects").json["data"][0]["metadata_tags"] is False
    assert team.devs.post(path + "/metadata", shown="/projects", metadata_tags="1").status_code == 403
    assert team.eves.post(path + "/metadata", shown="/projects", metadata_tags="1").status_code == 404
