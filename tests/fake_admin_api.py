"""A stand-in for OpenAI's Administration API: costs, usage, projects and keys, all derived from one list of events.

    with FakeAdmin() as admin:
        admin.keys["sk-admin-…"] = {"api.usage.read", "api.management.read"}
        admin.events.append(Event(at, lines=[("o3, input", 1000, "tokens", "0.01")]))
        … OPENAI_BASE_URL=admin.url …

Answers are awkward where OpenAI's are: amounts as text with 39 decimals, as "0E-6176", as numbers and with an exponent;
fields nobody documents; moments without a zone. Faults: ``admin.queue("costs", reply(…))`` answers the next one.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

from fake_replies import Reply, reply, reply_json
from fake_upstream import FakeUpstream, Request

WIDTHS = {"1m": (60, 60, 1440), "1h": (3600, 24, 168), "1d": (86400, 7, 31)}  # seconds, default limit, largest limit
SCOPES = {"costs": "api.usage.read", "usage": "api.usage.read", "projects": "api.management.read"}
REPORTS = {
    "completions", "embeddings", "moderations", "images", "audio_speeches", "audio_transcriptions", "vector_stores",
    "code_interpreter_sessions", "web_search_calls", "file_search_calls",
}  # fmt: skip
GROUPS = {"project_id", "api_key_id", "user_id", "model", "batch", "service_tier"}
Line = tuple[str | None, object, str | None, object]  # line item, quantity, unit, dollars


@dataclass
class Event:
    """What happened at OpenAI at one moment: lines of the bill, and what the Usage API counts of it at ``path``."""

    at: datetime
    project: str | None = "proj_a"
    key: str | None = "key_proxy"
    model: str | None = None
    lines: list[Line] = field(default_factory=list)
    path: str | None = None
    requests: int = 1
    counts: dict[str, Any] = field(default_factory=dict)
    batch: bool = False
    tier: str = "default"
    currency: str = "usd"


class FakeAdmin:
    """events, projects, project_keys, keys (admin key → scopes): its state, for a test to change at any time."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.keys: dict[str, set[str]] = {}
        self.projects: list[dict[str, Any]] = []
        self.project_keys: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.by_key = True  # whether costs can be grouped by api_key_id
        self.page_size = 100  # of lists
        self.days_a_page = 180  # of costs, at most
        self.now: datetime | None = None
        self._upstream = FakeUpstream(self._route)
        self._spellings = count()

    @property
    def url(self) -> str:
        return self._upstream.url

    @property
    def requests(self) -> list[Request]:
        return self._upstream.requests

    def __enter__(self) -> FakeAdmin:
        self._upstream.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._upstream.__exit__(*exc)

    def queue(self, path: str, *replies: Reply) -> None:
        """Answer the next requests for a path below /organization with these."""
        self._upstream.queue(f"/v1/organization/{path}", *replies)

    def project(self, id_: str, name: str, *, archived: bool = False) -> None:
        row = {"id": id_, "object": "organization.project", "name": name, "created_at": 1790000000, "new_field": 1}
        self.projects.append(row | {"archived_at": 1791000000 if archived else None,
                                    "status": "archived" if archived else "active"})  # fmt: skip

    def key(self, id_: str, shown: str, project: str = "proj_a", name: str | None = None) -> None:
        owner = {"type": "user", "user": {"id": "user-1", "name": "Ada", "email": "ada@acme.test", "role": "owner"}}
        self.project_keys[project].append({
            "id": id_, "object": "organization.project.api_key", "name": name or id_, "redacted_value": shown,
            "created_at": 1790000000, "last_used_at": 1791900000, "owner": owner,
        })  # fmt: skip

    def asked(self, path: str) -> list[dict[str, list[str]]]:
        """The parameters of every request for a path below /organization, in order."""
        return [_params(r) for r in self.requests if r.path == f"/v1/organization/{path}"]

    def _route(self, request: Request) -> Reply:  # noqa: PLR0911
        parts = request.path.removeprefix("/v1/organization/").split("/")
        if request.method != "GET":
            return _error(405, "Method not allowed")
        scopes = self.keys.get((request.header("authorization") or "").removeprefix("Bearer "))
        if scopes is None:
            return _error(401, "Incorrect API key provided: sk-admin-****abcd.", code="invalid_api_key")
        if SCOPES.get(parts[0]) not in scopes:
            words = f"You have insufficient permissions for this operation. Missing scopes: {SCOPES.get(parts[0])}."
            return reply_json({"error": words}, 403)
        params = _params(request)
        match parts:
            case ["costs"]:
                return self._costs(params)
            case ["usage", path] if path in REPORTS:
                return self._usage(path, params)
            case ["projects"]:
                archived = params.get("include_archived") == ["true"]
                return self._list([p for p in self.projects if archived or p["status"] == "active"], params)
            case ["projects", project, "api_keys"]:
                known = self.project_keys[project] if params.get("owner_project_access") == ["any"] else []
                return self._list(known, params)
        return _error(404, "Unknown path")

    def _costs(self, params: dict[str, list[str]]) -> Reply:
        groups = params.get("group_by", [])
        if unknown := set(groups) - {"project_id", "line_item", "api_key_id" if self.by_key else "line_item"}:
            return _error(400, f"Invalid group_by: {unknown.pop()}")

        def results(events: list[Event]) -> list[dict[str, Any]]:
            sums: dict[tuple[Any, ...], list[Any]] = {}
            for event in events:
                for item, quantity, unit, dollars in event.lines:
                    own = {"project_id": event.project, "api_key_id": event.key, "line_item": item}
                    place = (*(own[g] if g in groups else None for g in ("project_id", "api_key_id", "line_item")),
                             unit, event.currency)  # fmt: skip
                    known = sums.setdefault(place, [None, Decimal(0)])
                    known[0] = known[0] if quantity is None else (known[0] or 0) + quantity
                    known[1] += Decimal(str(dollars))
            return [
                {"object": "organization.costs.result",
                 "amount": {"value": self._spelled(dollars), "currency": currency},
                 "project_id": project, "api_key_id": key, "line_item": item, "quantity": quantity,
                 "quantity_unit": unit, "organization_id": "org-x", "user_email": None}
                for (project, key, item, unit, currency), (quantity, dollars) in sums.items()
            ]  # fmt: skip

        return self._page(params, "1d", 180, results, self.days_a_page)

    def _usage(self, path: str, params: dict[str, list[str]]) -> Reply:
        groups = params.get("group_by", [])
        if unknown := set(groups) - GROUPS:
            return _error(400, f"Invalid group_by: {unknown.pop()}")

        def results(events: list[Event]) -> list[dict[str, Any]]:
            sums: dict[tuple[Any, ...], dict[str, Any]] = {}
            for event in events:
                if event.path == path:
                    own = {"project_id": event.project, "api_key_id": event.key, "model": event.model,
                           "batch": event.batch, "service_tier": event.tier, "user_id": None}  # fmt: skip
                    place = {g: own[g] if g in groups else None for g in GROUPS}
                    row = sums.setdefault(tuple(place.values()), place | {"num_model_requests": 0})
                    for name, number in (event.counts | {"num_model_requests": event.requests}).items():
                        row[name] = row.get(name, 0) + number
            return [{"object": f"organization.usage.{path}.result", **row} for row in sums.values()]

        width = params.get("bucket_width", ["1d"])[0]
        return self._page(params, width, WIDTHS[width][2], results, WIDTHS[width][2])

    def _page(self, params: dict[str, list[str]], width: str, largest: int, results: Any, cut: int) -> Reply:
        if "start_time" not in params:
            return _error(400, "Missing required parameter: 'start_time'.")
        now = int((self.now or datetime.now(UTC)).timestamp())
        limit = int(params.get("limit", ["7"])[0])
        if limit > largest:
            return _error(
                400, f"Invalid 'limit': integer above maximum value. Expected a value <= {largest}, but got {limit}."
            )
        size = WIDTHS[width][0]
        start, end = int(params["start_time"][0]), min(int(params.get("end_time", [now])[0]), now)
        first = start - start % size
        whole = range(first, end, size)
        rest = {name: values for name, values in params.items() if name != "page"}
        skip = 0
        if "page" in params:
            skip, before = json.loads(base64.b64decode(params["page"][0].removeprefix("page_")))
            if before != rest:
                return _error(400, "The parameters of a page must be those of the first.")
        shown = whole[skip : skip + min(limit, cut)]
        buckets = [self._bucket(at, min(at + size, now), results) for at in shown]
        more = skip + len(shown) < len(whole)
        cursor = "page_" + base64.b64encode(json.dumps([skip + len(shown), rest]).encode() + b" ").decode()
        headers = [("date", f"{self.now:%a, %d %b %Y %H:%M:%S GMT}")] if self.now else []
        body = {"object": "page", "data": buckets, "has_more": more, "next_page": cursor if more else None}
        return reply_json(body, headers=headers)

    def _bucket(self, start: int, end: int, results: Any) -> dict[str, Any]:
        events = [event for event in self.events if start <= event.at.timestamp() < end]
        iso = datetime.fromtimestamp(start, UTC).replace(tzinfo=None).isoformat()
        return {
            "object": "bucket",
            "start_time": start,
            "end_time": end,
            "start_time_iso": iso,
            "results": results(events),
        }

    def _list(self, rows: list[dict[str, Any]], params: dict[str, list[str]]) -> Reply:
        ids = [row["id"] for row in rows]
        skip = ids.index(params["after"][0]) + 1 if "after" in params else 0
        shown = rows[skip : skip + min(int(params.get("limit", ["20"])[0]), self.page_size)]
        ends = {"first_id": shown[0]["id"] if shown else None, "last_id": shown[-1]["id"] if shown else None}
        return reply_json({"object": "list", "data": shown, "has_more": skip + len(shown) < len(rows)} | ends)

    def _spelled(self, dollars: Decimal) -> str | float:
        """The next of the ways in which OpenAI spells amounts; zero as "0E-6176"."""
        if not dollars:
            return "0E-6176"
        return (f"{dollars:.39f}", float(dollars), f"{dollars:e}", str(dollars))[next(self._spellings) % 4]


def _params(request: Request) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, value in parse_qsl(request.target.partition("?")[2], strict_parsing=True):
        found[name.removesuffix("[]")].append(value)
    return dict(found)


def _error(status: int, message: str, code: str | None = None) -> Reply:
    return reply_json(
        {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}, status
    )


def broken(body: bytes, status: int = 200, kind: str = "application/json") -> Reply:
    """A complete HTTP answer with this body."""
    return reply(status, [("content-type", kind)], body)


def bill(day: date, lines: Iterable[tuple[str | None, str, object, str | None, object]]) -> list[Event]:
    """Events at noon for lines as openai_books.WORKED has them."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return [
        Event(noon, key=key, lines=[(item, quantity, unit, dollars)]) for key, item, quantity, unit, dollars in lines
    ]


def days_ago(number: int) -> date:
    return datetime.now(UTC).date() - timedelta(days=number)
