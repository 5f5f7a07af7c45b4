"""Whose objects at OpenAI a call may reach: with a key of its own all of them, on a shared key none that are stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product

import pytest
import requests
from fake_upstream import FakeUpstream, reply, reply_json
from references import REFERENCES
from stack import Stack
from test_endpoints import filled

from webapp.gateway.routes import ROUTES, Route

OWN_KEY = [route for route in ROUTES if route.forwarded == "own_key"]
ALWAYS = [route for route in ROUTES if route.forwarded == "always" and route.method == "POST"]
FORM_HEAD = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\nx\r\n'


@pytest.fixture(scope="module")
def same(stack: Stack) -> Iterator[FakeUpstream]:
    """An OpenAI account of two organizations: Una and Ute brought the same key."""
    with FakeUpstream(lambda request: reply_json({"id": "file-1", "object": "file"})) as upstream:
        for name in ("una", "ute"):
            stack.found_with_key(name, name.title(), upstream.url, "sk-same")
        yield upstream


@pytest.fixture(params=["eve", "ute"])
def second(request: pytest.FixtureRequest, stack: Stack, fake: FakeUpstream, same: FakeUpstream) -> Iterator[str]:
    """A second organization on a shared key, the install's or a brought one; nothing it does may leave a trace."""
    before = len(fake.requests), len(same.requests), stack.count()
    yield request.param
    assert (len(fake.requests), len(same.requests), stack.count()) == before, "something was sent or written"


def call(stack: Stack, name: str, method: str, path: str, **options) -> requests.Response:
    headers = {"Authorization": f"Bearer {stack.key(name)}"} | options.pop("headers", {})
    return requests.request(method, stack.proxy + path, headers=headers, timeout=10, **options)


def is_refused(answer: requests.Response, status: int = 403, code: str = "needs_own_openai_key") -> dict:
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code), answer.text
    assert "x-spendai-call-id" not in answer.headers
    return error


def test_the_second_organization_reaches_no_operation_on_what_outlives_a_call(stack: Stack, second: str):
    for route in OWN_KEY:
        methods = [route.method, "HEAD"] if route.method == "GET" else [route.method]
        for method in methods:
            answer = call(stack, second, method, filled(route.path), json={} if method == "POST" else None)
            assert answer.status_code == 403, f"{method} {route.path}"
            if method != "HEAD":
                assert "provider-key" in is_refused(answer)["message"]


def test_the_second_organization_names_the_first_ones_objects_in_no_field_of_no_body(stack: Stack, second: str):
    for number, (body, param) in enumerate(REFERENCES):
        route = ALWAYS[number % len(ALWAYS)]
        for path in {route.path, "/responses", "/chat/completions"}:
            answer = call(stack, second, "POST", path, json={"model": "gpt-4o-mini", **body})
            assert is_refused(answer)["param"] == param


def test_no_other_way_of_writing_it_helps(stack: Stack, second: str):
    def post(data: bytes, kind: str = "application/json", path: str = "/responses") -> requests.Response:
        return call(stack, second, "POST", path, data=data, headers={"Content-Type": kind})

    is_refused(post(b'{"previous_response\\u005fid": "resp_1"}'))
    is_refused(post(b'{"background": true, "background": false}'), 400, "duplicate_keys")
    for body in (b"not json", b'[{"file_id": "file-1"}]', '{"file_id": "f"}'.encode("utf-16"), b'{"a": 1} {}'):
        is_refused(post(body), 400, "unreadable_body")
    for kind in ("text/plain", "", "application/x-www-form-urlencoded", "APPLICATION/JSON"):
        is_refused(post(b'{"previous_response_id": "resp_1"}', kind))
    for kind in (
        "application/octet-stream",
        "audio/wav",
        "multipart/form-data; boundary=b",
        "multipart/mixed; boundary=b",
    ):
        is_refused(post(b'{"previous_response_id": "resp_1"}', kind), 400, "unreadable_body")
    is_refused(call(stack, second, "POST", "/responses", data=iter([b'{"file_', b'id": "f"}'])))


