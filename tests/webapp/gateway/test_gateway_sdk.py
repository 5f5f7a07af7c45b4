"""The unmodified openai SDK as the client: only base_url and api_key are changed."""

from __future__ import annotations

from decimal import Decimal

import openai
import pytest
from fake_openai import error
from fake_upstream import reply_json

# Published prices in dollars per million tokens, and the usage blocks of the fake answers.
MINI = (19 * Decimal("0.15") + 10 * Decimal("0.60")) / 1_000_000
RESPONSE = (36 * Decimal("0.15") + 87 * Decimal("0.60")) / 1_000_000
EMBEDDING = 8 * Decimal("0.02") / 1_000_000
HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def client(stack):
    return openai.OpenAI(base_url=stack.proxy, api_key=stack.key(), max_retries=0)


def row(stack, raw):
    return stack.row(raw.headers["x-spendai-call-id"])


def test_a_chat_completion(stack, client):
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=HELLO)
    assert raw.parse().choices[0].message.content.startswith("Hello!")
    assert row(stack, raw)["cost"] == MINI


@pytest.mark.parametrize("options", [None, {"include_usage": True}, {"include_usage": False}])
def test_a_streamed_chat_completion(stack, client, options):
    extra = {"stream_options": options} if options else {}
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=HELLO, stream=True, **extra)
    chunks = list(raw.parse())
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Hello! How can I help? Grüße 👋"
    assert any(chunk.usage for chunk in chunks) == bool(options and options["include_usage"])
    assert row(stack, raw)["cost"] == MINI


def test_a_response(stack, client):
    raw = client.responses.with_raw_response.create(model="gpt-4o-mini", input="Hello")
    assert raw.parse().output_text
    assert row(stack, raw)["cost"] == RESPONSE


def test_a_streamed_response(stack, client):
    raw = client.responses.with_raw_response.create(model="gpt-4o-mini", input="Hello", stream=True)
    events = list(raw.parse())
    assert events[-1].type == "response.completed"
    assert row(stack, raw)["cost"] == RESPONSE


def test_an_embedding(stack, client):
    raw = client.embeddings.with_raw_response.create(model="text-embedding-3-small", input="Hello")
    assert raw.parse().data[0].embedding
    assert row(stack, raw)["cost"] == EMBEDDING


def test_errors_are_the_sdks_own_exceptions(stack, client, fake):
    fake.queue(
        "/v1/chat/completions", reply_json(error("slow down", "rate_limit_exceeded"), 429, [("retry-after", "3")])
    )
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)
    assert caught.value.code == "rate_limit_exceeded" and caught.value.response.headers["retry-after"] == "3"
    stranger = openai.OpenAI(base_url=stack.proxy, api_key="sk-spend-none", max_retries=0)
    with pytest.raises(openai.AuthenticationError) as caught:
        stranger.models.list()
    assert caught.value.code == "invalid_api_key"
    with pytest.raises(openai.PermissionDeniedError) as caught:
        client.files.list()
    assert caught.value.code == "needs_own_openai_key" and "Settings" in str(caught.value)


def test_the_sdk_prints_which_setting_helps_when_a_reasoning_item_comes_without_its_content(client):
    turn = [{"type": "reasoning", "id": "rs_1", "summary": []}, {"role": "user", "content": "And then?"}]
    with pytest.raises(openai.PermissionDeniedError) as caught:
        client.responses.create(model="gpt-5", input=turn)
    for word in ("input[0].id", 'include: ["reasoning.encrypted_content"]', "store: false"):
        assert word in caught.value.message
