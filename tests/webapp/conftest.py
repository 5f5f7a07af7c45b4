"""The whole application on a database of its own, and people who come to it by browser or by API."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from contract import check_answer
from fake_gotrue import API_KEY, FakeGoTrue
from flask import Flask
from flask.testing import FlaskClient
from psycopg_pool import ConnectionPool
from replicated import replicated  # noqa: F401
from sandbox_sdk import sdk  # noqa: F401  # fixtures
from socket_client import connect_to, openai, sockets  # noqa: F401
from stack import SECRETS
from werkzeug.test import TestResponse

from webapp import create_app, db
from webapp.config import Config, load
from webapp.gateway.call import new_id
from webapp.postgres.migrations import migrate
from webapp.secrets.hashing import sha256_of

PASSWORD = "correct horse"
SETTLED = {
    "batch": False, "model_requested": "gpt-4o-mini", "model": "gpt-4o-mini-2024-07-18", "service_tier": "default",
    "usage": {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}, "tools": None,
    "outcome": "complete", "status_code": 200, "latency_ms": 120, "ttft_ms": 80,
    "upstream_request_id": "req_1", "upstream_object_id": "chatcmpl-1",
}  # fmt: skip
numbers = count(1)
addresses = count(1)


def coming_from_somewhere(app: Flask) -> FlaskClient:
    """A client with an IP address of its own, so that the limits per address count it alone."""
    client, number = app.test_client(), next(addresses)
    client.environ_base["REMOTE_ADDR"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return client


class Browser:
    """Somebody with a browser: keeps cookies, fills in the forms it was shown."""

    def __init__(self, app: Flask, base_url: str = "http://127.0.0.1:8000") -> None:
        self.client: FlaskClient = coming_from_somewhere(app)
        self.base_url = base_url

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, base_url=self.base_url, **options)

    def token(self, path: str = "/login") -> str:
        """The CSRF token a page was shown with."""
        page = self.get(path, follow_redirects=True).text
        return html.unescape(re.search(r'name="csrf_token" value="([^"]*)"', page)[1])

    def post(
        self, path: str, *, shown: str | None = None, headers: dict[str, str] | None = None, **form: str
    ) -> TestResponse:
        """Send a form that the page ``shown`` (else the path itself) holds. With a token nothing is shown before."""
        if "csrf_token" not in form:
            form["csrf_token"] = self.token(shown or path)
        sent = {"Origin": self.base_url} | (headers or {})
        return self.client.post(path, data=form, headers=sent, base_url=self.base_url)

    def cookie(self, name: str = "spendai") -> str | None:
        found = self.client.get_cookie(name, domain=self.base_url.split("//")[1].split(":")[0])
        return found.value if found else None


class Api:
    """Somebody with an access token."""

    def __init__(self, app: Flask, token: str | None = None, email: str = "") -> None:
        self.client, self.token, self.email = coming_from_somewhere(app), token, email
        self.user: dict[str, Any] = {}
        self.organization: dict[str, Any] = {}
        self.refresh_token: str | None = None

    def call(self, method: str, path: str, json: Any = None, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= options.pop("headers", {})
        if json is not None:
            options["json"] = json
        answer = self.client.open(f"/api/v1{path}", method=method, headers=headers, **options)
        check_answer(answer, method, f"/api/v1{path}")
        return answer

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("POST", path, json, **options)


class Site(SimpleNamespace):
    """app: the Flask app; config; dsn, admin: its database, as owner and as superuser."""

    def browser(self, base_url: str = "http://127.0.0.1:8000") -> Browser:
        return Browser(self.app, base_url)

    def email(self, name: str = "person") -> str:
        """An address nobody has yet."""
        return f"{name}{next(numbers)}@example.test"

    def nobody(self) -> Api:
        return Api(self.app)

    def sign_up(self, name: str = "person", **words: str) -> Api:
        """Somebody new, with an organization of their own unless ``invitation`` says otherwise."""
        words = {"email": self.email(name), "password": PASSWORD} | words
        answer = self.nobody().post("/auth/signup", words)
        assert answer.status_code == 201, answer.text
        someone = Api(self.app, answer.json["access_token"], words["email"])
        someone.user, someone.organization = answer.json["user"], answer.json["organization"]
        someone.refresh_token = answer.json["refresh_token"]
        return someone

    def team(self) -> SimpleNamespace:
        """Ada (admin) and Dev (developer) of one organization, Eve (admin) of another, Nobody without a token."""
        ada, eve, address = self.sign_up("ada", organization="Acme"), self.sign_up("eve"), self.email("dev")
        link = ada.post("/invitations", {"email": address, "role": "developer"}).json["link"]
        dev = self.sign_up(email=address, invitation=link.rsplit("/", 1)[1])
        return SimpleNamespace(ada=ada, dev=dev, eve=eve, nobody=self.nobody())

    @cached_property
    def superusers(self) -> ConnectionPool:
        """Connections of the superuser, kept: a new one would have to read the catalog and plan each function again."""
        return ConnectionPool(
            self.admin, min_size=0, max_size=8, check=ConnectionPool.check_connection, open=True,
            kwargs={"prepare_threshold": None},  # a test may change what a query was prepared for
        )  # fmt: skip

    def sql(self, query: str, *args: Any) -> list[tuple[Any, ...]]:
        """Rows of a query as the superuser, whom nothing binds."""
        with self.superusers.connection() as conn:
            cursor = conn.execute(query, args)
            return cursor.fetchall() if cursor.description else []

    def may_call(self, key: dict[str, Any]) -> bool:
        """Whether the gateway would let a call with this key through, at this moment."""
        return self._open(key)[0] == "opened"

    def call(self, key: dict[str, Any], **changes: Any) -> str:
        """One call with a key (as the API answered it), from open to settled; its id."""
        outcome, opened = self._open(key, **{k: v for k, v in changes.items() if k in ("tags", "end_user", "endpoint")})
        assert outcome == "opened"
        self.sql("select app.settle_calls(%s::jsonb)", json.dumps([opened | SETTLED | changes]))
        return opened["id"]

    def _open(self, key: dict[str, Any], **changes: Any) -> tuple[str, dict[str, Any]]:
        now = time.time_ns() // 1_000_000
        message = {
            "n": 0, "id": str(new_id(now)), "started_at": datetime.fromtimestamp(now / 1000, UTC).isoformat(),
                "max_seconds": 3600,
            "key_hash": sha256_of(key["key"]).hex(), "endpoint": "/v1/chat/completions", "method": "POST",
            "model": "gpt-4o-mini", "stream": False, "end_user": None, "tags": {},
        } | changes  # fmt: skip
        columns = "outcome, org_id::text, project_id::text, api_key_id::text, upstream"
        query = f"select {columns} from app.open_calls(%s::jsonb, 'none', null)"
        (outcome, *found), = self.sql(query, json.dumps([message]))  # fmt: skip
        return outcome, message | dict(zip(("org_id", "project_id", "api_key_id", "upstream"), found, strict=True))

    def with_settings(self, **settings: Any) -> Site:
        """The same database under other settings."""
        config = Config(**{**vars(self.config), **settings})
        return Site(
            app=create_app(config), config=config, dsn=self.dsn, admin=self.admin, superusers=self.superusers
        )  # fmt: skip


def at_once(*jobs: Any) -> list[Any]:
    """Results of functions that all run at the same time."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        return [running.result() for running in [pool.submit(job) for job in jobs]]


@pytest.fixture(scope="session")
def site(stack_dsns: Callable[[str], tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The application on a database that all tests of a run share, with its pools open."""
    owner, admin = stack_dsns("spendai_site")
    home = str(tmp_path_factory.mktemp("home"))
    config = load(SECRETS | {"SPENDAI_HOME": home, "DATABASE_URL": owner, "FORWARDED_ALLOW_IPS": "127.0.0.1"})
    migrate(owner, passwords=db.passwords(config))
    db.open_pools(config)
    running = Site(app=create_app(config), config=config, dsn=owner, admin=admin)
    with running.superusers:
        yield running
    db.close_pools()


@pytest.fixture
def gotrue(site: Site) -> Iterator[FakeGoTrue]:
    with FakeGoTrue(site.admin) as auth:
        yield auth


@pytest.fixture
def cloud(site: Site, gotrue: FakeGoTrue) -> Site:
    """The application with Supabase Auth."""
    return site.with_settings(supabase_url=gotrue.url, supabase_publishable_key=API_KEY)
