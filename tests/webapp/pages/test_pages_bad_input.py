"""Odd names, forms sent twice or too late, and forged addresses and forms: no page fails."""

from __future__ import annotations

import re

import pytest
from conftest import PASSWORD, Browser, Site
from seeded import Acme, spend, table, text

from webapp.pages.export import cell

NAMES = (
    "<img src=x onerror=alert(1)>", "'; drop table projects; --", "{{ 7 * 7 }}", "emoji 🧾👩",
    "\u05e9\u05dc\u05d5\u05dd \u202e override",
    "=cmd|' /C calc'!A0", "a" * 200, "&amp;<b>", "\u0645\u0631\u062d\u0628\u0627",
)  # fmt: skip
PAGES = ("/", "/projects", "/keys", "/calls", "/team", "/audit", "/settings", "/?by=model", "/?by=end_user", "/?by=tag")


@pytest.fixture
def team(site: Site) -> Acme:
    return Acme(site)


def test_any_name_anywhere_stays_text(site: Site, team: Acme) -> None:
    """Names of projects and keys, models, end users and tags: whatever clients send is shown and never run."""
    stored = [name.replace("\u202e ", "") for name in NAMES]  # such a character is refused in the name of a project
    for name, allowed in zip(NAMES, stored, strict=True):
        project = team.ada.post("/projects", {"name": allowed})
        assert project.status_code == 201, (name, project.text)
        team.project = project.json
        team.key = team.ada.post(f"/projects/{team.project['id']}/keys", {"name": allowed}).json
        spend(site, team, model=name, model_requested=name, end_user=name, tags={"name": name})
    for path in (*PAGES, f"/projects/{team.project['id']}", f"/team/{team.ada.user['id']}"):
        page = team.browser.get(path)
        assert page.status_code == 200, path
        assert "<img src=x" not in page.text and "&amp;<b>" not in page.text, path
    shown = text(team.browser.get("/projects"))
    assert all(name in shown for name in stored if "&" not in name and "<" not in name)
    exported = table(team.browser.get("/projects.csv"))
    assert {row["name"] for row in exported} >= {cell(name) for name in stored}
    assert not any(row["name"].startswith("=") for row in exported)


@pytest.mark.parametrize("name", ["x" * 201, "x" * 500, "tab\there", "\x1b[31mred", "   ", "a\u202eb", "a\x9bb"])
def test_names_that_cannot_be_are_refused_beside_their_field(team: Acme, name: str) -> None:
    for path, shown, form in (
        ("/projects", "/projects", {"name": name}),
        ("/settings", "/settings", {"name": name}),
        ("/keys", "/keys", {"name": name, "project": team.project["id"], "form_id": team.project["id"]}),
    ):
        answer = team.browser.post(path, shown=shown, **form)
        assert answer.status_code == 400 and 'aria-invalid="true"' in answer.text, path


@pytest.mark.parametrize("path", ["/", "/calls"])
def test_periods_of_any_kind_are_shown_or_refused_in_words(site: Site, team: Acme, path: str) -> None:
    spend(site, team)
    for words, status in {
        "from=2026-02-01&to=2026-01-01": 400, "from=2026-01-01&to=2026-01-01": 200, "from=31.12.2025": 400,
        "from=0001-01-01": 400, "to=9999-12-31": 400, "from=2999-01-01&to=2999-02-01": 200, "period=today": 200,
        "from=2016-01-01&to=2036-01-01": 200, "from=1970-01-01&to=2999-01-01": 200, "period=last-month": 200,
        "from=2026-01-01T10:00:00%2B05:30&to=2999-01-01": 200, "period=custom": 200, "period=-1": 400,
    }.items():  # fmt: skip
        answer = team.browser.get(f"{path}?{words}")
        assert answer.status_code == status, words
        assert "There is no such period" in text(answer) if status == 400 else True


@pytest.mark.parametrize(("path", "words"), [
    ("/?period=century", "There is no period “century”. Choose one in the list."),
    ("/calls?period=century", "There is no period “century”. Choose one in the list."),
    ("/?from=gestern", "“gestern” is not a day from 1970 to 2999. Choose another day, or another period in the list."),
    ("/keys?to=9999-12-31", "“9999-12-31” is not a day from 1970 to 2999."),
    ("/projects?from=2026-02-01&to=2026-01-01", "The first day is after the last one. Choose another day"),
    ("/calls?from=2026-01-31T12:00:00Z&to=2026-01-31T11:00:00Z", "The period ends before it begins."),
    ("/calls?from=2999-01-01", "The first day has not come yet. Choose another day"),
    ("/?tz=Mars", "There is no time zone “Mars”. Time zones have names such as Europe/Berlin."),
    ("/?grain=fortnight", "There is no length of bars “fortnight”."), ("/?compare=x", "There is no comparison “x”."),
    ("/?by=weather", "There is no breakdown “weather”."), ("/?and=x", "There is no second breakdown “x”."),
    ("/?measure=joules", "There is no measure “joules”."), ("/?sort=x", "There is no order “x”."),
    ("/calls?columns=x", "There is no column “x”."), ("/calls?session=x", "There is no WebSocket session “x”."),
    ("/calls?cursor=!", "There is no page “!”. Begin with the first one."),
    ("/audit?cursor=!", "There is no page “!”."), ("/sessions?cursor=!", "There is no page “!”."),
    ("/keys?page=0", "There is no page “0”."),
    ("/books?month=Oct", "There is no month “Oct”. Choose one in the list of months."),
    ("/spend.csv?by=x", "There is no breakdown “x”."), ("/spend.csv?from=x", "“x” is not a day from 1970 to 2999."),
    ("/spend.csv?format=tabs", "There is no kind of file “tabs”."), ("/?by=" + "x" * 2000, f"“{'x' * 60}…”."),
])  # fmt: skip
def test_a_page_says_what_is_wrong_in_its_address_without_the_names_that_the_api_has(
    site: Site, team: Acme, path: str, words: str
) -> None:
    spend(site, team)
    answer = team.browser.get(path)
    assert answer.status_code == 400 and words in text(answer)
    assert re.findall(r"'\w+'|RFC 3339|ISO 8601", text(answer)) == []


