"""Calls under way are bounded for each key, each organization and the whole process, and every one is settled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from alone import CHAT, ListLedger, environ, post
from fake_openai import chat_events
from fake_upstream import FakeUpstream, reply_sse

from webapp.config import load
from webapp.gateway.gateway import Gateway
from webapp.secrets.hashing import sha256_of

STREAMED = json.dumps(CHAT | {"stream": True}).encode()


class Organizations(ListLedger):
    """A ledger in which the key "acme-2" belongs to the organization acme."""

    def open(self, message: dict[str, Any], stopped: Any) -> dict[str, Any]:
        keys = {sha256_of(f"{org}-{n}").hex(): org for org in ("acme", "bravo", "crow") for n in range(1, 5)}
        return super().open(message, stopped) | {"org_id": keys[message["key_hash"]]}


def gateway(fake: FakeUpstream, connections: int = 100, **settings: str) -> Gateway:
    made = Gateway(lambda *_: [], load({"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": fake.url} | settings))
    made.bounds = type(made.bounds)(made.config, connections)
    made.ledger = Organizations()
    return made


def begin(made: Gateway, fake: FakeUpstream, key: str) -> Iterator[bytes]:
    """A stream of which the client has read nothing yet."""
    fake.queue("/v1/chat/completions", reply_sse(list(chat_events(CHAT | {"stream": True}))))
    asked = environ(STREAMED, "application/json", "/chat/completions") | {"HTTP_AUTHORIZATION": f"Bearer {key}"}
    return made(asked, lambda status, headers: None)


def end(stream: Iterator[bytes], how: str) -> None:
    """The client reads to the end, or hangs up."""
    if how == "read":
        list(stream)
    stream.close()


def ask(made: Gateway, key: str) -> str:
    return post(made, HTTP_AUTHORIZATION=f"Bearer {key}").status[:3]


@pytest.mark.parametrize("how", ["read", "hung up"])
def test_a_key_with_too_many_streams_waits_until_one_ends(fake: FakeUpstream, how: str) -> None:
    made = gateway(fake, MAX_CALLS_PER_KEY="2")
    streams = [begin(made, fake, "acme-1") for _ in range(2)]
    assert (ask(made, "acme-1"), ask(made, "acme-2")) == ("503", "200")
    assert len(made.ledger.settled) == 1, "the refused call was not opened"
    end(streams.pop(), how)
    assert ask(made, "acme-1") == "200"
    end(streams.pop(), how)
    assert (made.bounds.running, made.bounds.keys, made.bounds.organizations) == (0, {}, {})


def test_an_organization_with_too_many_calls_stops_no_other(fake: FakeUpstream) -> None:
    made = gateway(fake, MAX_CALLS_PER_ORGANIZATION="3")
    streams = [begin(made, fake, f"acme-{n}") for n in (1, 2, 3)]
    assert (ask(made, "acme-1"), ask(made, "bravo-1")) == ("503", "200")
    for stream in streams:
        stream.close()
    assert made.bounds.running == 0 and len(made.ledger.settled) == 4


def test_a_call_of_a_key_never_seen_before_is_settled_as_an_error(fake: FakeUpstream) -> None:
    made = gateway(fake, MAX_CALLS_PER_ORGANIZATION="1")
    stream, sent = begin(made, fake, "acme-1"), len(fake.requests)
    assert [ask(made, "acme-2") for _ in range(3)] == ["503"] * 3
    assert [(row["outcome"], row["status_code"]) for row in made.ledger.settled] == [("error", 503)], "once, not thrice"
    assert len(fake.requests) == sent
    stream.close()
    assert made.bounds.organizations == {}


def test_all_calls_together_leave_connections_for_other_requests(fake: FakeUpstream) -> None:
    made = gateway(fake, connections=5)
    streams = [begin(made, fake, key) for key in ("acme-1", "bravo-1", "crow-1", "crow-2")]
    assert ask(made, "acme-2") == "503"
    for stream in streams:
        stream.close()
    assert ask(made, "acme-2") == "200"


def test_a_call_that_fails_or_is_refused_takes_no_place(fake: FakeUpstream) -> None:
    made = gateway(fake, MAX_CALLS="1")
    made.config.openai_base_url = "http://127.0.0.1:1/v1"
    assert [ask(made, "acme-1") for _ in range(2)] == ["502"] * 2
    made.ledger.opened = {"outcome": "revoked_key"}
    assert [ask(made, "acme-1") for _ in range(2)] == ["401"] * 2
    assert made.bounds.running == 0


def test_three_thousand_streams_of_one_key_in_one_process_are_no_attack() -> None:
    made = Gateway(lambda *_: [], load({}))
    assert len([made.bounds.enter(b"key") for _ in range(3000)]) == made.bounds.running == 3000
