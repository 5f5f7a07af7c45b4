"""Whatever happens while a call passes, it is settled once, with what is known.

The gateway runs alone in the test's process: its ledger is a list, and its parts are made to raise.
"""

from __future__ import annotations

import json
import logging
from io import BytesIO
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from alone import CHAT, ListLedger, environ, only, post
from fake_openai import chat, chat_events
from fake_replies import Reply, cut_off, reset
from fake_upstream import FakeUpstream, hang, reply_json, reply_sse

from webapp.config import load
from webapp.gateway import gateway as module
from webapp.gateway.gateway import Gateway
from webapp.metering import Meter
from webapp.metering.inflate import Inflater
from webapp.metering.plain import JsonCopy
from webapp.metering.stream import StreamReader

STREAMED = CHAT | {"stream": True, "stream_options": {"include_usage": True}}
EVENTS = list(chat_events(STREAMED))
FORM = b"".join(
    b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % field
    for field in ((b"model", b"whisper-1"), (b"user", b"u-42"))
)
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\nID3'
END = b"\r\n--b--\r\n"
KNOWN = {"model_requested": "whisper-1", "end_user": "u-42", "tags": {"team": "search"}}


@pytest.fixture
def gateway(fake: FakeUpstream) -> Gateway:
    made = Gateway(lambda *_: [], load({"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": fake.url}))
    made.ledger = ListLedger()
    return made


def broken(*_: object, **__: object) -> None:
    raise KeyError("secret-prompt")


