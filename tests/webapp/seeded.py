"""People in front of a browser, and calls for them to look at."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from conftest import PASSWORD, Api, Browser, Site
from spending import uuid7
from werkzeug.test import TestResponse


def browser_of(site: Site, api: Api) -> Browser:
    """The same person, signed in with a browser."""
    browser = site.browser()
    assert browser.post("/login", email=api.email, password=PASSWORD).status_code == 303
    return browser


class Acme:
    """Ada's organization with a project and a key. dev is her developer, eve an admin elsewhere; they come when asked.

    ada, dev, eve are there by API; browser, devs, eves are their browsers.
    """

    def __init__(self, site: Site) -> None:
        self.site, self.ada = site, site.sign_up("ada", organization="Acme")
        self.project = self.ada.post("/projects", {"name": "chat"}).json
        self.key = self.ada.post(f"/projects/{self.project['id']}/keys", {"name": "main"}).json

    @cached_property
    def dev(self) -> Api:
        address = self.site.email("dev")
        link = self.ada.post("/invitations", {"email": address, "role": "developer"}).json["link"]
        return self.site.sign_up(email=address, invitation=link.rsplit("/", 1)[1])

    @cached_property
    def eve(self) -> Api:
        return self.site.sign_up("eve")

    browser = cached_property(lambda self: browser_of(self.site, self.ada))
    devs = cached_property(lambda self: browser_of(self.site, self.dev))
    eves = cached_property(lambda self: browser_of(self.site, self.eve))


def spend(site: Site, team: Acme, days: float = 0, *, at: datetime | None = None, **changes: Any) -> UUID:
    """One settled sandbox call of the team's key: 1000 + 500 tokens of gpt-4o-mini, $0.00045; its id.

    It was so many days ago, or at the second ``at``.
    """
    at = (at or datetime.now(UTC) - timedelta(days=days)).replace(microsecond=0)
    call_id = uuid7(at)
    message = {
        "n": 0, "id": str(call_id), "started_at": at.isoformat(), "max_seconds": 3600, "upstream": "sandbox",
        "org_id": team.ada.organization["id"], "project_id": team.project["id"], "api_key_id": team.key["id"],
        "endpoint": "/v1/chat/completions", "method": "POST", "stream": False, "batch": False,
        "model_requested": "gpt-4o-mini", "model": "gpt-4o-mini", "service_tier": "default",
        "usage": {"prompt_tokens": 1000, "completion_tokens": 500}, "tools": None, "outcome": "complete",
        "status_code": 200, "latency_ms": 120, "ttft_ms": 80, "upstream_request_id": "req_1",
        "upstream_object_id": None, "end_user": None, "tags": {},
    } | changes  # fmt: skip
    site.sql("select app.ensure_partition(%s)", at.date())
    assert site.sql("select outcome from app.settle_calls(%s::jsonb)", json.dumps([message])) == [("missing",)]
    return call_id


def leave_open(site: Site, team: Acme) -> UUID:
    """A call that was opened two hours ago and never settled; its id."""
    began = datetime.now(UTC) - timedelta(hours=2)
    call_id = uuid7(began)
    site.sql("select app.ensure_partition(%s)", began.date())
    site.sql(
        "insert into public.usage_logs (id, org_id, project_id, api_key_id, started_at, deadline_at, state, upstream,"
        " endpoint, method, stream, batch, tags) values (%s, %s, %s, %s, %s, %s, 'open', 'sandbox',"
        " '/v1/embeddings', 'POST', false, false, '{}')",
        call_id, team.ada.organization["id"], team.project["id"], team.key["id"], began, began + timedelta(hours=1),
    )  # fmt: skip
    return call_id


def text(answer: TestResponse) -> str:
    """What a person reads of a page."""
    body = re.sub(r"<script.*?</script>", " ", answer.text, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)))


def table(answer: TestResponse) -> list[dict[str, str]]:
    """A CSV answer as rows."""
    assert answer.status_code == 200 and answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.text)))
