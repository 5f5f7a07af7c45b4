"""What does row security cost? An organization's questions among 1,000,000 calls, as a person and as an analyst.

    python bench/rls.py [calls]

For an organization with 30 % and one with 0.7 % of the calls: medians in milliseconds, and whether an index found the
rows. Compared with the owner, to whom row security does not apply and whose queries filter by organization themselves.
Runs on temporary servers of every Postgres found here.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from analysts import new_analyst

from webapp.config import ROOT
from webapp.postgres.cluster import SUPERUSER, Cluster, temporary
from webapp.postgres.migrations import migrate
from webapp.postgres.programs import find_bindir, major

SHARES = {"large": 30.0, "small": 0.7}  # percent of all calls; the rest belongs to eight others
REPEATS = 15
FILL = """
insert into public.usage_logs (
    id, org_id, project_id, api_key_id, started_at, deadline_at, settled_at, state, upstream, endpoint, method, stream,
    batch, status_code, latency_ms, model_requested, model, service_tier, tokens_in, tokens_out, tokens_cached, cost,
    cost_status, end_user, tags)
select gen_random_uuid(), p.org_id, p.id, k.id, t.at, t.at, t.at, 'settled', 'sandbox', '/v1/chat/completions', 'POST',
    false, false, 200, 120, 'gpt-4o-mini', 'gpt-4o-mini-2024-07-18', 'default', 1000, 500, 100, 0.00045, 'priced',
    'u' || n %% 1000, jsonb_build_object('team', n %% 7)
from generate_series(1, %(calls)s) n
cross join lateral (select %(start)s::timestamptz + n * (interval '30 days' / %(calls)s) as at) t
join lateral (select * from public.projects where org_id = %(org)s order by id offset n %% 5 limit 1) p on true
join public.api_keys k on k.project_id = p.id
"""
ORGANIZATION = """
with o as (insert into public.organizations (name) values (%(name)s) returning id),
    u as (insert into auth.users (id, email) select gen_random_uuid(), %(name)s || '@bench.test' returning id),
    m as (insert into public.members (user_id, org_id, role, email) select u.id, o.id, 'admin', 'x' from o, u),
    p as (insert into public.projects (org_id, name) select o.id, 'project ' || n from o, generate_series(1, 5) n
          returning org_id, id),
    k as (insert into public.api_keys (id, org_id, project_id, name, prefix, key_hash)
          select gen_random_uuid(), org_id, id, 'key', 'sk', sha256(id::text::bytea) from p)
select o.id, u.id from o, u
"""


def database(cluster: Cluster) -> tuple[str, str]:
    """Make SpendAI's database. Returns the connection strings of its owner and of the superuser."""
    admin = cluster.dsn(SUPERUSER, "temporary")
    with psycopg.connect(admin) as conn:
        for file in ("supabase.sql", "local_auth.sql"):
            conn.execute((ROOT / "db" / file).read_text())
        conn.execute("alter role postgres password 'temporary'")
    migrate(cluster.dsn("postgres", "temporary"))
    return cluster.dsn("postgres", "temporary"), admin


def fill(admin: str, calls: int, start: datetime) -> dict[str, tuple[str, str]]:
    """Make organizations with calls spread over 30 days. Returns name → ids of the organization and of its admin."""
    found = {}
    with psycopg.connect(admin, autocommit=True) as conn:
        for days in (0, 15, 31):  # three months where the second is a February
            conn.execute("select app.ensure_partition(%s)", [(start + timedelta(days=days)).date()])
        rest = (100 - sum(SHARES.values())) / 8
        for name, share in (SHARES | {f"other {n}": rest for n in range(8)}).items():
            org, user = conn.execute(ORGANIZATION, {"name": name}).fetchone()
            found[name] = (org, user)
            conn.execute(FILL, {"calls": int(calls * share / 100), "start": start, "org": org})
        conn.execute("vacuum analyze public.usage_logs")
        conn.execute("analyze public.projects; analyze public.organizations; analyze public.api_keys")
    return found


def median_ms(conn: psycopg.Connection, query: str, values: dict[str, object]) -> tuple[float, bool]:
    """Milliseconds of a query, and whether its plan looks rows up by the organization in an index."""
    taken = []
    for _ in range(REPEATS + 2):
        begin = time.perf_counter()
        conn.execute(query, values).fetchall()
        taken.append((time.perf_counter() - begin) * 1e3)
    plan = json.dumps(conn.execute(f"explain (format json) {query}", values).fetchone())
    return statistics.median(taken[2:]), "Index Cond" in plan and "(org_id = " in plan


QUESTIONS = {
    "month by project": "select project, sum(cost) as cost, sum(calls) as calls from public.spend_by_project"
    " where day >= %(from)s::date and day < %(to)s::date {} group by project",
    "newest 50 calls": "select * from public.calls where true {} order by started_at desc limit 50",
    "calls of two days": "select count(*), sum(cost) from public.calls where started_at >= %(from)s"
    " and started_at < %(from)s + interval '2 days' {}",
}


def measure(owner: str, admin: str, found: dict[str, tuple[str, str]], start: datetime) -> None:
    """Print the figures of one server, compared with those of the owner, to whom row security does not apply."""
    period = {"from": start, "to": start + timedelta(days=30)}
    for name in SHARES:
        org, user = found[name]
        claims = json.dumps({"sub": str(user), "role": "authenticated"})
        with connected(owner) as free, connected(admin) as person, connected(new_analyst(owner, str(org))) as analyst:
            person.execute("select set_config('request.jwt.claims', %s, false)", [claims])
            person.execute("set role authenticated; set jit = off")  # as for SpendAI's own roles and analysts
            for question, query in QUESTIONS.items():
                free.execute("set jit = off")
                figures = [median_ms(free, query.format("and org_id = %(org)s"), period | {"org": org})]
                figures += [median_ms(conn, query.format(""), period) for conn in (person, analyst)]
                shown = "".join(f"{ms:10.1f} {'index' if indexed else 'NO INDEX':8}" for ms, indexed in figures)
                print(f"  {name:6} {question:20} {shown}", flush=True)


def connected(dsn: str) -> psycopg.Connection:
    return psycopg.connect(dsn, autocommit=True)


def main() -> None:
    """Measure on the wheel's Postgres and on Debian's, where there is one."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=30)
    for bindir in sorted({find_bindir(), *Path("/usr/lib/postgresql").glob("*/bin")}, key=major):
        with temporary(bindir, shared_buffers="256MB") as cluster:
            owner, admin = database(cluster)
            found = fill(admin, calls, start)
            print(
                f"Postgres {major(bindir)}, {calls:,} calls, ms:      owner filtering   a person        an analyst",
                flush=True,
            )
            measure(owner, admin, found, start)


if __name__ == "__main__":
    main()
