"""Whatever base URL a client is set up with, its calls reach the operation, or an answer that names the right one."""

from __future__ import annotations

import json
from collections.abc import Iterator

import openai
import pytest
import requests
from conftest import Site
from fake_upstream import FakeUpstream, reply_json
from hypothesis import given
from hypothesis import strategies as st
from stack import Stack

from webapp.errors import ApiError
from webapp.gateway.base_urls import below_proxy, is_lost_call
from webapp.gateway.routes import Target, find, openai_path, target_of

HELLO = [{"role": "user", "content": "Hello"}]
CHAT = {"model": "gpt-4o-mini", "messages": HELLO}
SAME = [
    "/chat/completions", "/v1/chat/completions", "//chat/completions", "/v1//chat/completions", "//v1/chat/completions",
    "/chat/completions/", "/v1/chat/completions//", "/openai/v1/chat/completions", "/openai/chat/completions",
    "/openai/deployments/gpt-4o-mini/chat/completions", "//openai//deployments//gpt-4o-mini//chat/completions/",
    "/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21", "/v1", "/v1/", "", "/",
]  # fmt: skip


@pytest.mark.parametrize("path", SAME)
def test_all_forms_of_an_address_are_one_operation(stack: Stack, fake: FakeUpstream, path: str) -> None:
    answer = stack.post(path, json=CHAT)
    assert answer.ok and stack.row(answer)["endpoint"] == "/v1/chat/completions"
    assert fake.requests[-1].target == "/v1/chat/completions"


@pytest.mark.parametrize("start", ["//api/v1/proxy", "/api//v1/proxy", "/api/v1//proxy/v1"])
def test_slashes_may_be_doubled_in_the_base_url_too(stack: Stack, start: str) -> None:
    headers = {"Authorization": f"Bearer {stack.key()}"}
    assert requests.post(f"{stack.url}{start}/chat/completions", json=CHAT, headers=headers, timeout=10).ok


def target(path: str, query: str = "", method: str = "GET") -> Target:
    return target_of({"REQUEST_METHOD": method}, path, query)


@pytest.mark.parametrize(("query", "sent"), [
    ("?api-version=2024-10-21", ""), ("?limit=2&api-version=1", "?limit=2"), ("?api-version=1&limit=2", "?limit=2"),
    ("?a=1&api-version=x&b=2", "?a=1&b=2"), ("?limit=2&after=", "?limit=2&after="),
    ("?my-api-version=1", "?my-api-version=1"),
])  # fmt: skip
def test_the_version_of_azures_api_is_not_sent_on(query: str, sent: str) -> None:
    assert target("/models", query).raw == "/models" + sent


@pytest.mark.parametrize(("method", "path"), [
    ("POST", "/threads//runs"), ("GET", "/files//content"), ("DELETE", "/files/"), ("GET", "/v1beta/models"),
    ("GET", "/v1models"), ("POST", "/v1/v1x/responses"), ("POST", "/openai/deployments/x"),
    ("GET", "/v1/organization/costs"), ("POST", "/openai/deployments/"),
])  # fmt: skip
def test_no_id_is_lost_and_no_operation_becomes_another(method: str, path: str) -> None:
    with pytest.raises(ApiError):
        target(path, "", method)


@given(st.text(alphabet="/v1.%2eEfFopenaidploymts-x", max_size=40))
def test_what_is_taken_off_leaves_a_path_that_is_checked_as_before(rest: str) -> None:
    path, model = openai_path("/" + rest)
    assert ("/" + rest).rstrip("/").endswith(path.rstrip("/"))
    assert model is None or ("/" not in model and model not in (".", ".."))
    if route := find("GET", path):
        assert not {"", ".", ".."} & set(path.split("/")[1:]) or route.path == "/chat/completions"


def azure(stack: Stack, **options: str) -> openai.AzureOpenAI:
    return openai.AzureOpenAI(
        azure_endpoint=stack.proxy, api_key=stack.key(), api_version="2024-10-21", max_retries=0, **options
    )


@pytest.fixture(params=[{}, {"azure_deployment": "gpt-4o-mini"}], ids=["by model", "by deployment"])
def client(stack: Stack, request: pytest.FixtureRequest) -> Iterator[openai.AzureOpenAI]:
    with azure(stack, **request.param) as made:
        yield made


def test_azures_client_works_unmodified(stack: Stack, fake: FakeUpstream, client: openai.AzureOpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=HELLO)
    assert raw.parse().choices[0].message.content
    row = stack.row(raw.headers["x-spendai-call-id"])
    assert (row["endpoint"], row["model_requested"]) == ("/v1/chat/completions", "gpt-4o-mini")
    assert row["cost_status"] == "priced"
    sent = fake.requests[-1]
    assert sent.target == "/v1/chat/completions" and sent.header("authorization") == "Bearer sk-upstream"
    assert not sent.header("api-key") and stack.key() not in str(sent.headers)