def test_what_is_not_there_reads_the_same_as_what_belongs_to_others(site: Site, team: Acme) -> None:
    spend(site, team)
    foreign, unknown = team.eves.get(f"/projects/{team.project['id']}"), team.browser.get(f"/projects/{team.key['id']}")
    assert foreign.status_code == unknown.status_code == 404
    words = [re.sub(r"\d\d:\d\d:\d\d", "", text(page).split("404")[2]) for page in (foreign, unknown)]
    assert words[0] == words[1]
    assert "No calls match these filters" in text(team.browser.get("/?project=" + team.key["id"]))


def test_a_form_sent_twice_changes_one_thing(team: Acme) -> None:
    for _ in range(2):
        answer = team.browser.post("/projects", name="only once")
    assert answer.status_code == 409 and "only once" in answer.text
    assert text(team.browser.get("/projects")).count("only once") == 1
    revoke = f"/keys/{team.key['id']}/revoke"
    assert [team.browser.post(revoke).status_code for _ in range(2)] == [302, 302]


def test_after_logging_out_the_back_button_shows_nothing(team: Acme) -> None:
    page = team.browser.get("/keys")
    assert page.headers["Cache-Control"] == "no-store"
    team.browser.post("/logout", shown="/team")
    answer = team.browser.get("/keys")
    assert answer.status_code == 302 and answer.location == "/login?next=/keys"
    assert team.key["prefix"] not in team.browser.get("/keys", follow_redirects=True).text


def test_two_tabs_work_side_by_side(team: Acme) -> None:
    first, second = team.browser.token("/projects"), team.browser.token("/keys")
    for token, name in ((first, "one"), (second, "two"), (first, "three")):
        assert team.browser.post("/projects", csrf_token=token, shown="/team", name=name).status_code == 302


def test_a_form_left_open_over_a_log_out_and_in_changes_nothing_and_says_so(team: Acme) -> None:
    token = team.browser.token("/projects")
    team.browser.post("/logout", shown="/team")
    team.browser.post("/login", email=team.ada.email, password=PASSWORD)
    answer = team.browser.post("/projects", csrf_token=token, shown="/team", name="stale")
    assert answer.status_code == 403 and "Nothing was changed" in text(answer)
    assert "stale" not in text(team.browser.get("/projects"))


def every_form(browser: Browser, team: Acme) -> list[str]:
    """Addresses of every form that changes something."""
    key, member = f"/keys/{team.key['id']}", f"/team/{team.dev.user['id']}"
    asking = ("/settings/hand-over", "/settings/delete", "/account/delete", "/account/sessions")
    own = [key, f"{key}/rotate", f"{key}/revoke", f"{member}/role", f"{member}/remove", *asking]
    found = set()
    for page in (*PAGES, *own, "/account", "/prices", f"/projects/{team.project['id']}"):
        forms = re.findall(r'<form[^>]* method="post"[^>]*>', browser.get(page).text)
        found |= {action[1] if (action := re.search(r'action="([^"]+)"', form)) else page for form in forms}
    return sorted(found | {f"{key}/{act}" for act in ("rotate", "revoke")})


def test_no_form_takes_a_forged_token(team: Acme) -> None:
    forms = every_form(team.browser, team)
    assert len(forms) > 20
    for path in forms:
        for token in ("", "0" * 64, team.eves.token("/team")):
            answer = team.browser.post(path, shown="/team", csrf_token=token, name="forged", key="sk-forged-key-000000")
            assert answer.status_code == 403, path
    assert "forged" not in text(team.browser.get("/projects")) + text(team.browser.get("/settings"))


def test_no_form_works_for_a_developer_except_their_own(team: Acme) -> None:
    own = ("/logout", "/theme", "/account/", f"/team/{team.dev.user['id']}/remove")  # the last one is to leave
    token = team.devs.token("/team")
    for path in every_form(team.browser, team):
        if not path.startswith(own):
            form = {"name": "x", "project": team.project["id"], "form_id": team.ada.user["id"], "role": "admin",
                    "email": "x@example.test", "key": "sk-forged-key-0000000", "overlap_seconds": "0"}  # fmt: skip
            answer = team.devs.post(path, shown="/team", csrf_token=token, **form)
            assert answer.status_code in (400, 403), (path, answer.status_code)
    assert team.ada.get("/projects").json["data"][0]["name"] == "chat"
