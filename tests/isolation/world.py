"""A database with two companies that have rows everywhere, and everyone who may want to see them, logged in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import NamedTuple
from uuid import UUID, uuid4

import psycopg
from analysts import new_analyst
from ledgers import add_call
from openai_books import row_in_each
from people import People
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row
from stack import SECRETS

from webapp import db
from webapp.config import Config, load
from webapp.postgres.migrations import migrate

SESSION = """
    insert into public.websocket_sessions (id, org_id, project_id, api_key_id, upstream, endpoint, tags, started_at,
        deadline_at, model_requested, model, upstream_session_id, ended_at, close_code, closed_by)
    select gen_random_uuid(), org_id, project_id, id, 'sandbox', '/v1/realtime', jsonb_build_object('team', m), now(),
        now(), m, m, m, now(), 1000, 'client'
    from public.api_keys, (select %(mark)s::text as m) marked where id = %(key)s returning id
"""
PASSWORD = "isolation"  # of authenticator, as whom PostgREST logs in


class Actor(NamedTuple):
    """Somebody with a session. role: column of the matrix; claims: of the token; org: whose rows are the own ones."""

    name: str
    role: str
    dsn: str
    claims: Mapping[str, str]
    org: UUID | None = None
    admin: bool = False
    conn: psycopg.Connection | None = None


class World(NamedTuple):
    """config: of the install; owner: a session that sees everything; acme, evil: organizations; actors: all others."""

    config: Config
    owner: psycopg.Connection
    acme: UUID
    evil: UUID
    actors: list[Actor]

    def __getitem__(self, name: str) -> Actor:
        return next(actor for actor in self.actors if actor.name == name)


def fill(people: People, name: str) -> None:
    """Rows of one organization in every table and view of public; every text says whose they are."""
    org, mark = people.orgs[name], "evil" if name == "eve" else "acme"
    with people.as_(name):
        people.conn.execute("select app.project_create(%s)", [f"{mark} project"])
        for role in ("developer", "admin"):
            people.conn.execute(
                "select app.invitation_create(%s, %s, %s)", [f"{role}@{mark}.test", role, uuid4().bytes * 2]
            )
    people.conn.execute(
        "with made as (insert into public.provider_key_versions (org_id, last4)"
        " values (%s, %s) returning *)"
        " insert into private.provider_keys (id, org_id, last4, ciphertext) select id, org_id, last4, 'c' from made",
        [org, mark],
    )
    call = add_call(people, name, end_user=f"{mark} user", tags={"team": mark})
    add_call(people, name, cost=None, cost_status="unpriced_model", model=f"{mark}-model")
    for statement in (
        "insert into public.cost_adjustments (org_id, call_id, call_started_at, delta, reason)"
        " select org_id, id, started_at, 1, %s from public.usage_logs where id = %s",
        "insert into public.cost_fills (org_id, call_id, call_started_at, old_status, new_status, reason)"
        " select org_id, id, started_at, 'no_usage', 'priced', %s from public.usage_logs where id = %s",
    ):
        people.conn.execute(statement, [mark, call])
    session = people.conn.execute(SESSION, {"mark": mark, "key": people.keys[name].id}).fetchone()
    add_call(people, name, session_id=session["id"], method="WEBSOCKET")
    row_in_each(people, name, mark)
    people.conn.execute(
        "insert into public.key_refusals (org_id, api_key_id, day, calls)"
        " select org_id, id, current_date, 1 from public.api_keys where org_id = %s", [org])  # fmt: skip
    people.conn.execute(
        "insert into public.model_prices (org_id, model, dimension, unit_price, unit_qty, valid_from, source)"
        " values (%s, 'gpt-4o', 'input_text', 1, 1, now(), %s)", [org, mark])  # fmt: skip


def populate(conn: psycopg.Connection) -> People:
    """Acme with Ada and Dev, Evil with Eve and Dan, Lone without a company."""
    people = People(conn)
    people.sign_up("dan", "dan@evil.test")
    token = uuid4().bytes * 2
    with people.as_("eve"):
        conn.execute("select app.invitation_create('dan@evil.test', 'developer', %s)", [token])
    with people.as_("dan"):
        conn.execute("select app.invitation_accept(%s)", [token])
    people.orgs["dan"] = people.orgs["eve"]
    people.sign_up("lone", "lone@nowhere.test")
    conn.execute("insert into public.provider_key_versions (shared, last4) values (true, 'inst')")
    for name in ("ada", "eve"):
        fill(people, name)
    return people


def everyone(people: People, owner_dsn: str, passwords: Mapping[str, str]) -> Iterator[Actor]:
    """All actors, without sessions yet. People and anon come as the product or PostgREST brings them."""

    def login(role: str) -> str:
        return make_conninfo(owner_dsn, user=role, password=passwords.get(role, PASSWORD))

    yield Actor("nobody", "anon", login("authenticator"), {"role": "anon"})
    for name in ("ada", "dev", "eve", "dan", "lone"):
        claims = {"sub": str(people.ids[name]), "role": "authenticated"}
        yield Actor(name, "authenticated", login("spendai_web"), claims, people.orgs.get(name), name in ("ada", "eve"))
    for name, org in (("ann", people.orgs["ada"]), ("bob", people.orgs["eve"])):
        yield Actor(name, "spendai_analyst", new_analyst(owner_dsn, str(org), name), {}, org)
    for name in ("proxy", "web", "auth"):
        yield Actor(name, f"spendai_{name}", login(f"spendai_{name}"), {})
    yield Actor("service", "service_role", login("authenticator"), {"role": "service_role"})


def with_session(actor: Actor) -> Actor:
    """The actor, logged in. What a session may set itself it does: read-only is a default and protects nothing."""
    conn = psycopg.connect(actor.dsn, autocommit=True, row_factory=dict_row)
    conn.execute("set default_transaction_read_only = off; set statement_timeout = 0")
    if actor.claims:
        settings = [actor.claims["role"], json.dumps(actor.claims)]
        conn.execute("select set_config('role', %s, false), set_config('request.jwt.claims', %s, false)", settings)
    return actor._replace(conn=conn)


@contextmanager
def world(owner_dsn: str, admin_dsn: str) -> Iterator[World]:
    """Populate a freshly migrated database and let everyone log in; owner_dsn and admin_dsn are of that database."""
    config = load(SECRETS | {"DATABASE_URL": owner_dsn})
    migrate(owner_dsn, passwords=db.passwords(config))
    with ExitStack() as stack, psycopg.connect(admin_dsn, autocommit=True, row_factory=dict_row) as owner:
        owner.execute(f"alter role authenticator password '{PASSWORD}'")
        owner.execute("set role postgres")
        with owner.transaction():
            people = populate(owner)
        actors = []
        for actor in everyone(people, owner_dsn, db.passwords(config)):
            actors.append(with_session(actor))
            stack.callback(actors[-1].conn.close)
        yield World(config, owner, people.orgs["ada"], people.orgs["eve"], actors)


@contextmanager
def elsewhere(here: World, host: str) -> Iterator[World]:
    """The same people logged in to a replica of that world, whose socket is in this folder."""
    with ExitStack() as stack:
        actors = [with_session(actor._replace(dsn=make_conninfo(actor.dsn, host=host))) for actor in here.actors]
        for actor in actors:
            stack.callback(actor.conn.close)
        yield here._replace(actors=actors)
