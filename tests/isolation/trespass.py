"""Acme's people call every function they may with ids of Evil: nothing of Evil's comes back or changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg

from isolation.world import World

FUNCTIONS = """
    select proname as name, proargnames as names, provolatile = 'v' as writes,
        array(select format_type(t, null) from unnest(proargtypes) with ordinality a (t, n) order by n) as types
    from pg_proc where pronamespace = 'app'::regnamespace and has_function_privilege('authenticated', oid, 'execute')
    order by proname
"""
OWNED = """
    select c.oid::regclass::text as name, array(
        select quote_ident(attname) from pg_attribute
        where attrelid = c.oid and attnum > 0 and atttypid = 'uuid'::regtype
    ) as ids
    from pg_class c join pg_attribute o on o.attrelid = c.oid and o.attname = 'org_id'
    where relkind in ('r', 'p') and not relispartition order by c.relname = 'audit_log', 1  -- which repeats others' ids
"""
ARGUMENTS = {  # by type; what a name asks for stands in NAMED
    "text": "evil", "boolean": False, "smallint": 1, "integer": 10, "bigint": 1, "numeric": 1, "bytea": b"x" * 32,
    "date": "2026-01-01", "timestamp with time zone": "2026-01-01Z", "interval": "1 day", "jsonb": "{}", "text[]": [],
    "uuid[]": [],
}  # fmt: skip
NAMED = {"p_role": "developer", "p_name": "intruder", "p_from": "2020-01-01Z", "p_to": "2100-01-01Z", "p_by": "project"}


def owned_ids(world: World) -> dict[str, str]:
    """Every id in the rows of Evil → table and column it stands in."""
    found = {str(world.evil): "organizations.id"}
    columns = [(table["name"], column) for table in world.owner.execute(OWNED).fetchall() for column in table["ids"]]
    for table, column in sorted(columns, key=lambda pair: pair[1] != "id"):  # tables whose own key is the id come first
        query = f"select distinct {column} as id from {table} where org_id = %s and {column} is not null"
        for row in world.owner.execute(query, [world.evil]).fetchall():
            found.setdefault(str(row["id"]), f"{table}.{column}")
    return found


def representatives(ids: dict[str, str]) -> list[str]:
    """Ids to try with: of all things that are looked up by their id, and one of each other kind."""
    return list({value if where.endswith(".id") else where: value for value, where in ids.items()}.values())


def fingerprint(world: World) -> list[Any]:
    """What Evil's rows look like now."""
    tables = [table["name"] for table in world.owner.execute(OWNED).fetchall()]
    parts = [
        f"select md5(string_agg(t::text, ' ' order by t::text)) from {name} t where org_id = %(org)s" for name in tables
    ]
    parts.append("select o::text from public.organizations o where id = %(org)s")
    return world.owner.execute(" union all ".join(parts), {"org": world.evil}).fetchall()


def arguments(function: dict[str, Any], foreign: str) -> Iterator[Any]:
    """One value per parameter: the foreign id wherever an id fits, also inside filters."""
    for name, kind in zip(function["names"] or [], function["types"], strict=False):
        if kind == "uuid":
            yield foreign
        elif kind == "jsonb" and name == "p_filters":
            yield json.dumps({key: [foreign] for key in ("project", "key", "model", "end_user", "tag")})
        else:
            yield NAMED.get(name, ARGUMENTS.get(kind))


def attempt(world: World, person: str, function: dict[str, Any], values: list[Any]) -> tuple[bool, str]:
    """Whether it ran, and what came back: rows as text, or the error in full."""
    user = world[person].claims["sub"]
    casts = ", ".join(f"%s::{kind}" for kind in function["types"])
    world.owner.execute("select set_config('role', 'authenticated', true), set_config('request.jwt.claims', %s, true)",
                        [json.dumps({"sub": user, "role": "authenticated"})])  # fmt: skip
    try:
        with world.owner.transaction():
            rows = world.owner.execute(f"select x::text as x from app.{function['name']}({casts}) x", values).fetchall()
            ran, answer = True, " ".join(row["x"] or "" for row in rows)
    except psycopg.Error as error:
        diag = error.diag
        ran, answer = False, " ".join(filter(None, [diag.message_primary, diag.message_detail, diag.message_hint]))
    world.owner.execute("select set_config('role', 'postgres', true)")
    return ran, answer


def trespass(world: World, only: str = "") -> tuple[int, list[str]]:
    """Number of calls made, of one function or all, and a line for each that let out or changed something of Evil's."""
    calls, leaks = 0, []
    ids = owned_ids(world)
    before = fingerprint(world)
    for function in world.owner.execute(FUNCTIONS).fetchall():
        if only not in ("", function["name"]):
            continue
        foreigners = (
            representatives(ids) if "uuid" in function["types"] or "p_filters" in (function["names"] or []) else [""]
        )
        for person in ("ada", "dev"):
            for foreign in foreigners:
                calls += 1
                values = list(arguments(function, foreign))
                with world.owner.transaction(force_rollback=True):
                    ran, answer = attempt(world, person, function, values)
                    told = [where for value, where in ids.items() if value in answer and value != foreign]
                    if told or ("evil" in answer.lower() and "evil" not in values):
                        leaks.append(f"{person}: app.{function['name']}({ids.get(foreign)}) tells {told or answer}")
                    if ran and function["writes"] and fingerprint(world) != before:
                        leaks.append(f"{person}: app.{function['name']}({ids.get(foreign)}) changes rows of Evil")
    return calls, leaks
