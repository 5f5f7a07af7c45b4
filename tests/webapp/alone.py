"""The gateway alone in the test's process: its ledger is a list of settle messages."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import Any

from webapp.gateway.gateway import Gateway

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "secret-prompt"}]}


class ListLedger:
    """A ledger that lets every call pass and keeps its messages."""

    def __init__(self) -> None:
        self.settled: list[dict[str, Any]] = []
        self.opened: dict[str, Any] = {}  # what app.open_calls answers differently

    def open(self, message: dict[str, Any], stopped: Any) -> dict[str, Any]:
        names = ("org_id", "project_id", "api_key_id", "provider_key", "provider_project_id", "base_url", "account")
        names += ("provider_key_id", "metadata_tags")
        return dict.fromkeys(names) | {"outcome": "opened", "upstream": "openai", "shared": False} | self.opened

    def check(self, key_hash: bytes) -> str:
        return "valid"

    def settle(self, message: dict[str, Any]) -> str:
        self.settled.append(message)
        return "settled"


class Answered(SimpleNamespace):
    """What a client got: status, body, and whether the answer broke off."""


def environ(body: bytes, kind: str, path: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST", "RAW_URI": f"/api/v1/proxy{path}", "HTTP_AUTHORIZATION": "Bearer sk-spend-x",
        "CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body)), "HTTP_X_SPENDAI_TAGS": "team=search",
        "wsgi.input": io.BytesIO(body),
    }  # fmt: skip


def post(gateway: Gateway, body: dict[str, Any] | bytes = CHAT, path: str = "/chat/completions", **changes) -> Answered:
    """One call, as the server makes it."""
    kind = "multipart/form-data; boundary=b" if isinstance(body, bytes) else "application/json"
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    got = Answered(status="", body=b"", broken=False)

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        got.status = status

    try:
        for piece in gateway(environ(data, kind, path) | changes, start_response):
            got.body += piece
    except OSError:
        got.broken = True
    return got


def only(gateway: Gateway) -> dict[str, Any]:
    """The one message that settled the one call."""
    (message,) = gateway.ledger.settled
    return message
