"""What goes wrong: bad keys, bad bodies, a bad upstream, no database. The client gets an error, the row is right."""

from __future__ import annotations

import gzip
import json
import re

import pytest
import requests
from fake_openai import error
from fake_upstream import raw, reply, reply_json, reset, slow
from processes import frozen
from stack import Stack

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "secret-prompt"}]}


def code(answer: requests.Response) -> str:
    """The error's code; asserts OpenAI's shape."""
    body = answer.json()["error"]
    assert set(body) == {"message", "type", "param", "code"} and body["message"]
    return body["code"]


@pytest.mark.parametrize(
    "given", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer sk-spend-unknown", "Bearer ü", "sk-x"]
)
def test_without_a_good_key_nothing_is_sent_or_written(stack, fake, given):
    before = len(fake.requests), stack.count()
    headers = {} if given is None else {"Authorization": given.encode("latin-1")}
    answer = requests.post(f"{stack.proxy}/chat/completions", json=CHAT, headers=headers, timeout=10)
    assert (answer.status_code, code(answer)) == (401, "invalid_api_key")
    assert "x-spendai-call-id" not in answer.headers and "unknown" not in answer.text
    assert (len(fake.requests), stack.count()) == before


def test_a_refusal_has_a_request_id_that_is_in_the_log(stack, fake):
    unknown = stack.post(json=CHAT, headers={"Authorization": "Bearer sk-spend-unknown"})
    nowhere = stack.post("/no/such/operation", json=CHAT)
    ids = [answer.headers["x-request-id"] for answer in (unknown, nowhere)]
    assert len(set(ids)) == 2 and all(re.fullmatch("req_[0-9a-f]{32}", one) for one in ids)
    log = stack.log()
    assert f"request={ids[0]} refused status=401 invalid_api_key" in log
    assert f"request={ids[1]} refused status=403 endpoint_not_allowed" in log


def test_a_refusal_of_a_call_with_a_row_has_the_calls_id_and_openais_own_passes(stack, fake):
    fake.queue("/v1/chat/completions", reset())
    broken = stack.post(json=CHAT)
    assert broken.status_code == 502
    assert broken.headers["x-request-id"] == broken.headers["x-spendai-call-id"]
    assert f"call={broken.headers['x-request-id']} " in stack.log()
    assert stack.post(json=CHAT).headers["x-request-id"] == "req_fake0001"


def test_a_revoked_expired_or_archived_key_fails_on_the_next_call(stack):
    from webapp.secrets.proxy_keys import new_key

    people = stack.people
    project = people.one("select p.id from public.projects p where p.id = %s", people.projects["eve"])["id"]
    for ending in ("revoked", "expired"):
        key = new_key()
        with people.as_("eve"):
            people.one(
                "select app.key_create(%s, %s, 'x', %s, %s, now() + interval '1 h')",
                project,
                key.id,
                key.prefix,
                key.hash,
            )
        header = {"Authorization": f"Bearer {key.key}"}
        assert stack.post(json=CHAT, headers=header).ok
        if ending == "revoked":
            with people.as_("eve"):
                people.one("select app.key_revoke(%s)", key.id)
        else:
            stack.conn.execute("update public.api_keys set expires_at = now() where id = %s", [key.id])
        answer = stack.post(json=CHAT, headers=header)
        assert (answer.status_code, code(answer)) == (401, "invalid_api_key")
        assert ending in answer.json()["error"]["message"]


def test_bodies_that_are_too_large_or_encoded_are_refused_and_not_sent(stack, fake):
    before = len(fake.requests), stack.count()
    big = b'{"model": "' + b"x" * 2_000_000 + b'"}'
    for data in (big, iter([big[:1000], big[1000:]])):
        answer = stack.post(data=data, headers={"Content-Type": "application/json"})
        assert (answer.status_code, code(answer)) == (413, "request_too_large")
    packed = gzip.compress(json.dumps(CHAT).encode())
    answer = stack.post(data=packed, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})
    assert (answer.status_code, code(answer)) == (415, "unsupported_content_encoding")
    assert (len(fake.requests), stack.count()) == before


