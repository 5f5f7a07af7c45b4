"""Which headers pass, both ways: all but those of the hop, of cookies, of the client's own key, and of our name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

HOP_BY_HOP = frozenset((
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade",
))  # fmt: skip
REQUEST_DROPPED = HOP_BY_HOP | frozenset((
    "host", "authorization", "cookie", "forwarded", "expect", "content-length", "openai-organization", "openai-project",
))  # fmt: skip
REQUEST_DROPPED_PREFIXES = ("x-forwarded-", "x-spendai-")
ANSWER_DROPPED = HOP_BY_HOP | frozenset(("set-cookie", "strict-transport-security", "alt-svc", "server", "date"))
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
ENCODINGS = ("gzip", "deflate", "identity")

Headers = list[tuple[str, str]]


def _named_in_connection(value: str) -> set[str]:
    return {name.strip().lower() for name in value.split(",")}


def request_headers(environ: Mapping[str, str], *, identity: bool) -> Headers:
    """The client's headers that go upstream; ``identity`` asks for an answer that is not compressed."""
    dropped = REQUEST_DROPPED | _named_in_connection(environ.get("HTTP_CONNECTION", ""))
    kept = []
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            name = key[5:].replace("_", "-").lower()
        elif key == "CONTENT_TYPE" and value:
            name = "content-type"
        else:
            continue
        if name in dropped or name.startswith(REQUEST_DROPPED_PREFIXES):
            continue
        if name == "accept-encoding":
            value = "identity" if identity else accept_encoding(value)  # noqa: PLW2901
        kept.append((name.title(), value))
    if identity and "HTTP_ACCEPT_ENCODING" not in environ:
        kept.append(("Accept-Encoding", "identity"))
    return kept


def accept_encoding(value: str) -> str:
    """The encodings of the client that metering can read."""
    wanted = [part.strip() for part in value.split(",")]
    return ", ".join(part for part in wanted if part.partition(";")[0].strip().lower() in ENCODINGS) or "identity"


def answer_headers(headers: Iterable[tuple[str, str]], *, resized: bool) -> Headers:
    """The upstream's headers that go to the client; ``resized`` drops a length that is no longer true."""
    headers = list(headers)
    named = (_named_in_connection(value) for name, value in headers if name.lower() == "connection")
    dropped = ANSWER_DROPPED.union(*named) | ({"content-length"} if resized else set())
    return [(name, value) for name, value in headers if name.lower() not in dropped and _sendable(name, value)]


def _sendable(name: str, value: str) -> bool:
    """Whether a header can go on; one with control characters would be an error of ours towards the client."""
    return TOKEN.fullmatch(name) is not None and CONTROL.search(value) is None
