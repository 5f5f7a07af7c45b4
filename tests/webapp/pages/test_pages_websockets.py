"""The pages of WebSocket sessions, their export, and the same by API."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from conftest import Site
from seeded import Acme, spend, table, text

from webapp.pages.websockets import CODES, code_words


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def add_session(site: Site, team: Acme, hours: float = 1, **changes: Any) -> UUID:
    """A session that began some hours ago and ended normally 65 seconds later, unless changes say otherwise."""
    began = datetime.now(UTC) - timedelta(hours=hours)
    row = {
        "id": uuid4(), "org_id": team.ada.organization["id"], "project_id": team.project["id"],
        "api_key_id": team.key["id"], "upstream": "sandbox", "endpoint": "/v1/realtime", "started_at": began,
        "deadline_at": began + timedelta(hours=9), "ended_at": began + timedelta(seconds=65), "close_code": 1000,
        "closed_by": "client", "model": "gpt-realtime-2.1", "upstream_session_id": "sess_1",
    } | changes  # fmt: skip
    values = ", ".join(["%s"] * len(row))
    site.sql(f"insert into public.websocket_sessions ({', '.join(row)}) values ({values}) returning id", *row.values())
    return row["id"]


OPEN = {"ended_at": None, "close_code": None, "closed_by": None}


def test_the_list_shows_how_long_who_what_and_how_it_ended(site: Site, team: Acme) -> None:
    session = add_session(site, team)
    spend(site, team, session_id=str(session))
    add_session(site, team, 2, **OPEN)
    add_session(site, team, 20, **OPEN)
    add_session(site, team, 3, close_code=401, closed_by="openai")
    add_session(site, team, 3, close_code=426, closed_by="spendai")
    shown = text(team.browser.get("/sessions"))
    for words in ("1 min 5 s chat main /v1/realtime gpt-realtime-2.1 1 $0.000450 normal end, by the client", " open ",
                  " lost ", " refused with HTTP 401, by OpenAI ", " refused with HTTP 426, by SpendAI "):  # fmt: skip
        assert words in shown
    assert 'href="/sessions"' in team.browser.get("/calls").text
    lost = team.browser.get("/sessions?state=lost").text
    assert len(re.findall(r'href="/sessions/[0-9a-f-]{36}"', lost)) == 1


def test_a_key_is_chosen_below_its_project_and_among_those_of_the_project_at_hand(team: Acme) -> None:
    other = team.ada.post("/projects", {"name": "search"}).json
    key = team.ada.post(f"/projects/{other['id']}/keys", {"name": "main"}).json

    def offered(path: str) -> list[str]:
        return re.findall(r'name="key" value="([0-9a-f-]+)"', team.browser.get(path).text)

    assert offered("/sessions") == [team.key["id"], key["id"]]
    assert offered(f"/sessions?project={other['id']}") == [key["id"]]


def test_a_session_shows_its_calls_their_sum_and_how_many_costs_are_not_known(site: Site, team: Acme) -> None:
    session = add_session(site, team)
    made = [spend(site, team, 0.02 - n / 1000, session_id=str(session)) for n in range(2)]
    made.append(spend(site, team, 0, session_id=str(session), outcome="no_usage", usage=None))
    other = spend(site, team)
    page = team.devs.get(f"/sessions/{session}")
    assert re.findall(r'href="/calls/([0-9a-f-]{36})"', page.text) == [str(call) for call in made]
    assert "1 of 3 calls has no known cost" in text(page) and "$0.0009" in text(page) and "sess_1" in text(page)
    assert f'href="/sessions/{session}"' in team.browser.get(f"/calls/{made[0]}").text
    assert "WebSocket session" not in text(team.browser.get(f"/calls/{other}")).split("The call")[1]


def test_a_long_session_shows_its_newest_calls_and_says_so(
    site: Site, team: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.pages.websockets.CALLS", 1)
    session = add_session(site, team)
    made = [spend(site, team, 0.02 - n / 1000, session_id=str(session)) for n in range(2)]
    page = team.browser.get(f"/sessions/{session}")
    assert re.findall(r'href="/calls/([0-9a-f-]{36})"', page.text) == [str(made[1])]
    assert "2, the newest 1 shown" in text(page)


def test_pages_and_cursors_of_the_api_have_every_session_once(
    site: Site, team: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.pages.websockets.PAGE", 2)
    made = [str(add_session(site, team, hours)) for hours in (1, 2, 3, 4, 5)]
    path, seen = "/sessions?state=ended", []
    while path:
        page = team.browser.get(path).text
        seen += re.findall(r'href="/sessions/([0-9a-f-]{36})"', page)
        more = re.search(r'href="([^"]+)" rel="next"', page)
        path = more and unescape(more[1])
    assert seen == made
    first = team.ada.get("/sessions?limit=3").json
    second = team.ada.get(f"/sessions?limit=3&cursor={first['next_cursor']}").json
    assert [row["id"] for row in first["data"] + second["data"]] == made and second["next_cursor"] is None
    assert [row["id"] for row in table(team.browser.get("/sessions.csv"))] == made


def test_the_api_has_the_session_and_its_id_in_calls(site: Site, team: Acme) -> None:
    session = add_session(site, team)
    call = spend(site, team, session_id=str(session))
    found = team.ada.get(f"/sessions/{session}").json
    assert (found["calls"], found["unpriced_calls"], found["cost"], found["close_code"]) == (1, 0, "0.00045", 1000)
    assert found == team.ada.get(f"/sessions?key={team.key['id']}&state=ended").json["data"][0]
    assert team.ada.get(f"/calls/{call}").json["session_id"] == str(session)
    assert team.ada.get("/calls").json["data"][0]["session_id"] == str(session)
    (row,) = table(team.browser.get("/calls.csv"))
    assert (row["session_id"], row["cost_at_least"]) == (str(session), "")
    spend(site, team)
    assert [row["id"] for row in team.ada.get(f"/calls?session={session}").json["data"]] == [str(call)]
    assert team.ada.get("/calls?session=x").status_code == 404


def test_eve_finds_no_session_of_acme(site: Site, team: Acme) -> None:
    session = add_session(site, team)
    assert team.eves.get(f"/sessions/{session}").status_code == 404
    assert team.eve.get(f"/sessions/{session}").json["error"]["code"] == "session_not_found"
    assert team.eve.get("/sessions").json["data"] == []
    assert str(session) not in team.eves.get("/sessions").text + team.eves.get("/sessions.csv").text


def test_bad_words_in_the_address_are_no_server_error(team: Acme) -> None:
    for query in ("state=%00", "key=nonsense&project=%F0%9F%98%80", "state=open&state=lost"):
        assert team.browser.get("/sessions?" + query).status_code == 200
        assert team.ada.get("/sessions?" + query).json["data"] == []
    assert team.browser.get("/sessions?cursor=x").status_code == 400


@pytest.mark.parametrize("code", [*CODES, 4000, 401, None])
def test_each_close_code_has_words(code: int | None) -> None:
    assert bool(code_words(code)) == (code is not None)
