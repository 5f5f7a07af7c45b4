"""Pages of other sites may call the proxy, unless a setting forbids it."""

from __future__ import annotations

import pytest
import requests
from alone import CHAT, ListLedger, environ
from fake_openai import chat, error
from fake_upstream import FakeUpstream, reply_json
from stack import Stack

from webapp.config import load
from webapp.gateway.gateway import Gateway
from webapp.websocket.door import Door

SITE = {"Origin": "https://app.example"}
WANTED = "authorization,x-stainless-os"
ASKS = SITE | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": WANTED}


def allowed(answer: requests.Response) -> bool:
    return answer.headers.get("access-control-allow-origin") == "*"


def exposed(answer: requests.Response) -> set[str]:
    return set(answer.headers["access-control-expose-headers"].split(", "))


@pytest.mark.parametrize("path", ["/chat/completions", "/responses/resp_1", "/v1/embeddings", "", "/no/such/operation"])
def test_a_preflight_needs_no_key_and_opens_no_call(stack: Stack, fake: FakeUpstream, path: str) -> None:
    before = len(fake.requests), stack.count()
    answer = requests.options(stack.proxy + path, headers=ASKS, timeout=10)
    assert answer.status_code == 204 and allowed(answer) and answer.content == b""
    assert answer.headers["access-control-allow-headers"] == WANTED
    assert {"GET", "POST", "DELETE"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert (len(fake.requests), stack.count()) == before


def test_options_without_a_preflights_question_is_an_unknown_operation(stack: Stack) -> None:
    headers = {"Authorization": f"Bearer {stack.key()}"}
    assert requests.options(f"{stack.proxy}/models", headers=headers | SITE, timeout=10).status_code == 403
    assert requests.options(f"{stack.proxy}/models", headers=SITE, timeout=10).status_code == 401


@pytest.mark.parametrize("stream", [False, True])
def test_a_page_may_read_answers_with_their_headers(stack: Stack, fake: FakeUpstream, stream: bool) -> None:
    if not stream:
        limits = [("x-request-id", "req_1"), ("x-ratelimit-limit-requests", "9"), ("retry-after", "1")]
        upstreams = [("Access-Control-Allow-Origin", "https://openai.test"), ("access-control-expose-headers", "x")]
        fake.queue("/v1/chat/completions", reply_json(chat(CHAT), 200, [*limits, *upstreams]))
    answer = stack.post(name="olga", json=CHAT | {"stream": stream}, headers=SITE)
    assert answer.ok and allowed(answer) and "x-spendai-call-id" in exposed(answer)
    if not stream:
        assert {"x-request-id", "x-ratelimit-limit-requests", "retry-after"} <= exposed(answer)
    assert "origin" not in [name.lower() for name, _ in fake.requests[-1].headers]


def test_a_page_may_read_refusals(stack: Stack, fake: FakeUpstream) -> None:
    fake.queue("/v1/chat/completions", reply_json(error("slow down"), 429))
    limited = stack.post(json=CHAT, headers=SITE)
    unknown = requests.post(f"{stack.proxy}/responses", headers=SITE | {"Authorization": "Bearer x"}, timeout=10)
    large = stack.post(data=b"{" * 2_000_000, headers=SITE | {"Content-Type": "application/json"})
    lost = requests.post(f"{stack.url}/v1/responses", headers=SITE, timeout=10)
    assert [answer.status_code for answer in (limited, unknown, large, lost)] == [429, 401, 413, 404]
    assert allowed(limited) and "x-spendai-call-id" in exposed(limited)
    for answer in (unknown, large, lost):
        assert allowed(answer) and "x-request-id" in exposed(answer)


def test_pages_and_the_api_of_spendai_are_not_opened_to_other_sites(stack: Stack) -> None:
    for path in ("/login", "/api/v1/me", "/healthz"):
        for answer in (requests.get(stack.url + path, headers=SITE, timeout=10),
                       requests.options(stack.url + path, headers=ASKS, timeout=10)):  # fmt: skip
            assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def test_who_is_no_browser_gets_the_headers_of_the_upstream(stack: Stack, fake: FakeUpstream) -> None:
    fake.queue("/v1/chat/completions", reply_json(chat(CHAT), 200, [("access-control-expose-headers", "X-Request-ID")]))
    answer = stack.post(json=CHAT)
    assert answer.headers["access-control-expose-headers"] == "X-Request-ID" and not allowed(answer)


def test_the_setting_forbids_it_whatever_the_upstream_says(fake: FakeUpstream) -> None:
    gateway = Gateway(lambda *_: [], load({"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": fake.url, "CORS": "0"}))
    gateway.ledger, seen = ListLedger(), []

    def start(status: str, headers: list[tuple[str, str]]) -> None:
        seen.append((status[:3], [name for name, _ in headers if name.lower().startswith("access-control-")]))

    asked = environ(b"", "", "/chat/completions") | {"HTTP_ORIGIN": SITE["Origin"]}
    preflight = {"REQUEST_METHOD": "OPTIONS", "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "POST", "HTTP_AUTHORIZATION": ""}
    list(gateway(asked | preflight, start))
    fake.queue("/v1/chat/completions", reply_json(chat(CHAT), 200, [("access-control-allow-origin", "*")]))
    list(gateway(asked, start))
    assert seen == [("401", []), ("200", [])]


@pytest.mark.parametrize(("origin", "status"), [
    (None, "401"), ("http://gateway:8000", "401"), ("https://spend.example", "401"), ("https://app.example", "403"),
    ("null", "403"), ("https://spend.example.evil.test", "403"), ("file://gateway:8000", "403"),
])  # fmt: skip
def test_where_cors_is_off_a_page_of_another_site_opens_no_websocket_either(origin: str | None, status: str) -> None:
    """Browsers keep no answer of a WebSocket from a page. 401: let through to the check of the key, which is none."""
    config, told = load({"CORS": "0", "PUBLIC_URL": "https://spend.example", "SECRET_KEY": "x" * 32}), []
    asked = environ(b"", "", "/responses") | {
        "REQUEST_METHOD": "GET", "HTTP_AUTHORIZATION": "", "HTTP_HOST": "gateway:8000",
        "HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": "Upgrade",
        "HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZQ==", "HTTP_SEC_WEBSOCKET_VERSION": "13",
    } | ({"HTTP_ORIGIN": origin} if origin else {})  # fmt: skip
    list(Door(Gateway(None, config))(asked, lambda line, headers: told.append(line[:3])))
    assert told == [status]
