"""Sends an opened call upstream: to OpenAI with the organization's OpenAI key, or to the sandbox."""

from __future__ import annotations

import logging
import time
from typing import Any

from webapp.config import Config
from webapp.errors import ApiError
from webapp.gateway.call import Call
from webapp.gateway.headers import request_headers
from webapp.gateway.loops import via
from webapp.gateway.refusals import CallFailed
from webapp.gateway.refusers import Refusers, refuses_usage
from webapp.gateway.region import region_of
from webapp.sandbox import simulator as sandbox
from webapp.secrets.vault import VaultError, unseal
from webapp.upstream.client import Answer, Client, Request, UpstreamError
from webapp.upstream.exchange import Headers

log = logging.getLogger("spendai.gateway")
KEY_UNREADABLE = ApiError(
    503, "provider_key_unreadable", "The stored OpenAI key cannot be read; an admin must store it again"
)


class Forwarder:
    """Sends calls upstream, and remembers which upstreams refuse to be asked for usage."""

    def __init__(self, client: Client, config: Config) -> None:
        self._client, self._config, self._refusers = client, config, Refusers()

    def forward(self, call: Call, environ: dict[str, Any], target: str) -> Answer | sandbox.SandboxAnswer:
        """Send the call and keep in it what the head of the answer tells; returns once the head is there.

        Raises CallFailed.
        """
        if call.opened["upstream"] == "sandbox":
            answer = sandbox.answer(call.method, f"/v1{target}", _headers(call, environ), call.body.whole())
        else:
            answer = self._ask(call, environ, target)
        call.keep_head(answer.header)
        return answer

    def _ask(self, call: Call, environ: dict[str, Any], target: str) -> Answer:
        """Send to OpenAI; once more as the client wrote it, if only the edit that asks for usage was refused.

        An upstream is remembered as a refuser only if it takes the call without the edit. A refusal is not billed.
        """
        facts = call.body.facts()
        if not facts.injected:
            return self._send(call, environ, target)
        upstream = (call.opened["org_id"], self._base_url(call), facts.model)
        if upstream in self._refusers:
            call.body.withdraw_edit()
            return self._send(call, environ, target)
        answer = self._send(call, environ, target)
        if refuses_usage(answer):
            answer.close()
            call.body.withdraw_edit()
            answer = self._send(call, environ, target)
            if answer.status < 400:
                self._refusers.add(upstream)
        return answer

    def _send(self, call: Call, environ: dict[str, Any], target: str) -> Answer:
        base_url, config = self._base_url(call), self._config
        headers = [*_headers(call, environ), ("Authorization", f"Bearer {openai_key(config, call.opened)}")]
        headers += via(environ, config.secret_key, base_url)
        body = call.body.outgoing(shared=call.opened["shared"])
        request = Request(call.method, target, headers, body, call.body.length, call.clock + config.call_max_seconds)
        call.region = region_of(base_url)
        call.sent = call.sent or time.monotonic()
        try:
            answer = self._client.send(base_url, request)
        except UpstreamError as error:
            if not error.sent:
                call.region = None
            outcome = "no_usage" if error.sent else "error"
            raise CallFailed(outcome, ApiError(error.status, error.code, error.message)) from None
        call.heard = time.monotonic()
        return answer

    def _base_url(self, call: Call) -> str:
        return call.opened["base_url"] or self._config.openai_base_url


def _headers(call: Call, environ: dict[str, Any]) -> Headers:
    shared_by = call.opened["org_id"] if call.opened["shared"] else None
    return request_headers(environ, identity=call.body.facts().injected, shared_by=shared_by)


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
