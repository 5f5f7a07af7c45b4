"""Invalid requests are refused with the name of the wrong parameter, and change nothing."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from conftest import Api, Site

from webapp.api.openapi import API, OPERATIONS, Operation


@pytest.fixture(scope="module")
def ada(site: Site) -> Api:
    return site.sign_up("ada")


def error(answer: Any) -> tuple[int, str, str | None]:
    found = answer.json["error"]
    return answer.status_code, found["code"], found["param"]


@pytest.mark.parametrize(("raw", "kind", "status"), [
    (b'{"name": "x"}', "text/plain", 415), (b"name=x", "application/x-www-form-urlencoded", 415),
    (b'{"name": "x"}', None, 415),
    (b"", "application/json", 400), (b"{", "application/json", 400), (b"\xff\xfe", "application/json", 400),
    (b'{"name": "\xff"}', "application/json", 400), (b"[]", "application/json", 400), (b'"x"', "application/json", 400),
    (b"null", "application/json", 400), (b"[" * 60_000, "application/json", 400),
    (b'{"a":' * 12_000, "application/json", 400),
    (b'{"name": ' + b"1" * 5000 + b"}", "application/json", 400),
    (b'{"name": "' + b"x" * 70_000 + b'"}', "application/json", 413),
], ids=lambda v: str(v)[:40])  # fmt: skip
def test_a_body_that_is_no_json_object_is_refused(ada: Api, raw: bytes, kind: str | None, status: int) -> None:
    for path in ("/projects", "/auth/login"):
        assert ada.post(path, data=raw, content_type=kind).status_code == status
    assert ada.get("/projects").json["data"] == []


def test_a_chunked_body_that_is_too_large_is_refused_and_not_cut_off(site: Site) -> None:
    ada = site.sign_up()
    for spaces, status in ((2**16, 413), (10, 201)):
        body = BytesIO(b'{"name": "chunks"}' + b" " * spaces)
        made = ada.post("/projects", input_stream=body, content_type="application/json",
                        headers={"Transfer-Encoding": "chunked"},
                        environ_overrides={"wsgi.input_terminated": True})  # fmt: skip
        assert made.status_code == status
    assert len(ada.get("/projects").json["data"]) == 1


def test_json_in_another_casing_or_with_a_charset_is_json(site: Site) -> None:
    ada = site.sign_up()
    raw = '{"name": "日本語 😀"}'.encode()
    made = ada.post("/projects", data=raw, content_type="Application/JSON; charset=utf-8")
    assert (made.status_code, made.json["name"]) == (201, "日本語 😀")


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.gets], ids=lambda one: f"{one.method} {one.path}"
)
def test_a_field_that_does_not_exist_is_refused_and_not_left_out(ada: Api, operation: Operation) -> None:
    answer = ada.call(operation.method, path_of(operation), {"expires": "2027-01-01"})
    assert error(answer) == (400, "unknown_parameter", "expires")


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.method != "get"], ids=lambda one: f"{one.method} {one.path}"
)
def test_a_change_refuses_a_parameter_that_does_not_exist(ada: Api, operation: Operation) -> None:
    answer = ada.call(operation.method, path_of(operation) + "?overlap=0")
    assert error(answer) == (400, "unknown_parameter", "overlap")


def path_of(operation: Operation) -> str:
    return re.sub(r"{\w+}", str(uuid4()), operation.path.removeprefix(API))


def test_a_key_whose_expiry_is_misspelt_is_not_made(site: Site) -> None:
    owner = site.sign_up()
    keys = f"/projects/{owner.post('/projects', {'name': 'p'}).json['id']}/keys"
    answer = owner.post(keys, {"name": "k", "expires": "2999-01-01"})
    assert answer.json["error"]["message"] == "there is no such field here; there are expires_at, name"
    assert owner.get(keys).json["data"] == []


@pytest.mark.parametrize(("body", "code", "param"), [
    ({}, "missing_field", "name"), ({"name": None}, "missing_field", "name"), ({"name": 1}, "invalid_type", "name"),
    ({"name": ["x"]}, "invalid_type", "name"), ({"name": {}}, "invalid_type", "name"),
    ({"name": True}, "invalid_type", "name"),
    ({"name": "a\0b"}, "invalid_value", "name"), ({"name": "\ud800"}, "invalid_value", "name"),
    ({"name": ""}, "name_required", "name"), ({"name": "x" * 201}, "name_too_long", "name"),
    ({"name": "a\nb"}, "name_invalid", "name"),
], ids=str)  # fmt: skip
def test_a_field_that_is_wrong_is_named(ada: Api, body: dict[str, Any], code: str, param: str) -> None:
    assert error(ada.post("/projects", body)) == (400, code, param)


@pytest.mark.parametrize(
    "path", ["/auth/signup", "/auth/login", "/auth/refresh", "/invitations", "/invitations/accept"]
)
def test_what_is_needed_is_needed(ada: Api, path: str) -> None:
    assert error(ada.post(path, {}))[:2] == (400, "missing_field")


@pytest.mark.parametrize(("value", "code"),
    [("soon", "invalid_time"), ("2026-13-01", "invalid_time"), (7, "invalid_type"), ("", "invalid_time"),
    ("0001-01-01T00:00:00+14:00", "invalid_time"), ("2020-01-01T00:00:00Z", "expiry_in_past"),
    ("9999-12-31T23:59:59Z", "expiry_too_late"),
    ("2026-01-01\0", "invalid_value")])  # fmt: skip
def test_an_expiry_is_a_moment_to_come(ada: Api, site: Site, value: Any, code: str) -> None:
    owner = site.sign_up()
    project = owner.post("/projects", {"name": "p"}).json["id"]
    assert error(owner.post(f"/projects/{project}/keys", {"name": "k", "expires_at": value})) == (
        400,
        code,
        "expires_at",
    )
    assert owner.get(f"/projects/{project}/keys").json["data"] == []


@pytest.mark.parametrize(("value", "code"),
    [(-1, "overlap_invalid"), (2592001, "overlap_invalid"), (2**40, "invalid_value"),
    (1.5, "invalid_type"), ("60", "invalid_type"), (True, "invalid_type")])  # fmt: skip
def test_an_overlap_is_0_to_30_days_in_seconds(site: Site, value: Any, code: str) -> None:
    ada = site.sign_up()
    project = ada.post("/projects", {"name": "p"}).json["id"]
    key = ada.post(f"/projects/{project}/keys", {"name": "k"}).json["id"]
    assert error(ada.post(f"/keys/{key}/rotate", {"overlap_seconds": value})) == (400, code, "overlap_seconds")


@pytest.mark.parametrize(("query", "code", "param"), [
    ("limit=0", "invalid_limit", "limit"), ("limit=1001", "invalid_limit", "limit"),
    ("limit=x", "invalid_limit", "limit"),
    ("limit=-1", "invalid_limit", "limit"), ("limit=1.5", "invalid_limit", "limit"),
    ("limit=99999999999999999999", "invalid_limit", "limit"),
    ("limit=²", "invalid_limit", "limit"), ("limit=1000000001", "invalid_limit", "limit"),
    ("limit=0000000011000", "invalid_limit", "limit"), ("limit=" + "9" * 5000, "invalid_limit", "limit"),
    ("cursor=x", "invalid_cursor", "cursor"), ("cursor=é", "invalid_cursor", "cursor"),
    ("cursor=AAAA", "invalid_cursor", "cursor"),
])  # fmt: skip
def test_a_page_that_cannot_be_is_refused(ada: Api, query: str, code: str, param: str) -> None:
    for path in ("/calls", "/audit", "/prices"):
        assert error(ada.get(f"{path}?{query}")) == (400, code, param)


@pytest.mark.parametrize(("query", "param"),
    [("from=yesterday", "from"), ("to=2026-02-30", "to"), ("from=2026-02-01&to=2026-01-01", "from"),
    ("from=2026-01-01&to=2026-01-01", "from"), ("period=year", "period"), ("group_by=day,colour", "group_by"),
    ("from=0001-01-01", "from"),
    ("from=0001-01-01T00:00:00%2B14:00", "from"), ("to=9999-12-31T23:59:59-14:00", "to")])  # fmt: skip
def test_a_period_or_group_that_cannot_be_is_refused(ada: Api, query: str, param: str) -> None:
    answer = ada.get(f"/usage?{query}")
    assert (answer.status_code, answer.json["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    "query",
    ["project=nonsense", "key=%00", "model=%FF", "status=abc", "tag=a%3Db%3Dc", "end_user='%3B--", "cost_status=x"],
)
def test_a_filter_that_fits_nothing_is_an_empty_answer(ada: Api, query: str) -> None:
    for path in ("/usage", "/calls"):
        answer = ada.get(f"{path}?{query}")
        assert (answer.status_code, answer.json["data"]) == (200, [])
