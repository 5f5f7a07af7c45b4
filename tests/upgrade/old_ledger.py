"""Fills an empty database with a small ledger, by the code of the version in whose folder it runs; see make_dump.py.

Prints JSON: what that version's own views and tables say of it. Every call is at a fixed moment, with fixed usage.
Only what all versions have is imported: `webapp`'s migrations, and `people` and `spending` of the tests.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import people as people_module
import psycopg
from people import People
from psycopg.rows import dict_row

try:
    from webapp.postgres.migrations import migrate
except ModuleNotFoundError:  # up to migration 0012
    from webapp.migrate import migrate

HASH = "$2a$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e"  # of everybody's password, "correct horse"
VIEWS = ("spend_daily", "spend_by_project", "spend_by_model", "spend_by_key", "spend_by_end_user", "spend_by_tag")
TABLES = {
    "calls": "select id, org_id, cost, cost_status, state, tokens_in, tokens_out from public.usage_logs",
    "corrections": "select org_id, call_id, delta, at from public.cost_adjustments",
    "fills": "select org_id, call_id, cost from public.cost_fills",
    "keys": "select id, org_id, revoked_at from public.api_keys",
    "people": "select id, email, encrypted_password from auth.users",
}
OPENED = ("id", "org_id", "project_id", "api_key_id", "started_at", "deadline_at", "state", "upstream", "endpoint",
          "method", "stream", "batch", "model_requested", "end_user", "tags")  # fmt: skip
ids = count(1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def call_id(moment: datetime) -> str:
    """A UUIDv7 of this moment, the same in each run."""
    return str(UUID(int=int(moment.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | next(ids)))


def fixed_keys() -> Iterator[Any]:
    """Proxy keys that a test can send again: their secret part is their number."""
    for n in count(1):
        known = f"sk-spend-{UUID(int=n).hex}-{n:043d}"
        yield people_module.NewKey(UUID(int=n), known, known[:17], hashlib.sha256(known.encode()).digest())


class Ledger:
    """Writes calls, and settles them by app.settle_calls of its version."""

    def __init__(self, conn: psycopg.Connection[dict[str, Any]]) -> None:
        keys = fixed_keys()
        people_module.new_key = lambda key_id=None: next(keys)
        people_module.HASH = HASH
        self.conn, self.people = conn, People(conn)
        self.has_sessions = self.people.one("select to_regclass('public.websocket_sessions') as t")["t"] is not None

    def open(self, who: str, moment: str, **sent: Any) -> dict[str, Any]:
        """One call that is not settled yet. Its row is written here: app.open_calls opens no call of an earlier day."""
        when = at(moment)
        self.conn.execute("select app.ensure_partition(%s)", [when.date()])
        opened = self.people.open_message(who, id=call_id(when), started_at=when.isoformat(), **sent)
        row = self.people.settle_message(who, opened, deadline_at=at(moment), state="open")
        row |= {"tags": json.dumps(row["tags"])}
        self.conn.execute(
            f"insert into public.usage_logs ({', '.join(OPENED)}) values ({', '.join(['%s'] * len(OPENED))})",
            [row[name] for name in OPENED],
        )
        return opened

    def call(self, who: str, moment: str, **changes: Any) -> str:
        """One call from open to settled; returns its id."""
        sent = {name: changes.pop(name) for name in ("endpoint", "method", "tags", "end_user") if name in changes}
        opened = self.open(who, moment, **sent)
        assert self.people.settle_calls(self.people.settle_message(who, opened, **changes))[0]["outcome"] == "settled"
        return opened["id"]

    def session(self, who: str, moment: str) -> str:
        """One session over WebSocket."""
        row = {
            "id": call_id(at(moment)), "org_id": self.people.orgs[who], "project_id": self.people.projects[who],
            "api_key_id": self.people.keys[who].id, "upstream": "sandbox", "endpoint": "/v1/responses",
            "started_at": at(moment), "deadline_at": at(moment), "ended_at": at(moment), "closed_by": "client",
            "close_code": 1000,
        }  # fmt: skip
        marks = ", ".join(["%s"] * len(row))
        self.conn.execute(
            f"insert into public.websocket_sessions ({', '.join(row)}) values ({marks})", list(row.values())
        )
        return row["id"]

    def correct(self, call: str, delta: str, moment: str) -> None:
        self.conn.execute(
            "insert into public.cost_adjustments (org_id, call_id, call_started_at, delta, reason, at)"
            " select org_id, id, started_at, %s, 'billed otherwise', %s from public.usage_logs where id = %s",
            [delta, at(moment), call],
        )

    def fill(self) -> None:
        """Calls of two organizations: with a cost, without one for each reason, corrected, filled, in doubt, closed."""
        usage = {"prompt_tokens": 777, "completion_tokens": 333, "total_tokens": 1110,
                 "prompt_tokens_details": {"cached_tokens": 512},
                 "completion_tokens_details": {"reasoning_tokens": 128}}  # fmt: skip
        self.call("ada", "2026-09-30T23:59:59.999")
        corrected = self.call("ada", "2026-10-01T00:00:00", usage=usage, end_user="u1", tags={"team": "web"})
        self.call("ada", "2026-10-01T13:37:00.123", model="gpt-5-2025-08-07", usage=usage, end_user="u2",
                  tags={"team": "web", "env": "prod"})  # fmt: skip
        self.call("ada", "2026-10-02T08:00:00", batch=True, usage=usage, tags={"team": "search"})
        self.call("ada", "2026-10-02T08:30:00", model="gpt-99", model_requested="gpt-99")
        self.call("ada", "2026-10-02T09:00:00", usage=None, outcome="no_usage", status_code=504)
        self.call("ada", "2026-10-02T09:30:00", usage=None, outcome="error", status_code=429, model=None)
        self.call("ada", "2026-10-31T23:00:00", endpoint="/v1/embeddings", model="text-embedding-3-small",
                  usage={"prompt_tokens": 12345, "total_tokens": 12345})  # fmt: skip
        self.call("ada", "2026-11-01T12:00:00", model="gpt-4o-audio-preview-2024-12-17", usage={
            "prompt_tokens": 100, "completion_tokens": 200, "total_tokens": 300,
            "prompt_tokens_details": {"audio_tokens": 60, "text_tokens": 40},
            "completion_tokens_details": {"audio_tokens": 150, "text_tokens": 50}})  # fmt: skip
        seen = {"account": "install", "upstream_object_id": "resp_1"}
        self.call("ada", "2026-11-02T10:00:00", endpoint="/v1/responses", usage=None, outcome="pending", **seen)
        self.call("ada", "2026-11-03T10:00:00", endpoint="/v1/responses/{response_id}", method="GET",
                  usage={"input_tokens": 1000, "output_tokens": 500, "total_tokens": 1500}, **seen)  # fmt: skip
        pending = {"account": "install", "upstream_object_id": "resp_2"}
        self.call("ada", "2026-11-03T11:00:00", endpoint="/v1/responses", usage=None, outcome="pending", **pending)
        self.open("ada", "2026-11-04T10:00:00")
        closed, conflicting = self.open("ada", "2026-11-04T11:00:00"), self.open("ada", "2026-11-04T12:00:00")
        with self.people.as_("ada"):
            self.conn.execute("select app.call_close(%s, 0.0123, 'as billed')", [closed["id"]])
            self.conn.execute("select app.call_close(%s, 0.5, 'as billed')", [conflicting["id"]])
        late = self.people.settle_message("ada", conflicting)
        assert self.people.settle_calls(late)[0]["outcome"] == "conflict"
        self.correct(corrected, "-0.000000000001", "2026-10-03T00:00:00")
        self.correct(corrected, "0.25", "2026-11-05T06:00:00")
        for n in range(3):
            self.call("eve", f"2026-10-0{n + 1}T0{n}:15:00", end_user="u1", tags={"team": f"t{n}"})
        if self.has_sessions:
            for n in range(2):
                self.call("ada", f"2026-11-05T10:0{n}:00", endpoint="/v1/responses",
                          session_id=self.session("ada", "2026-11-05T10:00:00"))  # fmt: skip

    def said(self) -> str:
        """What this version's views and tables say, as JSON made by Postgres: numbers keep all their digits."""
        found = []
        for name, query in ({view: f"select * from public.{view}" for view in VIEWS} | TABLES).items():
            rows = self.people.all(f"select to_jsonb(q)::text as row from ({query}) q order by 1")
            found.append(f'"{name}": [\n' + ",\n".join(row["row"] for row in rows) + "\n]")
        return ",\n".join(found)


def main(owner_dsn: str, admin_dsn: str, commit: str) -> None:
    with psycopg.connect(admin_dsn) as conn:
        for file in ("supabase.sql", "local_auth.sql"):
            conn.execute((Path("db") / file).read_text())
        conn.execute("alter role postgres password 'temporary'")
    migrate(owner_dsn)
    with psycopg.connect(admin_dsn, autocommit=True, row_factory=dict_row) as conn:
        conn.execute("set role postgres")
        conn.execute("set timezone = 'UTC'")
        ledger = Ledger(conn)
        ledger.fill()
        print(f'{{"commit": "{commit}",\n{ledger.said()}}}')


if __name__ == "__main__":
    main(*sys.argv[1:])