def test_azures_client_streams_lists_and_uploads(stack: Stack, fake: FakeUpstream, client: openai.AzureOpenAI) -> None:
    chunks = list(client.chat.completions.create(model="gpt-4o-mini", messages=HELLO, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices).startswith("Hello!")
    assert client.responses.create(model="gpt-4o-mini", input="Hello").output_text
    assert fake.requests[-1].target == "/v1/responses"
    fake.queue("/v1/models", reply_json({"object": "list", "data": []}))
    client.models.list()
    assert fake.requests[-1].target == "/v1/models"
    fake.queue("/v1/audio/transcriptions", reply_json({"text": "hi"}))
    client.audio.transcriptions.create(model="whisper-1", file=("a.mp3", b"ID3"))
    assert fake.requests[-1].target == "/v1/audio/transcriptions"


@pytest.mark.parametrize(("body", "sent"), [
    ({"messages": HELLO}, {"model": "my gpt", "messages": HELLO}), ({}, {"model": "my gpt"}),
    (CHAT, CHAT), ({"messages": HELLO, "stream": True}, None),
    ({"messages": [{"role": "user", "content": "x" * 100_000}]}, None),
    ({"model": None, "messages": HELLO}, {"model": "my gpt", "messages": HELLO}),
    ({"model": None}, {"model": "my gpt"}),
    ({"model": None, "messages": HELLO, "stream": True}, None),
    ({"model": None, "messages": [{"role": "user", "content": "x" * 100_000}]}, None),
], ids=["none", "empty", "one", "streamed", "large", "null", "only null", "null, streamed", "null, large"])  # fmt: skip
def test_a_deployment_is_the_model_of_a_body_that_names_none(
    stack: Stack, fake: FakeUpstream, body: dict[str, object], sent: dict[str, object] | None
) -> None:
    headers = {"Authorization": "", "api-key": stack.key()}
    answer = stack.post("/openai/deployments/my%20gpt/chat/completions?api-version=1", json=body, headers=headers)
    assert answer.ok, answer.text
    assert fake.requests[-1].body.count(b'"model"') == 1
    arrived = json.loads(fake.requests[-1].body)
    assert arrived["model"] == (body.get("model") or "my gpt") and (sent is None or arrived == sent)
    assert {name: arrived[name] for name in body if name != "model"} == {k: v for k, v in body.items() if k != "model"}
    assert stack.row(answer)["model_requested"] == arrived["model"]


JSON = {"Content-Type": "application/json"}
LOST = [
    ("POST", "/v1/chat/completions", {}), ("POST", "/chat/completions", {}), ("GET", "/v1/models", {}),
    ("POST", "/", JSON), ("GET", "/", {"Accept": "application/json"}), ("POST", "/proxy/chat/completions", JSON),
    ("POST", "/openai/deployments/x/embeddings?api-version=1", {}), ("POST", "//v1/responses", {}),
    ("POST", "/api/v1/responses", {}), ("GET", "/api/v1/models", {}), ("POST", "/audio/speech", {}),
    ("POST", "/api/chat/completions", {}), ("POST", "/api/proxy/v1/embeddings?x=1", JSON),
    ("GET", "/api/v2/models/", {}), ("POST", "/api/v1/Proxy/responses", JSON), ("POST", "/api/openai/audio/speech", {}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "headers"), LOST)
def test_a_call_to_a_wrong_address_is_told_the_right_one(
    stack: Stack, fake: FakeUpstream, method: str, path: str, headers: dict[str, str]
) -> None:
    before = len(fake.requests), stack.count()
    answer = requests.request(method, stack.url + path, headers=headers, data=b"{}", timeout=10, allow_redirects=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "wrong_base_url")
    assert f"{stack.url}/api/v1/proxy" in answer.json()["error"]["message"]
    assert (len(fake.requests), stack.count()) == before


def test_openais_client_prints_the_right_base_url(stack: Stack) -> None:
    with pytest.raises(openai.NotFoundError, match=f"{stack.url}/api/v1/proxy"):
        openai.OpenAI(base_url=f"{stack.url}/v1", api_key=stack.key(), max_retries=0).models.list()


@pytest.mark.parametrize("end", ["/chat/completions", "/v1/v1", "/api/v1/proxy"])
def test_a_base_url_that_goes_on_after_the_proxys_path_is_told_where_it_ends(stack: Stack, end: str) -> None:
    client = openai.OpenAI(base_url=stack.proxy + end, api_key=stack.key(), max_retries=0)
    with pytest.raises(openai.PermissionDeniedError, match="base URL that ends with /api/v1/proxy"):
        client.chat.completions.create(model="gpt-4o-mini", messages=HELLO)


def test_browsers_still_get_the_pages(stack: Stack) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    page = requests.get(stack.url, headers=browser, timeout=10)
    assert page.ok and "text/html" in page.headers["Content-Type"] and "<form" in page.text
    nowhere = requests.get(f"{stack.url}/nowhere", headers=browser, timeout=10)
    assert nowhere.status_code == 404 and "text/html" in nowhere.headers["Content-Type"]


def test_no_page_and_no_operation_of_our_own_is_taken_for_a_lost_call(site: Site) -> None:
    paths = [rule.rule.replace("<", "").replace(">", "") for rule in site.app.url_map.iter_rules()]
    assert len(paths) > 40
    for path in paths:
        assert not is_lost_call({"HTTP_ACCEPT": "text/html"}, path), path
        if path.startswith(("/api/", "/healthz", "/readyz", "/metrics")):
            assert not is_lost_call({"CONTENT_TYPE": "application/json", "HTTP_ACCEPT": "application/json"}, path)


@pytest.mark.parametrize(
    "path", ["/api/v1/proxyx", "/api/v1/proxy@x", "/api/v1", "//evil.test/api/v1/proxy", "/x//api/v1/proxy"]
)
def test_other_paths_are_not_the_proxys(path: str) -> None:
    assert below_proxy(path) is None
