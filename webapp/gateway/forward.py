"""Sends an opened call upstream: to OpenAI with the organization's OpenAI key, or to the sandbox."""

from __future__ import annotations

import logging
from typing import Any

from webapp.config import Config
from webapp.errors import ApiError
from webapp.gateway.call import Call
from webapp.gateway.headers import request_headers
from webapp.gateway.loops import via
from webapp.gateway.refusals import CallFailed
from webapp.gateway.region import region_of
from webapp.sandbox import simulator as sandbox
from webapp.secrets.vault import VaultError, unseal
from webapp.upstream.client import Answer, Client, Request, UpstreamError

log = logging.getLogger("spendai.gateway")
KEY_UNREADABLE = ApiError(
    503, "provider_key_unreadable", "The stored OpenAI key cannot be read; an admin must store it again"
)


def forward(
    client: Client, config: Config, call: Call, environ: dict[str, Any], target: str
) -> Answer | sandbox.SandboxAnswer:
    """Send the call and keep in it what the head of the answer tells; returns once the head is there.

    Raises CallFailed.
    """
    opened, body = call.opened, call.body
    shared_by = opened["org_id"] if opened["shared"] else None
    headers = request_headers(environ, identity=body.facts().injected, shared_by=shared_by)
    if opened["upstream"] == "sandbox":
        answer = sandbox.answer(call.method, f"/v1{target}", headers, body.whole())
    else:
        headers.append(("Authorization", f"Bearer {openai_key(config, opened)}"))
        base_url = opened["base_url"] or config.openai_base_url
        headers += via(environ, config.secret_key, base_url)
        request = Request(call.method, target, headers, body.outgoing(shared=opened["shared"]), body.length)
        call.region = region_of(base_url)
        try:
            answer = client.send(base_url, request)
        except UpstreamError as error:
            if not error.sent:
                call.region = None
            outcome = "no_usage" if error.sent else "error"
            raise CallFailed(outcome, ApiError(error.status, error.code, error.message)) from None
    call.keep_head(answer.header)
    return answer


def openai_key(config: Config, opened: dict[str, Any]) -> str:
    """The provider key for a call that app.open_calls opened. Raises CallFailed where it cannot be decrypted."""
    sealed = opened["provider_key"]
    if sealed is None:
        return config.openai_api_key
    try:
        return unseal(config.key_ring, sealed, opened["org_id"], opened["provider_project_id"])
    except VaultError as error:
        log.error("%s", error)
        raise CallFailed("error", KEY_UNREADABLE) from None
