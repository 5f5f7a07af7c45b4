"""The unmodified openai SDK, sync and async, over every family of resources: the same calls directly and through us."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
from aside import run_aside
from fake_replies import Reply
from fake_upstream import FakeUpstream, Request, default_answer, reply, reply_json
from stack import Stack

from webapp.gateway.routes import find

FILE = ("a.jsonl", b'{"a": 1}\n' * 1000)
HELLO: Any = [{"role": "user", "content": "Hello"}]
WORDS = {"id": "x_1", "object": "thing", "status": "completed", "created_at": 1, "data": [], "has_more": False,
         "deleted": True, "results": [], "output": [], "input_tokens": 5}  # fmt: skip
ANSWERED = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings")
BINARY = re.compile(r"/content$|/audio/speech$")


def answer(request: Request) -> Reply:
    """What SDKs can read, whatever they asked for."""
    if BINARY.search(request.path):
        return reply(200, [("content-type", "application/octet-stream")], bytes(range(256)) * 300, chunked=True)
    if request.method == "POST" and request.path in ANSWERED:
        return default_answer(request)
    return reply_json(WORDS)


CALLS: dict[str, Callable[[Any], Any]] = {
    "chat": lambda c: c.chat.completions.create(model="gpt-4o-mini", messages=HELLO, store=True),
    "chat, stored": lambda c: c.chat.completions.retrieve("chatcmpl-1"),
    "chat, list": lambda c: c.chat.completions.list(metadata={"a": "b"}),
    "chat, update": lambda c: c.chat.completions.update("chatcmpl-1", metadata={"a": "b"}),
    "chat, delete": lambda c: c.chat.completions.delete("chatcmpl-1"),
    "chat, messages": lambda c: c.chat.completions.messages.list("chatcmpl-1", limit=3),
    "completions": lambda c: c.completions.create(model="gpt-3.5-turbo-instruct", prompt="x"),
    "responses": lambda c: c.responses.create(model="gpt-4o-mini", input="x", previous_response_id="resp_1"),
    "responses, get": lambda c: c.responses.retrieve("resp_1", include=["message.output_text.logprobs"]),
    "responses, delete": lambda c: c.responses.delete("resp_1"),
    "responses, cancel": lambda c: c.responses.cancel("resp_1"),
    "responses, items": lambda c: c.responses.input_items.list("resp_1", order="asc"),
    "responses, compact": lambda c: c.responses.compact(model="gpt-4o-mini", input="x"),
    "responses, tokens": lambda c: c.responses.input_tokens.count(model="gpt-4o-mini", input="x"),
    "conversations": lambda c: c.conversations.create(metadata={"a": "b"}),
    "conversations, items": lambda c: c.conversations.items.create("conv_1", items=[{"role": "user", "content": "x"}]),
    "conversations, delete": lambda c: c.conversations.delete("conv_1"),
    "embeddings": lambda c: c.embeddings.create(model="text-embedding-3-small", input="x"),
    "moderations": lambda c: c.moderations.create(input="x"),
    "models": lambda c: c.models.list(),
    "models, get": lambda c: c.models.retrieve("ft:gpt-4o-mini:acme::1"),
    "models, delete": lambda c: c.models.delete("ft:gpt-4o-mini:acme::1"),
    "images": lambda c: c.images.generate(model="gpt-image-1", prompt="x"),
    "images, edit": lambda c: c.images.edit(image=[FILE, FILE], prompt="x", mask=FILE),
    "speech": lambda c: c.audio.speech.create(model="tts-1", voice="alloy", input="x"),
    "transcriptions": lambda c: c.audio.transcriptions.create(model="whisper-1", file=FILE),
    "translations": lambda c: c.audio.translations.create(model="whisper-1", file=FILE),
    "files": lambda c: c.files.create(file=FILE, purpose="batch"),
    "files, list": lambda c: c.files.list(purpose="batch", limit=2),
    "files, content": lambda c: c.files.content("file-1"),
    "files, delete": lambda c: c.files.delete("file-1"),
    "uploads": lambda c: c.uploads.create(bytes=9, filename="a", mime_type="text/plain", purpose="batch"),
    "uploads, part": lambda c: c.uploads.parts.create("upload_1", data=b"\0\1" * 5000),
    "uploads, complete": lambda c: c.uploads.complete("upload_1", part_ids=["part_1"]),
    "batches": lambda c: c.batches.create(input_file_id="f", endpoint="/v1/responses", completion_window="24h"),
    "batches, get": lambda c: c.batches.retrieve("batch_1"),
    "batches, cancel": lambda c: c.batches.cancel("batch_1"),
    "fine-tuning": lambda c: c.fine_tuning.jobs.create(model="gpt-4o-mini", training_file="file-1"),
    "fine-tuning, events": lambda c: c.fine_tuning.jobs.list_events("ftjob-1", after="e"),
    "fine-tuning, pause": lambda c: c.fine_tuning.jobs.pause("ftjob-1"),
    "fine-tuning, permissions": lambda c: c.fine_tuning.checkpoints.permissions.list("ft:gpt-4o:acme:x:ckpt-step-7"),
    "vector stores": lambda c: c.vector_stores.create(file_ids=["file-1"]),
    "vector stores, search": lambda c: c.vector_stores.search("vs_1", query="x"),
    "vector stores, file": lambda c: c.vector_stores.files.update("f", vector_store_id="vs_1", attributes={"a": 1}),
    "vector stores, batch": lambda c: c.vector_stores.file_batches.cancel("vsfb_1", vector_store_id="vs_1"),
    "containers": lambda c: c.containers.create(name="x"),
    "containers, file": lambda c: c.containers.files.content.retrieve("cfile_1", container_id="cntr_1"),
    "evals": lambda c: c.evals.list(order_by="updated_at"),
    "evals, run": lambda c: c.evals.runs.cancel("run_1", eval_id="eval_1"),
    "videos": lambda c: c.videos.create(prompt="x", input_reference=FILE),
    "videos, content": lambda c: c.videos.download_content("video_1", variant="thumbnail"),
    "skills": lambda c: c.skills.list(limit=1),
    "assistants": lambda c: c.beta.assistants.create(model="gpt-4o-mini"),
    "threads": lambda c: c.beta.threads.create(messages=HELLO),
    "threads, run": lambda c: c.beta.threads.runs.create("thread_1", assistant_id="asst_1"),
    "threads, messages": lambda c: c.beta.threads.messages.delete("msg_1", thread_id="thread_1"),
    "chatkit": lambda c: c.beta.chatkit.threads.list(user="u"),
}


@pytest.fixture(scope="module")
def generic(stack: Stack) -> Iterator[FakeUpstream]:
    with FakeUpstream(answer) as upstream:
        stack.found_with_key("sam", "Sdk", upstream.url, "sk-sam")
        yield upstream


async def _await(base_url: str, key: str, made: Callable[[Any], Any]) -> Any:
    quick = openai.DefaultAsyncHttpxClient(verify=False)  # reading the machine's certificates takes the longest
    async with openai.AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0, http_client=quick) as client:
        return await made(client)


def run(base_url: str, key: str, made: Callable[[Any], Any], kind: str) -> Any:
    """What the SDK's caller gets: the parsed object as a dict, bytes, or nothing."""
    if kind == "async":
        result = run_aside(_await(base_url, key, made))
    else:
        quick = openai.DefaultHttpxClient(verify=False)
        with openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, http_client=quick) as client:
            result = made(client)
    return result.to_dict() if hasattr(result, "to_dict") else getattr(result, "content", None)


def comparable(request: Request) -> tuple[str, str, bytes, list[tuple[str, str]]]:
    """A request without what differs from one to the next: the boundary of forms, addresses and keys."""
    body = re.sub(rb"[0-9a-f]{32}", b"", request.body)
    left_out = ("host", "authorization", "connection", "content-type", "x-spendai-via")
    return request.method, request.target, body, sorted((k.lower(), v) for k, v in request.headers
        if k.lower() not in left_out)  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("name", CALLS)
def test_the_sdk_does_not_notice_us(stack: Stack, generic: FakeUpstream, name: str, kind: str):
    before = len(generic.requests)
    direct = run(generic.url, "sk-direct", CALLS[name], kind)
    through = run(stack.proxy, stack.key("sam"), CALLS[name], kind)
    assert through == direct
    first, second = generic.requests[before:]
    assert comparable(second) == comparable(first)
    route = find(second.method, second.path.removeprefix("/v1"))
    row = stack.conn.execute("select * from public.usage_logs order by started_at desc limit 1").fetchone()
    assert (row["endpoint"], row["state"], row["status_code"]) == (route.endpoint, "settled", 200)
