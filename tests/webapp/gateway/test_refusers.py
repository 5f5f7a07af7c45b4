"""Upstreams that refuse to be asked for usage: their calls work as they would without SpendAI."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from alone import CHAT, ListLedger, post
from fake_openai import chat_events, error
from fake_replies import JSON_TYPE, Reply, raw
from fake_upstream import FakeUpstream, Request, reply, reply_json, reply_sse

from webapp.config import load
from webapp.gateway import refusers as module
from webapp.gateway.gateway import Gateway
from webapp.metering.request import LARGE, read_json_request

PATH = "/v1/chat/completions"
STREAM = CHAT | {"stream": True}
WITHOUT = b"".join(chat_events(STREAM))
# As OpenAI's own older versions, Azure, vLLM, FastAPI servers and Google's endpoint word it.
REFUSALS = [
    (400, error("Unrecognized request argument supplied: stream_options")),
    (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs"}]}),
    (400, error("[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options', 'include_usage')}]")),
    (400, [{"error": {"message": 'Invalid JSON payload. Unknown name "streamOptions": Cannot find field.'}}]),
]


def strict(status: int = 400, body: Any = REFUSALS[0][1]) -> Any:
    """A server that refuses the field and answers everything else."""

    def route(request: Request) -> Reply | None:
        asked = request.json()
        return reply_json(body, status) if asked.get("stream_options") else None

    return route


def gateway_to(fake: FakeUpstream) -> Gateway:
    made = Gateway(lambda *_: [], load({"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": fake.url}))
    made.ledger = ListLedger()
    return made


def last(gateway: Gateway) -> dict[str, Any]:
    return gateway.ledger.settled[-1]


@pytest.mark.parametrize(("status", "body"), REFUSALS)
def test_a_stream_works_where_the_field_that_asks_for_usage_is_refused(status: int, body: Any) -> None:
    with FakeUpstream(strict(status, body)) as fake:
        gateway = gateway_to(fake)
        got = post(gateway, STREAM, HTTP_ACCEPT_ENCODING="gzip")
        assert (got.status[:3], got.body, got.broken) == ("200", WITHOUT, False)
        asked, again = fake.requests
        assert "stream_options" in asked.json() and again.body == json.dumps(STREAM).encode()
        assert (asked.header("accept-encoding"), again.header("accept-encoding")) == ("identity", "gzip")
        assert again.header("content-length") == str(len(again.body))
        assert (last(gateway)["usage"], last(gateway)["status_code"]) == (None, 200)
        assert fake.connections == 1, "the refusal was not read to its end"


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}, {"include_usage": None}])
def test_what_the_client_wrote_itself_is_sent_the_second_time(options: Any) -> None:
    with FakeUpstream(lambda r: None if b"true}" not in r.body else reply_json(REFUSALS[0][1], 400)) as fake:
        body = STREAM | {"stream_options": options}
        assert post(gateway_to(fake), body).status[:3] == "200"
        assert fake.requests[1].body == json.dumps(body).encode()


def test_usage_that_comes_anyway_is_counted_and_not_hidden() -> None:
    events = list(chat_events(STREAM | {"stream_options": {"include_usage": True}}))
    with FakeUpstream() as fake:
        fake.queue(PATH, reply_json(REFUSALS[0][1], 400), reply_sse(events))
        gateway = gateway_to(fake)
        assert post(gateway, STREAM).body == b"".join(events)
        assert last(gateway)["usage"]["total_tokens"] == 29


def test_the_refusal_is_remembered_for_a_while_for_this_organization_and_model(monkeypatch) -> None:
    with FakeUpstream(strict()) as fake:
        gateway = gateway_to(fake)
        for body, opened, requests in [
            (STREAM, {}, 2),
            (STREAM, {}, 1),
            (STREAM | {"model": "other"}, {}, 2),
            (STREAM, {"org_id": "another"}, 2),
            (STREAM, {"base_url": fake.url + "/"}, 2),
        ]:
            gateway.ledger.opened, before = opened, len(fake.requests)
            assert post(gateway, body).status[:3] in ("200", "404")  # the base URL with a slash leads nowhere
            assert len(fake.requests) - before == requests, (body, opened)
        monkeypatch.setattr(module, "FOR_SECONDS", -1)
        gateway.forwarder._refusers.add((None, fake.url, "gpt-4o-mini"))
        gateway.ledger.opened, before = {}, len(fake.requests)
        post(gateway, STREAM)
        assert len(fake.requests) - before == 2, "it is asked again after a while"


def test_the_memory_of_refusals_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    refusers = module.Refusers()
    for model in "abac":
        refusers.add(("org", "url", model))
    assert [("org", "url", model) in refusers for model in "abc"] == [True, False, True]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, error("Unsupported parameter: 'max_tokens'")),
        (401, error("stream_options")),
        (429, error("stream_options")),
        (500, error("stream_options")),
    ],
)
def test_other_errors_pass_and_nothing_is_asked_twice(fake: FakeUpstream, status: int, body: Any) -> None:
    gateway = gateway_to(fake)
    fake.queue(PATH, reply_json(body, status))
    before = len(fake.requests)
    got = post(gateway, STREAM)
    assert (got.status[:3], json.loads(got.body)) == (str(status), body)
    assert len(fake.requests) - before == 1 and last(gateway)["outcome"] == "error"


def test_a_refusal_of_what_the_client_asked_for_itself_passes(fake: FakeUpstream) -> None:
    fake.queue(PATH, reply_json(REFUSALS[0][1], 400))
    before = len(fake.requests)
    got = post(gateway_to(fake), STREAM | {"stream_options": {"include_usage": True}})
    assert (got.status[:3], len(fake.requests) - before) == ("400", 1)


def test_an_upstream_that_refuses_both_is_not_remembered(fake: FakeUpstream) -> None:
    gateway = gateway_to(fake)
    fake.queue(PATH, reply_json(REFUSALS[0][1], 400), reply_json(error("No stream_options, and no model"), 400))
    got = post(gateway, STREAM)
    assert json.loads(got.body) == error("No stream_options, and no model")
    assert last(gateway)["outcome"] == "error"
    post(gateway, STREAM)
    assert "stream_options" in fake.requests[-1].json()


def test_a_compressed_refusal_is_read(fake: FakeUpstream) -> None:
    packed = gzip.compress(json.dumps(REFUSALS[0][1]).encode())
    fake.queue(PATH, reply(400, [JSON_TYPE, ("content-encoding", "gzip")], packed))
    assert post(gateway_to(fake), STREAM).status[:3] == "200"


def test_an_error_that_breaks_off_while_it_is_looked_at_breaks_off_for_the_client(fake: FakeUpstream) -> None:
    fake.queue(PATH, raw(b"HTTP/1.1 400 No\r\nContent-Length: 99\r\n\r\n" + b'{"error"'))
    got = post(gateway_to(fake), STREAM)
    assert (got.status[:3], got.broken) == ("400", True) and got.body == b'{"error"'


def test_a_large_error_passes_whole(fake: FakeUpstream) -> None:
    body = error("y" * 500_000)
    fake.queue(PATH, reply_json(body, 400))
    assert json.loads(post(gateway_to(fake), STREAM).body) == body


@pytest.mark.parametrize("options", ["", '"stream_options":null,', '"stream_options":{ "include_usage":false},'])
@pytest.mark.parametrize("size", [10, 2 * LARGE])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_the_edit_can_be_taken_back_byte_for_byte(options: str, size: int, bom: str) -> None:
    body = f'{bom}{{ {options}"stream" : true,"messages":["{"ü" * size}"] }}'.encode()
    facts = read_json_request(PATH, body)
    assert facts.injected and facts.body != body
    assert facts.unedited().body == body and not facts.unedited().injected
