"""`make demo`: fills a separate organization with 90 days of made-up calls, then starts SpendAI as `make run` does.

The calls are priced and written by app.settle_calls, as real calls are. Run again, it adds calls up to the present.
"""

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from webapp import db
from webapp.auth.passwords import hashed
from webapp.config import Config, ConfigError, load
from webapp.launch import demo_books, demo_calls, run
from webapp.postgres.migrations import MigrationError, migrate
from webapp.postgres.owner import open_database
from webapp.postgres.programs import ClusterError, say
from webapp.secrets.proxy_keys import new_key

EMAIL, DEVELOPER = "demo@spendai.test", "sam@spendai.test"
TEAM = {EMAIL: "admin", "lin@spendai.test": "admin", DEVELOPER: "developer"}
BATCH = 500
IN_DOUBT = (3, 23, 43)  # batches of which one call is never settled
ORGANIZATION = """
select o.id, o.created_at, o.is_demo
from public.members m join public.organizations o on o.id = m.org_id where m.user_id = %s
"""
OPEN = """
insert into public.usage_logs (id, org_id, project_id, api_key_id, started_at, deadline_at, state, upstream, endpoint,
    method, stream, batch, model_requested, end_user, tags, provider_key_id)
values (%(id)s, %(org_id)s, %(project_id)s, %(api_key_id)s, %(started_at)s,
    %(started_at)s::timestamptz + interval '1 h', 'open', 'sandbox', %(endpoint)s, %(method)s, %(stream)s, false,
    %(model_requested)s, %(end_user)s, %(tags)s, %(provider_key_id)s)
on conflict do nothing
"""


class DemoError(Exception):
    """The demo cannot be loaded; the message says why."""