def test_a_form_that_names_a_file_is_broken_off_and_costs_nothing(stack: Stack, fake: FakeUpstream):
    before, fields = len(fake.requests), (b"file_id", b"image[0][file_id]", b"image")
    for field in fields:
        body = FORM_HEAD % (b"model", b"") + FORM_HEAD % (field, b"") + b"--b--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        answer = call(stack, "eve", "POST", "/images/edits", data=body, headers=kind)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "needs_own_openai_key")
        row = stack.row(answer)
        assert (row["cost"], row["cost_status"], row["status_code"]) == (0, "error", 403)
    sent = [request.body for request in fake.requests[before:] if request.path == "/v1/images/edits"]
    assert not [body for body in sent if any(field in body for field in fields)]


@pytest.mark.parametrize("route", ALWAYS, ids=lambda route: route.path)
def test_what_leaves_nothing_behind_passes_on_a_shared_key(stack: Stack, same: FakeUpstream, route: Route):
    options = {"files": {"file": b"x"}} if route.takes_form else {"json": {"model": "gpt-4o-mini", "store": True}}
    assert call(stack, "una", "POST", route.path, **options).ok
    assert same.requests[-1].path == route.endpoint
    assert stack.conn.execute("select count(*) as n from private.upstream_objects o"
        " where o.org_id = %s", [stack.people.orgs["una"]]).fetchone()["n"] == 0  # fmt: skip


def test_headers_tell_neither_openai_who_asks_nor_an_organization_what_others_use(stack: Stack):
    told = [("x-ratelimit-remaining-requests", "7"), ("openai-organization", "acme"), ("openai-project", "proj_1")]
    with FakeUpstream(lambda request: reply(200, [("content-type", "text/plain"), *told], b"ok")) as upstream:
        stack.found_with_key("sam", "Sam", upstream.url, "sk-told")
        own = call(stack, "sam", "GET", "/models", headers={"X-Custom": "1", "Idempotency-Key": "k"})
        stack.found_with_key("sue", "Sue", upstream.url, "sk-told")
        shared = call(stack, "sam", "GET", "/models", headers={"X-Custom": "1", "Idempotency-Key": "k"})
        before, after = ({n.lower(): v for n, v in request.headers} for request in upstream.requests)
    assert set(dict(told)) <= {name.lower() for name in own.headers}
    assert not set(dict(told)) & {name.lower() for name in shared.headers}
    assert (before["x-custom"], before["idempotency-key"]) == ("1", "k")
    assert "x-custom" not in after and len(after["idempotency-key"]) == 64


def test_storing_the_key_of_another_organization_takes_its_own_reach_from_both_at_once(stack: Stack):
    with FakeUpstream(lambda request: reply_json({"object": "list", "data": []})) as upstream:
        stack.found_with_key("first", "First", upstream.url, "sk-passed-on")
        assert call(stack, "first", "GET", "/files").ok
        stack.found_with_key("later", "Later", upstream.url, "sk-passed-on")
        for name in ("first", "later"):
            is_refused(call(stack, name, "GET", "/files"))
        with stack.people.as_("later"):
            stack.people.one("select app.provider_key_delete(null)")
        assert call(stack, "first", "GET", "/files").ok


