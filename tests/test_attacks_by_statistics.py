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

import jwt
import psycopg
import pytest
import requests
from analysts import new_analyst
from postgrest_server import PostgREST
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from bench.rls import fill

START = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=30)
LETTERS = "-.0123456789:@abcdefghijklmnopqrstuvwxyz"
SECRETS = ("zx-rival-9", "wim@rival.eu", "quince")  # a model, an end user, and a name
HIDE = """
set session_replication_role = replica;  -- no guards and triggers: the rows of the rivals get words of its own
-- slot 200: no connection writes one above 127 (app.totals_add)
update public.usage_logs set model = 'zx-rival-9', end_user = 'wim@rival.eu', cost_status = 'free', status_code = 429
    where org_id <> '{own}';
update public.organizations set name = 'quince' where id <> '{own}';
update public.projects set name = 'quince' || name where org_id <> '{own}';
update public.api_keys set name = 'quince', prefix = 'quince' where org_id <> '{own}';
insert into public.daily_totals (org_id, day, project_id, api_key_id, model, endpoint, service_tier, status_code,
    cost_status, upstream, slot, calls)
    select org_id, started_at::date, project_id, api_key_id, 'zx-rival-9', endpoint, 'default', 429, 'free', upstream,
        200, count(*) from public.usage_logs where org_id <> '{own}' group by 1, 2, 3, 4, 6, 10;
insert into public.daily_labels (org_id, kind, day, label, project_id, api_key_id, upstream, slot, calls)
    select org_id, 'end_user', started_at::date, 'wim@rival.eu', project_id, api_key_id, upstream, 200, count(*)
    from public.usage_logs where org_id <> '{own}' group by 1, 3, 5, 6, 7;
insert into public.hourly_totals (org_id, hour, project_id, api_key_id, model, endpoint, service_tier, status_code,
    cost_status, upstream, slot, calls)
    select org_id, day, project_id, api_key_id, model, endpoint, service_tier, status_code, cost_status, upstream, slot,
        calls from public.daily_totals where slot = 200;
insert into public.hourly_labels (org_id, kind, hour, label, project_id, api_key_id, upstream, slot, calls)
    select org_id, kind, day, label, project_id, api_key_id, upstream, slot, calls from public.daily_labels
    where slot = 200;
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
    ("daily_totals", "model"), ("daily_labels", "label"), ("hourly_totals", "model"), ("hourly_labels", "label"),
    ("model_prices", "source"), ("cost_fills", "reason"), ("spend_by_model", "model"),
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
    """The plan of a question about a value."""
    return plain(conn.execute(explain.replace("%s", value)).fetchone()["QUERY PLAN"])


def plain(told: object) -> str:
    """A plan without the value that was asked for and without what depends on the memory."""
    hidden = r'"(Filter|One-Time Filter|Index Cond|Recheck Cond)": "(\\.|[^"])*"|"Shared [^,}]*|"Heap Fetches[^,}]*'
    return re.sub(hidden, "", json.dumps(told, default=str))


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


# --- the same through Supabase's API, where plans are on (db-plan-enabled)

KEY = b"k" * 32
# Of usage_logs. Months, checks and a partial index decide which plans there are for their values, whoever has them.
SCHEMA = ("started_at", "state", "upstream")
COLLECT = "alter table public.usage_logs alter model set statistics 100; analyze public.usage_logs"


@pytest.fixture(scope="module")
def asked(rivals: tuple[str, str, str, tuple[str, str]]) -> Iterator[Callable[..., str]]:
    """Asks PostgREST as a member of the tenth organization for the plan of a filter (see plan)."""
    owner, admin, _, (_, user) = rivals
    with psycopg.connect(admin, autocommit=True) as conn:
        conn.execute("alter role authenticator password 'isolation'")
    claims = {"sub": user, "role": "authenticated", "aud": "authenticated", "exp": 2**32}
    session = requests.Session()
    session.headers = {"Authorization": f"Bearer {jwt.encode(claims, KEY, 'HS256')}"}

    def ask(table: str, column: str, condition: str) -> str:
        words, accept = {"select": column, column: condition}, {"Accept": "application/vnd.pgrst.plan+json"}
        answer = session.get(f"{api.inner}/{table}", params=words, headers=accept, timeout=30)
        assert answer.status_code == 200 and '"Plan Rows"' in answer.text, answer.text
        return plain(answer.json())

    with PostgREST(make_conninfo(owner, user="authenticator", password="isolation"), KEY, plans=True) as api:
        yield ask


def told_by(asked: Callable[..., str], column: dict[str, str], operator: str) -> bool:
    """As plans_differ, by PostgREST."""
    values = column["value"], NOBODYS.get(column["column"], NOBODYS.get(column["type"], "-1"))
    for _ in range(3):
        theirs, nobodys = (asked(column["table"], column["column"], f"{operator}.{value}") for value in values)
        if theirs == nobodys:
            return False
    return True


def test_no_plan_over_http_tells_whether_others_have_a_value(
    rivals: tuple[str, str, str, tuple[str, str]], asked: Callable[..., str]
) -> None:
    columns = [column for column in columns_of(*rivals[1:3]) if column["column"] not in SCHEMA]
    told = set()
    assert len(columns) > 70
    for column in columns:
        for operator in ("eq", *([] if column["type"] in ("jsonb", "boolean") else ["lt"])):
            if told_by(asked, column, operator):
                told.add(f"{column['table']}.{column['column']} {operator}")
    assert told == set()


def test_statistics_of_a_column_would_be_told_over_http(
    rivals: tuple[str, str, str, tuple[str, str]], asked: Callable[..., str]
) -> None:
    """Otherwise the test above could not fail."""
    column = {"table": "usage_logs", "column": "model", "type": "text", "value": SECRETS[0]}
    with psycopg.connect(rivals[1], autocommit=True) as conn:
        conn.execute(COLLECT)
        told = told_by(asked, column, "eq")
        conn.execute("select app.statistics_off()")
    assert told and not told_by(asked, column, "eq")
