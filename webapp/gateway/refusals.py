"""Errors that the proxy answers itself, in OpenAI's shape so that its SDKs understand them."""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import Callable, Iterator
from http import HTTPStatus
from secrets import token_hex
from typing import Any

import gevent

from webapp.errors import ApiError
from webapp.metering.references import Objection
from webapp.pause import NAP_SECONDS

log = logging.getLogger("spendai.gateway")
HUNG_UP = 499  # status of a call whose client left before its request, or its answer, was whole
LINGER_SECONDS, LINGER_BYTES = 5.0, 1 << 30  # how long and how far a body is read on after its call was refused
STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
# Outcomes of app.open_calls that refuse a call → status, code and message for the client.
REFUSED = {
    "invalid_key": (401, "invalid_api_key", "This SpendAI key is not known"),
    "revoked_key": (401, "invalid_api_key", "This SpendAI key was revoked"),
    "expired_key": (401, "invalid_api_key", "This SpendAI key has expired"),
    "archived_project": (401, "invalid_api_key", "The project of this SpendAI key is archived"),
    "no_provider_key": (403, "no_provider_key", "The organization's OpenAI key was removed; an admin must store one"),
    "clock_skew": (503, "ledger_unavailable", "The clocks of gateway and database are more than 60 s apart"),
}
# Objections to calls whose OpenAI key several organizations share (see metering.references) → status, code and message.
SHARED = {
    "needs_own_openai_key": (403, "needs_own_openai_key", "This call makes or uses an object that OpenAI stores, and"
                             " its OpenAI key serves several organizations, which must not reach each other's objects"),
    "duplicate_keys": (400, "duplicate_keys", "An object in the request's JSON has the same key twice"),
    "unreadable_body": (400, "unreadable_body", "The OpenAI key of this call serves several organizations, so SpendAI"
                        " must read its body; this is no JSON object, and no form where one is expected"),
}  # fmt: skip
UNAVAILABLE = ApiError(503, "ledger_unavailable", "The ledger cannot be written right now; nothing was sent to OpenAI")
BRING_A_KEY = "An admin can store the organization's own OpenAI key on the Settings page (PUT /api/v1/provider-key)"
# First segment of a path that is forwarded only with an OpenAI key of the organization's own → a further reason.
OWN_KEY = {
    "agents": "OpenAI reports the usage of agents as an estimate only; only the bill of its key says what they cost"
}
UNKNOWN = "it is no operation that SpendAI knows. Clients need a base URL that ends with /api/v1/proxy"
# First segment of a path that is never forwarded → why.
NEVER = {
    "organization": "it administers the OpenAI account itself",
    "projects": "it administers the OpenAI account itself",
    "vaults": "it administers the OpenAI account itself",
    "webhook_endpoints": "it administers the OpenAI account itself",
    "webhook_event_types": "it administers the OpenAI account itself",
    "safety": "it administers the OpenAI account itself",
    "live": "a Live session that is begun over HTTP goes around SpendAI; connect to /live/sessions by WebSocket",
    "realtime": "it hands out sessions that go around SpendAI, which would never know what they cost",
}


class CallFailed(Exception):
    """A call that ends without an answer of OpenAI's: what its row says of it, and the error that its client gets.

    ``outcome``: ``error`` when OpenAI cannot bill it, so that it costs 0; ``no_usage`` when OpenAI may. ``status``: of
    the row; the error's own unless given.
    """

    def __init__(self, outcome: str, error: ApiError, *, status: int | None = None) -> None:
        super().__init__(error.code)
        self.outcome, self.error, self.status = outcome, error, status or error.status


def refused(outcome: str, objection: Objection | None) -> ApiError:
    """The error for an outcome of app.open_calls other than ``opened``."""
    if outcome in REFUSED:
        return ApiError(*REFUSED[outcome])
    hint = BRING_A_KEY if outcome == "needs_own_openai_key" else None
    status, code, message = SHARED[outcome]
    param, why = (objection.param, objection.why) if objection else (None, None)
    message += (f". Refused for {param}" if param else "") + (f". {why}" if why else "")  # SDKs print only the message
    return ApiError(status, code, message, param=param, hint=hint)


def not_forwarded(method: str, path: str) -> ApiError:
    """403 for a path that is not forwarded, and why."""
    why = NEVER.get(path.split("/")[1] if "/" in path else "", UNKNOWN)
    return ApiError(403, "endpoint_not_allowed", f"SpendAI does not forward {method} to this path: {why}")


def refuse(error: ApiError, start_response: Callable[..., Any], call_id: object = None) -> Iterator[bytes]:
    """Answer with an error of the proxy's own; with the call's id when it has a row.

    x-request-id is the call's id too, else an id of this refusal. The log has a line with either.
    """
    request_id = str(call_id or f"req_{token_hex(16)}")
    if not call_id:
        log.info("request=%s refused status=%s %s", request_id, error.status, error.code)
    body = json.dumps(error.body()).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    headers.append(("x-request-id", request_id))
    if error.status == 401:
        headers.append(("WWW-Authenticate", "Bearer"))
    if error.status == 503:
        headers.append(("Retry-After", "1"))
    if error.status == 426:
        headers.append(("Upgrade", "websocket"))
    if call_id:
        headers.append(("x-spendai-call-id", str(call_id)))
    start_response(status_line(error.status), headers)
    return iter([body])


def refuse_early(error: ApiError, start_response: Callable[..., Any], environ: dict[str, Any]) -> Iterator[bytes]:
    """Answer with an error before the request's body was read; then drop the body as it comes, for a while.

    A connection that closes while its client still sends loses the answer: the client's system drops it.
    """
    yield from refuse(error, start_response)
    with gevent.Timeout(LINGER_SECONDS, False):
        left = LINGER_BYTES
        while left > 0:
            try:
                piece = environ["wsgi.input"].read(65536)
            except Exception:  # the server's own exceptions for a connection that broke
                break
            if not piece:
                return
            left -= len(piece)
            gevent.sleep(NAP_SECONDS)
    raise ConnectionResetError(errno.ECONNRESET, "the client goes on sending a body that was refused")


def status_line(status: int, reason: str = "") -> str:
    """The status line, with the upstream's reason phrase where it is printable ASCII."""
    if reason and reason.isascii() and reason.isprintable():
        return f"{status} {reason}"
    return STATUS_LINES.get(status, f"{status} Unknown")