def test_an_upload_that_grows_too_large_on_its_way_is_stopped_and_its_cost_is_unknown(stack):
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    chunks = (head if n == 0 else b"x" * 65536 for n in range(100))
    answer = stack.post(
        "/audio/transcriptions", data=chunks, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert (answer.status_code, code(answer)) == (413, "request_too_large")
    row = stack.row(answer)
    assert (row["state"], row["cost_status"], row["cost"], row["status_code"]) == ("settled", "no_usage", None, 413)


@pytest.mark.parametrize(
    ("status", "headers"), [(400, []), (401, []), (429, [("retry-after", "3"), ("x-should-retry", "true")]), (500, [])]
)
def test_an_error_of_openai_passes_unchanged_once_and_costs_nothing(stack, fake, status, headers):
    before = len(fake.requests)
    fake.queue("/v1/chat/completions", reply_json(error("no"), status, headers))
    answer = stack.post(json=CHAT)
    assert (answer.status_code, answer.json()) == (status, error("no"))
    assert all(answer.headers[name] == value for name, value in headers)
    assert len(fake.requests) == before + 1, "a retry of our own"
    row = stack.row(answer)
    assert (row["status_code"], row["cost_status"], row["cost"]) == (status, "error", 0)


@pytest.mark.parametrize("reply_made", [reset(), raw(b"\x00\x01 garbage\r\n\r\n")])
def test_an_upstream_that_breaks_off_is_502_with_unknown_cost(stack, fake, reply_made):
    fake.queue("/v1/chat/completions", reply_made)
    answer = stack.post(json=CHAT)
    assert (answer.status_code, code(answer)) == (502, "upstream_unreachable")
    row = stack.row(answer)
    assert (row["state"], row["cost_status"], row["cost"]) == ("settled", "no_usage", None)


def test_garbage_with_status_200_passes_and_its_cost_is_unknown(stack, fake):
    fake.queue("/v1/chat/completions", reply(200, [("content-type", "application/json")], b'{"usage": [[1e999'))
    answer = stack.post(json=CHAT)
    assert answer.content == b'{"usage": [[1e999'
    assert (stack.row(answer)["cost_status"], stack.row(answer)["cost"]) == ("no_usage", None)


def test_a_slow_answer_within_the_limit_passes(stack, fake):
    fake.queue("/v1/chat/completions", slow(reply_json({"id": "1"}), 1.0))
    assert stack.post(json=CHAT).json() == {"id": "1"}


def test_an_upstream_that_cannot_be_reached_is_502_and_costs_nothing(stack_dsns):
    with Stack(
        *stack_dsns("spendai_unreachable"), OPENAI_API_KEY="sk-x", OPENAI_BASE_URL="http://127.0.0.1:1/v1"
    ) as stack:
        answer = stack.post(json=CHAT)
        assert (answer.status_code, code(answer)) == (502, "upstream_unreachable")
        assert (stack.row(answer)["cost_status"], stack.row(answer)["cost"]) == ("error", 0)


def test_with_the_database_away_calls_are_503_and_nothing_is_sent(cluster, stack, fake):
    assert stack.post(json=CHAT).ok
    before = len(fake.requests)
    with frozen(cluster.data):
        answer = stack.post(json=CHAT)
        assert (answer.status_code, code(answer)) == (503, "ledger_unavailable")
        assert answer.headers["retry-after"] == "1"
        assert len(fake.requests) == before
    stack.wait_for(lambda: stack.post(json=CHAT).ok, 20)


def test_no_key_prompt_or_answer_reaches_the_log(stack):
    assert stack.post(json=CHAT).ok
    log = stack.log()
    assert stack.key() not in log and "sk-upstream" not in log and "secret-prompt" not in log
