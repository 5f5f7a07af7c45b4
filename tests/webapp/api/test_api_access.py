"""Every route of the API, tried by everybody: Ada and Dev of one organization, Eve of another, Nobody."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from conftest import PASSWORD, Api, Site
from fake_admin_api import FakeAdmin
from flask import request, request_started

from webapp.api.openapi import OPERATIONS

PRICE = {"model": "gpt-99", "dimension": "input_text", "unit_price": "0.1", "unit_qty": "1000000"}
ADMIN = "sk-admin-" + "x" * 40
SEALED = {"key": "sk-" + "x" * 40}


@pytest.fixture(scope="module")
def acme(site: Site) -> Iterator[SimpleNamespace]:
    """A team with one of everything."""
    with FakeAdmin() as openai:
        openai.keys[ADMIN] = {"api.usage.read", "api.management.read"}
        yield one_of_everything(site, {"key": ADMIN, "base_url": openai.url})


def one_of_everything(site: Site, admin_key: dict[str, str]) -> SimpleNamespace:
    team = site.team()
    team.project = team.ada.post("/projects", {"name": "chat"}).json["id"]
    assert team.ada.call("PUT", "/provider-key", SEALED | {"project_id": team.project}).status_code == 200
    made = team.ada.post(f"/projects/{team.project}/keys", {"name": "calls"}).json
    team.admin_key = admin_key
    assert team.ada.call("PUT", "/admin-key", admin_key).status_code == 200
    team.call, team.session = site.call(made), uuid4()
    site.sql(BEGUN, team.session, made["id"])
    site.sql(BOOKS, team.ada.organization["id"])
    return team


BOOKS = """
with made as (
    insert into public.openai_fetches (org_id, source, from_day, until_day)
    values (%s, 'api', '2026-10-14', '2026-10-15')
    returning org_id, n, id)