class Demo:
    """The demo organization in the database of ``conn``, the owner's connection, in its one transaction.

    now: end of the made-up calls; days: how many days before it they begin. The organization is not made by
    app.ensure_organization, because the demo must never count as the install's first organization.
    """

    def __init__(self, conn: psycopg.Connection, now: datetime, days: int = demo_calls.DAYS) -> None:
        self.conn, self.now, self.days = conn, now, days
        self.ids: dict[tuple[str, str], tuple[UUID, UUID]] = {}  # (project, key) by name → their ids

    def fill(self, password: str) -> int:
        """Add what is missing and set this password for EMAIL and DEVELOPER; returns how many calls were added."""
        people = {email: self._person(email) for email in TEAM}
        for email in (EMAIL, DEVELOPER):
            self.conn.execute("select local_auth.set_password(%s, %s)", [people[email], hashed(password)])
        found = self._row(ORGANIZATION, people[EMAIL]) or self._organization(people)
        self.org_id, began, is_demo = found
        if not is_demo:
            raise DemoError(f"{EMAIL} belongs to an organization that is not the demo")
        self.began = datetime.combine(began.astimezone(UTC).date(), time(), UTC)
        self._projects([(people[email], email) for email, role in TEAM.items() if role == "admin"])
        self.version = demo_books.key_version(self.conn, self.org_id, self.began)
        count = self._calls()
        demo_books.fill(self.conn, self.org_id, self.now)
        return count

    def _row(self, query: str, *args: Any) -> Any:
        return self.conn.execute(query, args).fetchone()

    def _person(self, email: str) -> UUID:
        """Id of the user with this address, made if missing with a password that nobody knows."""
        nobody_knows = hashed(secrets.token_urlsafe(24))
        (made,) = self._row("select local_auth.create_user(%s, %s)", email, nobody_knows)
        return made or self._row("select user_id from local_auth.find_login(%s)", email)[0]

    def _organization(self, people: dict[str, UUID]) -> Any:
        """Make the organization with its members; its row as ORGANIZATION has it."""
        began = self.now - timedelta(days=self.days)
        made = "insert into public.organizations (name, is_demo, created_at) values ('Demo', true, %s)"
        found = self._row(made + " returning id, created_at, is_demo", began)
        for email, role in TEAM.items():
            values = [people[email], found[0], role, email, began]
            self.conn.execute("insert into public.members values (%s, %s, %s, %s, %s) on conflict do nothing", values)
        return found

    def _projects(self, admins: list[tuple[UUID, str]]) -> None:
        """Make missing projects and keys, in the names of the admins in turn; the keys themselves are thrown away."""
        for number, app in enumerate(demo_calls.APPS):
            at, maker = self.began + timedelta(hours=8, minutes=number), admins[number % len(admins)]
            project_id = self._thing("project", {"name": app.project}, {}, at, maker)
            for name in app.keys:
                key = new_key()
                rest = {"id": key.id, "prefix": key.prefix, "key_hash": key.hash}
                key_id = self._thing("key", {"name": name, "project_id": project_id}, rest, at, maker)
                self.ids[app.project, name] = project_id, key_id

    def _thing(
        self, kind: str, place: dict[str, Any], rest: dict[str, Any], at: datetime, maker: tuple[UUID, str]
    ) -> UUID:
        """Id of the project or key with the columns ``place``; if missing it is made, with its line in the audit log.

        kind: project or key; rest: its other columns; at, maker: when and by whom (id, e-mail address) it is made.
        """
        table = sql.Identifier("public", {"project": "projects", "key": "api_keys"}[kind])
        place = place | {"org_id": self.org_id}
        where = sql.SQL(" and ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in place)
        found = self._row(sql.SQL("select id from {} where {} limit 1").format(table, where), *place.values())
        if found:
            return found[0]
        row = place | rest | {"created_at": at, "created_by": maker[0]}
        names, holes = sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join([sql.Placeholder()] * len(row))
        insert = sql.SQL("insert into {} ({}) values ({}) returning id").format(table, names, holes)
        (made,) = self._row(insert, *row.values())
        details = Jsonb({name: row[name] for name in ("name", "prefix") if name in row})
        self.conn.execute(
            "insert into public.audit_log (org_id, at, actor_id, actor_email, action, subject_id, details)"
            " values (%s, %s, %s, %s, %s, %s, %s)",
            [self.org_id, at, *maker, f"{kind}.created", made, details],
        )
        return made

    def _calls(self) -> int:
        """Write the calls since the last one in the database, a few of them never settled; returns their number."""
        (last,) = self._row("select max(started_at) from public.usage_logs where org_id = %s", self.org_id)
        since = last or self.began
        for day in range((self.now - since).days + 1):
            self.conn.execute("select app.ensure_partition(%s)", [(since + timedelta(days=day)).date()])
        pending = demo_calls.calls(self.began.date(), since, self.now)
        done = number = 0
        while batch := [self._message(call) for call in islice(pending, BATCH)]:
            lost = batch[:1] if not last and number in IN_DOUBT else []
            for call in lost:
                self.conn.execute(OPEN, call | {"tags": Jsonb(call["tags"])})
            settled = [call | {"n": n} for n, call in enumerate(batch[len(lost) :])]
            self.conn.execute("select app.settle_calls(%s)", [Jsonb(settled)])
            done, number = done + len(batch), number + 1
            progress((datetime.fromisoformat(batch[-1]["started_at"]) - since) / (self.now - since))
        progress(1)
        return done

    def _message(self, call: dict[str, Any]) -> dict[str, Any]:
        project_id, key_id = self.ids[call.pop("app"), call.pop("key")]
        places = {"org_id": str(self.org_id), "project_id": str(project_id), "api_key_id": str(key_id)}
        places |= {"provider_key_id": str(self.version), "openai_project": "proj_demo"}
        return call | places | {"started_at": call["started_at"].isoformat()}


def progress(part: float) -> None:
    """Draw a progress bar, if standard error is a terminal; part: from 0 to 1."""
    if sys.stderr.isatty():
        bar = f"[{'#' * round(part * 40):<40}] {part:4.0%}"
        print(f"\rspendai: demo calls {bar}", end="\n" if part == 1 else "", file=sys.stderr, flush=True)


def load_into(config: Config, password: str) -> int:
    """Fill the database of these settings; returns how many calls were added.

    Raises DemoError, ClusterError, MigrationError, OSError or psycopg.Error.
    """
    if config.supabase_url:
        raise DemoError("the demo's people sign in here, not at Supabase: unset SUPABASE_URL for make demo")
    with open_database(config) as (dsn, _):
        migrate(dsn, passwords=db.passwords(config))
        with psycopg.connect(dsn, prepare_threshold=None) as conn:
            count = Demo(conn, datetime.now(UTC)).fill(password)
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("analyze public.usage_logs")  # until then queries are planned as for an empty table
        return count


def main() -> int:
    """Load the demo, then do what ``run.main`` does; exit status as there."""
    password = secrets.token_urlsafe(9)
    try:
        config = load()
        count = load_into(config, password)
    except ConfigError as error:
        say(str(error))
        return 2
    except (DemoError, ClusterError, MigrationError, OSError, psycopg.Error) as error:
        say(str(error).strip())
        return 1
    print(f"The demo organization got {count:,} calls. Log in at {config.public_url} as", flush=True)
    print(f"{EMAIL} (admin) or {DEVELOPER} (developer) with the password {password}\n", flush=True)
    return run.main()


if __name__ == "__main__":
    sys.exit(main())
