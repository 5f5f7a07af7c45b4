"""Which headers are passed on, both ways: all but the names in the sets below, and those with one of the prefixes.

Dropped are hop-by-hop headers, cookies, the client's key and OpenAI organization, what describes this hop (Host,
Server, Date, …), what tells where the client is (its IP address, the page it is on), and what binds a client to
OpenAI's host name (Strict-Transport-Security, Alt-Svc).

With an OpenAI key that several organizations share, only the request headers of SHARED_KEPT are passed on, and an
answer loses what it says of the account: its rate limits, and the names of its OpenAI organization and project.

loops.py adds the header x-spendai-via to calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256

from webapp.upstream.exchange import Headers

HOP_BY_HOP = frozenset((
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
))  # fmt: skip
REQUEST_DROPPED = HOP_BY_HOP | frozenset((
    "host", "authorization", "cookie", "forwarded", "expect", "content-length", "openai-organization", "openai-project",
    "origin", "referer", "via", "client-ip", "true-client-ip", "fastly-client-ip", "fly-client-ip", "x-real-ip",
    "x-client-ip", "x-cluster-client-ip", "x-original-forwarded-for", "x-envoy-external-address", "x-appengine-user-ip",
    "x-azure-clientip", "x-azure-socketip", "api-key",
))  # fmt: skip
REQUEST_DROPPED_PREFIXES = ("x-forwarded-", "x-spendai-", "cf-")
# What OpenAI's SDKs send, and nothing else.
SHARED_KEPT = frozenset((
    "content-type", "accept", "accept-encoding", "accept-language", "user-agent", "openai-beta", "idempotency-key",
    "x-client-request-id",
))  # fmt: skip
SHARED_KEPT_PREFIX = "x-stainless-"
ANSWER_DROPPED = HOP_BY_HOP | frozenset(("set-cookie", "strict-transport-security", "alt-svc", "server", "date"))
OURS = "x-spendai-"  # an answer has these headers from this install only, not from another SpendAI behind it
SHARED_ANSWER_DROPPED = frozenset(("openai-organization", "openai-project"))
SHARED_ANSWER_DROPPED_PREFIX = "x-ratelimit-"
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
ENCODINGS = ("gzip", "deflate", "identity")


# So little is remembered that senders of long headers, each another one, cannot fill the memory of a worker.
@lru_cache(maxsize=16)  # a long header names 10,000 others
def _named_in_connection(value: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in value.split(","))


@lru_cache(maxsize=256)  # clients send the same few
def _sent_as(key: str) -> str:
    """The name under which a header goes upstream, by its key in WSGI's environ; "" for one that is never passed on."""
    if not key.startswith("HTTP_"):
        return "Content-Type" if key == "CONTENT_TYPE" else ""
    name = key[5:].replace("_", "-").lower()
    return "" if name in REQUEST_DROPPED or name.startswith(REQUEST_DROPPED_PREFIXES) else name.title()


def request_headers(environ: Mapping[str, str], *, identity: bool, shared_by: str | None = None) -> Headers:
    """The client's headers that go upstream.

    identity: ask for an answer that is not compressed. shared_by: the id of the client's organization, when its OpenAI
    key serves several; None for a key of its own.
    """
    named = _named_in_connection(environ.get("HTTP_CONNECTION", ""))
    kept = []
    for key, value in environ.items():
        name = _sent_as(key)
        if not name or name.lower() in named or (name == "Content-Type" and not value):
            continue
        if name == "Accept-Encoding":
            value = "identity" if identity else accept_encoding(value)  # noqa: PLW2901
        kept.append((name, value))
    if identity and "HTTP_ACCEPT_ENCODING" not in environ:
        kept.append(("Accept-Encoding", "identity"))
    return kept if shared_by is None else _on_shared_key(kept, shared_by)


def _on_shared_key(headers: Headers, org_id: str) -> Headers:
    """The headers that may go with a shared OpenAI key.

    Idempotency-Key becomes a hash of itself and the organization's id: otherwise an organization that sends the same
    value as another one could get the answer of the other one's call.
    """
    kept = []
    for name, value in headers:
        lower = name.lower()
        if lower == "idempotency-key":
            value = sha256(f"{org_id}:{value}".encode()).hexdigest()  # noqa: PLW2901
        if lower in SHARED_KEPT or lower.startswith(SHARED_KEPT_PREFIX):
            kept.append((name, value))
    return kept


@lru_cache(maxsize=64)
def accept_encoding(value: str) -> str:
    """The client's Accept-Encoding, reduced to the encodings that metering can read."""
    wanted = [part.strip() for part in value.split(",")]
    return ", ".join(part for part in wanted if part.partition(";")[0].strip().lower() in ENCODINGS) or "identity"


def answer_headers(headers: Iterable[tuple[str, str]], *, resized: bool, shared: bool = False) -> Headers:
    """The upstream's headers that go to the client.

    resized: without Content-Length, which is no longer true. shared: the OpenAI key serves several organizations.
    """
    lowered = [(name.lower(), name, value) for name, value in headers]
    named = _named_in_connection(",".join([value for lower, _, value in lowered if lower == "connection"]))
    if resized:
        named = named | {"content-length"}
    kept = [
        (name, value)
        for lower, name, value in lowered
        if not lower.startswith(OURS) and lower not in ANSWER_DROPPED and lower not in named
    ]
    if shared:
        kept = [(name, value) for name, value in kept if not _tells_of_account(name.lower())]
    # The server answers 500 to a control character: such headers are dropped. They are rare, so one search covers all.
    if CONTROL.search("".join([value for _, value in kept])):
        kept = [(name, value) for name, value in kept if not CONTROL.search(value)]
    return kept


def _tells_of_account(lower: str) -> bool:
    return lower in SHARED_ANSWER_DROPPED or lower.startswith(SHARED_ANSWER_DROPPED_PREFIX)
