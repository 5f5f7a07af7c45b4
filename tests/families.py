"""Calls through the running proxy with scripted answers of OpenAI's, and the row each leaves in the ledger."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from fake_replies import SSE_TYPE, Reply, reply, reply_json, reply_sse
from fake_upstream import FakeUpstream
from stack import Stack

from webapp.secrets.vault import seal


@dataclass
class Case:
    """What is asked at `path`, what OpenAI answers, and what the row must say; cost None: not known."""

    path: str
    asks: dict[str, Any]
    says: Reply
    cost: Decimal | int | None
    status: str = "priced"
    model: str | None = None
    form: bool = False  # whether the request is multipart
    row: dict[str, Any] = field(default_factory=dict)  # further columns
    who: str = "fay"


@pytest.fixture(scope="session")
def fay(stack: Stack, fake: FakeUpstream) -> None:
    """An organization with an OpenAI key of its own, which may use everything: fine-tunes too."""
    people = stack.people
    if "fay" in people.ids:  # each module that takes this fixture makes it once
        return
    people.found("fay", "Families")
    sealed = seal(stack.config.key_ring, "sk-of-fay", people.orgs["fay"], None)
    with people.as_("fay"):
        people.one("select app.provider_key_set(null, %s, 'fay0', %s, %s, false)", sealed, fake.url, uuid4().bytes)


def settled(stack: Stack, fake: FakeUpstream, case: Case) -> dict[str, Any]:
    """Make the call; its row, after checking what the case expects of it and that its lines sum to its cost."""
    fake.queue(f"/v1{case.path}", case.says)
    sent = (
        {"data": case.asks, "files": {"file": ("a.mp3", b"ID3")}} if case.form else {"json": case.asks}
    )  # fmt: skip
    answer = stack.post(case.path, case.who, **sent)
    assert answer.status_code == 200, answer.text
    row = stack.row(answer)
    assert (row["state"], row["cost_status"], row["cost"]) == ("settled", case.status, case.cost)
    if case.cost is not None:
        query = "select coalesce(sum((l ->> 'cost')::numeric), 0) as cost from jsonb_array_elements(%s::jsonb) l"
        lines = json.dumps(row["cost_lines"] or [], default=str)
        assert stack.conn.execute(query, [lines]).fetchone()["cost"] == case.cost
    if case.model:
        assert row["model"] == case.model
    assert {name: row[name] for name in case.row} == case.row
    return row


def chat(model: str, usage: Any, tier: str | None = "default", **more: Any) -> Reply:
    """A chat completion's JSON answer."""
    message = {"role": "assistant", "content": 'said "usage": {"prompt_tokens": 1}', "refusal": None}
    choices = [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}]
    answer = {"id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "object": "chat.completion", "created": 1741569952,
              "model": model, "choices": choices, "service_tier": tier, "usage": usage}  # fmt: skip
    return reply_json({name: value for name, value in (answer | more).items() if value is not None})


def response(model: str, usage: Any, **more: Any) -> dict[str, Any]:
    """A response's object."""
    return {
        "id": "resp_67ccd3a9da748190baa7f1570fe91ac604becb25c45c1d41", "object": "response", "created_at": 1741476777,
        "status": "completed", "background": False, "model": model, "output": [], "service_tier": "default",
        "tools": [], "usage": usage, "metadata": {},
    } | more  # fmt: skip


def event(kind: str, **fields: Any) -> bytes:
    """One typed event."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def responses_sse(end: str, whole: dict[str, Any], *items: dict[str, Any]) -> Reply:
    """A streamed response: created, one event per finished output item, and its end."""
    begun = whole | {"status": "in_progress", "usage": None, "output": [], "service_tier": "auto"}
    done = [event("response.output_item.done", output_index=n, item=item) for n, item in enumerate(items)]
    return reply_sse([event("response.created", response=begun), *done, event(f"response.{end}", response=whole)])


def audio(answer: bytes, content_type: str) -> Reply:
    """Anything that is not JSON."""
    return reply(200, [("content-type", content_type)], answer)


def sse(*events: bytes) -> Reply:
    return reply(200, [SSE_TYPE], b"".join(events), chunked=True)
