"""Which of OpenAI's paths the proxy forwards. Unknown ones are refused: the ledger must know what it lets through."""

from __future__ import annotations

import re

POSTS = frozenset((
    "/chat/completions", "/completions", "/responses", "/responses/compact", "/responses/input_tokens", "/embeddings",
    "/moderations", "/images/generations", "/images/edits", "/images/variations", "/audio/transcriptions",
    "/audio/translations", "/audio/speech",
))  # fmt: skip
# One path segment, compared as it stands on the wire: no encoded slash, no dot segment gets through.
MODEL = re.compile(r"/models/(?!\.{1,2}$)(?:[A-Za-z0-9._:@~-]|%3[Aa])+")


def endpoint_of(method: str, path: str) -> str | None:
    """OpenAI's path (``/v1/…``) for a raw path below the proxy's own, or None when it is not forwarded.

    The bare proxy path takes a chat completion. Every model's page counts as one endpoint, ``/v1/models/{model}``.
    """
    if path in ("", "/"):
        path = "/chat/completions"
    if method == "POST" and path in POSTS:
        return f"/v1{path}"
    if method == "GET" and path == "/models":
        return "/v1/models"
    if method == "GET" and MODEL.fullmatch(path):
        return "/v1/models/{model}"
    return None
