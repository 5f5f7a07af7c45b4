"""/openapi.json: every route of the JSON API, its bodies and answers, as an OpenAPI 3.1 document."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

from flask import current_app

from webapp.api.blueprint import bp
from webapp.api.inputs import LARGEST_PAGE, PAGE
from webapp.api.schemas import FILTER_WORDS, schema, schemas
from webapp.filters import EXCLUSIONS, FILTERS, GRAINS, GROUPS, PERIODS, SESSION_FILTERS

NO_BODY = ""
PAGED = {
    "limit": {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE},
    "cursor": {"type": "string", "description": "next_cursor of the page before."},
}
PERIOD = {
    "period": {"type": "string", "enum": list(PERIODS), "default": "30"},
    "from": {"type": "string", "description": "Date or RFC 3339 moment, inclusive. Default: the last 30 days."},
    "to": {"type": "string", "description": "Date or RFC 3339 moment, exclusive."},
    "tz": {"type": "string", "default": "UTC", "description": "Time zone of dates and days, such as Europe/Berlin."},
} | {
    name: {"type": "array", "items": {"type": "string"}, "description": FILTER_WORDS[name.removeprefix("not_")]}
    for name in (*FILTERS, *EXCLUSIONS)
}
SESSION = {"session": {"type": "array", "items": {"type": "string", "format": "uuid"}}}
SESSIONS = {name: {"type": "array", "items": {"type": "string"}} for name in SESSION_FILTERS}
GROUP = {
    "group_by": {"type": "string", "description": "Comma-separated: " + ", ".join(GROUPS) + ". At most 100,000 rows."},
    "granularity": {
        "type": "string",
        "enum": list(GRAINS),
        "description": "Also by hour, day, week (from Monday) or month of the time zone, in a field of that name.",
    },
}
MODEL = {"model": {"type": "string", "description": "Name or alias of a model: all its prices, newest first."}}
BOOKS = {
    "from": {"type": "string", "format": "date", "description": "UTC, inclusive. Default: 30 days before to."},
    "to": {"type": "string", "format": "date", "description": "UTC, exclusive. Default: tomorrow. At most 400 days."},
}
KEY_OF = "The key of this project. Absent: that of the organization."
PROJECT = {"project_id": {"type": "string", "format": "uuid", "description": KEY_OF}}


class Operation(NamedTuple):
    """One method of one path.

    gives: schema of the answer; gets: schema of the request's body, with a ? at its end if the body may be absent; both
    are NO_BODY where there is none. who: may call it (stranger, member or admin). query: parameter → its JSON Schema.
    """

    method: str
    path: str
    summary: str
    gives: str = NO_BODY
    gets: str = NO_BODY
    status: int = 200
    who: str = "member"
    query: dict[str, dict[str, Any]] = {}  # noqa: RUF012  # read only


API = "/api/v1"
# The fields of an Operation, in its order, with the path below API.
ROUTES = (
    ("post", "/auth/signup", "Make an account, and an organization with it", "Session", "SignUp", 201, "stranger"),
    ("post", "/auth/login", "Get tokens for an e-mail address and password", "Session", "LogIn", 200, "stranger"),
    ("post", "/auth/refresh", "Get new tokens for a refresh token", "Session", "Refresh", 200, "stranger"),
    ("post", "/auth/logout", "End this log-in: its tokens stop working", NO_BODY, NO_BODY, 204),
    ("get", "/me", "Who the token belongs to", "Me"),
    ("get", "/projects", "Projects of the organization", "ProjectList"),
    ("post", "/projects", "Create a project", "Project", "NewProject", 201, "admin"),
    (
        "patch",
        "/projects/{project_id}",
        "Rename or archive a project, switch its tags from metadata",
        "Project",
        "ProjectChange",
        200,
        "admin",
    ),
    ("get", "/projects/{project_id}/keys", "Proxy keys of a project, by prefix", "KeyList"),
    ("post", "/projects/{project_id}/keys", "Create a key; it is shown once", "KeyOnce", "NewKey", 201, "admin"),
    ("post", "/keys/{key_id}/rotate", "Replace a key; the old one ends later", "KeyOnce", "Rotation?", 201, "admin"),
    ("patch", "/keys/{key_id}", "Rename a key, change its note or expiry", "Key", "KeyChange", 200, "admin"),
    ("delete", "/keys/{key_id}", "Revoke a key, from the next call on", NO_BODY, NO_BODY, 204, "admin"),
    ("get", "/usage", "Spend of a period, grouped", "Usage", NO_BODY, 200, "member", PERIOD | GROUP),
    ("get", "/calls", "Calls, newest first", "CallRowList", NO_BODY, 200, "member", PERIOD | SESSION | PAGED),
    ("get", "/calls/{call_id}", "One call, its cost line by line", "Call"),
    (
        "get",
        "/sessions",
        "WebSocket sessions, newest first",
        "WebSocketSessionList",
        NO_BODY,
        200,
        "member",
        SESSIONS | PAGED,
    ),
    ("get", "/sessions/{session_id}", "One WebSocket session, its calls added up", "WebSocketSession"),
    (
        "get",
        "/prices",
        "Prices by id; with model, those of one model",
        "PriceList",
        NO_BODY,
        200,
        "member",
        MODEL | PAGED,
    ),
    ("post", "/prices", "Add a price only this organization pays", "Price", "NewPrice", 201, "admin"),
    ("get", "/invitations", "Invitations, newest first", "InvitationList", NO_BODY, 200, "admin"),
    ("post", "/invitations", "Invite somebody; link shown once", "InvitationOnce", "NewInvitation", 201, "admin"),
    ("delete", "/invitations/{invitation_id}", "Revoke an invitation", NO_BODY, NO_BODY, 204, "admin"),
    ("post", "/invitations/accept", "Join the organization that invited you", "Me", "Acceptance"),
    ("get", "/members", "People of the organization", "MemberList"),
    ("patch", "/members/{user_id}", "Change somebody's role", "Member", "RoleChange", 200, "admin"),
    (
        "delete",
        "/members/{user_id}",
        "Remove a member; members who are no admin may only leave",
        NO_BODY,
        NO_BODY,
        204,
        "admin",
    ),
    ("get", "/provider-key", "Which OpenAI key is stored", "ProviderKey", NO_BODY, 200, "member", PROJECT),
    ("get", "/provider-key/versions", "Keys that serve or served the organization", "ProviderKeyVersionList"),
    ("put", "/provider-key", "Store an OpenAI key", "ProviderKeySet", "NewProviderKey", 200, "admin", PROJECT),
    ("delete", "/provider-key", "Delete an OpenAI key", NO_BODY, "WhichProviderKey?", 204, "admin", PROJECT),
    ("get", "/admin-key", "Which OpenAI admin key is stored, and when it last fetched", "AdminKey"),
    ("put", "/admin-key", "Try and store an OpenAI admin key", "AdminKeySet", "NewAdminKey", 200, "admin"),
    ("delete", "/admin-key", "Delete the OpenAI admin key", NO_BODY, NO_BODY, 204, "admin"),
    ("get", "/books/days", "OpenAI's books beside the ledger, by day", "BooksDayList", NO_BODY, 200, "member", BOOKS),
    ("get", "/books/days/{day}", "One day, with each named part of the difference", "BooksDay"),
    ("get", "/books/months", "OpenAI's books beside the ledger, by month, newest first", "BooksMonthList"),
    (
        "get",
        "/books/dark-spend",
        "Spent at OpenAI past SpendAI, by key",
        "DarkKeyList",
        NO_BODY,
        200,
        "member",
        BOOKS,
    ),
    ("get", "/audit", "Who did what, newest first", "AuditLineList", NO_BODY, 200, "admin", PAGED),
    ("get", "/openapi.json", "This document", "any", NO_BODY, 200, "stranger"),
)
HEALTH = (
    Operation("get", "/healthz", "Whether the process runs", "Health", who="stranger"),
    Operation("get", "/readyz", "Whether calls can be accepted", "Health", who="stranger"),
)
TAGS = 'Up to 16 tags of the call, as `team=search, env=prod` or as a JSON object: `{"team": "search", "env": "prod"}`.'
ANSWER_HEADERS = {
    "x-spendai-call-id": {"description": "Id of the call", "schema": schema("id")},
    "x-spendai-warning": {"description": "Which tags were left out or shortened, if any", "schema": schema("text")},
}
AS_OF_HEADERS = {
    "x-spendai-as-of": {
        "description": "From a read replica: everything committed before this moment is in the answer",
        "schema": schema("time"),
    }
}
OPERATIONS = (*(Operation(method, API + path, *rest) for method, path, *rest in ROUTES), *HEALTH)


@bp.get("/openapi.json")
def document() -> dict[str, Any]:
    """The document, with PUBLIC_URL of this install as its server."""
    return _document() | {"servers": [{"url": current_app.config["SPENDAI"].public_url}]}


@cache
def _document() -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    for path in (f"{API}/proxy", f"{API}/proxy/{{path}}"):
        paths[path] = {method: _proxied(path) for method in ("get", "post", "delete")}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SpendAI",
            "version": "1",
            "description": "Money is decimal text in US dollars, times are UTC.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "proxyKey": {"type": "http", "scheme": "bearer", "description": "A proxy key, sk-spend-…"},
            },
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": operation.summary}
    if operation.gives:
        answer["content"] = _json(operation.gives)
    described: dict[str, Any] = {
        "summary": operation.summary,
        "responses": {str(operation.status): answer, "default": {"description": "An error", "content": _json("Error")}},
        "security": [] if operation.who == "stranger" else [{"token": []}],
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": schema("day" if name == "day" else "id")}
            for name in re.findall(r"{(\w+)}", operation.path)
        ]
        + [{"name": name, "in": "query", "schema": words} for name, words in operation.query.items()],
    }
    if operation.method == "get" and operation.who != "stranger":
        answer["headers"] = AS_OF_HEADERS
    if operation.path.endswith("/signup"):
        described["responses"]["202"] = {
            "description": "The e-mail address has to be confirmed first",
            "content": _json("Pending"),
        }
    if operation.gets:
        optional = operation.gets.endswith("?")
        described["requestBody"] = {"required": not optional, "content": _json(operation.gets.rstrip("?"))}
    if operation.who == "admin":
        described["description"] = "Admins only."
    return described


def _proxied(path: str) -> dict[str, Any]:
    summary = "OpenAI's API, called with a proxy key; without a path: a chat completion"
    described: dict[str, Any] = {
        "summary": summary,
        "security": [{"proxyKey": []}],
        "parameters": [{"name": "x-spendai-tags", "in": "header", "description": TAGS, "schema": schema("text")}],
        "responses": {"default": {"description": "OpenAI's answer, unchanged", "headers": ANSWER_HEADERS}},
    }
    if "{" in path:
        described["parameters"].append({"name": "path", "in": "path", "required": True, "schema": schema("text")})
    return described


def _json(kind: str) -> dict[str, Any]:
    return {"application/json": {"schema": schema(kind)}}
