"""Which headers are passed on, both ways: all but the names in the sets below, and x-forwarded-* and x-spendai-*.

Dropped are hop-by-hop headers, cookies, the client's key and OpenAI organization, what describes this hop (Host,
Server, Date, …), and what binds a client to OpenAI's host name (Strict-Transport-Security, Alt-Svc).
loops.py adds the header x-spendai-via to calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from webapp.upstream.exchange import Headers

HOP_BY_HOP = frozenset((
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
))  # fmt: skip
REQUEST_DROPPED = HOP_BY_HOP | frozenset((
    "host", "authorization", "cookie", "forwarded", "expect", "content-length", "openai-organization", "openai-project",
))  # fmt: skip
REQUEST_DROPPED_PREFIXES = ("x-forwarded-", "x-spendai-")
ANSWER_DROPPED = HOP_BY_HOP | frozenset(("set-cookie", "strict-transport-security", "alt-svc", "server", "date"))
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
ENCODINGS = ("gzip", "deflate", "identity")


@lru_cache(maxsize=1024)
def _named_in_connection(value: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in value.split(","))


@lru_cache(maxsize=4096)  # clients send the same few
def _sent_as(key: str) -> str:
    """The name under which a header goes upstream, by its key in WSGI's environ; "" for one that is never passed on."""
    if not key.startswith("HTTP_"):
        return "Content-Type" if key == "CONTENT_TYPE" else ""
    name = key[5:].replace("_", "-").lower()
    return "" if name in REQUEST_DROPPED or name.startswith(REQUEST_DROPPED_PREFIXES) else name.title()


def request_headers(environ: Mapping[str, str], *, identity: bool) -> Headers:
    """The client's headers that go upstream; ``identity`` asks for an answer that is not compressed."""
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
    return kept


@lru_cache(maxsize=1024)
def accept_encoding(value: str) -> str:
    """The client's Accept-Encoding, reduced to the encodings that metering can read."""
    wanted = [part.strip() for part in value.split(",")]
    return ", ".join(part for part in wanted if part.partition(";")[0].strip().lower() in ENCODINGS) or "identity"


def answer_headers(headers: Iterable[tuple[str, str]], *, resized: bool) -> Headers:
    """The upstream's headers that go to the client; ``resized``: without Content-Length, which is no longer true."""
    lowered = [(name.lower(), name, value) for name, value in headers]
    named = _named_in_connection(",".join([value for lower, _, value in lowered if lower == "connection"]))
    if resized:
        named = named | {"content-length"}
    kept = [(name, value) for lower, name, value in lowered if lower not in ANSWER_DROPPED and lower not in named]
    # The server answers 500 to a control character: such headers are dropped. They are rare, so one search covers all.
    if CONTROL.search("".join([value for _, value in kept])):
        kept = [(name, value) for name, value in kept if not CONTROL.search(value)]
    return kept
