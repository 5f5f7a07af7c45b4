"""One choice on a page changes one thing: forms, links, pages of errors and ways back keep the rest of the address."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from uuid import uuid4

import pytest
from conftest import Site
from seeded import Acme, spend
from werkzeug.test import TestResponse

from webapp.filters import EXCLUSIONS, FILTERS

Words = dict[str, list[str]]
OCTOBER = {"from": ["2026-10-01"], "to": ["2026-10-31"]}
PERIOD = {*OCTOBER, "period", "tz", "grain", "compare", "back"}
VIEW = OCTOBER | {"tz": ["Asia/Kolkata"], "grain": ["week"], "compare": ["year"], "sort": ["calls"]}
LISTED = OCTOBER | {"tz": ["Asia/Kolkata"], "compare": ["year"], "sort": ["calls"]}
ONE = str(uuid4())
CHOSEN = {
    "project": ["{project}", ONE], "key": ["{key}", ONE], "person": ["{person}", ONE], "model": ["a", "b"],
    "not_model": ["c"], "endpoint": ["/v1/responses", "/v1/x"], "service_tier": ["flex", "-"], "not_tag": ["x", "y"],
    "status": ["error", "200"], "cost_status": ["free", "in_doubt"], "end_user": ["-", "--"],
}  # fmt: skip
# Page → some of every parameter that it has.
PAGES: dict[str, Words] = {
    "/": VIEW | CHOSEN | {"by": ["model"], "and": ["endpoint"], "measure": ["calls"], "sort": ["name"], "all": ["1"]},
    "/?": {"by": ["tag"], "tag_name": ["team"], "period": ["7"], "model": ["a", "b"]},
    "/projects": VIEW | CHOSEN,
    "/projects/{project}": VIEW | {"by": ["model"], "measure": ["tokens"], "model": ["a", "b"], "not_tag": ["x"]},
    "/calls": VIEW | CHOSEN | {"columns": ["model,key"], "session": [ONE, str(uuid4())], "sort": ["cost"]},
    "/keys": LISTED | {"project": ["{project}", ONE], "person": ["{person}", ONE], "state": ["active", "revoked"],
                       "key": ["{key}", ONE], "used": ["no"], "q": ["main"]},
    "/keys/{key}": LISTED,
    "/team/{person}": LISTED,
    "/end-users": LISTED | {"q": ["a"]},
    "/tags": LISTED | {"q": ["a"], "tag_name": ["team"]},
    "/sessions": {"project": ["{project}", ONE], "key": ["{key}", ONE], "state": ["lost", "ended"]},
}  # fmt: skip


class Found(HTMLParser):
    """The forms of a page and its links: for each form its action and what it sends if nobody changes it."""

    def __init__(self, page: TestResponse) -> None:
        super().__init__()
        self.forms: list[tuple[dict[str, str | None], list[tuple[str, str]]]] = []
        self.links: list[str] = []
        self._select: list[str | None] = []
        self.feed(page.text)

    def handle_starttag(self, tag: str, found: list[tuple[str, str | None]]) -> None:
        words: dict[str, Any] = dict(found)
        sent = self.forms[-1][1] if self.forms else []
        if tag == "form":
            self.forms.append((words, []))
        elif tag == "a":
            self.links.append(words.get("href") or "")
        elif tag == "select":
            self._select = [words["name"], None]
        elif tag == "option" and self._select:
            if self._select[1] is None or "selected" in words:
                self._select[1] = words.get("value", "")
        elif tag == "input" and words.get("name") and (words.get("type") != "checkbox" or "checked" in words):
            sent.append((words["name"], words.get("value") or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self.forms:
            self.forms[-1][1].append((str(self._select[0]), self._select[1] or ""))
            self._select = []

    def filters(self) -> list[tuple[str, str]]:
        return next(sent for words, sent in self.forms if words.get("class") == "filters")


def words_of(sent: list[tuple[str, str]]) -> Words:
    """What a query string from the filter form asks for, as links write it."""
    found: Words = {}
    for name, value in sent:
        if value:
            found.setdefault(name, []).append(value)
    for name in found.pop("exclude", []):
        found.setdefault(f"not_{name}", []).extend(found.pop(name))
    period = found.pop("period", ["custom"])
    if period != ["custom"]:
        found = {name: words for name, words in found.items() if name not in OCTOBER}
        found |= {} if period == ["30"] else {"period": period}
    return {name: sorted(words) for name, words in found.items()}


@pytest.fixture
def team(site: Site) -> Acme:
    team = Acme(site)
    spend(site, team, end_user="anna", tags={"team": "shop"})
    return team


def filled(team: Acme, path: str, words: Words) -> tuple[str, Words]:
    """The page and its parameters with ids of the team."""
    ids = {"project": team.project["id"], "key": team.key["id"], "person": team.ada.user["id"]}
    return path.rstrip("?").format(**ids), {name: sorted(w.format(**ids) for w in ws) for name, ws in words.items()}


@pytest.mark.parametrize("path", PAGES)
def test_the_form_and_every_link_to_the_same_page_keep_what_they_do_not_change(team: Acme, path: str) -> None:
    page, words = filled(team, path, PAGES[path])
    shown = team.browser.get(page, query_string=words)
    assert shown.status_code == 200
    found = Found(shown)
    assert words_of(found.filters()) == words
    assert words_of(Found(team.browser.get(page, query_string=found.filters())).filters()) == words
    kept = {name for name in words if name in (*FILTERS, *EXCLUSIONS, "state", "used", "q", "session")}
    for link in found.links:
        target, asked = urlsplit(link), parse_qs(urlsplit(link).query)
        if link.startswith("#") or (target.path or page) != page or link in ("/", page):
            continue
        gone = {name for name in kept if sorted(asked.get(name, [])) != words[name]}
        cleared = gone == kept or gone == kept.intersection((*FILTERS, *EXCLUSIONS))
        assert len(gone) <= 1 or cleared, (link, gone)
        if gone:  # a link that changes a filter leaves the period and the view alone
            assert all(asked.get(name) == words[name] for name in words if name in PERIOD), link
        elif "tz" in words and asked.get("tz") != words["tz"]:
            assert {name: asked.get(name) for name in OCTOBER} == {name: words.get(name) for name in OCTOBER}, link


def test_files_are_of_the_period_and_filters_of_their_page(team: Acme) -> None:
    for path in PAGES.keys() - {"/keys/{key}", "/team/{person}"}:  # which have none
        page, words = filled(team, path, PAGES[path])
        shown = Found(team.browser.get(page, query_string=words))
        files = [link for link in shown.links if urlsplit(link).path.endswith((".csv", ".xlsx"))]
        assert len(files) >= 3, path
        kept = words.keys() - {"grain", "compare", "by", "and", "measure", "all", "sort", "columns"}
        for link in files:
            asked = words_of(parse_qsl(urlsplit(link).query))
            assert {name: asked.get(name) for name in kept} == {name: words[name] for name in kept}, link
            assert path != "/projects/{project}" or asked["project"] == [team.project["id"]]


# Page → a parameter with a value that it refuses.
REFUSED = [
    ("/", "by"), ("/", "measure"), ("/", "sort"), ("/", "and"), ("/projects/{project}", "by"), ("/projects", "sort"),
    ("/calls", "columns"), ("/calls", "session"), ("/calls", "sort"), ("/calls", "cursor"), ("/keys", "page"),
    ("/keys", "sort"), ("/end-users", "page"), ("/tags", "sort"),
]  # fmt: skip


def test_a_page_that_refuses_one_parameter_leads_on_with_all_others(team: Acme) -> None:
    for path, name in REFUSED:
        page, words = filled(team, path, PAGES[path])
        words.pop(name, None)
        refused = team.browser.get(page, query_string=words | {name: "no'such"})
        assert refused.status_code == 400, (path, name)
        links = [link for link in Found(refused).links if len(link) > 1 and link[0] == "/"]
        mended = [link for link in links if urlsplit(link).path == page][-1]  # the first one is in the header
        again = team.browser.get(mended)
        assert again.status_code == 200 and words_of(parse_qsl(urlsplit(mended).query)) == words, (path, name)
        header = links[:4] if name in ("by", "page") else []
        assert all(team.browser.get(link).status_code == 200 for link in header), (path, name)


def test_a_refused_period_keeps_everything_but_the_period(team: Acme) -> None:
    for path in ("/", "/calls", "/projects", "/projects/{project}", "/keys", "/team/{person}", "/end-users", "/tags"):
        page, words = filled(team, path, PAGES[path])
        words = {name: values for name, values in words.items() if name not in PERIOD}
        for name in ("from", "to", "period", "tz", "grain", "compare"):
            refused = team.browser.get(page, query_string=words | {name: "no'such"})
            assert refused.status_code == 400, (path, name)
            sent = words_of(Found(refused).filters())
            assert {name: sent.get(name) for name in words} == words, (path, name)


def test_the_way_back_from_a_call_leads_to_the_same_list(team: Acme) -> None:
    call = spend(team.site, team, end_user="-", model="-")
    words = {"model": ["--", "gpt-4o"], "not_tag": ["x"], "columns": ["model"], "sort": ["cost"], "period": ["7"]}
    shown = Found(team.browser.get("/calls", query_string=words))
    to_call = next(link for link in shown.links if str(call) in link)
    ways = [to_call]
    kept = next(sent for form, sent in shown.forms if form.get("action") == "/calls/find")
    found = team.browser.get("/calls/find", query_string=[*[p for p in kept if p[0] != "id"], ("id", str(call))])
    ways.append(found.location)
    for way in ways:
        back = [link for link in Found(team.browser.get(way)).links if urlsplit(link).path == "/calls"]
        assert any(words_of(parse_qsl(urlsplit(link).query)) == words for link in back), way
    missed = team.browser.get("/calls/find", query_string=[*[p for p in kept if p[0] != "id"], ("id", "nosuchcall")])
    back = [link for link in Found(missed).links if urlsplit(link).path == "/calls"]
    assert any(words_of(parse_qsl(urlsplit(link).query)) == words for link in back)


def test_forms_that_change_something_lead_back_to_the_same_period_and_filters(team: Acme) -> None:
    project, key = f"/projects/{team.project['id']}", f"/keys/{team.key['id']}"
    for page, action, form in (
        ("/projects", "/projects", {"name": " "}),
        (project, project, {"name": " "}),
        (project, project, {"name": "better"}),
        (project, f"{project}/metadata", {"metadata_tags": "1"}),
        ("/keys", "/keys", {"name": " ", "project": team.project["id"], "form_id": ONE}),
        (key, key, {"name": " "}),
        (key, key, {"name": "better"}),
    ):
        template = {project: "/projects/{project}", key: "/keys/{key}"}.get(page, page)
        _, words = filled(team, template, PAGES[template])
        shown = team.browser.get(page, query_string=words)
        asked = f"?{urlsplit(shown.request.url).query}"
        actions = [form.get("action") or page + asked for form, _ in Found(shown).forms if form.get("method") == "post"]
        sent = next(one for one in actions if urlsplit(one).path == action)
        answer = team.browser.post(sent, shown="/team", **form)
        if answer.status_code == 302:
            answer = team.browser.get(answer.location)
        else:
            assert answer.status_code == 400
        assert words_of(Found(answer).filters()) == words, (action, form)


def test_ways_up_from_a_project_and_on_to_what_is_done_with_a_key_keep_the_period(team: Acme) -> None:
    words = OCTOBER | {"tz": ["Asia/Kolkata"]}
    key = f"/keys/{team.key['id']}"
    for page, targets, kept in (
        (f"/projects/{team.project['id']}", {"/projects"}, words | {"model": ["gpt-4o"]}),
        ("/keys", {f"{key}/rotate", f"{key}/revoke"}, words),
    ):
        links = Found(team.browser.get(page, query_string=kept)).links
        found = [link for link in links if urlsplit(link).path in targets]
        assert len(found) == 2
        assert all(words_of(parse_qsl(urlsplit(link).query)) == kept for link in found), found
