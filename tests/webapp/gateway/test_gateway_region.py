"""What the settle message of a call says of where it was served: region, OpenAI project, request id.

The gateway runs alone in the test's process, where every host's address is that of the fake upstream.
"""

from __future__ import annotations

import socket
from typing import Any

import pytest
from alone import CHAT, ListLedger, only, post
from fake_openai import chat
from fake_upstream import FakeUpstream, reply_json

from webapp.config import load
from webapp.gateway.gateway import Gateway

USAGE = chat(CHAT)["usage"]
BACKGROUND = {"id": "resp_1", "object": "response", "status": "queued", "model": "gpt-5", "usage": None}


@pytest.fixture
def gateway(fake: FakeUpstream, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """A gateway whose OPENAI_BASE_URL is the usual host of OpenAI."""
    port = int(fake.url.split(":")[2].removesuffix("/v1"))
    found = socket.getaddrinfo("127.0.0.1", port, type=socket.SOCK_STREAM)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    made = Gateway(
        lambda *_: [], load({"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"http://api.openai.com:{port}/v1"})
    )
    made.ledger = ListLedger()
    return made


def regional(gateway: Gateway) -> str:
    return gateway.config.openai_base_url.replace("//", "//eu.")


def message(
    gateway: Gateway, fake: FakeUpstream, answer: Any = None, path: str = "/chat/completions"
) -> dict[str, Any]:
    fake.queue(f"/v1{path}", answer or reply_json(chat(CHAT)))
    post(gateway, path=path)
    return only(gateway)


def test_a_call_to_the_usual_host_has_no_region(gateway: Gateway, fake: FakeUpstream) -> None:
    settled = message(gateway, fake)
    assert (settled["region"], settled["usage"]) == (None, USAGE)


@pytest.mark.parametrize("whose", ["the install's", "the organization's"])
def test_the_region_of_the_base_url_is_kept_and_stands_in_the_usage(
    gateway: Gateway, fake: FakeUpstream, whose: str
) -> None:
    if whose == "the install's":
        gateway.config.openai_base_url = regional(gateway)
    else:
        gateway.ledger.opened = {"base_url": regional(gateway)}
    settled = message(gateway, fake)
    assert (settled["region"], settled["usage"]) == ("eu", USAGE | {"region": "eu"})


def test_an_unfinished_object_keeps_the_region_and_an_error_has_it_without_usage(
    gateway: Gateway, fake: FakeUpstream
) -> None:
    gateway.config.openai_base_url = regional(gateway)
    settled = message(gateway, fake, reply_json(BACKGROUND), "/responses")
    assert (settled["outcome"], settled["usage"]["region"]) == ("pending", "eu")
    gateway.ledger.settled.clear()
    settled = message(gateway, fake, reply_json({"error": {}}, 400))
    assert (settled["region"], settled["usage"]) == ("eu", None)


def test_a_call_that_was_never_sent_has_no_region(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway.config.openai_base_url = regional(gateway)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    post(gateway)
    assert (only(gateway)["status_code"], only(gateway)["region"]) == (403, None)


@pytest.mark.parametrize("status", [200, 429])
def test_the_openai_project_of_every_answer_is_kept(gateway: Gateway, fake: FakeUpstream, status: int) -> None:
    answer = reply_json(chat(CHAT), status, [("openai-project", "proj_" + "x" * 300)])
    assert message(gateway, fake, answer)["openai_project"] == ("proj_" + "x" * 300)[:200]


@pytest.mark.parametrize(("account", "kept"), [("install", None), ("organization", "proj_1")])
def test_the_operators_openai_project_is_not_told_to_organizations_that_share_the_installs_key(
    gateway: Gateway, fake: FakeUpstream, account: str, kept: str | None
) -> None:
    gateway.ledger.opened = {"shared": True, "account": account}
    assert message(gateway, fake, reply_json(chat(CHAT), 200, [("openai-project", "proj_1")]))["openai_project"] == kept
