"""The audit log and the page of a member."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

import pytest
from conftest import Site
from seeded import Acme, browser_of, table, text

from webapp.config import ROOT
from webapp.pages import audit


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def test_admins_read_who_did_what_and_developers_do_not(site: Site, team: Acme) -> None:
    team.ada.post(f"/keys/{team.key['id']}/rotate", {"overlap_seconds": 0})
    page = text(team.browser.get("/audit"))
    assert "created project chat" in page and f"rotated key main {team.key['prefix']} …" in page
    assert page.index("rotated key") < page.index("created key") < page.index("created project")
    assert team.ada.email in page
    assert team.devs.get("/audit").status_code == team.devs.get("/audit.csv").status_code == 403
    assert 'href="/audit"' not in team.devs.get("/team").text
    assert "created project chat" not in text(team.eves.get("/audit"))


def test_pages_and_export_hold_every_line_once(site: Site, team: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "PAGE", 3)
    monkeypatch.setattr("webapp.pages.export.PAGE_ROWS", 2)
    for n in range(8):
        team.ada.post("/projects", {"name": f"project {n}"})
    path, seen = "/audit", []
    while path:
        page = team.browser.get(path)
        seen += re.findall(r"created project <bdi>project (\d)</bdi>", page.text)
        more = re.search(r'href="([^"]+)" rel="next"', page.text)
        path = more and unescape(more[1])
    assert seen == list("76543210")
    exported = table(team.browser.get("/audit.csv"))
    assert len(exported) == len({row["id"] for row in exported}) == 10
    assert exported[0]["action"] == "project.created" and '"project 7"' in exported[0]["details"]


def test_every_action_of_the_database_has_its_words() -> None:
    written = set()
    for path in Path(ROOT / "db/functions").glob("*.sql"):
        for call in re.findall(r"perform app\.audit\((.*?)\);", path.read_text(), re.S):
            written |= set(re.findall(r"'(\w+\.\w+)'", call))
    assert len(written) > 15 and written <= set(audit.ACTIONS)


def test_months_and_amounts_are_written_as_on_every_page(site: Site, team: Acme) -> None:
    details = {"month": "2026-10", "openai": "1234.5", "unexplained": "-0.000012", "note": "asked"}
    line = "select app.audit(%s, 'month.closed', null, %s::jsonb)"
    site.sql(line, team.ada.organization["id"], json.dumps(details))
    words = "closed Oct 2026 at $1,234.50 of OpenAI's, −$0.000012 of it unexplained: asked"
    assert words in re.sub(r" ([,:.])", r"\1", text(team.browser.get("/audit")))


def test_names_with_braces_and_markup_are_only_text(team: Acme) -> None:
    team.ada.post("/projects", {"name": "{0} {name} <script>alert(1)</script> {}"})
    page = team.browser.get("/audit")
    assert page.status_code == 200 and "<script>alert" not in page.text
    assert "created project {0} {name} <script>alert(1)</script> {}" in text(page)


def test_an_old_name_that_turns_the_direction_of_writing_turns_nothing(site: Site, team: Acme) -> None:
    """Such names are refused now; lines of the audit log have those of before."""
    line = (
        "select app.audit(%s, 'project.created', null, jsonb_build_object('name', 'turned ' || chr(8238) || 'dnuora'))"
    )
    site.sql(line, team.ada.organization["id"])
    found = re.search(r"created project <bdi>turned (.*?)dnuora</bdi>", team.browser.get("/audit").text)
    assert found and "\u202e" not in found[1] and "202E" in found[1].upper()


def test_a_cursor_that_is_not_ours_is_a_400(team: Acme) -> None:
    assert team.browser.get("/audit?cursor=x").status_code == 400


def test_a_member_s_page_lists_the_keys_they_made_also_after_they_left(site: Site, team: Acme) -> None:
    team.ada.call("PATCH", f"/members/{team.dev.user['id']}", {"role": "admin"})
    team.dev.post(f"/projects/{team.project['id']}/keys", {"name": "taken along"})
    path = f"/team/{team.dev.user['id']}"
    assert f'href="{path}"' in team.browser.get("/team").text
    page = text(team.browser.get(path))
    assert "taken along" in page and "main" not in page.split("Keys they made")[1]
    answer = team.browser.post(f"{path}/remove")
    assert answer.location == path
    page = text(team.browser.get(path))
    assert "Former member" in page and "taken along" in page and "still work" in page
    assert team.eves.get(path).status_code == 404


def test_a_member_without_keys_reads_so(team: Acme) -> None:
    assert "None." in text(team.browser.get(f"/team/{team.dev.user['id']}"))
    assert browser_of(team.site, team.dev).get(f"/team/{team.ada.user['id']}").status_code == 200
