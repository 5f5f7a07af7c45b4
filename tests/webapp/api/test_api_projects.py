"""Projects and proxy keys by API."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from conftest import Api, Site


@pytest.fixture
def ada(site: Site) -> Api:
    return site.sign_up("ada")


def test_a_project_is_created_listed_renamed_archived_and_restored(ada: Api) -> None:
    made = ada.post("/projects", {"name": " chat "}).json
    assert made["name"] == "chat" and made["archived_at"] is None
    assert ada.get("/projects").json == {"data": [made], "next_cursor": None}
    renamed = ada.call("PATCH", f"/projects/{made['id']}", {"name": "chat 2"}).json
    assert renamed == made | {"name": "chat 2"}
    archived = ada.call("PATCH", f"/projects/{made['id']}", {"archived": True}).json
    assert archived["archived_at"] is not None and archived["name"] == "chat 2"
    assert ada.get("/projects").json["data"] == [archived]
    assert ada.call("PATCH", f"/projects/{made['id']}", {"archived": False}).json == renamed
    assert ada.call("PATCH", f"/projects/{made['id']}", {}).json == renamed


def test_two_projects_of_one_name_are_409(ada: Api) -> None:
    first, _ = (ada.post("/projects", {"name": name}).json for name in ("chat", "search"))
    again = ada.post("/projects", {"name": "CHAT"})
    assert (again.status_code, again.json["error"]["code"], again.json["error"]["param"]) == (
        409,
        "project_name_taken",
        "name",
    )
    assert ada.call("PATCH", f"/projects/{first['id']}", {"name": "search"}).status_code == 409


def test_a_key_is_shown_once_and_never_stored(site: Site, ada: Api) -> None:
    project = ada.post("/projects", {"name": "chat"}).json["id"]
    answer = ada.post(f"/projects/{project}/keys", {"name": "main", "expires_at": "2099-01-01T00:00:00+01:00"})
    made = answer.json
    assert re.fullmatch(r"sk-spend-[0-9a-f]{32}-[\w-]{43}", made["key"])
    assert made["key"].startswith(made["prefix"]) and made["key"].split("-")[2] == made["id"].replace("-", "")
    assert made["expires_at"] == "2098-12-31T23:00:00Z"
    assert answer.headers["Cache-Control"] == "no-store"
    listed = ada.get(f"/projects/{project}/keys")
    assert listed.json["data"][0] == listed.json["data"][0] | {
        "id": made["id"], "name": "main", "state": "active", "created_by": ada.email, "last_used_at": None,
    }  # fmt: skip
    secret = made["key"].split("-", 3)[3]  # it may contain hyphens itself
    tables = site.sql("select table_schema || '.' || table_name from information_schema.tables "
                      "where table_schema in ('public', 'private', 'auth') and table_type = 'BASE TABLE'")  # fmt: skip
    dumps = [site.sql(f"select t::text from {table} t") for (table,) in tables]
    assert len(dumps) > 15
    assert not any(secret in text for rows in dumps for (text,) in rows)
    for path in (f"/projects/{project}/keys", "/audit"):
        assert secret not in ada.get(path).text


def test_rotation_keeps_both_keys_for_the_overlap(site: Site, ada: Api) -> None:
    project = ada.post("/projects", {"name": "chat"}).json["id"]
    old = ada.post(f"/projects/{project}/keys", {"name": "main"}).json
    new = ada.post(f"/keys/{old['id']}/rotate").json  # no body at all: a day
    assert new["key"] != old["key"] and new["rotated_from"] == old["id"] and new["name"] == "main"
    listed = {k["id"]: k for k in ada.get(f"/projects/{project}/keys").json["data"]}
    assert listed[new["id"]]["rotated_from"] == old["id"] and listed[new["id"]]["expires_at"] is None
    left = datetime.fromisoformat(listed[old["id"]]["expires_at"]) - datetime.fromisoformat(new["created_at"])
    assert left == timedelta(days=1)
    assert [site.may_call(key) for key in (old, new)] == [True, True]
    again = ada.post(f"/keys/{old['id']}/rotate", {})
    assert (again.status_code, again.json["error"]["code"]) == (409, "key_already_rotated")
    newest = ada.post(f"/keys/{new['id']}/rotate", {"overlap_seconds": 0}).json
    assert [site.may_call(key) for key in (old, new, newest)] == [True, False, True]


def test_a_revoked_key_is_refused_from_the_next_call_on(site: Site, ada: Api) -> None:
    project = ada.post("/projects", {"name": "chat"}).json["id"]
    key = ada.post(f"/projects/{project}/keys", {"name": "main"}).json
    assert site.may_call(key)
    assert ada.call("DELETE", f"/keys/{key['id']}").status_code == 204
    assert not site.may_call(key)
    assert ada.call("DELETE", f"/keys/{key['id']}").status_code == 204  # twice is no error
    assert ada.get(f"/projects/{project}/keys").json["data"][0]["state"] == "revoked"
    assert ada.post(f"/keys/{key['id']}/rotate").json["error"]["code"] == "key_not_active"


def test_a_key_is_changed_field_by_field(site: Site, ada: Api) -> None:
    project = ada.post("/projects", {"name": "changed"}).json
    key = ada.post(f"/projects/{project['id']}/keys", {"name": "main", "expires_at": "2099-01-01T00:00:00Z"}).json
    path = f"/keys/{key['id']}"
    changed = ada.call("PATCH", path, {"name": "nightly", "note": "ask Bo"}).json
    assert (changed["name"], changed["note"]) == ("nightly", "ask Bo")
    assert changed["expires_at"] == "2099-01-01T00:00:00Z"
    assert ada.call("PATCH", path, {}).json == changed
    changed = ada.call("PATCH", path, {"note": None, "expires_at": None}).json
    assert (changed["name"], changed["note"], changed["expires_at"]) == ("nightly", None, None)
    assert ada.get(f"/projects/{project['id']}/keys").json["data"] == [changed]
    assert ada.call("PATCH", path, {"expires_at": "2020-01-01T00:00:00Z"}).json["error"]["code"] == "expiry_in_past"
    assert ada.call("PATCH", path, {"expires_at": "soon"}).status_code == 400
    assert site.sign_up("eve").call("PATCH", path, {"name": "mine"}).status_code == 404
    assert site.may_call(key)


def test_an_archived_project_takes_no_keys_and_its_keys_no_calls(site: Site, ada: Api) -> None:
    project = ada.post("/projects", {"name": "chat"}).json["id"]
    key = ada.post(f"/projects/{project}/keys", {"name": "main"}).json
    ada.call("PATCH", f"/projects/{project}", {"archived": True})
    assert not site.may_call(key)
    assert ada.post(f"/projects/{project}/keys", {"name": "more"}).status_code == 404
    assert ada.post(f"/keys/{key['id']}/rotate").json["error"]["code"] == "project_archived"


def test_last_used_is_the_newest_call(site: Site, ada: Api) -> None:
    project = ada.post("/projects", {"name": "chat"}).json["id"]
    key = ada.post(f"/projects/{project}/keys", {"name": "main"}).json
    call = site.call(key)
    assert (
        ada.get(f"/projects/{project}/keys").json["data"][0]["last_used_at"]
        == ada.get(f"/calls/{call}").json["started_at"]
    )


def test_changes_stand_in_the_audit_log_with_who_made_them(ada: Api) -> None:
    project = ada.post("/projects", {"name": "chat"}).json["id"]
    key = ada.post(f"/projects/{project}/keys", {"name": "main"}).json["id"]
    ada.post(f"/keys/{key}/rotate")
    ada.call("DELETE", f"/keys/{key}")
    lines = ada.get("/audit").json["data"]
    assert [line["action"] for line in lines] == ["key.revoked", "key.rotated", "key.created", "project.created"]
    assert {line["actor_email"] for line in lines} == {ada.email}
    first = ada.get("/audit?limit=3").json
    rest = ada.get(f"/audit?limit=3&cursor={first['next_cursor']}").json
    assert (first["data"] + rest["data"], rest["next_cursor"]) == (lines, None)


def test_metadata_becomes_tags_only_where_an_admin_says_so(ada: Api) -> None:
    made = ada.post("/projects", {"name": "chat"}).json
    assert made["metadata_tags"] is False
    changed = ada.call("PATCH", f"/projects/{made['id']}", {"metadata_tags": True}).json
    assert changed == made | {"metadata_tags": True} == ada.get("/projects").json["data"][0]
    assert ada.call("PATCH", f"/projects/{made['id']}", {"metadata_tags": "yes"}).status_code == 400
