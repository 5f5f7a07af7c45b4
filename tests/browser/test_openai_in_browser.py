"""OpenAI's JavaScript client, unmodified, in a page of another site: browsers let it call the gateway."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from certificates import Https
from playwright.sync_api import Browser, Page
from stack import Stack

from webapp.config import ROOT

FOLDER = ROOT / ".venv/openai-browser/node_modules/openai"
STREAM = """async ([baseURL, apiKey]) => {
    const { OpenAI } = await import("/index.mjs");
    const client = new OpenAI({ baseURL, apiKey, dangerouslyAllowBrowser: true, maxRetries: 0 });
    const asked = { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello" }], stream: true };
    const { data, response } = await client.chat.completions.create(asked).withResponse();
    let chunks = 0, text = "";
    for await (const chunk of data) { chunks += 1; text += chunk.choices[0]?.delta?.content ?? ""; }
    return { chunks, text, callId: response.headers.get("x-spendai-call-id") };
}"""
REFUSED = """async ([baseURL, apiKey]) => {
    const { OpenAI } = await import("/index.mjs");
    const client = new OpenAI({ baseURL, apiKey, dangerouslyAllowBrowser: true, maxRetries: 0 });
    try { await client.models.list(); } catch (error) {
        return { status: error.status, code: error.code, requestId: error.requestID };
    }
}"""

REALTIME = """async ([baseURL, apiKey]) => {
    const { OpenAI } = await import("/index.mjs");
    const { OpenAIRealtimeWebSocket } = await import("/realtime/websocket.mjs");
    const client = new OpenAI({ baseURL, apiKey, dangerouslyAllowBrowser: true });
    const realtime = new OpenAIRealtimeWebSocket({ model: "gpt-realtime", dangerouslyAllowBrowser: true }, client);
    return await new Promise((resolve, reject) => {
        let text = "";
        realtime.on("error", reject);
        realtime.on("response.output_audio_transcript.delta", (event) => { text += event.delta; });
        realtime.on("response.done", () => { realtime.close(); resolve(text); });
        realtime.socket.addEventListener("open", () => realtime.send({ type: "response.create" }));
    });
}"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a log."""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[str]:
    """Another site, which has the client. Where that is not installed the test cannot run; in CI that is a failure."""
    if not (FOLDER / "index.mjs").exists():
        explain = "OpenAI's JavaScript client is not installed: run .ci/openai-browser"
        if os.environ.get("CI") == "true":
            pytest.fail(explain)
        pytest.skip(explain)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(FOLDER))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def page(chromium: Browser, elsewhere: str) -> Iterator[Page]:
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{elsewhere}/package.json")
        yield page


@pytest.mark.parametrize("base", ["", "/v1"])
def test_a_chat_is_streamed_into_a_page_of_another_site(page: Page, site: Stack, base: str) -> None:
    got = page.evaluate(STREAM, [site.proxy + base, site.key()])
    assert got["chunks"] > 2 and got["text"]
    row = site.row(got["callId"])
    assert (row["state"], row["status_code"], row["stream"]) == ("settled", 200, True)


def test_the_page_reads_why_a_call_was_refused_and_its_request_id(page: Page, site: Stack) -> None:
    got = page.evaluate(REFUSED, [site.proxy, "sk-spend-invented"])
    assert (got["status"], got["code"]) == (401, "invalid_api_key")
    assert f"request={got['requestId']} " in site.log()


def test_its_realtime_client_speaks_through_https(
    chromium: Browser, elsewhere: str, voice: Stack, tmp_path: Path
) -> None:
    with Https(voice.port, tmp_path) as https, chromium.new_context(ignore_https_errors=True) as context:
        page = context.new_page()
        page.goto(f"{elsewhere}/package.json")
        text = page.evaluate(REALTIME, [f"https://127.0.0.1:{https.port}/api/v1/proxy", voice.key("eve")])
    row = voice.conn.execute("select * from public.calls order by id desc limit 1").fetchone()
    assert text and (row["model"], row["cost_status"]) == ("gpt-realtime", "priced")
    assert row["org_id"] == voice.people.orgs["eve"]
