"""Calls from pages of other sites, as OpenAI's API allows them: CORS of what the gateway answers to a browser.

A browser names the site of its page in the header Origin. Any site may call, since a call needs a key that the page
must have; no cookie is involved. The setting CORS=0 forbids it: then a browser keeps the answers from the page. It
would not keep a WebSocket from it: such upgrades are refused here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from webapp.config import Config
from webapp.errors import ApiError

Start = Callable[..., Any]
PREFIX = "access-control-"
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
KEPT_SECONDS = "7200"  # how long a browser may go by the answer to a preflight; Chromium takes no more
HEADER_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{0,4096}")


def is_preflight(environ: Mapping[str, str]) -> bool:
    """Whether a browser asks if a page may send a call; it does not send the key with this question."""
    return environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ


def answer_preflight(environ: Mapping[str, str], start_response: Start) -> Iterator[bytes]:
    """Yes: with every method, and with the headers that the browser asks for."""
    names = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
    headers = [("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Methods", METHODS)]
    if names and HEADER_NAMES.fullmatch(names):
        headers.append(("Access-Control-Allow-Headers", names))
    start_response("204 No Content", [*headers, ("Access-Control-Max-Age", KEPT_SECONDS)])
    return iter(())


def for_browser(start_response: Start, *, allowed: bool) -> Start:
    """A start_response whose answers a page of another site may read, with all of their headers, or may not.

    What the upstream says of this is dropped: it was not asked by the page.
    """

    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        kept = [(name, value) for name, value in headers if not name.lower().startswith(PREFIX)]
        if allowed:
            names = ", ".join(dict.fromkeys(name.lower() for name, _ in kept))
            kept += [("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", names)]
        return start_response(status, kept, *rest)

    return start


def refuse_foreign_page(environ: Mapping[str, str], config: Config) -> None:
    """Raise ApiError (403) where CORS=0 forbids the upgrade to a WebSocket that a page of another site asks for."""
    origin = environ.get("HTTP_ORIGIN")
    if config.cors or origin is None:
        return
    scheme, _, host = origin.partition("://")
    ours = (environ.get("HTTP_HOST", ""), urlsplit(config.public_url).netloc)
    if scheme not in ("http", "https") or host not in ours:
        message = "Pages of other sites may not open a WebSocket here: the operator has set CORS=0"
        raise ApiError(403, "origin_not_allowed", message)
