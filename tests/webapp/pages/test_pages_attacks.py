"""Odd values of every parameter, ids of another organization, forms sent twice: refused in words, no foreign rows."""

from __future__ import annotations

import io
import zipfile
from itertools import cycle

import pytest
from conftest import Browser, Site
from seeded import Acme, spend, table
from werkzeug.test import TestResponse

ODD = ("a%00b", "%ff%fe", "x" * 3000, "9" * 40, "';drop table x--", "<img src=x>", "-", "../..", "٣", "=1+1", "{{7*7}}")
FILTERS = ("project", "model", "key", "endpoint", "service_tier", "status", "cost_status", "tag", "end_user", "person")
PERIOD = ("period", "from", "to", "shown_from", "tz", "grain", "compare")
VIEW = (*PERIOD, "by", "and", "measure", "tag_name", "sort", "all", "back", "exclude")
LISTED = (*PERIOD, "q", "page", "sort")
FILE = ("format", "bom", "download")
CHOSEN = tuple(f"{prefix}{name}" for name in FILTERS for prefix in ("", "not_"))
# Page or file → its parameters.
PAGES = {
    "/": (*VIEW, *CHOSEN), "/projects/{project}": VIEW, "/projects": (*PERIOD, "sort"),
    "/calls": (*PERIOD, *CHOSEN, "session", "columns", "cursor", "sort", "sum"), "/calls/find": ("id",),
    "/keys": (*LISTED, "project", "person", "state", "used", "key"), "/keys/{key}": LISTED, "/team/{person}": LISTED,
    "/end-users": LISTED, "/tags": (*LISTED, "tag_name"), "/sessions": ("project", "key", "state", "cursor"),
    "/books": ("month",), "/books/dark-spend": ("month",), "/books/learned": ("month",), "/audit": ("cursor",),
    "/spend.csv": (*VIEW, *CHOSEN, *FILE), "/calls.csv": (*PERIOD, *CHOSEN, "session", "sort", *FILE),
    "/keys.csv": LISTED, "/end-users.csv": LISTED, "/tags.csv": (*LISTED, "tag_name"), "/sessions.csv": ("project",),
    "/spend.xlsx": VIEW, "/books.csv": ("month", *FILE),
}  # fmt: skip
SECRET = "acmes-own"  # in every name that Acme gives


@pytest.fixture
def team(site: Site) -> Acme:
    team = Acme(site)
    team.project = team.ada.post("/projects", {"name": f"{SECRET} project"}).json
    team.key = team.ada.post(f"/projects/{team.project['id']}/keys", {"name": f"{SECRET} key"}).json
    team.call = str(
        spend(site, team, end_user=SECRET, tags={"team": SECRET}, model=SECRET, upstream_object_id=f"chatcmpl-{SECRET}")
    )
    return team


def ids(team: Acme) -> dict[str, str]:
    return {"project": team.project["id"], "key": team.key["id"], "person": team.ada.user["id"]}


def refused_in_words(answer: TestResponse) -> bool:
    return answer.status_code in (400, 404) and answer.mimetype == "text/html" and "<h1>" in answer.text


def test_odd_values_of_every_parameter_are_shown_or_refused_in_words(team: Acme) -> None:
    odd = cycle(ODD)
    for path, names in PAGES.items():
        for name in names:
            address = f"{path.format(**ids(team))}?{name}={next(odd)}&{name}={next(odd)}"
            answer = team.browser.get(address)
            assert answer.status_code == 200 or refused_in_words(answer), (address, answer.status_code)
            assert answer.data, address  # read to its end
            assert answer.mimetype != "text/html" or "<img src=x>" not in answer.text, address


def test_ids_of_another_organization_show_and_change_nothing(team: Acme) -> None:
    words = ids(team)
    eve = team.eves
    for path, names in PAGES.items():
        place = path.format(**words)
        answer = eve.get(f"{place}?" + "&".join(f"{name}={words[name]}" for name in names if name in words))
        assert answer.status_code == (404 if place != path else 200), path
        assert SECRET.encode() not in answer.data, path
    for path in ("/calls/{}", "/sessions/{}", "/calls/find?id={}", "/calls?session={}", "/calls.csv?session={}"):
        answer = eve.get(path.format(team.call))
        assert answer.status_code in (200, 404) and SECRET not in answer.text, path
    assert "No such call." in eve.get(f"/calls/find?id=chatcmpl-{SECRET}").text
    for path in (f"/tags?tag_name=team&q={SECRET[:4]}", f"/end-users?q={SECRET[:4]}", f"/keys?q={SECRET[:4]}"):
        assert SECRET not in eve.get(path).text, path
    with zipfile.ZipFile(io.BytesIO(eve.get("/settings/export.zip").data)) as everything:
        files = {name: everything.read(name).decode() for name in everything.namelist()}
    for word in (SECRET, team.ada.email, team.ada.organization["id"], team.call, *words.values()):
        assert not [name for name, held in files.items() if word in held], word
    key, project, member = f"/keys/{words['key']}", f"/projects/{words['project']}", f"/team/{words['person']}"
    for path, form in (
        (key, {"name": "stolen"}), (f"{key}/rotate", {"overlap_seconds": "0"}), (f"{key}/revoke", {}),
        (project, {"name": "stolen"}), (f"{project}/archive", {"archived": "1"}),
        (f"{project}/metadata", {"metadata_tags": "1"}), (f"{member}/role", {"role": "developer"}),
        (f"{member}/remove", {}), (f"/calls/{team.call}/close", {"cost": "0", "reason": "x"}),
        ("/settings/hand-over", {"member": words["person"]}),
    ):  # fmt: skip
        answer = eve.post(path, shown="/team", **form)
        assert answer.status_code == 404 and SECRET not in answer.text, path
    answer = eve.post("/keys", shown="/team", project=words["project"], name="stolen", form_id=team.call)
    assert answer.status_code == 404
    assert SECRET in team.browser.get(key).text and team.site.may_call(team.key)


def twice(browser: Browser, path: str, shown: str, **form: str) -> list[int]:
    token = browser.token(shown)
    return [browser.post(path, csrf_token=token, shown=shown, **form).status_code for _ in range(2)]


def test_forms_sent_twice_do_what_they_say_once(site: Site, team: Acme) -> None:
    key, dev = f"/keys/{team.key['id']}", team.dev.user["id"]
    assert twice(team.browser, key, "/team", name="again", note="=1+1", expires="") == [302, 302]
    renamed = "select count(*) from public.audit_log where action = 'key.renamed' and subject_id = %s"
    assert site.sql(renamed, team.key["id"]) == [(1,)]
    assert "'=1+1" in {row["note"] for row in table(team.browser.get("/keys.csv"))}, "text, not a formula"
    assert twice(team.browser, "/settings/delete", "/team", name="Acme") in ([303, 303], [303, 409])
    asked = "select count(*) from public.audit_log where action = 'organization.deletion_asked' and org_id = %s"
    assert site.sql(asked, team.ada.organization["id"]) == [(1,)]
    assert twice(team.browser, "/settings/keep", "/team") in ([303, 303], [303, 409])
    assert twice(team.browser, "/settings/hand-over", "/team", member=dev) == [303, 403]
    assert twice(team.devs, f"{key}/rotate", "/team", overlap_seconds="0")[1] == 409