ENDS = {
    "answered": (FORM + FILE + END, {}, reply_json({"text": "hi", "usage": {"type": "duration", "seconds": 9}}), 200),
    "refused by OpenAI": (FORM + FILE + END, {}, reply_json({"error": {}}, 400), 400),
    "broken off by OpenAI": (FORM + FILE + END, {}, reset(), 502),
    "broken off by the client": (FORM + FILE, {"CONTENT_LENGTH": "9999"}, None, 499),
    "too large": (FORM + FILE + b"x" * 5_000_000, {"HTTP_TRANSFER_ENCODING": "chunked"}, None, 413),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_a_form_said_reaches_the_row_however_the_call_ends(gateway: Gateway, fake: FakeUpstream, end: str) -> None:
    body, changes, reply, status = ENDS[end]
    gateway.config.max_upload_bytes = 4_000_000
    if reply:  # None: no request arrives whole, and the reply would wait for another test's
        fake.queue("/v1/audio/transcriptions", reply)
    post(gateway, body, "/audio/transcriptions", **changes)
    assert only(gateway)["status_code"] == status
    assert {name: only(gateway)[name] for name in KNOWN} == KNOWN


@pytest.mark.parametrize(("asked", "path", "kept"), [
    (CHAT, "/chat/completions", False), (FORM + FILE + END, "/audio/transcriptions", True),
])  # fmt: skip
def test_a_client_is_not_closed_to_make_room_once_its_call_is_open(
    gateway: Gateway, asked: dict[str, Any] | bytes, path: str, kept: bool
) -> None:
    """A body of JSON is read before the call is opened, a form while it is sent."""
    client, while_read = SimpleNamespace(kept=False, closed=lambda: False), set()

    class Body(BytesIO):
        def read(self, size: int = -1) -> bytes:
            while_read.add(client.kept)
            return super().read(size)

    body = Body(asked if isinstance(asked, bytes) else json.dumps(asked).encode())
    post(gateway, asked, path, **{"spendai.client": client, "wsgi.input": body})
    assert (while_read, client.kept) == ({kept}, True)


@pytest.mark.parametrize("path", ["/chat/completions", "/audio/transcriptions"], ids=["waiting", "sending"])
def test_a_call_that_has_lasted_too_long_ends_before_its_answer_has_begun(
    gateway: Gateway, fake: FakeUpstream, path: str
) -> None:
    gateway.config.call_max_seconds = 0
    fake.queue(f"/v1{path}", hang())
    got = post(gateway, *([CHAT] if path == "/chat/completions" else [FORM + FILE + END, path]))
    assert got.status[:3] == "504" and json.loads(got.body)["error"]["code"] == "upstream_timeout"
    assert (only(gateway)["outcome"], only(gateway)["status_code"]) == ("no_usage", 504)


READERS = {
    "an event": (StreamReader, "event", STREAMED, lambda: reply_sse(EVENTS), b"".join(EVENTS)),
    "a stream's answer": (StreamReader, "answer", STREAMED, lambda: reply_sse(EVENTS), b"".join(EVENTS)),
    "a piece of JSON": (JsonCopy, "add", CHAT, lambda: reply_json(chat(CHAT)), None),
    "the whole JSON": (JsonCopy, "answer", CHAT, lambda: reply_json(chat(CHAT)), None),
}


@pytest.mark.parametrize("what", READERS)
def test_a_meter_that_cannot_read_an_answer_lets_it_pass_and_leaves_its_cost_unknown(
    gateway: Gateway, fake: FakeUpstream, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    owner, name, asked, reply, wanted = READERS[what]
    monkeypatch.setattr(owner, name, broken)
    fake.queue("/v1/chat/completions", reply())
    with caplog.at_level(logging.ERROR):
        got = post(gateway, asked)
    assert (got.status[:3], got.broken) == ("200", False)
    assert got.body == wanted or (wanted is None and json.loads(got.body)["usage"])
    assert (only(gateway)["outcome"], only(gateway)["usage"]) == ("no_usage", None)
    assert "KeyError at test_gateway_exits.py" in caplog.text and "secret" not in caplog.text


def test_usage_that_was_read_before_the_meter_failed_counts(
    gateway: Gateway, fake: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = StreamReader.event
    monkeypatch.setattr(StreamReader, "event", lambda self, event: broken() if b"DONE" in event else read(self, event))
    fake.queue("/v1/chat/completions", reply_sse(EVENTS))
    assert post(gateway, STREAMED).body == b"".join(EVENTS)
    assert (only(gateway)["outcome"], only(gateway)["usage"]["prompt_tokens"]) == ("complete", 19)


def test_a_compressed_stream_that_cannot_be_read_passes(
    gateway: Gateway, fake: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Inflater, "feed", broken)
    fake.queue("/v1/chat/completions", reply_sse([b"\x1f\x8bxx"], headers=[("content-encoding", "gzip")]))
    assert post(gateway, STREAMED, HTTP_ACCEPT_ENCODING="gzip").body == b"\x1f\x8bxx"
    assert only(gateway)["outcome"] == "no_usage"


@pytest.mark.parametrize("asked", [CHAT, STREAMED], ids=["json", "stream"])
@pytest.mark.parametrize(("step", "cut"), [("feed", True), ("finish", False), ("result", False)])
def test_a_meter_that_breaks_down_altogether_still_leaves_a_settled_call(
    gateway: Gateway, fake: FakeUpstream, monkeypatch: pytest.MonkeyPatch, step: str, cut: bool, asked: dict[str, Any]
) -> None:
    made = Meter.__post_init__
    monkeypatch.setattr(Meter, "__post_init__", lambda self: (made(self), vars(self).update({step: broken}))[0])
    fake.queue("/v1/chat/completions", reply_sse(EVENTS) if asked is STREAMED else reply_json(chat(CHAT)))
    got = post(gateway, asked)
    assert (only(gateway)["status_code"], only(gateway)["outcome"]) == (200, "no_usage")
    assert got.broken is cut and (cut or b"usage" in got.body)


@pytest.mark.parametrize("name", ["Meter", "answer_headers", "status_line"])
def test_an_answer_that_cannot_begin_is_settled_and_its_connection_closed(
    gateway: Gateway, fake: FakeUpstream, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    closed = []
    send = gateway.client.send
    monkeypatch.setattr(gateway.client, "send", lambda *sent: watched(send(*sent), closed))
    monkeypatch.setattr(module, name, broken)
    fake.queue("/v1/chat/completions", reply_json(chat(CHAT)))
    got = post(gateway)
    assert (got.status[:3], json.loads(got.body)["error"]["code"]) == ("500", "internal_error")
    assert (only(gateway)["outcome"], only(gateway)["status_code"], closed) == ("no_usage", 500, [True])


def watched(answer: Any, closed: list[bool]) -> Any:
    """The answer, with a note made when it is closed."""
    close = answer.close
    answer.close = lambda: (closed.append(True), close())
    return answer


def test_a_server_that_takes_no_head_still_has_the_call_settled(gateway: Gateway, fake: FakeUpstream) -> None:
    fake.queue("/v1/chat/completions", reply_json(chat(CHAT)))
    with pytest.raises(KeyError):
        gateway(environ(json.dumps(CHAT).encode(), "application/json", "/chat/completions"), broken)
    assert only(gateway)["outcome"] == "no_usage"


@pytest.mark.parametrize(
    ("asked", "reply", "pieces", "status"),
    [
        (CHAT, reply_json(chat(CHAT)), 0, 499),
        (CHAT, reply_json(chat(CHAT)), 1, 200),  # its one piece waited for the commit
        (STREAMED, reply_sse(EVENTS), 0, 499),
        (STREAMED, reply_sse(EVENTS), 1, 499),
    ],
    ids=["json, no byte", "json, one piece", "stream, no byte", "stream, one piece"],
)
def test_a_client_that_leaves_at_the_start_is_settled_with_the_usage(
    gateway: Gateway, fake: FakeUpstream, asked: dict[str, Any], reply: Reply, pieces: int, status: int
) -> None:
    fake.queue("/v1/chat/completions", reply)
    body = gateway(environ(json.dumps(asked).encode(), "application/json", "/chat/completions"), lambda *_: None)
    for _ in range(pieces):
        next(body)
    body.close()
    assert (only(gateway)["outcome"], only(gateway)["usage"]["prompt_tokens"]) == ("complete", 19)
    assert only(gateway)["status_code"] == status


def test_a_client_that_leaves_while_the_meter_breaks_down_is_settled(
    gateway: Gateway, fake: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, later = Event(), Event()
    first.set()
    fake.queue("/v1/chat/completions", reply_sse(EVENTS, gates=[first, later]))
    body = gateway(environ(json.dumps(STREAMED).encode(), "application/json", "/chat/completions"), lambda *_: None)
    assert (next(body) or next(body)) == EVENTS[0]  # the head goes out before, unless they come together
    monkeypatch.setattr(module.Answer, "stop_at", broken)  # the first thing that reading on for the ledger does
    body.close()
    later.set()
    assert (only(gateway)["outcome"], only(gateway)["status_code"]) == ("no_usage", 499)


def test_an_answer_broken_off_while_the_meter_breaks_down_is_settled_and_ends_broken_off(
    gateway: Gateway, fake: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StreamReader, "event", broken)
    fake.queue("/v1/chat/completions", cut_off(EVENTS[:2]))
    got = post(gateway, STREAMED)
    assert (got.body, got.broken) == (b"".join(EVENTS[:2]), True)
    assert only(gateway)["outcome"] == "no_usage"


def test_a_ledger_that_raises_what_nobody_foresaw_does_not_break_the_answer(
    gateway: Gateway, fake: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.ledger, "settle", broken)
    fake.queue("/v1/chat/completions", reply_json(chat(CHAT)))
    got = post(gateway)
    assert json.loads(got.body)["usage"] and not got.broken


@pytest.mark.parametrize(
    ("method", "path", "batch"),
    [("POST", "/batches", True), ("GET", "/batches", False), ("HEAD", "/batches", False),
     ("GET", "/batches/batch_1", False), ("POST", "/batches/batch_1/cancel", False), ("POST", "/responses", False)],
)  # fmt: skip
def test_only_the_call_that_makes_a_batch_has_the_batch_price(
    gateway: Gateway, fake: FakeUpstream, method: str, path: str, batch: bool
) -> None:
    fake.queue(f"/v1{path}", reply_json({"id": "batch_1", "object": "batch", "status": "validating"}))
    post(gateway, {}, path, REQUEST_METHOD=method)
    assert only(gateway)["batch"] is batch
