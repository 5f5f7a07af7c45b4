"""What is tried: for everything in the catalog, each way to read, write, run, use or make something.

Every attempt is one statement in the session of whoever tries it, undone at once.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import psycopg

REFUSED = ("42501", "55000", "22012", "25006")  # no right; a view that cannot be written; has_…() is false; a replica
SYSTEM = "nspname !~ '^pg_' and nspname <> 'information_schema'"
RELATIONS = f"""
    select nspname as schema, relname as name, relkind as kind, array(
        select attname::text from pg_attribute
        where attrelid = c.oid and attnum > 0 and not attisdropped order by attnum
    ) as columns
    from pg_class c join pg_namespace n on n.oid = relnamespace
    where {SYSTEM} and relkind in ('r', 'p', 'v', 'm', 'f', 'S') order by nspname, relname
"""
FUNCTIONS = f"""
    select nspname as schema, proname as name, array(
        select format_type(t, null) from unnest(proargtypes) with ordinality a (t, n) order by n
    ) as arguments
    from pg_proc p join pg_namespace n on n.oid = pronamespace
    where {SYSTEM} and prokind = 'f' order by nspname, proname
"""
SCHEMAS = f"select nspname as schema from pg_namespace where {SYSTEM} order by nspname"
TRY = """
do $do$
declare
    statement text;
    results text[] := '{}';
    value text;
begin
    for statement in select jsonb_array_elements_text($json$STATEMENTS$json$) loop
        begin
            execute statement into value;
            raise exception using errcode = 'UNDO1', message = coalesce(value, '');
        exception
            when sqlstate 'UNDO1' then results := array_append(results, 'ok ' || sqlerrm);
            when others then results := array_append(results, sqlstate);
        end;
    end loop;
    perform set_config('isolation.results', to_json(results)::text, false);
end $do$
"""
VIEW_OWNERS = ("alter view {} rename to isolation", "drop view {}", "comment on view {} is ''")
TABLE_OWNERS = (
    "truncate {}", "lock table {} in access exclusive mode", "alter table {} rename to isolation", "drop table {}",
    "comment on table {} is ''", "alter table {} disable row level security", "create policy p on {} using (true)",
    "create trigger t before insert on {} for each row execute function suppress_redundant_updates_trigger()",
)  # fmt: skip
BATCH = 2000


class Attempt(NamedTuple):
    """relation or function or schema, the verb, the column if it is about one, and the statement."""

    kind: str  # as in pg_class.relkind, or "function", "schema", "database"
    name: str  # without schema where that is public
    verb: str  # read, rows, insert, update, delete, truncate, …, run, use, make
    column: str
    statement: str


def run(conn: psycopg.Connection, attempts: list[Attempt]) -> list[str]:
    """For each attempt «ok value» or the SQLSTATE it failed with."""
    results: list[str] = []
    for start in range(0, len(attempts), BATCH):
        statements = json.dumps([attempt.statement for attempt in attempts[start : start + BATCH]])
        conn.execute(TRY.replace("STATEMENTS", statements))
        row = conn.execute("select current_setting('isolation.results') as results").fetchone()
        results += json.loads(row["results"])
    return results


def everything(owner: psycopg.Connection) -> list[Attempt]:
    """All attempts the catalog asks for."""
    found = [a for row in owner.execute(RELATIONS).fetchall() for a in _relation(row)]
    found += [_function(row) for row in owner.execute(FUNCTIONS).fetchall()]
    for row in owner.execute(SCHEMAS).fetchall():
        schema = row["schema"]
        found.append(Attempt("schema", schema, "use", "", f"select 1 / has_schema_privilege('{schema}', 'usage')::int"))
        for what in ("table {}.isolation (n int)", "function {}.isolation() returns int language sql as 'select 1'",
                     "view {}.isolation as select 1 as n"):  # fmt: skip
            found.append(Attempt("schema", schema, "make", "", "create " + what.format(schema)))
    for what in ("schema isolation", "temporary table isolation (n int)", "extension hstore", "role isolation"):
        found.append(Attempt("database", "database", "make", "", f"create {what}"))
    return found


def _relation(row: dict[str, object]) -> list[Attempt]:
    schema, kind, columns = row["schema"], row["kind"], row["columns"]
    name = row["name"] if schema == "public" else f"{schema}.{row['name']}"
    full = f'{schema}."{row["name"]}"'

    def attempt(verb: str, statement: str, column: str = "") -> Attempt:
        return Attempt(kind, name, verb, column, statement)

    if kind == "S":
        calls = [("read", f"select last_value from {full}"), ("read", f"select nextval('{full}')"),
                 ("update", f"select setval('{full}', 1)")]  # fmt: skip
        return [attempt(verb, statement) for verb, statement in calls]
    whose = "org_id" if "org_id" in columns else "id" if name == "organizations" else "'?'"
    tries = [attempt("rows", f"select string_agg(distinct coalesce({whose}::text, '-'), ' ') from {full}")]
    for column in columns:
        tries += [
            attempt("read", f'select 1 from {full} where "{column}" is null', column),
            attempt("insert", f'insert into {full} ("{column}") values (default)', column),
            attempt("update", f'update {full} set "{column}" = default where false', column),
        ]
    tries.append(attempt("delete", f"delete from {full} where false"))
    return tries + [
        attempt(text.split()[0], text.format(full)) for text in (VIEW_OWNERS if kind == "v" else TABLE_OWNERS)
    ]


def _function(row: dict[str, object]) -> Attempt:
    """Planned and started but not run: that is where Postgres asks whether one may.

    Arguments come out of a subquery: a strict function of a constant null becomes null without a check of rights.
    """
    names = [f"a{n}" for n, _ in enumerate(row["arguments"])]
    nulls = ", ".join(f"null::{kind} as {name}" for name, kind in zip(names, row["arguments"], strict=True))
    call = f'{row["schema"]}."{row["name"]}"({", ".join(names)})'
    statement = f"explain select {call} from (select {nulls} offset 0) a"
    return Attempt("function", f"{row['schema']}.{row['name']}", "run", "", statement)
