"""A browser's own WebSocket in a page of another site: the snippet of docs/clients.md, its key in a subprotocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from clients.costs import expected, prices
from clients.openai_stand_in import OpenAI
from fake_upstream import FakeUpstream
from playwright.sync_api import Browser, Page
from stack import Stack

from webapp.pages.clients import KEY, clients

ADDRESS = "wss://spendai.example/api/v1/proxy"
# Runs the snippet until it prints an event of this type; what it printed.
RUN = """async ([snippet, last]) => {
    const events = [];
    await new Promise((resolve) => {
        console.log = (event) => { events.push(event); if (event.type === last) resolve(); };
        new Function(snippet)();
    });
    return events;
}"""
REFUSED = """([url, protocols]) => new Promise((resolve) => {
    const socket = new WebSocket(url, protocols);
    socket.onopen = () => resolve("open");
    socket.onclose = (event) => resolve(event.code);
})"""


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page that is not SpendAI's: about:blank."""
    with chromium.new_context() as context:
        yield context.new_page()


def snippet(voice: Stack, key: str) -> str:
    (section,) = (section for section in clients() if section.name == "Browsers")
    (shown,) = section.setup
    assert ADDRESS in shown.text and KEY in shown.text
    return shown.text.replace(ADDRESS, sockets_of(voice)).replace(KEY, key)


def sockets_of(voice: Stack) -> str:
    return voice.proxy.replace("http://", "ws://")


def latest(voice: Stack, view: str) -> dict[str, Any]:
    return voice.conn.execute(f"select * from public.{view} order by id desc limit 1").fetchone()


def test_a_page_speaks_to_realtime_and_its_response_is_priced(
    page: Page, voice: Stack, openai: FakeUpstream, stand_in: OpenAI
) -> None:
    events = page.evaluate(RUN, [snippet(voice, voice.key()), "response.done"])
    assert events[0]["type"] == "session.created"
    call, cost = latest(voice, "calls"), expected(stand_in.answers[-1], prices())[4]
    assert (call["model"], call["cost"], call["cost_status"]) == ("gpt-realtime", cost, "priced")
    page.close()
    voice.wait_for(lambda: latest(voice, "sessions")["state"] == "ended")
    assert (latest(voice, "sessions")["id"], latest(voice, "sessions")["closed_by"]) == (call["session_id"], "client")
    asked = openai.requests[-1]
    assert asked.header("authorization") == "Bearer sk-upstream"
    assert asked.header("sec-websocket-protocol") == "realtime"
    assert voice.key() not in voice.log() + json.dumps(asked.headers)


def test_a_page_with_an_unknown_key_is_not_connected(page: Page, voice: Stack, openai: FakeUpstream) -> None:
    before = len(openai.requests)
    protocols = ["realtime", "openai-insecure-api-key.sk-spend-invented"]
    assert page.evaluate(REFUSED, [sockets_of(voice) + "/realtime?model=gpt-realtime", protocols]) == 1006
    assert len(openai.requests) == before
