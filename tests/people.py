"""The people of the tests: Ada (admin) and Dev (developer) of Acme, Eve (admin of Evil), and nobody.

``people.as_("ada")`` runs statements in the shoes of one of them, exactly as the application does: role and claims set
for one transaction. ``people.as_role("spendai_proxy")`` does the same for a login role.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg

from webapp.gateway.call import new_id
from webapp.secrets.proxy_keys import NewKey, new_key

HASH = "$2a$04$" + "a" * 53
ROLES = ("anon", "authenticated", "service_role", "spendai_web", "spendai_proxy", "spendai_auth", "spendai_analyst")


class People:
    """Made through the product's own functions, by ``conn``."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self.conn = conn
        self.ids: dict[str, UUID] = {}
        self.orgs: dict[str, UUID] = {}
        self.projects: dict[str, UUID] = {}
        self.keys: dict[str, NewKey] = {}
        self.found("ada", "Acme")
        self.found("eve", "Evil")
        self.sign_up("dev", "dev@acme.test")
        token = uuid4().bytes * 2
        with self.as_("ada"):
            conn.execute("select app.invitation_create('dev@acme.test', 'developer', %s)", [token])
        with self.as_("dev"):
            conn.execute("select app.invitation_accept(%s)", [token])
        self.orgs["dev"] = self.orgs["ada"]

    def copy(self) -> People:
        """The same people, for a test that may add more of them."""
        same = copy(self)
        for names in ("ids", "orgs", "projects", "keys"):
            setattr(same, names, dict(getattr(self, names)))
        return same

    def sign_up(self, name: str, email: str) -> UUID:
        """A person with a confirmed address and no organization."""
        row = self.conn.execute("select local_auth.create_user(%s, %s) as id", [email, HASH]).fetchone()
        self.ids[name] = row["id"]
        return row["id"]

    def found(self, name: str, organization: str) -> None:
        """A person who signs up with an organization, a project and a key."""
        self.sign_up(name, f"{name}@{organization.lower()}.test")
        with self.as_(name):
            row = self.one("select * from app.ensure_organization(%s, 'none', false)", organization)
            self.orgs[name] = row["org_id"]
            self.projects[name] = self.one("select * from app.project_create('chat')")["id"]
            key = self.keys[name] = new_key()
            self.conn.execute(
                "select app.key_create(%s, %s, 'main', %s, %s, null)",
                [self.projects[name], key.id, key.prefix, key.hash],
            )

    @contextmanager
    def as_(self, name: str) -> Iterator[psycopg.Connection]:
        """Statements run as this person; "nobody" has no claims."""
        claims = {"sub": str(self.ids[name]), "role": "authenticated"} if name in self.ids else {}
        with self.as_role("authenticated" if claims else "anon", claims) as conn:
            yield conn

    @contextmanager
    def as_role(self, role: str, claims: dict[str, str] | None = None) -> Iterator[psycopg.Connection]:
        """Statements run as this role, in a savepoint; an error rolls back to it."""
        with self.conn.transaction():
            settings = [json.dumps(claims) if claims else "", role]
            self.conn.execute(
                "select set_config('request.jwt.claims', %s, true), set_config('role', %s, true)", settings
            )
            yield self.conn
            self.conn.execute("select set_config('role', 'postgres', true), set_config('request.jwt.claims', '', true)")

    def one(self, query: str, *args: Any) -> dict[str, Any] | None:
        return self.conn.execute(query, args).fetchone()

    def all(self, query: str, *args: Any) -> list[dict[str, Any]]:
        return self.conn.execute(query, args).fetchall()

    def open_message(self, name: str, **changes: Any) -> dict[str, Any]:
        """A message for app.open_calls with this person's key."""
        return {
            "n": 0, "id": str(uuid4()), "started_at": datetime.now(UTC).isoformat(), "max_seconds": 3600,
            "key_hash": self.keys[name].hash.hex(), "endpoint": "/v1/chat/completions", "method": "POST",
            "model": "gpt-4o-mini", "stream": False, "end_user": None, "tags": {},
        } | changes  # fmt: skip

    @staticmethod
    def now_id() -> dict[str, str]:
        """Id and moment of a call of now, which fit each other as the gateway's do."""
        now = time.time_ns() // 1_000_000
        return {"id": str(new_id(now)), "started_at": datetime.fromtimestamp(now / 1000, UTC).isoformat()}

    def open_calls(
        self, *messages: dict[str, Any], install_key: str = "none", install_fingerprint: bytes | None = None
    ) -> list[dict[str, Any]]:
        """Run app.open_calls as the gateway does."""
        numbered = [message | {"n": n} for n, message in enumerate(messages)]
        with self.as_role("spendai_proxy"):
            query = "select * from app.open_calls(%s::jsonb, %s, %s) order by n"
            return self.all(query, json.dumps(numbered), install_key, install_fingerprint)

    def settle_message(self, name: str, opened: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """A message for app.settle_calls that closes what ``opened`` (an open_message) opened."""
        kept = {
            k: opened[k]
            for k in ("id", "started_at", "max_seconds", "endpoint", "method", "stream", "end_user", "tags")
        }
        return kept | {
            "org_id": str(self.orgs[name]), "project_id": str(self.projects[name]),
            "api_key_id": str(self.keys[name].id), "upstream": "sandbox", "batch": False,
            "model_requested": opened["model"], "model": "gpt-4o-mini-2024-07-18", "service_tier": "default",
            "usage": {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500}, "tools": None,
            "outcome": "complete", "status_code": 200, "latency_ms": 120, "ttft_ms": 80,
            "upstream_request_id": "req_1", "upstream_object_id": "chatcmpl-1",
        } | changes  # fmt: skip

    def settle_calls(self, *messages: dict[str, Any]) -> list[dict[str, Any]]:
        """Run app.settle_calls as the gateway does."""
        numbered = [message | {"n": n} for n, message in enumerate(messages)]
        with self.as_role("spendai_proxy"):
            return self.all("select * from app.settle_calls(%s::jsonb) order by n", json.dumps(numbered))

    def call(self, name: str, **changes: Any) -> dict[str, Any]:
        """One call from open to settled; returns its row in usage_logs."""
        opened = self.open_message(name)
        assert self.open_calls(opened)[0]["outcome"] == "opened"
        assert self.settle_calls(self.settle_message(name, opened, **changes))[0]["outcome"] == "settled"
        return self.one("select * from public.usage_logs where id = %s", opened["id"])

    def refused(self, sqlstate: str, query: str, *args: Any) -> psycopg.Error:
        """Assert that a statement is refused with this SQLSTATE; returns the error."""
        try:
            with self.conn.transaction():
                self.conn.execute(query, args)
        except psycopg.Error as error:
            assert error.sqlstate == sqlstate, f"{error.sqlstate}: {error}"
            return error
        raise AssertionError(f"was not refused: {query}")
