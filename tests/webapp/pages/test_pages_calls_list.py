"""The list of calls: its sums, links, columns and WebSocket sessions, and finding a call by its id."""

from __future__ import annotations

import html
import re
from uuid import uuid4

import pytest
from conftest import Site
from seeded import Acme, spend, table, text
from werkzeug.test import TestResponse

from webapp.pages import calls_columns


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def test_above_the_list_stands_the_sum_of_all_its_calls_and_what_is_not_in_it(
    site: Site, team: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.pages.calls.PAGE", 2)
    for _ in range(3):
        spend(site, team)
    spend(site, team, model="gpt-99", model_requested="gpt-99")
    spend(site, team, outcome="no_usage", usage=None, status_code=504)
    page = team.browser.get("/calls?status=200")
    assert "$0.0014 for 4 calls, 6,000 tokens Not in the sum: 1 without a price . Spend of these calls" in text(page)
    assert '<span title="$0.00135">' in page.text and 'href="/?status=200"' in page.text
    assert "Not in the sum: 1 without a price , 1 without usage ." in text(team.browser.get("/calls"))
    assert "Cost not known for 1 call, 1,500 tokens" in text(team.browser.get("/calls?model=gpt-99"))


def test_a_sum_that_would_take_long_is_made_when_asked_for(
    site: Site, team: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.pages.calls.MOST", 1)
    for _ in range(2):
        spend(site, team, end_user="u1")
    page = team.browser.get("/calls?end_user=u1&model=gpt-4o-mini")
    assert "$" not in text(page).partition("Add up these calls")[2].partition("Time (UTC)")[0]
    link = html.unescape(re.search(r'href="([^"]+)">Add up', page.text)[1])
    assert "$0.00090 for 2 calls" in text(team.browser.get(link))
    assert "$0.00090 for 2 calls" in text(team.browser.get("/calls?model=gpt-4o-mini")), "from the totals of days"


def test_each_cell_leads_to_the_calls_that_share_its_value(site: Site, team: Acme) -> None:
    tags = {"team": "a&b", "feature": "x", "third": "y"}
    spend(site, team, end_user="u 1", tags=tags, service_tier="flex")
    spend(site, team, model="gpt-4o", status_code=201)
    page = html.unescape(team.devs.get("/calls?period=7&columns=" + ",".join(calls_columns.COLUMNS)).text)
    for name, word in (
        ("project", team.project["id"]), ("key", team.key["id"]), ("model", "gpt-4o-mini"), ("end_user", "u+1"),
        ("tag", "team%3Da%26b"), ("status", "200"), ("service_tier", "flex"),
    ):  # fmt: skip
        link = re.search(rf'href="(/calls\?period=7[^"]*&{name}={re.escape(word)})"', page)
        assert link, name
        found = team.devs.get(link[1]).text
        assert len(re.findall(r'href="/calls/[0-9a-f-]{36}\?', found)) == (2 if name in ("project", "key") else 1), name
    folded, each = re.search(r'<summary class="line">([^<]*)</summary>(.*?)</details>', page).groups()
    assert folded.split(", ") == re.findall(r">([^<]+)</a>", each)
    assert sorted(folded.split(", ")) == ["feature=x", "team=a&b", "third=y"]


def test_columns_are_chosen_by_the_address_and_stay(site: Site, team: Acme) -> None:
    spend(site, team, end_user="u1")
    assert "Call id" not in heads(team.browser.get("/calls"))
    assert heads(team.browser.get("/calls?columns=id&columns=end_user")) == [
        "Time (UTC) ▾",
        "Cost",
        "End user",
        "Call id",
    ]
    assert heads(team.browser.get("/calls?sort=cost")) == ["Time (UTC)", "Cost ▾", "End user", "Call id"]
    assert heads(team.browser.get("/calls?columns=usual")) == heads(team.devs.get("/calls"))
    assert "Model" in heads(team.browser.get("/calls"))
    refused = team.browser.get("/calls?columns=weather")
    assert refused.status_code == 400 and "There is no column “weather”." in text(refused)


def heads(answer: TestResponse) -> list[str]:
    """The headings of the list's columns."""
    row = answer.text.partition("<thead>")[2].partition("</thead>")[0]
    return [re.sub(r"\s*<[^>]+>\s*", " ", head).strip() for head in re.findall(r"<th.*?</th>", row)]


def test_the_calls_of_a_websocket_session_are_a_list_with_its_own_sum(site: Site, team: Acme) -> None:
    spend(site, team)
    session = uuid4()
    call = spend(site, team, session_id=str(session))
    page = team.browser.get(f"/calls?session={session}")
    assert re.findall(r'href="/calls/([0-9a-f-]{36})', page.text) == [str(call)]
    assert "$0.00045 for 1 call" in text(page) and "Spend keeps no sums of WebSocket sessions" in text(page)
    assert f"session={session}" in page.text.partition("<thead>")[2], "sorting keeps the session"
    assert [row["id"] for row in table(team.browser.get(f"/calls.csv?session={session}"))] == [str(call)]
    assert "No calls" in text(team.eves.get(f"/calls?session={session}"))
    assert team.browser.get("/calls?session=x").status_code == 400


def test_a_call_is_found_by_its_ids(site: Site, team: Acme) -> None:
    call = spend(site, team, upstream_object_id="chatcmpl-1", upstream_request_id="req_one")
    for words in (str(call), f" {str(call)[:13]} ", "chatcmpl-1"):
        answer = team.devs.get("/calls/find", query_string={"id": words})
        assert (answer.status_code, answer.location) == (303, f"/calls/{call}"), words
        assert "No such call" in text(team.eves.get("/calls/find", query_string={"id": words}))
    again = spend(site, team, days=1, upstream_object_id="chatcmpl-1")
    both = team.devs.get("/calls/find?id=chatcmpl-1")
    assert re.findall(r'href="/calls/([0-9a-f-]{36})"', both.text) == [str(call), str(again)]
    assert "2 calls have this id" in text(both)
    for words in (
        "chatcmpl-",
        "x" * 5000,
        "' or 1=1 --",
        "%%%%%%%%%%",
        "\0" * 9 + "12345678",
        "<script>alert(1)</script>",
    ):
        answer = team.devs.get("/calls/find", query_string={"id": words})
        assert answer.status_code == 200 and "No such call" in text(answer) and "<script>alert" not in answer.text
    assert "Type at least the first 8 characters of the id" in text(team.devs.get("/calls/find?id=abc"))
    assert "No such call" not in text(team.devs.get("/calls/find"))
