"""An analyst asks the planner instead of the tables: no plan may depend on values in rows of others.

Postgres estimates from statistics of the whole table how many rows a condition finds. Row security does not prevent
that for leakproof operators (= < > of text, uuid, timestamptz …), and EXPLAIN tells the estimate. By comparing
estimates an analyst would spell out words of other organizations, letter by letter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from analysts import new_analyst
from psycopg.rows import dict_row

from bench.rls import fill

START = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=30)
LETTERS = "-.0123456789:@abcdefghijklmnopqrstuvwxyz"
SECRETS = ("zx-rival-9", "wim@rival.eu", "quince")  # a model, an end user, and a name
HIDE = """
set session_replication_role = replica;  -- no guards and triggers: the rows of the rivals get words of its own
update public.usage_logs set model = 'zx-rival-9', end_user = 'wim@rival.eu', cost_status = 'free', status_code = 429
    where org_id <> '{own}';
update public.organizations set name = 'quince' where id <> '{own}';
update public.projects set name = 'quince' || name where org_id <> '{own}';
update public.api_keys set name = 'quince', prefix = 'quince' where org_id <> '{own}';
insert into public.daily_totals (org_id, day, project_id, api_key_id, model, endpoint, service_tier, status_code,
    cost_status, upstream, slot, calls)
    select org_id, started_at::date, project_id, api_key_id, 'zx-rival-9', endpoint, 'default', 429, 'free', upstream,
        65, count(*) from public.usage_logs where org_id <> '{own}' group by 1, 2, 3, 4, 6, 10;
insert into public.daily_labels (org_id, kind, day, label, project_id, api_key_id, upstream, slot, calls)
    select org_id, 'end_user', started_at::date, 'wim@rival.eu', project_id, api_key_id, upstream, 65, count(*)
    from public.usage_logs where org_id <> '{own}' group by 1, 3, 5, 6, 7;
insert into public.cost_adjustments (org_id, call_id, call_started_at, delta, reason)
    select org_id, id, started_at, 1, 'quince' from public.usage_logs where org_id <> '{own}';
insert into public.cost_fills (org_id, call_id, call_started_at, old_status, new_status, reason)
    select org_id, id, started_at, 'no_usage', 'free', 'quince' from public.usage_logs
    where org_id <> '{own}';
insert into public.model_prices (org_id, model, dimension, unit_price, unit_qty, valid_from, revision, source)
    select o.id, 'zx-rival-9', 'input_text', 7, 1, now(), n, 'quince'
    from public.organizations o, generate_series(1, 50) n
    where o.id <> '{own}';
reset session_replication_role;
analyze
"""
COLUMNS = """
select c.oid::regclass::text as table, a.attname as column, a.atttypid::regtype::text as type
from pg_class c join pg_attribute a on a.attrelid = c.oid and attnum > 0 and not attisdropped
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
    and has_column_privilege('spendai_analyst', c.oid, attnum, 'select') and relname not in ('price_aliases')
order by 1, a.attnum
"""
NOBODYS = {"uuid": "00000000-0000-4000-8000-000000000000", "text": "~", "boolean": "true", "jsonb": '{"~": 1}',
           "timestamp with time zone": "1999-01-01Z", "date": "1999-01-01", "cost_status": "tier_fallback"}  # fmt: skip


@pytest.fixture(scope="module")
def rivals(stack_dsns: Callable[[str], tuple[str, str]]) -> tuple[str, str, str, tuple[str, str]]:
    """Ten organizations, nine of them with words that the tenth has not, and all statistics that there may be.

    Owner's and superuser's DSN, the id of a rival, and the ids of the tenth organization and of a person in it."""
    owner, admin = stack_dsns("spendai_rivals")
    found = fill(admin, 4000, START)
    own, rival = str(found["small"][0]), str(found["large"][0])
    with psycopg.connect(admin, autocommit=True) as conn:
        conn.execute(HIDE.format(own=own))
    return owner, admin, rival, tuple(map(str, found["small"]))


@pytest.fixture(scope="module", params=["analyst", "person"])
def spy(rivals: tuple[str, str, str, tuple[str, str]], request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """A session of an analyst, and one of a person who sees plans through Supabase's API, of another organization."""
    owner, admin, _, (org, user) = rivals
    dsn = new_analyst(owner, org) if request.param == "analyst" else admin
    with psycopg.connect(dsn, autocommit=True, row_factory=dict_row) as conn:
        if request.param == "person":
            conn.execute("select set_config('request.jwt.claims', %s, false)", [json.dumps({"sub": user})])
            conn.execute("set role authenticated")
        yield conn


