"""Which of OpenAI's operations the proxy forwards, read from endpoints.tsv; unknown ones are refused.

Columns of the table:

- method and path; each ``{name}`` in a path stands for one segment
- forwarded: ``always``, ``own_key`` (only with an OpenAI key that no other organization uses) or ``never``
- metered: the cost status of a call that goes well
- makes: the kind of object that the answer's id names, if OpenAI stores it beyond the call
- request_types: content types of the request's body
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from webapp.errors import ApiError
from webapp.gateway.refusals import not_forwarded

TABLE = Path(__file__).parent / "endpoints.tsv"
# One raw segment of a path. A percent-encoded slash, backslash, dot, percent sign or control character is refused.
SEGMENT = re.compile(r"(?!\.{1,2}$)(?:[A-Za-z0-9._~:@!$&'()*+,=-]|%(?!2[EeFf5]|5[Cc]|[01]|7[Ff])[0-9A-Fa-f]{2})+")
TARGET_QUERY = re.compile(r"[!-~]*")
# What the base URL of a client puts in front of OpenAI's path; the group is the name of a deployment, in Azure's form.
BEFORE = re.compile(r"/+(?:v1(?:/+|$))?(?:openai/+(?:v1(?:/+|$)|deployments/+([^/]+)/+(?=[^/]))?)?")
API_VERSION = re.compile(r"(?<=[?&])api-version=[^&]*&?")  # of Azure; OpenAI knows no such parameter


class Route(NamedTuple):
    """One operation: a line of the table."""

    method: str
    path: str
    forwarded: str
    metered: str
    makes: str
    request_types: str

    @property
    def endpoint(self) -> str:
        """OpenAI's path with its placeholders, as the column ``endpoint`` has it: ``/v1/responses/{response_id}``."""
        return f"/v1{self.path}"

    @property
    def takes_form(self) -> bool:
        """Whether its body may be multipart."""
        return "multipart/form-data" in self.request_types


def read_table() -> list[Route]:
    """Every operation of OpenAI's API, in the table's order."""
    with TABLE.open(newline="") as file:
        return [Route(**line) for line in csv.DictReader(file, delimiter="\t")]


class Target(NamedTuple):
    """What a request line asks for: the operation, and the raw path and query below OpenAI's base URL.

    model: the name of the deployment in an address of Azure's form, None in any other.
    """

    route: Route
    raw: str
    model: str | None = None


ROUTES = read_table()
_PLAIN = {(route.method, route.path): route for route in ROUTES if "{" not in route.path}
_TEMPLATES: dict[tuple[str, int], list[tuple[list[str], Route]]] = {}
for _route in ROUTES:
    if "{" in _route.path:
        _parts = _route.path.split("/")
        _TEMPLATES.setdefault((_route.method, len(_parts)), []).append((_parts, _route))


def find(method: str, path: str) -> Route | None:
    """The operation for a method and the raw path after /api/v1/proxy; None when there is none.

    HEAD finds the operation of GET. An empty path or ``/`` means /chat/completions.
    """
    if path in ("", "/"):
        path = "/chat/completions"
    method = "GET" if method == "HEAD" else method
    if route := _PLAIN.get((method, path)):
        return route
    parts = path.split("/")
    for template, route in _TEMPLATES.get((method, len(parts)), ()):
        if all(
            SEGMENT.fullmatch(part) if name.startswith("{") else part == name
            for name, part in zip(template, parts, strict=True)
        ):
            return route
    return None


def target_of(environ: dict[str, Any], path: str, query: str) -> Target:
    """The target of a request. path: raw, after /api/v1/proxy; query: raw, with its ``?``. Raises ApiError."""
    method, model = environ["REQUEST_METHOD"], None
    refuse_upgrade(environ)
    route = find(method, path)
    if route is None:
        path, model = openai_path(path)
        route = find(method, path)
    if route is None or route.forwarded == "never":
        raise not_forwarded(method, path)
    if not TARGET_QUERY.fullmatch(query):
        raise ApiError(400, "invalid_query", "The query holds a character that must be percent-encoded")
    return Target(route, ("/chat/completions" if path in ("", "/") else path) + openai_query(query), model)


def openai_path(path: str) -> tuple[str, str | None]:
    """OpenAI's path without what a client's base URL put around it, and the deployment that an Azure address names.

    path: raw. ``/v1/models``, ``//models``, ``/models/`` and ``/openai/v1/models`` become ``/models``, and
    ``/openai/deployments/{name}/embeddings`` becomes ``/embeddings``. Slashes are doubled where a base URL and a path
    were joined, and one of two is dropped only there: ``/threads//runs`` has an empty id, while /threads/runs is
    another operation. A path that cannot be taken apart safely is returned as it is.
    """
    found = BEFORE.match(path)
    if found is None or (found[1] and not SEGMENT.fullmatch(found[1])):
        return path, None
    return "/" + path[found.end() :].rstrip("/"), found[1] and unquote(found[1])


def openai_query(query: str) -> str:
    """OpenAI's query, raw, with its ``?``: without the version of Azure's API."""
    return API_VERSION.sub("", query).rstrip("?&") if "api-version" in query else query


def refuse_upgrade(environ: dict[str, Any]) -> None:
    """Raise ApiError (426) for a request that wants a WebSocket where there is none. Clients then go on with HTTP."""
    if environ.get("HTTP_UPGRADE", "").lower() == "websocket":
        message = "There is no WebSocket at this path. Send the call by HTTP"
        raise ApiError(426, "websocket_not_supported", message)