def test_the_first_organization_keeps_reaching_what_it_made_before_another_stored_its_key(stack: Stack):
    usage = {"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500}
    begun = {"id": "resp_1", "object": "response", "status": "queued", "model": "gpt-4o-mini", "background": True}
    batch = {"id": "batch_1", "object": "batch", "status": "in_progress", "model": "gpt-4o-mini"}
    with FakeUpstream() as upstream:
        upstream.queue("/v1/responses", reply_json(begun))
        upstream.queue("/v1/batches", reply_json(batch))
        upstream.queue("/v1/responses/resp_1", reply_json(begun | {"status": "completed", "usage": usage}))
        upstream.queue("/v1/batches/batch_1", reply_json(batch))
        upstream.queue("/v1/batches/batch_1/cancel", reply_json(batch | {"status": "cancelled", "usage": usage}))
        stack.found_with_key("prima", "Prima", upstream.url, "sk-kept")
        body = {"model": "gpt-4o-mini", "input": "x", "background": True}
        made = [call(stack, "prima", "POST", path, json=body) for path in ("/responses", "/batches")]
        assert [stack.row(answer)["cost_status"] for answer in made] == ["pending_object"] * 2
        stack.found_with_key("secunda", "Secunda", upstream.url, "sk-kept")
        own = [("GET", "/responses/resp_1"), ("GET", "/batches/batch_1"), ("POST", "/batches/batch_1/cancel")]
        others = [("DELETE", "/responses/resp_1"), ("GET", "/responses/resp_1/input_items")]
        before = len(upstream.requests)
        for method, path in [*own, *others]:
            is_refused(call(stack, "secunda", method, path))
            is_refused(call(stack, "prima", method, path.replace("_1", "_2")))
        for name, path in product(("prima", "secunda"), ("/batches", "/vector_stores/resp_1/files/resp_1")):
            is_refused(call(stack, name, "GET", path))
        body = {"previous_response_id": "resp_1"}
        is_refused(call(stack, "prima", "POST", "/batches/batch_1/cancel", json=body))
        is_refused(call(stack, "prima", "POST", "/responses", json=body))
        assert len(upstream.requests) == before, "something was sent"
        for method, path in own:
            answer = call(stack, "prima", method, path)
            assert answer.ok and answer.json()["id"] in path and stack.row(answer)["cost_status"] == "free"
        rows = [stack.row(answer) for answer in made]
    assert [row["cost_status"] for row in rows] == ["priced", "priced"] and all(row["cost"] > 0 for row in rows)


MADE = [
    ("/files", {"files": {"file": b"x"}}, {"id": "file-9", "object": "file"}, "free"),
    ("/vector_stores", {"json": {}}, {"id": "vs_9", "object": "vector_store", "status": "in_progress"}, "no_usage"),
    ("/conversations", {"json": {}}, {"id": "conv_9", "object": "conversation"}, "free"),
    ("/assistants", {"json": {}}, {"id": "asst_9", "object": "assistant"}, "free"),
    ("/threads/thread_1/runs", {"json": {}}, {"id": "run_9", "object": "thread.run", "usage": None}, "no_usage"),
    ("/fine_tuning/jobs", {"json": {}}, {"id": "ftjob-9", "object": "fine_tuning.job"}, "no_usage"),
    ("/uploads/u_1/complete", {"json": {}}, {"id": "u_1", "object": "upload", "file": {"id": "file-8"}}, "free"),
    ("/evals", {"json": {}}, {"id": "eval_9", "object": "eval"}, "no_usage"),
    ("/containers", {"json": {}}, {"id": "cntr_9", "object": "container"}, "priced"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "options", "made", "status"), MADE, ids=[made[0] for made in MADE])
def test_with_a_key_of_its_own_the_ledger_says_which_call_made_which_object(
    stack: Stack, fake: FakeUpstream, path: str, options: dict, made: dict, status: str
):
    fake.queue(f"/v1{path}", reply_json(made))
    answer = call(stack, "olga", "POST", path, **options)
    assert json.loads(answer.content) == made
    row = stack.row(answer)
    named = made.get("file", made)["id"]
    assert (row["upstream_object_id"], row["cost_status"]) == (named, status)
    query = "select project_id, call_id from private.upstream_objects where object_id = %s"
    (maker,) = stack.conn.execute(query, [named]).fetchall()
    assert (maker["project_id"], maker["call_id"]) == (stack.people.projects["olga"], row["id"])


@pytest.mark.parametrize(("path", "body", "kept"), [
    ("/responses", {}, True), ("/responses", {"store": False}, False), ("/responses", {"stream": True}, True),
    ("/chat/completions", {}, False), ("/chat/completions", {"store": True}, True),
])  # fmt: skip
def test_answers_are_remembered_when_openai_keeps_them(stack: Stack, path: str, body: dict, kept: bool):
    stack.conn.execute("delete from private.upstream_objects")
    answer = call(stack, "olga", "POST", path, json={"model": "gpt-4o-mini", "input": "x", **body})
    assert answer.ok and answer.content
    found = stack.conn.execute("select call_id from private.upstream_objects").fetchall()
    assert [each["call_id"] for each in found] == ([stack.row(answer)["id"]] if kept else [])
