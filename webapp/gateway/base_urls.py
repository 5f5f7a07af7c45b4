"""Where the proxy is: what follows its path, and the answer to calls whose client has a wrong base URL."""

from __future__ import annotations

import re
from collections.abc import Mapping

from webapp.errors import ApiError
from webapp.gateway.routes import ROUTES

PREFIX = "/api/v1/proxy"
_DOUBLED = re.compile("/+".join(["", *PREFIX.split("/")[1:]]) + "(?=/|$)")
# First segments of OpenAI's paths. Those of its administration are left out: SpendAI has /projects too.
_FAMILIES = {route.path.split("/")[1] for route in ROUTES if route.forwarded != "never"}
# Paths of OpenAI's without an id; none of SpendAI's own API ends with one of them.
_ENDS = tuple(route.path for route in ROUTES if route.forwarded != "never" and "{" not in route.path)
_API, _OWN_API = "/api/", "/api/v1/"
_JSON = "application/json"
_NO_CALLS = ("/static/", "/healthz", "/readyz", "/metrics")


def below_proxy(path: str) -> str | None:
    """What follows /api/v1/proxy, whose slashes may be doubled, in a raw path; None for every other path."""
    if path.startswith(PREFIX + "/") or path == PREFIX:
        return path[len(PREFIX) :]
    found = _DOUBLED.match(path) if "//" in path else None
    return path[found.end() :] if found else None


def wrong_base_url(public_url: str) -> ApiError:
    """The answer to a call that came to a wrong address."""
    message = f"OpenAI's API is not at this address. The base URL of this SpendAI is {public_url}{PREFIX}"
    return ApiError(404, "wrong_base_url", message)


def is_lost_call(environ: Mapping[str, str], path: str) -> bool:
    """Whether a request for a raw path that is not below the proxy's is meant as a call to OpenAI's API.

    Not so are requests of browsers for pages, and those to SpendAI's own API.
    """
    below = path.removeprefix(_OWN_API) if path.startswith(_OWN_API) else path
    first, _, _ = below.lstrip("/").partition("/")
    if first in _FAMILIES or (below is path and first in ("v1", "openai")):
        return True
    if path.startswith(_API):
        return path.rstrip("/").endswith(_ENDS)
    if path.startswith(_NO_CALLS):
        return False
    return _JSON in (environ.get("CONTENT_TYPE", "")[: len(_JSON)], environ.get("HTTP_ACCEPT", "")[: len(_JSON)])