def rows(conn: psycopg.Connection, source: str, condition: str) -> int:
    """How many rows Postgres expects; a condition on a join, because its estimate is not rounded to whole rows."""
    query = f"select from {source} t, generate_series(1, 1000000) g where {condition} or g < 0"
    return conn.execute(f"explain (format json) {query}").fetchone()["QUERY PLAN"][0]["Plan"]["Plan Rows"]


def spelled(conn: psycopg.Connection, source: str, column: str) -> str:
    """The most frequent word of a column, letter by letter: the one for which Postgres expects the most rows."""
    word = ""
    while len(word) < 20:
        found = {}
        for letter in LETTERS:
            first, last = word + letter, word + chr(ord(letter) + 1)
            found[letter] = rows(conn, source, f"({column} >= '{first}' and {column} < '{last}')")
        best = max(found, key=found.get)
        if list(found.values()).count(found[best]) > 1:
            break
        word += best
    return word


@pytest.mark.parametrize(("source", "column"), [
    ("usage_logs", "model"), ("usage_logs", "end_user"), ("calls", "model"), ("booked_calls", "end_user"),
    ("projects", "name"), ("projects", "lower(name)"), ("api_keys", "name"), ("organizations", "name"),
    ("daily_totals", "model"), ("daily_labels", "label"), ("model_prices", "source"), ("cost_fills", "reason"),
    ("spend_by_model", "model"),
])  # fmt: skip
def test_no_word_of_another_organization_can_be_spelled_out(spy: psycopg.Connection, source: str, column: str) -> None:
    word = spelled(spy, source, column)
    assert not any(secret.startswith(word) for secret in SECRETS if word), word
    assert word == ""


def columns_of(admin: str, rival: str) -> list[dict[str, str]]:
    """Columns that analysts read and in which a rival has a value: table, column, type, value."""
    found = []
    with psycopg.connect(admin, row_factory=dict_row) as conn:
        for column in conn.execute(COLUMNS).fetchall():
            whose = "id" if column["table"] == "organizations" else "org_id"
            query = f"select max({column['column']}::text) as value from {column['table']} where {whose} = %s"
            found.append(column | conn.execute(query, [rival]).fetchone())
    return [column for column in found if column["value"] is not None]


def plans_differ(conn: psycopg.Connection, explain: str, column: dict[str, str]) -> bool:
    """Whether the plan for a value of a rival's is another one than that for a value that nobody has.

    Asked again when it is: autovacuum may have counted the table's rows between the two plans.
    """
    nobodys = NOBODYS.get(column["column"], NOBODYS.get(column["type"], "-1"))
    return all(plan(conn, explain, column["value"]) != plan(conn, explain, nobodys) for _ in range(3))


def plan(conn: psycopg.Connection, explain: str, value: str) -> str:
    """The plan of a question about a value, without the value and without what depends on the memory."""
    told = json.dumps(conn.execute(explain.replace("%s", value)).fetchone()["QUERY PLAN"], default=str)
    return re.sub(r'"(Filter|Index Cond)": "(\\.|[^"])*"|"Shared [^,}]*|"Heap Fetches[^,}]*', "", told)


def test_no_estimate_depends_on_whether_others_have_a_value(
    rivals: tuple[str, str, str, tuple[str, str]], spy: psycopg.Connection
) -> None:
    """A value of a rival's gets the plan of a value that nobody has, in every column and for = < >."""
    asked, told = columns_of(*rivals[1:3]), set()
    assert len(asked) > 70
    for column in asked:
        for operator in ("=", "<>", *([] if column["type"] in ("jsonb", "boolean") else ["<", ">"])):
            condition = f"{column['column']} {operator}"
            query = f"explain (format json) select from {column['table']} where {condition} '%s' or random() < 0"
            told |= {f"{column['table']}.{condition}"} if plans_differ(spy, query, column) else set()
    assert told == set()


def test_no_index_is_searched_for_ids_and_words_before_row_security_hides_others(
    rivals: tuple[str, str, str, tuple[str, str]], spy: psycopg.Connection
) -> None:
    """EXPLAIN ANALYZE counts the rows that a search of an index found and row security hid."""
    asked = [column for column in columns_of(*rivals[1:3]) if column["type"] in ("uuid", "text")]
    options = "analyze, costs off, timing off, summary off, format json"
    told, indexed = set(), 0
    spy.execute("set enable_seqscan = off; set enable_bitmapscan = off")
    for column in asked:
        table, name = column["table"], column["column"]
        if spy.execute(f"select from {table} where {name} = %s", [column["value"]]).rowcount:
            continue  # the spy's organization has the value too
        query = f"explain ({options}) select from {table} where {name} >= '%s' and {name} <= '%s'"
        told |= {f"{table}.{name}"} if plans_differ(spy, query, column) else set()
        indexed += 1
    spy.execute("reset enable_seqscan; reset enable_bitmapscan")
    assert indexed > 20
    assert told == set()