insert into public.openai_days select m.org_id, '2026-10-14', m.n, m.id, 0, 0, true from made m returning n
"""
BEGUN = """
insert into public.websocket_sessions (id, org_id, project_id, api_key_id, upstream, endpoint, started_at, deadline_at)
select %s, k.org_id, k.project_id, k.id, o.books, '/v1/responses', now(), now()
from public.api_keys k join public.organizations o on o.id = k.org_id where k.id = %s
"""


def key(acme: SimpleNamespace) -> str:
    return acme.ada.post(f"/projects/{acme.project}/keys", {"name": "main"}).json["id"]


def invitation(acme: SimpleNamespace) -> str:
    return acme.ada.post("/invitations", {"email": f"{uuid4().hex}@x.test", "role": "developer"}).json["id"]


def member(site: Site, acme: SimpleNamespace) -> str:
    email = site.email()
    token = acme.ada.post("/invitations", {"email": email, "role": "developer"}).json["token"]
    return site.sign_up(email=email, invitation=token).user["id"]


Make = Callable[[Site, SimpleNamespace], tuple[str, Any]]
# What makes each route work for Ada: path and body, anew for every try. Strangers' routes are in test_auth.
TRIES: dict[tuple[str, str], Make] = {
    ("post", "/auth/logout"): lambda s, a: ("/auth/logout", None),
    ("get", "/me"): lambda s, a: ("/me", None),
    ("get", "/projects"): lambda s, a: ("/projects", None),
    ("post", "/projects"): lambda s, a: ("/projects", {"name": uuid4().hex}),
    ("patch", "/projects/{project_id}"): lambda s, a: (f"/projects/{a.project}", {"name": uuid4().hex}),
    ("get", "/projects/{project_id}/keys"): lambda s, a: (f"/projects/{a.project}/keys", None),
    ("post", "/projects/{project_id}/keys"): lambda s, a: (f"/projects/{a.project}/keys", {"name": "k"}),
    ("patch", "/keys/{key_id}"): lambda s, a: (f"/keys/{key(a)}", {"name": uuid4().hex}),
    ("post", "/keys/{key_id}/rotate"): lambda s, a: (f"/keys/{key(a)}/rotate", {}),
    ("delete", "/keys/{key_id}"): lambda s, a: (f"/keys/{key(a)}", None),
    ("get", "/usage"): lambda s, a: ("/usage", None),
    ("get", "/calls"): lambda s, a: ("/calls", None),
    ("get", "/calls/{call_id}"): lambda s, a: (f"/calls/{a.call}", None),
    ("get", "/sessions"): lambda s, a: ("/sessions", None),
    ("get", "/sessions/{session_id}"): lambda s, a: (f"/sessions/{a.session}", None),
    ("get", "/prices"): lambda s, a: ("/prices", None),
    ("post", "/prices"): lambda s, a: ("/prices", PRICE),
    ("get", "/invitations"): lambda s, a: ("/invitations", None),
    ("post", "/invitations"): lambda s, a: ("/invitations", {"email": s.email(), "role": "developer"}),
    ("delete", "/invitations/{invitation_id}"): lambda s, a: (f"/invitations/{invitation(a)}", None),
    ("get", "/members"): lambda s, a: ("/members", None),
    ("patch", "/members/{user_id}"): lambda s, a: (f"/members/{member(s, a)}", {"role": "admin"}),
    ("delete", "/members/{user_id}"): lambda s, a: (f"/members/{member(s, a)}", None),
    ("get", "/provider-key"): lambda s, a: (f"/provider-key?project_id={a.project}", None),
    ("get", "/provider-key/versions"): lambda s, a: ("/provider-key/versions", None),
    ("put", "/provider-key"): lambda s, a: ("/provider-key", SEALED | {"project_id": a.project}),
    ("delete", "/provider-key"): lambda s, a: (f"/provider-key?project_id={a.project}", None),
    ("get", "/books/days"): lambda s, a: ("/books/days", None),
    ("get", "/books/days/{day}"): lambda s, a: ("/books/days/2026-10-14", None),
    ("get", "/books/months"): lambda s, a: ("/books/months", None),
    ("get", "/books/dark-spend"): lambda s, a: ("/books/dark-spend", None),
    ("get", "/admin-key"): lambda s, a: ("/admin-key", None),
    ("put", "/admin-key"): lambda s, a: ("/admin-key", a.admin_key),
    ("delete", "/admin-key"): lambda s, a: ("/admin-key", None),
    ("get", "/audit"): lambda s, a: ("/audit", None),
}
ROUTES = {
    (o.method, o.path.removeprefix("/api/v1")): o
    for o in OPERATIONS
    if o.path.startswith("/api/") and o.who != "stranger"
}
# Joining is what an invited stranger does: test_api_members.
del ROUTES["post", "/invitations/accept"]


def test_every_route_is_tried() -> None:
    assert set(TRIES) == set(ROUTES)


def again(site: Site, who: Api) -> Api:
    """The same person after a new log-in, for routes that end one."""
    answer = site.nobody().post("/auth/login", {"email": who.email, "password": PASSWORD})
    return Api(site.app, answer.json["access_token"], who.email)


def store_again(acme: SimpleNamespace, route: tuple[str, str]) -> None:
    """Put back the key that a route deleted."""
    if route == ("delete", "/provider-key"):
        acme.ada.call("PUT", "/provider-key", SEALED | {"project_id": acme.project})
    elif route == ("delete", "/admin-key"):
        acme.ada.call("PUT", "/admin-key", acme.admin_key)


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r[0]} {r[1]}")
def test_nobody_gets_nowhere(site: Site, acme: SimpleNamespace, route: tuple[str, str]) -> None:
    path, body = TRIES[route](site, acme)
    for stranger in (site.nobody(), Api(site.app, "sk-spend-no-token")):
        answer = stranger.call(route[0].upper(), path, body)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert answer.json["error"]["type"] == "authentication_error"


@pytest.mark.parametrize("route", ROUTES, ids=lambda r: f"{r[0]} {r[1]}")
def test_an_admin_may_and_a_developer_only_reads(site: Site, acme: SimpleNamespace, route: tuple[str, str]) -> None:
    operation = ROUTES[route]
    ada, dev = (again(site, who) if route[1] == "/auth/logout" else who for who in (acme.ada, acme.dev))
    path, body = TRIES[route](site, acme)
    answer = dev.call(route[0].upper(), path, body)
    if operation.who == "admin":
        assert (answer.status_code, answer.json["error"]["code"]) == (403, "admin_required")
    else:
        assert answer.status_code == operation.status
    assert ada.call(route[0].upper(), path, body).status_code == operation.status
    store_again(acme, route)


@pytest.mark.parametrize(
    "route", [r for r in ROUTES if "{" in r[1] or r[1] == "/provider-key"], ids=lambda r: f"{r[0]} {r[1]}"
)
def test_ids_of_another_organization_do_not_exist(site: Site, acme: SimpleNamespace, route: tuple[str, str]) -> None:
    path, body = TRIES[route](site, acme)
    method = route[0].upper()
    foreign = acme.eve.call(method, path, body)
    assert foreign.status_code == 404, foreign.text
    if "{" in route[1]:
        words = path.split("/")
        place = next(n for n, word in enumerate(route[1].split("/")) if word.startswith("{"))
        words[place] = str(uuid4())
        unknown = acme.eve.call(method, "/".join(words), body)
        assert (unknown.status_code, unknown.json) == (404, foreign.json)  # no telling apart
        words[place] = "not-an-id"
        assert acme.ada.call(method, "/".join(words), body).status_code == 404
    # and Ada, whose it is, still can
    assert acme.ada.call(method, path, body).status_code == ROUTES[route].status
    store_again(acme, route)


@pytest.mark.parametrize(
    "path", ["/projects", "/usage?group_by=project,key,model", "/calls", "/invitations", "/members", "/audit"]
)
def test_another_organization_sees_nothing_of_the_first(acme: SimpleNamespace, path: str) -> None:
    ours, theirs = acme.ada.get(path), acme.eve.get(path)
    assert ours.json["data"]
    assert not {str(row) for row in ours.json["data"]} & {str(row) for row in theirs.json["data"]}
    for secret in (acme.project, acme.call, acme.ada.email, acme.dev.email, acme.ada.user["id"]):
        assert secret not in theirs.text


def test_an_unknown_path_is_404_in_the_same_shape(acme: SimpleNamespace) -> None:
    assert acme.ada.get("/nothing").status_code == 404
    refused = acme.ada.call("PATCH", "/me")
    assert (refused.status_code, "GET" in refused.headers["Allow"]) == (405, True)


def test_a_refused_request_leaves_nothing_in_memory(site: Site, acme: SimpleNamespace) -> None:
    """Anybody can send requests that are refused, and each has a body or a password in it."""
    seen: list[weakref.ref[Any]] = []

    def note(*_: Any, **__: Any) -> None:
        seen.append(weakref.ref(request._get_current_object()))

    stranger = Api(site.app, "x.y.z")
    wrong = {"email": acme.ada.email, "password": "not the password"}
    with request_started.connected_to(note):
        for status, answer in ((401, lambda: stranger.get("/me")), (403, lambda: acme.dev.get("/audit")),
                               (401, lambda: stranger.post("/auth/login", wrong))):  # fmt: skip
            assert answer().status_code == status
    gc.collect()
    assert [ref() for ref in seen] == [None] * 3
